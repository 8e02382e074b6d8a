// SPDX-License-Identifier: GPL-2.0

//! Requests that are a part of what their owner has.

use super::{
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    bindings,
    cpu::CpuId,
    prelude::*,
    processor::cpu_relax,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};
use core::{
    marker::PhantomPinned,
    pin::Pin, //
};

/// The request of C, which is aligned to its size there.
#[repr(C, align(32))]
pub(super) struct RawCsd(Opaque<bindings::__call_single_data>);

static_assert!(align_of::<RawCsd>() >= size_of::<bindings::__call_single_data>());

impl RawCsd {
    pub(super) fn new() -> Self {
        Self(Opaque::zeroed())
    }

    /// Has `cpu` call `func` with `info`. Returns whether it will.
    ///
    /// # Safety
    ///
    /// The last request is over, or there was none. This stays where it is until the next is. `func`
    /// may be called with `info`.
    #[inline]
    pub(super) unsafe fn send(
        &self,
        cpu: CpuId,
        func: unsafe extern "C" fn(*mut c_void),
        info: *mut c_void,
    ) -> bool {
        let csd = self.0.get();

        // SAFETY: Nobody else uses the request now.
        unsafe { (*csd).func = Some(func) };
        // SAFETY: As above.
        unsafe { (*csd).info = info };
        // SAFETY: By the safety requirements.
        unsafe { bindings::smp_call_function_single_async(i32::from(cpu), csd.cast()) == 0 }
    }
}

/// What a [`Csd`] does on the CPU that it is sent to.
///
/// It borrows nothing: a request that is forgotten in flight is never dropped, and still handled.
pub trait Handler: Sync + 'static {
    /// Called on that CPU, with interrupts off. It must be short and must not sleep.
    ///
    /// The request is in flight until this returns, so it cannot send itself again.
    fn handle(&self, context: &CallContext);
}

/// A request that its owner sends again and again, to one CPU at a time.
///
/// It allocates nothing, may be sent from an interrupt, and is to be embedded in the struct of its
/// owner. It is pinned, since the queue of the other CPU links to it.
///
/// When it is dropped this waits until it is no longer in flight. So it must not be dropped by its
/// own handler, nor in flight with interrupts off: two CPUs could wait for each other.
///
/// # Invariants
///
/// `in_flight` is set by who sends, before it touches `csd`, and is cleared when `csd` and this are
/// not used any more by another CPU.
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
/// let csd = KBox::pin_init(Csd::new(Count(Atomic::new(0))), GFP_KERNEL)?;
/// let cpu = CpuId::current();
///
/// csd.as_ref().post(cpu)?;
/// csd.as_ref().wait(&Caller::new()?);
/// assert_eq!(csd.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "call_single_data_t")]
#[repr(C)]
#[pin_data(PinnedDrop)]
pub struct Csd<T: Handler> {
    csd: RawCsd,
    in_flight: Atomic<bool>,
    #[pin]
    handler: T,
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: What another CPU uses is the handler, by reference, and what is behind `in_flight`.
unsafe impl<T: Handler + Send> Send for Csd<T> {}
// SAFETY: As above.
unsafe impl<T: Handler> Sync for Csd<T> {}

impl<T: Handler> Csd<T> {
    /// Makes a request that is not in flight.
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
    /// #[pin_data]
    /// struct Device {
    ///     #[pin]
    ///     csd: Csd<Nothing>,
    /// }
    ///
    /// let device = KBox::pin_init(pin_init!(Device { csd <- Csd::new(Nothing) }), GFP_KERNEL)?;
    /// assert!(!device.csd.is_in_flight());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(handler: impl PinInit<T>) -> impl PinInit<Self> {
        // INVARIANT: It was never sent.
        pin_init!(Self {
            csd: RawCsd::new(),
            in_flight: Atomic::new(false),
            handler <- handler,
            _pin: PhantomPinned,
        })
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
    /// let csd = KBox::pin_init(Csd::new(Number(5)), GFP_KERNEL)?;
    /// assert_eq!(csd.handler().0, 5);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn handler(&self) -> &T {
        &self.handler
    }

    /// Returns whether the request is on its way, or the handler runs.
    ///
    /// If not, what the last handler has written is seen.
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
    /// let csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// csd.as_ref().post(CpuId::current())?;
    /// while csd.is_in_flight() {}
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn is_in_flight(&self) -> bool {
        // ORDERING: Pairs with the release in `run()`.
        self.in_flight.load(Acquire)
    }

    /// Sends the request to `cpu`, and leaves it to the caller to know when that is done.
    ///
    /// In any context but an NMI. A CPU that sends to itself runs the handler before this returns.
    ///
    /// # Errors
    ///
    /// - [`CallError::Busy`]: the last one is in flight; nothing was done.
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: it was not sent.
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
    /// let csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// if csd.as_ref().post(CpuId::current()) == Err(CallError::Busy) {
    ///     // The last one is still on its way, and will see what is new.
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_single_async")]
    #[inline]
    pub fn post(self: Pin<&Self>, cpu: CpuId) -> Result<(), CallError> {
        // ORDERING: Pairs with the release in `run()`: the last request is over.
        if self.in_flight.cmpxchg(false, true, Acquire).is_err() {
            return Err(CallError::Busy);
        }
        let this: *const Self = core::ptr::from_ref(self.get_ref());

        // INVARIANT: `in_flight` has just been set by us.
        // SAFETY: Nobody else uses the csd, by the type invariants. It is pinned, and is not dropped
        // while it is in flight.
        if unsafe { self.csd.send(cpu, Self::run, this.cast_mut().cast()) } {
            return Ok(());
        }
        // INVARIANT: No other CPU has got it.
        self.in_flight.store(false, Relaxed);
        Err(CallError::not_called(cpu))
    }

    /// Sends the request to `cpu`. While what this returns lives, it cannot be sent again.
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
    /// let mut csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// let caller = Caller::new()?;
    /// for _ in 0..2 {
    ///     csd.as_mut().send(CpuId::current())?.wait(&caller);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn send(self: Pin<&mut Self>, cpu: CpuId) -> Result<InFlight<'_, T>, CallError> {
        let csd = self.into_ref();

        csd.post(cpu)?;
        Ok(InFlight { csd })
    }

    /// Waits until the request is not in flight.
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
    /// let csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// csd.as_ref().post(CpuId::current())?;
    /// csd.as_ref().wait(&Caller::new()?);
    /// assert!(!csd.is_in_flight());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn wait(self: Pin<&Self>, _caller: &Caller) {
        self.wait_until_done();
    }

    fn wait_until_done(&self) {
        while self.is_in_flight() {
            cpu_relax();
        }
    }

    /// # Safety
    ///
    /// `info` is a `Self` that was sent to this CPU, and interrupts are off.
    unsafe extern "C" fn run(info: *mut c_void) {
        let this = info.cast_const().cast::<Self>();

        // SAFETY: It lives until `in_flight` is cleared, by the type invariants.
        let handler = unsafe { &(*this).handler };
        // SAFETY: Interrupts are off until this returns.
        handler.handle(unsafe { CallContext::assume() });

        // INVARIANT: C has unlocked the csd before it called this, and does not use it any more.
        // ORDERING: Pairs with the acquire in `is_in_flight()` and in `post()`.
        // SAFETY: As above. After this it may be gone.
        unsafe { (*this).in_flight.store(false, Release) };
    }
}

#[pinned_drop]
impl<T: Handler> PinnedDrop for Csd<T> {
    fn drop(self: Pin<&mut Self>) {
        self.wait_until_done();
    }
}

/// A [`Csd`] that was sent, and cannot be sent again before this is gone.
///
/// If it is dropped early, the request is still in flight, and the next [`Csd::send`] says
/// [`CallError::Busy`].
#[must_use = "the request can be sent again when this is gone"]
pub struct InFlight<'a, T: Handler> {
    csd: Pin<&'a Csd<T>>,
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
    /// let mut csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// let in_flight = csd.as_mut().send(CpuId::current())?;
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
    /// let mut csd = KBox::pin_init(Csd::new(Nothing), GFP_KERNEL)?;
    /// csd.as_mut().send(CpuId::current())?.wait(&Caller::new()?);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn wait(self, caller: &Caller) {
        self.csd.wait(caller);
    }
}
