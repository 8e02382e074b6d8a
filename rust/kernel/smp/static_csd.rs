// SPDX-License-Identifier: GPL-2.0

//! Csds that are statics or per-CPU variables.

use super::{
    raw::SharedCsd,
    CallContext,
    CallError,
    Caller,
    Handler, //
};
use crate::{
    cpu::CpuId,
    detach::Uses,
    prelude::*, //
};

/// A [`Handler`] that is sent to CPUs, in a `static` or a per-CPU variable.
///
/// It works as a [`Csd`](super::Csd) does, but needs no allocation and no owner.
///
/// # Examples
///
/// A csd for each CPU.
///
/// ```
/// use kernel::{
///     cpu::CpuId,
///     percpu::define_per_cpu,
///     smp::{CallContext, Caller, Handler, StaticCsd},
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
/// define_per_cpu! {
///     static REQUEST: StaticCsd<Count> = StaticCsd::new(Count(Atomic::new(0)));
/// }
///
/// let cpu = CpuId::current();
/// let request = REQUEST.get(cpu).ok_or(ENXIO)?;
///
/// request.post(cpu)?;
/// request.wait(&Caller::new()?);
/// assert_eq!(request.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "call_single_data_t")]
pub struct StaticCsd<T: Handler> {
    csd: SharedCsd,
    uses: Uses,
    handler: T,
}

impl<T: Handler> StaticCsd<T> {
    /// Makes a csd that is not queued.
    ///
    /// # Examples
    ///
    /// See [`StaticCsd`].
    pub const fn new(handler: T) -> Self {
        Self {
            csd: SharedCsd::new(Self::run_csd),
            uses: Uses::new(),
            handler,
        }
    }

    /// Returns the handler.
    ///
    /// # Examples
    ///
    /// See [`StaticCsd`].
    #[inline]
    pub fn handler(&self) -> &T {
        &self.handler
    }

    /// Returns whether the csd is queued, a handler runs, or another CPU is about to post it.
    ///
    /// If not, all events that were posted before were handled, and the caller sees what the
    /// handlers have written.
    ///
    /// # Examples
    ///
    /// See [`StaticCsd`].
    #[inline]
    pub fn is_in_flight(&self) -> bool {
        self.uses.is_used()
    }

    /// Sends the csd to `cpu` asynchronously.
    ///
    /// In any context but an NMI. If `cpu` is the CPU of the caller, the handler runs before this
    /// returns.
    ///
    /// # Errors
    ///
    /// As for [`Csd::post`](super::Csd::post).
    ///
    /// # Examples
    ///
    /// See [`StaticCsd`].
    #[doc(alias = "smp_call_function_single_async")]
    pub fn post(&'static self, cpu: CpuId) -> Result<(), CallError> {
        let start = || {
            self.uses.start(self.csd.code())?;
            Ok((&raw const *self).cast_mut().cast())
        };
        // SAFETY: The use was just started.
        let end = |_| unsafe { self.uses.end(self.csd.code()) };

        // SAFETY: `run_csd()` may be called with this static, which lives as long as its module,
        // and begins it.
        unsafe { SharedCsd::post(&raw const self.csd, cpu, start, end) }
    }

    /// Waits until the csd is not in flight.
    ///
    /// The wait has no bound while other CPUs post the csd again and again.
    ///
    /// # Examples
    ///
    /// See [`StaticCsd`].
    pub fn wait(&self, caller: &Caller) {
        caller.wait_until(|| !self.is_in_flight(), || self.csd.target());
    }

    /// # Safety
    ///
    /// `info` is a static `Self` that was posted to this CPU, and interrupts are off.
    #[inline]
    unsafe extern "C" fn run_csd(info: *mut c_void) {
        // SAFETY: By the safety requirements. The use keeps the module.
        let this = unsafe { &*info.cast::<Self>() };

        // SAFETY: C has called this for the csd, which was posted.
        unsafe { this.csd.begin() };
        // SAFETY: Interrupts are off until this returns.
        this.handler.handle(unsafe { CallContext::assume() });
        // SAFETY: `post()` has started it. This runs with interrupts off.
        unsafe { this.uses.end(this.csd.code()) };
    }
}
