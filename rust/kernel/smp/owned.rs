// SPDX-License-Identifier: GPL-2.0

//! Csds in an object that the handler gets.

use super::{
    raw::SharedCsd,
    CallContext,
    CallError, //
};
use crate::{
    cpu::CpuId,
    detach::{
        sent::{
            Later,
            Sent,
            SentPointer, //
        },
        Module, //
    },
    prelude::*, //
};
use core::marker::PhantomData;

pub use crate::impl_has_csd;

/// An object that is sent to CPUs, with a pointer that its handler gets.
///
/// The pointer may be an [`Arc`](crate::sync::Arc), an [`ARef`](crate::sync::aref::ARef), or a pinned
/// [`KBox`], which the sender then no longer has. The object has an [`OwnedCsd`], to which [`impl_has_csd!`] leads. An object with several
/// of them has a handler for each `ID`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     cpu::CpuId,
///     smp::{impl_has_csd, send, CallContext, OwnedCsd, OwnedHandler, Sent},
///     sync::{atomic::{Atomic, Relaxed}, Arc},
/// };
///
/// #[pin_data]
/// struct Request {
///     done: Atomic<u32>,
///     csd: OwnedCsd<Self>,
/// }
///
/// impl_has_csd! {
///     impl HasCsd<Self> for Request { self.csd }
/// }
///
/// impl OwnedHandler for Request {
///     type Pointer = Arc<Self>;
///
///     fn handle(this: Sent<'_, Arc<Self>>, _context: &CallContext) {
///         this.done.add(1, Relaxed);
///         // If the sender has dropped the request, a worker frees it.
///     }
/// }
///
/// let request = Arc::pin_init(
///     pin_init!(Request { done: Atomic::new(0), csd: OwnedCsd::new() }),
///     GFP_KERNEL,
/// )?;
///
/// // The handler runs here, before this returns.
/// assert!(send(request.clone(), CpuId::current()).is_ok());
/// assert_eq!(request.done.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
pub trait OwnedHandler<const ID: u64 = 0>: HasCsd<Self, ID> + Sized + 'static {
    /// The pointer that is sent.
    type Pointer: SentPointer<Target = Self>;

    /// Called on the target, with interrupts off. It must be short and must not sleep.
    ///
    /// When this begins, the csd can be sent again, if there is another pointer to the object.
    fn handle(this: Sent<'_, Self::Pointer>, context: &CallContext);
}

/// A csd in an object of which a pointer is sent.
///
/// It is sent by [`send`]. The object cannot be freed while it is in flight, and a module whose
/// handler is in flight cannot be unloaded.
///
/// # Examples
///
/// See [`OwnedHandler`].
#[doc(alias = "call_single_data_t")]
pub struct OwnedCsd<T: ?Sized, const ID: u64 = 0> {
    csd: SharedCsd,
    later: Later,
    module: Module,
    /// Invariant in `T`: the function that runs is that of this type.
    _object: PhantomData<fn(*mut T)>,
}

impl<T: OwnedHandler<ID>, const ID: u64> OwnedCsd<T, ID> {
    /// Makes a csd that is not queued.
    ///
    /// # Examples
    ///
    /// See [`OwnedHandler`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            csd: SharedCsd::new(run_csd::<T, ID>),
            later: Later::new(),
            module: Module::of(run_csd::<T, ID> as *const ()),
            _object: PhantomData,
        }
    }
}

/// Sends a pointer to `cpu`, where the handler of its object gets it.
///
/// In any context but an NMI. If `cpu` is the CPU of the caller, the handler runs before this
/// returns.
///
/// # Errors
///
/// The pointer comes back with one of these.
///
/// - [`CallError::Busy`]: the csd is queued, on this or another CPU. The handler has not begun, and
///   will see what the caller has written before.
/// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: the pointer was not sent.
/// - [`CallError::Unloading`]: the module of the handler is being unloaded.
///
/// # Examples
///
/// See [`OwnedHandler`].
#[doc(alias = "smp_call_function_single_async")]
pub fn send<P, const ID: u64>(pointer: P, cpu: CpuId) -> Result<(), (CallError, P)>
where
    P: SentPointer,
    P::Target: OwnedHandler<ID, Pointer = P>,
{
    let object = pointer.into_raw();
    // SAFETY: The object is valid.
    let this = unsafe { P::Target::raw_csd(object) };
    // SAFETY: As above.
    let module = unsafe { (*this).module };
    // SAFETY: As above; this only computes an address.
    let csd = unsafe { &raw const (*this).csd };

    let start = || match module.get() {
        true => Ok(object.cast()),
        false => Err(ENODEV),
    };
    // SAFETY: `start` has got it. Preemption is off.
    let end = |_| unsafe { module.put() };

    // SAFETY: `run_csd()` may be called with the object of a pointer, which keeps the csd valid.
    let sent = unsafe { SharedCsd::post(csd, cpu, start, end) };
    // SAFETY: It was not sent, so it is still that of the caller.
    sent.map_err(|error| (error, unsafe { P::from_raw(object) }))
}

/// # Safety
///
/// `info` is an object that [`send`] has sent to this CPU, and interrupts are off.
unsafe extern "C" fn run_csd<T: OwnedHandler<ID>, const ID: u64>(info: *mut c_void) {
    let object = info.cast::<T>();
    // SAFETY: The object is valid: this has the pointer to it.
    let this = unsafe { T::raw_csd(object) };
    // SAFETY: As above.
    let this = unsafe { &*this };
    let module = this.module;

    // SAFETY: C has called this for the csd, which was posted.
    unsafe { this.csd.begin() };
    // SAFETY: `send()` has given it up, for this.
    let pointer = unsafe { T::Pointer::from_raw(object) };
    // SAFETY: It is a part of the object. `send()` has taken a reference to the module of this code.
    let sent = unsafe { Sent::new(pointer, &raw const this.later, module) };

    // SAFETY: Interrupts are off until this returns.
    T::handle(sent, unsafe { CallContext::assume() });
    // SAFETY: This runs with interrupts off.
    unsafe { module.put() };
}

/// An object that has an [`OwnedCsd<T, ID>`]. To be implemented by [`impl_has_csd!`].
///
/// # Safety
///
/// [`raw_csd`](Self::raw_csd) returns the address of a field.
///
/// # Examples
///
/// See [`OwnedHandler`].
pub unsafe trait HasCsd<T: ?Sized, const ID: u64 = 0> {
    /// Returns the address of the csd of an object.
    ///
    /// # Safety
    ///
    /// `this` is valid.
    unsafe fn raw_csd(this: *mut Self) -> *mut OwnedCsd<T, ID>;
}

/// Implements [`HasCsd`] for a field of a struct.
///
/// # Examples
///
/// ```
/// use kernel::{
///     smp::{impl_has_csd, CallContext, OwnedCsd, OwnedHandler, Sent},
///     sync::Arc,
/// };
///
/// struct Device {
///     start: OwnedCsd<Self, 1>,
///     stop: OwnedCsd<Self, 2>,
/// }
///
/// impl_has_csd! {
///     impl HasCsd<Self, 1> for Device { self.start }
///     impl HasCsd<Self, 2> for Device { self.stop }
/// }
///
/// impl OwnedHandler<1> for Device {
///     type Pointer = Arc<Self>;
///
///     fn handle(_this: Sent<'_, Arc<Self>>, _context: &CallContext) {}
/// }
///
/// impl OwnedHandler<2> for Device {
///     type Pointer = Arc<Self>;
///
///     fn handle(_this: Sent<'_, Arc<Self>>, _context: &CallContext) {}
/// }
/// ```
#[macro_export]
macro_rules! impl_has_csd {
    ($(impl HasCsd<$object:ty $(, $id:tt)?> for $self:ty { self.$field:ident })*) => {$(
        // SAFETY: It returns the address of a field: `offset_of!` takes no other.
        unsafe impl $crate::smp::HasCsd<$object $(, $id)?> for $self {
            #[inline]
            unsafe fn raw_csd(this: *mut Self) -> *mut $crate::smp::OwnedCsd<$object $(, $id)?> {
                let _ = ::core::mem::offset_of!(Self, $field);
                // A packed field cannot be borrowed.
                let _: fn(&Self) = |this| _ = &this.$field;

                // SAFETY: `this` is valid, by the safety requirements.
                unsafe { &raw mut (*this).$field }
            }
        }
    )*};
}
