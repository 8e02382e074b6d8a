// SPDX-License-Identifier: GPL-2.0

//! Works that are statics or per-CPU variables.

use super::{
    raw,
    Handler,
    WorkContext, //
};
use crate::{
    bindings,
    container_of,
    cpu::CpuId,
    detach::Uses,
    prelude::*,
    types::Opaque, //
};
use core::ptr;

/// A [`Handler`] that can be queued to run in an interrupt, in a `static` or a per-CPU variable.
///
/// It works as an [`IrqWork`](super::IrqWork) does, but needs no allocation and no owner.
///
/// # Invariants
///
/// - `work.func` is `run::<T>`, and never changes.
/// - For each time that C has accepted the work `uses` has one, until the handler has returned.
///
/// # Examples
///
/// ```
/// use kernel::{
///     irq_work::{Handler, StaticIrqWork, WorkContext},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Errors(Atomic<u32>);
///
/// impl Handler for Errors {
///     fn handle(&self, _context: &WorkContext) {
///         self.0.add(1, Relaxed);
///     }
/// }
///
/// static REPORT: StaticIrqWork<Errors> = StaticIrqWork::new(Errors(Atomic::new(0)));
///
/// // In an NMI, for example.
/// assert!(REPORT.queue()?);
///
/// REPORT.sync();
/// assert_eq!(REPORT.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "DEFINE_IRQ_WORK")]
pub struct StaticIrqWork<T: Handler> {
    work: Opaque<bindings::irq_work>,
    uses: Uses,
    handler: T,
}

// SAFETY: Several CPUs may pass the work to C at once, and the handler is `Sync`.
unsafe impl<T: Handler> Sync for StaticIrqWork<T> {}

impl<T: Handler> StaticIrqWork<T> {
    /// Makes a work that is not queued.
    ///
    /// # Examples
    ///
    /// See [`StaticIrqWork`].
    #[doc(alias = "IRQ_WORK_INIT")]
    pub const fn new(handler: T) -> Self {
        Self::with_flags(handler, 0)
    }

    /// Makes a work that is not queued, and that runs with interrupts off on PREEMPT_RT, too. See
    /// [`IrqWork::new_hard`](super::IrqWork::new_hard).
    ///
    /// # Examples
    ///
    /// See [`StaticIrqWork`].
    #[doc(alias = "IRQ_WORK_INIT_HARD")]
    pub const fn new_hard(handler: T) -> Self {
        Self::with_flags(handler, bindings::IRQ_WORK_HARD_IRQ)
    }

    const fn with_flags(handler: T, u_flags: c_uint) -> Self {
        Self {
            // INVARIANT: `func` is `run::<T>`.
            work: raw::new(run::<T>, u_flags),
            uses: Uses::new(),
            handler,
        }
    }

    /// Queues the work by `queue`, a function of C. Returns false if the work was queued already.
    #[inline]
    fn queue_by(&self, queue: impl FnOnce(*mut bindings::irq_work) -> bool) -> Result<bool> {
        self.uses.start(self.code())?;

        let queued = queue(self.work.get());
        if !queued {
            // SAFETY: It was started above, and C has not accepted the work.
            unsafe { self.uses.end(self.code()) };
        }
        Ok(queued)
    }

    /// Returns the code that is called: that of the module that has the static.
    #[inline]
    fn code(&self) -> *const () {
        // SAFETY: `func` never changes, by the type invariants.
        let func = unsafe { (*self.work.get()).func };

        func.map_or(ptr::null(), |func| func as *const ())
    }

    /// Queues the work on the CPU that the caller runs on. As
    /// [`IrqWork::queue`](super::IrqWork::queue), also in an NMI.
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module of the handler is being unloaded.
    ///
    /// # Examples
    ///
    /// See [`StaticIrqWork`].
    #[doc(alias = "irq_work_queue")]
    pub fn queue(&'static self) -> Result<bool> {
        // SAFETY: The work is initialized, and is not freed while there is a use of it.
        self.queue_by(|work| unsafe { bindings::irq_work_queue(work) })
    }

    /// Queues the work on `cpu`. As [`IrqWork::queue_on`](super::IrqWork::queue_on).
    ///
    /// # Errors
    ///
    /// - [`ENXIO`]: `cpu` is not online.
    /// - [`ENODEV`]: the module of the handler is being unloaded.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     cpumask::Cpumask,
    ///     irq_work::{Handler, StaticIrqWork, WorkContext},
    ///     preempt::CpuPinned,
    ///     sync::atomic::{Atomic, Relaxed},
    /// };
    ///
    /// struct Where(Atomic<u32>);
    ///
    /// impl Handler for Where {
    ///     fn handle(&self, context: &WorkContext) {
    ///         self.0.store(context.cpu().as_u32(), Relaxed);
    ///     }
    /// }
    ///
    /// static WORK: StaticIrqWork<Where> = StaticIrqWork::new(Where(Atomic::new(u32::MAX)));
    ///
    /// let first = Cpumask::online().next(None).ok_or(ENXIO)?;
    /// if WORK.queue_on(first).is_ok() {
    ///     WORK.sync();
    ///     assert_eq!(WORK.handler().0.load(Relaxed), first.as_u32());
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "irq_work_queue_on")]
    pub fn queue_on(&'static self, cpu: CpuId) -> Result<bool> {
        let _guard = raw::stays_online(cpu)?;

        // SAFETY: As in `queue()`. The CPU is online.
        self.queue_by(|work| unsafe { raw::queue_on(work, cpu) })
    }

    /// Waits until the work is not queued and no handler is running. May sleep. See
    /// [`IrqWork::sync`](super::IrqWork::sync).
    ///
    /// # Examples
    ///
    /// See [`StaticIrqWork`].
    #[doc(alias = "irq_work_sync")]
    pub fn sync(&self) {
        raw::wait_while(|| self.uses.is_used());
    }

    /// Returns the handler.
    ///
    /// # Examples
    ///
    /// See [`StaticIrqWork`].
    pub fn handler(&self) -> &T {
        &self.handler
    }
}

/// # Safety
///
/// `work` must be that of a [`StaticIrqWork<T>`], of which there is a use for this.
#[inline]
unsafe extern "C" fn run<T: Handler>(work: *mut bindings::irq_work) {
    let work = Opaque::cast_from(work).cast_mut();

    // SAFETY: `work` is in a `StaticIrqWork<T>`, by the safety requirements.
    let this = unsafe { container_of!(work, StaticIrqWork<T>, work) };
    // SAFETY: The use keeps the module. C uses the work once more after this has returned, in the
    // same interrupt or RCU read-side critical section, which a module is not freed in.
    let this = unsafe { &*this };

    // SAFETY: C runs this on the CPU of the work, in an interrupt or in a thread of that CPU.
    this.handler.handle(unsafe { WorkContext::assume() });
    // SAFETY: `queue_by()` has started it.
    unsafe { this.uses.end(this.code()) };
}
