// SPDX-License-Identifier: GPL-2.0

//! Pointers that are sent to CPUs.
//!
//! A handler that gets a pointer owns it. It may drop the last reference to an object, whose own
//! drop may sleep, or take a lock that is held with interrupts on. So a [`Sent`] leaves the drop of
//! the object to a worker. The object has the memory for this: a [`Later`]. An [`ARef`] does not tell
//! whether it is the last one, so it is dropped at once.

use super::{
    run_in_task,
    Module, //
};
use crate::{
    bindings,
    container_of,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        Arc, //
    },
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};

/// A pointer that can be sent to a CPU.
///
/// An [`Arc`], a pinned [`KBox`], or an [`ARef`]. Whether an [`ARef`] is the last one, only its object
/// can tell: it is dropped where the handler drops it, and [`AlwaysRefCounted::dec_ref`] must then be
/// one that may be called in an interrupt.
///
/// # Safety
///
/// - [`from_raw`](Self::from_raw) undoes [`into_raw`](Self::into_raw).
/// - The object does not move, and is valid as long as the pointer exists.
/// - If [`last`](Self::last) returns a pointer, no other one to the object exists.
///
/// # Examples
///
/// See [`smp::send`](crate::smp::send).
pub unsafe trait SentPointer: Deref<Target: Sized> + Send + Sized + 'static {
    /// Gives up the pointer.
    fn into_raw(self) -> *mut Self::Target;

    /// Takes the pointer back.
    ///
    /// # Safety
    ///
    /// `pointer` comes from [`into_raw`](Self::into_raw), and is taken back once.
    unsafe fn from_raw(pointer: *mut Self::Target) -> Self;

    /// Drops the pointer, unless it is the last one to its object. In any context.
    fn last(self) -> Option<Self>;
}

// SAFETY: An `Arc` keeps its object valid and in place, and counts the pointers to it.
unsafe impl<T: Send + Sync + 'static> SentPointer for Arc<T> {
    fn into_raw(self) -> *mut T {
        Arc::into_raw(self).cast_mut()
    }

    unsafe fn from_raw(pointer: *mut T) -> Self {
        // SAFETY: By the safety requirements.
        unsafe { Arc::from_raw(pointer) }
    }

    fn last(self) -> Option<Self> {
        Arc::into_unique_or_drop(self).map(Self::from)
    }
}

// SAFETY: A pinned box keeps its object valid and in place, and is the only pointer to it.
unsafe impl<T: Send + 'static> SentPointer for Pin<KBox<T>> {
    fn into_raw(self) -> *mut T {
        // SAFETY: `from_raw()` pins it again, and the object does not move meanwhile.
        KBox::into_raw(unsafe { Pin::into_inner_unchecked(self) })
    }

    unsafe fn from_raw(pointer: *mut T) -> Self {
        // SAFETY: By the safety requirements.
        let object = unsafe { KBox::from_raw(pointer) };

        // SAFETY: The object has not moved, and does not move before it is dropped.
        unsafe { Pin::new_unchecked(object) }
    }

    fn last(self) -> Option<Self> {
        Some(self)
    }
}

// SAFETY: An `ARef` keeps its object valid, which does not move while it is shared. `last()` returns
// no pointer.
unsafe impl<T: AlwaysRefCounted + Send + Sync + 'static> SentPointer for ARef<T> {
    fn into_raw(self) -> *mut T {
        ARef::into_raw(self).as_ptr()
    }

    unsafe fn from_raw(pointer: *mut T) -> Self {
        // SAFETY: It comes from a `NonNull`, by the safety requirements.
        let object = unsafe { NonNull::new_unchecked(pointer) };

        // SAFETY: By the safety requirements, it has the reference that `into_raw()` has given up.
        unsafe { ARef::from_raw(object) }
    }

    fn last(self) -> Option<Self> {
        None
    }
}

/// What a worker drops.
struct Dropped {
    object: *mut c_void,
    drop: unsafe fn(*mut c_void),
    module: Module,
}

/// The memory with which a worker drops the object that has it.
pub(crate) struct Later {
    work: Opaque<bindings::work_struct>,
    dropped: Opaque<Dropped>,
}

// SAFETY: Only the last pointer to an object uses this.
unsafe impl Send for Later {}
// SAFETY: As above.
unsafe impl Sync for Later {}

impl Later {
    pub(crate) const fn new() -> Self {
        Self {
            work: Opaque::uninit(),
            dropped: Opaque::uninit(),
        }
    }
}

/// A pointer that a handler has got.
///
/// If it is the last one to its object, a worker drops the object, in a task that may sleep. The
/// drop never waits. For an [`ARef`] see [`SentPointer`].
///
/// # Invariants
///
/// - `later` is a part of the object.
/// - `module` is that of the code that drops the object, and has a reference during `'a`.
///
/// # Examples
///
/// See [`smp::OwnedHandler`](crate::smp::OwnedHandler).
pub struct Sent<'a, P: SentPointer> {
    pointer: ManuallyDrop<P>,
    later: *const Later,
    module: Module,
    _handler: PhantomData<&'a ()>,
}

impl<'a, P: SentPointer> Sent<'a, P> {
    /// # Safety
    ///
    /// - `later` is a part of the object of `pointer`.
    /// - `module` is that of the code of the caller, and has a reference during `'a`.
    pub(crate) unsafe fn new(pointer: P, later: *const Later, module: Module) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            pointer: ManuallyDrop::new(pointer),
            later,
            module,
            _handler: PhantomData,
        }
    }

    /// Returns the pointer itself, to keep it.
    ///
    /// If it is then dropped in an interrupt, and is the last one, the object is dropped there.
    ///
    /// # Examples
    ///
    /// A handler that sends its object on, to the next CPU.
    ///
    /// ```
    /// use kernel::{
    ///     cpu::CpuId,
    ///     cpumask::Cpumask,
    ///     preempt::CpuPinned,
    ///     smp::{impl_has_csd, send, CallContext, OwnedCsd, OwnedHandler, Sent},
    ///     sync::Arc,
    /// };
    ///
    /// struct Token {
    ///     csd: OwnedCsd<Self>,
    /// }
    ///
    /// impl_has_csd! {
    ///     impl HasCsd<Self> for Token { self.csd }
    /// }
    ///
    /// impl OwnedHandler for Token {
    ///     type Pointer = Arc<Self>;
    ///
    ///     fn handle(this: Sent<'_, Arc<Self>>, context: &CallContext) {
    ///         if let Some(next) = Cpumask::online().next(Some(context.cpu())) {
    ///             // A CPU that goes offline meanwhile ends it: the token comes back, and is dropped.
    ///             let _ = send(this.into_inner(), next);
    ///         }
    ///     }
    /// }
    ///
    /// let token = Token { csd: OwnedCsd::new() };
    /// assert!(send(Arc::new(token, GFP_KERNEL)?, CpuId::current()).is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn into_inner(self) -> P {
        let mut this = ManuallyDrop::new(self);

        // SAFETY: `this` is not dropped, and not used again.
        unsafe { ManuallyDrop::take(&mut this.pointer) }
    }
}

impl<P: SentPointer> Deref for Sent<'_, P> {
    type Target = P::Target;

    fn deref(&self) -> &P::Target {
        &self.pointer
    }
}

impl<P: SentPointer> Drop for Sent<'_, P> {
    fn drop(&mut self) {
        // SAFETY: `self` is being dropped, and does not use it again.
        let pointer = unsafe { ManuallyDrop::take(&mut self.pointer) };

        let Some(last) = pointer.last() else {
            return;
        };
        let object = last.into_raw().cast::<c_void>();

        // SAFETY: There is one reference, by the type invariants. `drop_in_task()` drops the new
        // one.
        unsafe { self.module.get_more() };
        // SAFETY: The object is valid, and `later` is a part of it, by the type invariants. There is
        // no other pointer to it, so nothing else uses `later`.
        unsafe { drop_later(self.later, object, drop_object::<P>, self.module) };
    }
}

/// # Safety
///
/// `object` comes from [`SentPointer::into_raw`] of a `P`, and this takes it back.
unsafe fn drop_object<P: SentPointer>(object: *mut c_void) {
    // SAFETY: By the safety requirements.
    drop(unsafe { P::from_raw(object.cast()) });
}

/// # Safety
///
/// - `object` may be given to `drop`, once. `later` is a part of it, and nothing else uses it.
/// - There is a reference to `module`, that of the code of `drop`, which this takes.
#[inline(never)]
unsafe fn drop_later(
    later: *const Later,
    object: *mut c_void,
    drop: unsafe fn(*mut c_void),
    module: Module,
) {
    // SAFETY: `later` is valid, by the safety requirements.
    let later = unsafe { &*later };
    let dropped = Dropped {
        object,
        drop,
        module,
    };

    // SAFETY: Nothing else uses it, by the safety requirements.
    unsafe { later.dropped.get().write(dropped) };
    // SAFETY: As above. The object is valid until `drop_in_task()` drops it.
    unsafe { run_in_task(later.work.get(), drop_in_task) };
}

/// # Safety
///
/// `work` is that of a [`Later`] that [`drop_later`] has set up.
unsafe extern "C" fn drop_in_task(work: *mut bindings::work_struct) {
    let work = Opaque::cast_from(work).cast_mut();
    // SAFETY: By the safety requirements.
    let later = unsafe { container_of!(work, Later, work) };
    // SAFETY: The object is valid until it is dropped below; this only computes an address.
    let dropped = unsafe { (*later).dropped.get() };
    // SAFETY: It was written, and this uses it last.
    let Dropped {
        object,
        drop,
        module,
    } = unsafe { dropped.read() };

    // SAFETY: `drop_later()` was given both.
    unsafe { drop(object) };
    // SAFETY: It was given this reference. The code of the module has returned.
    unsafe { module.put() };
}
