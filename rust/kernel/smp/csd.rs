// SPDX-License-Identifier: GPL-2.0

//! Csds that belong to the caller, and can be sent again.

use super::{
    raw::SharedCsd,
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    alloc::Flags,
    cpu::CpuId,
    detach::{
        Owner,
        Use, //
    },
    prelude::*, //
};

/// The handler of a [`Csd`].
///
/// It borrows nothing, and any task may drop it: the handler of a [`Csd`] that is dropped or
/// forgotten in flight still runs.
///
/// # Examples
///
/// See [`Csd`].
pub trait Handler: Send + Sync + 'static {
    /// Called on the target, with interrupts off. It must be short and must not sleep.
    ///
    /// When this begins, the [`Csd`] can be sent again, to any CPU: several CPUs may run the
    /// handler at once. A handler that sends it to its own CPU calls itself, and must bound this
    /// recursion.
    fn handle(&self, context: &CallContext);
}

/// The data that the owner and the CPUs share.
#[pin_data]
struct Inner<T: Handler> {
    csd: SharedCsd,
    #[pin]
    handler: T,
}

/// A handler that is sent to CPUs, any number of times, without an allocation.
///
/// It may be sent from an interrupt. It can be queued once at a time. The handler sees an event
/// that comes while it is queued, and a later event queues it again. So no event is lost:
///
/// 1. The sender writes the event, and calls [`post`](Self::post).
/// 2. If that returns [`CallError::Busy`], the handler has not begun, and will see the event.
///
/// Both cases are fully ordered.
///
/// A drop never waits, and may happen in any context but an NMI. If the csd is in flight, it is
/// detached: the handler still runs, and a worker drops it afterwards. A module with a csd in
/// flight cannot be unloaded.
///
/// # Examples
///
/// ```
/// use kernel::{
///     cpu::CpuId,
///     smp::{CallContext, Caller, Csd, Handler},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Count(Atomic<u32>);
///
/// impl Handler for Count {
///     fn handle(&self, _context: &CallContext) {
///         self.0.add(1, Relaxed);
///     }
/// }
///
/// let csd = Csd::new(Count(Atomic::new(0)), GFP_KERNEL)?;
///
/// csd.post(CpuId::current())?;
/// csd.wait(&Caller::new()?);
/// assert_eq!(csd.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "call_single_data_t")]
pub struct Csd<T: Handler>(Owner<Inner<T>>);

impl<T: Handler> Csd<T> {
    /// Makes a csd that is not queued.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    /// - Those of `handler`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::smp::Csd;
    ///
    /// let csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// assert!(!csd.is_in_flight());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new<E>(handler: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        let inner = try_pin_init!(Inner {
            csd: SharedCsd::new(Self::run_csd),
            handler <- handler,
        }? E);

        Ok(Self(Owner::new(inner, Self::run_csd as *const (), flags)?))
    }

    /// Returns the handler.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::smp::{CallContext, Csd, Handler};
    ///
    /// struct Number(u32);
    ///
    /// impl Handler for Number {
    ///     fn handle(&self, _context: &CallContext) {}
    /// }
    ///
    /// let csd = Csd::new(Number(5), GFP_KERNEL)?;
    /// assert_eq!(csd.handler().0, 5);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn handler(&self) -> &T {
        &self.0.handler
    }

    /// Returns whether the csd is queued, a handler runs, or another CPU is about to post it.
    ///
    /// If not, all events that were posted before were handled, and the caller sees what the
    /// handlers have written.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::{cpu::CpuId, smp::Csd};
    ///
    /// let csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// csd.post(CpuId::current())?;
    /// while csd.is_in_flight() {}
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn is_in_flight(&self) -> bool {
        self.0.is_used()
    }

    /// Sends the csd to `cpu` asynchronously.
    ///
    /// In any context but an NMI. If `cpu` is the CPU of the caller, the handler runs before this
    /// returns.
    ///
    /// # Errors
    ///
    /// - [`CallError::Busy`]: the csd is queued, on this or another CPU. The handler has not begun,
    ///   and will see what the caller has written before.
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: the csd was not sent.
    /// - [`CallError::Unloading`]: the module of the handler is being unloaded.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::{cpu::CpuId, smp::{CallError, Csd}};
    ///
    /// let csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// if csd.post(CpuId::current()) == Err(CallError::Busy) {
    ///     // The csd is still queued, and its handler will see the event.
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_single_async")]
    pub fn post(&self, cpu: CpuId) -> Result<(), CallError> {
        let start = || Ok(self.0.start_use()?.into_raw().cast());
        // SAFETY: It was just made by `start`, and was not sent.
        let end = |info: *mut c_void| drop(unsafe { Use::<Inner<T>>::from_raw(info.cast()) });

        // SAFETY: `run_csd()` may be called with a use, which keeps the csd valid, and begins it.
        unsafe { SharedCsd::post(&raw const self.0.csd, cpu, start, end) }
    }

    /// Sends the csd to `cpu`. It cannot be sent again while the returned [`InFlight`] exists.
    ///
    /// In any context but an NMI.
    ///
    /// # Errors
    ///
    /// As for [`Csd::post`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     cpu::CpuId,
    ///     smp::{CallContext, Caller, Csd, Handler},
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Handler for Nothing {
    ///     fn handle(&self, _context: &CallContext) {}
    /// }
    ///
    /// let mut csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// let caller = Caller::new()?;
    /// for _ in 0..2 {
    ///     csd.send(CpuId::current())?.wait(&caller);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn send(&mut self, cpu: CpuId) -> Result<InFlight<'_, T>, CallError> {
        self.post(cpu)?;
        Ok(InFlight { csd: self })
    }

    /// Waits until the csd is not in flight.
    ///
    /// The wait has no bound while other CPUs post the csd again and again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::{cpu::CpuId, smp::{Caller, Csd}};
    ///
    /// let csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// csd.post(CpuId::current())?;
    /// csd.wait(&Caller::new()?);
    /// assert!(!csd.is_in_flight());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait(&self, caller: &Caller) {
        caller.wait_until(|| !self.is_in_flight(), || self.0.csd.target());
    }

    /// # Safety
    ///
    /// `info` is a use of a `Self` that was sent to this CPU, and interrupts are off.
    #[inline]
    unsafe extern "C" fn run_csd(info: *mut c_void) {
        // SAFETY: By the safety requirements.
        let inner = unsafe { Use::<Inner<T>>::from_raw(info.cast()) };

        // SAFETY: C has called this for the csd, which was posted.
        unsafe { inner.csd.begin() };
        // SAFETY: Interrupts are off until this returns.
        inner.handler.handle(unsafe { CallContext::assume() });
    }
}

/// A [`Csd`] that was sent. It cannot be sent again while this exists.
///
/// If this is dropped early, the csd is still in flight, and the next [`Csd::send`] may return
/// [`CallError::Busy`].
///
/// # Examples
///
/// See [`Csd`].
#[must_use = "the csd can be sent again once this is dropped"]
pub struct InFlight<'a, T: Handler> {
    csd: &'a Csd<T>,
}

impl<T: Handler> InFlight<'_, T> {
    /// Returns whether the handler has run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::{cpu::CpuId, smp::Csd};
    ///
    /// let mut csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// let in_flight = csd.send(CpuId::current())?;
    /// while !in_flight.is_done() {}
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn is_done(&self) -> bool {
        !self.csd.is_in_flight()
    }

    /// Waits until the handler has run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::smp::{CallContext, Handler};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn handle(&self, _context: &CallContext) {}
    /// # }
    /// use kernel::{cpu::CpuId, smp::{Caller, Csd}};
    ///
    /// let mut csd = Csd::new(Nothing, GFP_KERNEL)?;
    /// csd.send(CpuId::current())?.wait(&Caller::new()?);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn wait(self, caller: &Caller) {
        self.csd.wait(caller);
    }
}
