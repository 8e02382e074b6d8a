// SPDX-License-Identifier: GPL-2.0

//! Works of an object that the handler gets.

use super::{
    raw,
    WorkContext, //
};
use crate::{
    alloc::Flags,
    bindings,
    container_of,
    cpu::CpuId,
    detach::{
        sent::{
            Later,
            Sent,
            SentPointer, //
        },
        Module,
        Owner,
        Use, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Release, //
        },
        barrier::smp_mb, //
    },
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    ptr, //
};

pub use crate::impl_has_irq_work;

/// An object with a work, of which the handler gets a pointer.
///
/// The pointer may be an [`Arc`](crate::sync::Arc), an [`ARef`](crate::sync::aref::ARef), or a pinned
/// [`KBox`], which the sender then no longer has. The object has an [`OwnedIrqWork`], to which [`impl_has_irq_work!`] leads. An object with
/// several of them has a handler for each `ID`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     irq_work::{self, impl_has_irq_work, OwnedHandler, OwnedIrqWork, WorkContext},
///     smp::Sent,
///     sync::Arc,
/// };
///
/// struct Fence {
///     work: OwnedIrqWork<Self>,
/// }
///
/// impl_has_irq_work! {
///     impl HasIrqWork<Self> for Fence { self.work }
/// }
///
/// impl OwnedHandler for Fence {
///     type Pointer = Arc<Self>;
///
///     fn handle(_this: Sent<'_, Arc<Self>>, _context: &WorkContext) {
///         // If this is the last pointer, a worker frees the fence.
///     }
/// }
///
/// let fence = Fence { work: OwnedIrqWork::new(GFP_KERNEL)? };
/// assert!(irq_work::queue(Arc::new(fence, GFP_KERNEL)?).is_ok());
/// # Ok::<(), Error>(())
/// ```
pub trait OwnedHandler<const ID: u64 = 0>: HasIrqWork<Self, ID> + Sized + 'static {
    /// The pointer that is queued.
    type Pointer: SentPointer<Target = Self>;

    /// Called once each time that the work has been queued, where
    /// [`Handler::handle`](super::Handler::handle) is.
    ///
    /// When this begins, the work can be queued again, if there is another pointer to the object.
    fn handle(this: Sent<'_, Self::Pointer>, context: &WorkContext);
}

/// The data that the object and the CPUs share.
///
/// # Invariants
///
/// - `work.func` never changes, and is code of `module`.
/// - If `object` is not null, it is the pointer that the work was queued with, or is about to be.
struct Inner {
    work: Opaque<bindings::irq_work>,
    object: Atomic<*mut c_void>,
    module: Module,
}

// SAFETY: Several CPUs may pass the work to C at once.
unsafe impl Sync for Inner {}

// SAFETY: Any task may free the work.
unsafe impl Send for Inner {}

/// A work of an object of which a pointer is queued.
///
/// It is queued by [`queue()`] and [`queue_on`]. The object cannot be freed while it is queued, and a
/// module whose handler is queued cannot be unloaded. C uses the work once more when the handler has
/// returned: it is an allocation of its own, which is freed after a grace period.
///
/// # Examples
///
/// See [`OwnedHandler`].
#[doc(alias = "irq_work")]
pub struct OwnedIrqWork<T: ?Sized, const ID: u64 = 0> {
    inner: Owner<Inner>,
    later: Later,
    /// Invariant in `T`: the function that runs is that of this type.
    _object: PhantomData<fn(*mut T)>,
}

impl<T: OwnedHandler<ID>, const ID: u64> OwnedIrqWork<T, ID> {
    /// Makes a work that is not queued.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    ///
    /// # Examples
    ///
    /// See [`OwnedHandler`].
    pub fn new(flags: Flags) -> Result<Self> {
        Self::with_flags(0, flags)
    }

    /// Makes a work that is not queued, and that runs with interrupts off on PREEMPT_RT, too. See
    /// [`IrqWork::new_hard`](super::IrqWork::new_hard).
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    ///
    /// # Examples
    ///
    /// See [`OwnedHandler`].
    pub fn new_hard(flags: Flags) -> Result<Self> {
        Self::with_flags(bindings::IRQ_WORK_HARD_IRQ, flags)
    }

    fn with_flags(u_flags: c_uint, flags: Flags) -> Result<Self> {
        let code = run::<T, ID> as *const ();
        let inner = try_init!(Inner {
            work: raw::new(run::<T, ID>, u_flags),
            // INVARIANT: It was never queued.
            object: Atomic::new(ptr::null_mut()),
            module: Module::of(code),
        }? Error);

        Ok(Self {
            inner: Owner::new(inner, code, flags)?,
            later: Later::new(),
            _object: PhantomData,
        })
    }
}

/// Queues the work of an object on the CPU that the caller runs on. The handler gets the pointer.
///
/// May be called in any context, also in an NMI.
///
/// # Errors
///
/// The pointer comes back with one of these. In an NMI, the caller has another one.
///
/// - [`EBUSY`]: the work is queued, on this or another CPU. The handler has not begun, and will see
///   what the caller has written before.
/// - [`ENODEV`]: the module of the handler is being unloaded.
///
/// # Examples
///
/// See [`OwnedHandler`].
#[doc(alias = "irq_work_queue")]
pub fn queue<P, const ID: u64>(pointer: P) -> Result<(), (Error, P)>
where
    P: SentPointer,
    P::Target: OwnedHandler<ID, Pointer = P>,
{
    // SAFETY: The work is initialized, and is not freed while there is a use of it.
    with_object(pointer, |work| unsafe { bindings::irq_work_queue(work) })
}

/// Queues the work of an object on `cpu`. The handler gets the pointer.
///
/// May be called where [`IrqWork::queue_on`](super::IrqWork::queue_on) may.
///
/// # Errors
///
/// The pointer comes back with one of these.
///
/// - [`ENXIO`]: `cpu` is not online.
/// - Those of [`queue()`].
///
/// # Examples
///
/// See [`OwnedHandler`].
#[doc(alias = "irq_work_queue_on")]
pub fn queue_on<P, const ID: u64>(pointer: P, cpu: CpuId) -> Result<(), (Error, P)>
where
    P: SentPointer,
    P::Target: OwnedHandler<ID, Pointer = P>,
{
    let _guard = match raw::stays_online(cpu) {
        Ok(guard) => guard,
        Err(error) => return Err((error, pointer)),
    };

    // SAFETY: As in `queue()`. The CPU is online.
    with_object(pointer, |work| unsafe { raw::queue_on(work, cpu) })
}

fn with_object<P, const ID: u64>(
    pointer: P,
    queue: impl FnOnce(*mut bindings::irq_work) -> bool,
) -> Result<(), (Error, P)>
where
    P: SentPointer,
    P::Target: OwnedHandler<ID, Pointer = P>,
{
    let object = pointer.into_raw();
    // SAFETY: The object is valid.
    let work = unsafe { P::Target::raw_irq_work(object) };
    // SAFETY: As above.
    let owner = unsafe { &(*work).inner };

    // From here on the use keeps the work: the object is that of the handler when C has the work.
    let queued = owner
        .start_use()
        .and_then(|inner| queue_with(inner, object.cast(), queue));
    // SAFETY: It was not queued, so it is still that of the caller.
    queued.map_err(|error| (error, unsafe { P::from_raw(object) }))
}

/// Queues a work with `object`, by `queue`, a function of C.
fn queue_with(
    inner: Use<Inner>,
    object: *mut c_void,
    queue: impl FnOnce(*mut bindings::irq_work) -> bool,
) -> Result {
    // ORDERING: Pairs with the exchange in `run()`, also if the next one fails: that handler sees
    // what the caller has written.
    // LITMUS: owned-work-busy
    smp_mb(Full);
    // INVARIANT: The work is about to be queued, or this is cleared below.
    // ORDERING: Full. As an acquire it pairs with the exchange in `run()`: that handler has taken its
    // object.
    if inner.object.cmpxchg(ptr::null_mut(), object, Full).is_err() {
        return Err(EBUSY);
    }

    let inner = inner.into_raw();
    // SAFETY: There is a use, which `run()` takes back.
    let work = unsafe { (*inner).work.get() };
    if queue(work) {
        return Ok(());
    }
    // The work was queued without an object: this is unexpected.
    crate::warn_on_once!(true);
    // SAFETY: C has not accepted the work.
    let inner = unsafe { Use::from_raw(inner) };
    // ORDERING: Pairs with the exchange above.
    inner.object.store(ptr::null_mut(), Release);
    Err(EBUSY)
}

/// # Safety
///
/// `work` must be that of an [`Inner`] of a `T`, of which there is a [`Use`] for this.
unsafe extern "C" fn run<T: OwnedHandler<ID>, const ID: u64>(work: *mut bindings::irq_work) {
    let work = Opaque::cast_from(work).cast_mut();

    // SAFETY: `work` is in an `Inner`, by the safety requirements.
    let inner = unsafe { container_of!(work, Inner, work) };
    // SAFETY: There is a use, by the safety requirements. C uses the work once more after this has
    // returned, in the same interrupt or RCU read-side critical section.
    let inner = unsafe { Use::from_raw(inner) };

    // ORDERING: Full. As an acquire it pairs with the barrier in `queue_with()`: the handler sees
    // what each caller has written that got `EBUSY`. As a release it pairs with the exchange there:
    // the next object comes after this one.
    // LITMUS: owned-work-busy
    let object = inner.object.xchg(ptr::null_mut(), Full).cast::<T>();
    // SAFETY: The object is valid: this has the pointer to it.
    let work = unsafe { T::raw_irq_work(object) };
    // SAFETY: As above; this only computes an address.
    let later = unsafe { &raw const (*work).later };
    // SAFETY: The work was queued with it, by the type invariants, and it is given up once.
    let pointer = unsafe { T::Pointer::from_raw(object) };
    // SAFETY: It is a part of the object. The use has a reference to the module of this code.
    let sent = unsafe { Sent::new(pointer, later, inner.module) };

    // SAFETY: C runs this on the CPU of the work, in an interrupt or in a thread of that CPU.
    T::handle(sent, unsafe { WorkContext::assume() });
}

/// An object that has an [`OwnedIrqWork<T, ID>`]. To be implemented by [`impl_has_irq_work!`].
///
/// # Safety
///
/// [`raw_irq_work`](Self::raw_irq_work) returns the address of a field.
///
/// # Examples
///
/// See [`OwnedHandler`].
pub unsafe trait HasIrqWork<T: ?Sized, const ID: u64 = 0> {
    /// Returns the address of the work of an object.
    ///
    /// # Safety
    ///
    /// `this` is valid.
    unsafe fn raw_irq_work(this: *mut Self) -> *mut OwnedIrqWork<T, ID>;
}

/// Implements [`HasIrqWork`] for a field of a struct.
///
/// # Examples
///
/// See [`OwnedHandler`].
#[macro_export]
macro_rules! impl_has_irq_work {
    ($(impl HasIrqWork<$object:ty $(, $id:tt)?> for $self:ty { self.$field:ident })*) => {$(
        // SAFETY: It returns the address of a field: `offset_of!` takes no other.
        unsafe impl $crate::irq_work::HasIrqWork<$object $(, $id)?> for $self {
            #[inline]
            unsafe fn raw_irq_work(
                this: *mut Self,
            ) -> *mut $crate::irq_work::OwnedIrqWork<$object $(, $id)?> {
                let _ = ::core::mem::offset_of!(Self, $field);
                // A packed field cannot be borrowed.
                let _: fn(&Self) = |this| _ = &this.$field;

                // SAFETY: `this` is valid, by the safety requirements.
                unsafe { &raw mut (*this).$field }
            }
        }
    )*};
}
