// SPDX-License-Identifier: GPL-2.0

//! Work that can be queued in any context, and that runs in an interrupt.
//!
//! Code that must not take a lock or wake a task, as in an NMI, queues an [`IrqWork`]. Its handler
//! runs as soon as the CPU takes interrupts, or with the next tick if the hardware has no interrupt
//! for it. The memory is that of the [`IrqWork`], so queueing does not allocate.
//!
//! C header: [`include/linux/irq_work.h`](srctree/include/linux/irq_work.h)

use crate::{
    alloc::Flags,
    container_of,
    cpu::CpuId,
    detach::{
        Owner,
        Use, //
    },
    prelude::*,
    types::Opaque, //
};

mod context;
mod owned;
mod raw;
mod static_work;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

pub use self::{
    context::WorkContext,
    owned::{
        impl_has_irq_work,
        queue,
        queue_on,
        HasIrqWork,
        OwnedHandler,
        OwnedIrqWork, //
    },
    static_work::StaticIrqWork, //
};

/// The handler of an [`IrqWork`].
///
/// It borrows nothing, and any task may drop it: an [`IrqWork`] that is dropped or forgotten while
/// it is queued still runs.
///
/// # Examples
///
/// See [`IrqWork`].
pub trait Handler: Send + Sync + 'static {
    /// Called once each time that the work has been queued.
    ///
    /// This is executed with interrupts off: in a hard interrupt, or in a task that flushes the
    /// queue of its CPU, such as the idle task. It must be short and must not sleep. On PREEMPT_RT
    /// it is executed in a thread of the CPU, with interrupts on, and may take locks that sleep
    /// there. A work made by [`IrqWork::new_hard`] runs with interrupts off on PREEMPT_RT, too.
    ///
    /// While it is running, the work can be queued again, and can be run by another CPU.
    fn handle(&self, context: &WorkContext);
}

/// The data that the owner and the CPUs share.
///
/// # Invariants
///
/// - `work.func` is `run_irq_work::<T>`, and never changes.
/// - For each time that C has accepted the work there is a [`Use`], until the handler has returned.
#[pin_data]
struct Inner<T: Handler> {
    #[pin]
    work: Opaque<bindings::irq_work>,
    #[pin]
    handler: T,
}

// SAFETY: Several CPUs may pass the work to C at once, and the handler is `Sync`.
unsafe impl<T: Handler> Sync for Inner<T> {}

// SAFETY: Any task may free the work, and the handler is `Send`.
unsafe impl<T: Handler> Send for Inner<T> {}

/// A [`Handler`] that can be queued to run in an interrupt.
///
/// A drop never waits, and may happen in any context but an NMI. If the work is then queued, it is
/// detached: it still runs, and a worker drops the handler afterwards. A module with a queued work
/// cannot be unloaded.
///
/// `IRQ_WORK_BUSY` does not show whether a handler still runs: it is one bit, and C clears it when
/// the first of two CPUs that run the same work has finished. So this counts each time that the
/// work was queued, until its handler has returned. C may read the work after that, but no longer
/// than in an RCU read-side critical section: the memory is freed after a grace period.
///
/// On PREEMPT_RT the threads of a CPU that goes offline stop before the CPU does. A work that is
/// queued on it after that, and that was not made by [`IrqWork::new_hard`], stays queued until the
/// CPU is online again.
///
/// # Examples
///
/// ```
/// use kernel::{
///     irq_work::{Handler, IrqWork, WorkContext},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Counter(Atomic<u32>);
///
/// impl Handler for Counter {
///     fn handle(&self, _context: &WorkContext) {
///         self.0.add(1, Relaxed);
///     }
/// }
///
/// let work = IrqWork::new(Counter(Atomic::new(0)), GFP_KERNEL)?;
/// assert!(work.queue()?);
///
/// work.sync();
/// assert_eq!(work.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "irq_work")]
pub struct IrqWork<T: Handler>(Owner<Inner<T>>);

impl<T: Handler> IrqWork<T> {
    /// Makes a work that is not queued.
    ///
    /// In any context where memory may be allocated with `flags`.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    /// - Those of `handler`.
    ///
    /// # Examples
    ///
    /// See [`IrqWork`].
    #[doc(alias = "init_irq_work")]
    #[doc(alias = "IRQ_WORK_INIT")]
    pub fn new<E>(handler: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        Self::with_flags(handler, 0, flags)
    }

    /// Makes a work that is not queued, and that runs with interrupts off on PREEMPT_RT, too.
    ///
    /// Otherwise as [`new`](Self::new). Without PREEMPT_RT both kinds run in the same way. Lockdep
    /// still distinguishes them: the handler must not take a lock that sleeps on PREEMPT_RT.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     irq_work::{Handler, IrqWork, WorkContext},
    ///     lockdep,
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Handler for Nothing {
    ///     fn handle(&self, _context: &WorkContext) {
    ///         lockdep::assert_irqs_disabled();
    ///     }
    /// }
    ///
    /// let work = IrqWork::new_hard(Nothing, GFP_KERNEL)?;
    /// assert!(work.queue()?);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "IRQ_WORK_INIT_HARD")]
    pub fn new_hard<E>(handler: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        Self::with_flags(handler, bindings::IRQ_WORK_HARD_IRQ, flags)
    }

    fn with_flags<E>(handler: impl PinInit<T, E>, u_flags: c_uint, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        let inner = try_pin_init!(Inner {
            // INVARIANT: `func` is `run_irq_work::<T>`.
            work: raw::new(run_irq_work::<T>, u_flags),
            handler <- handler,
        }? E);

        Ok(Self(Owner::new(
            inner,
            run_irq_work::<T> as *const (),
            flags,
        )?))
    }

    /// Queues the work by `queue`, a function of C. Returns false if the work was queued already.
    #[inline]
    fn queue_by(&self, queue: impl FnOnce(*mut bindings::irq_work) -> bool) -> Result<bool> {
        let started = self.0.start_use()?;

        // `run_irq_work()` takes it back, possibly before this returns.
        let started = started.into_raw();
        let queued = queue(self.0.work.get());
        if !queued {
            // SAFETY: C has not accepted the work.
            drop(unsafe { Use::from_raw(started) });
        }
        Ok(queued)
    }

    /// Queues the work on the CPU that the caller runs on.
    ///
    /// May be called in any context, also in an NMI. Returns false if the work is queued already,
    /// on this or another CPU, and its handler has not begun: the handler will see what the caller
    /// has written before.
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module of the handler is being unloaded.
    ///
    /// # Examples
    ///
    /// See [`IrqWork`].
    #[doc(alias = "irq_work_queue")]
    pub fn queue(&self) -> Result<bool> {
        // SAFETY: The work is initialized, and is not freed while there is a use of it.
        self.queue_by(|work| unsafe { bindings::irq_work_queue(work) })
    }

    /// Queues the work on `cpu`.
    ///
    /// May be called in a task or an interrupt, with interrupts on or off. In an NMI, `cpu` must be
    /// the one that the caller runs on: the IPI to another CPU is not NMI-safe.
    ///
    /// Returns false if the work is queued already, as [`queue`](Self::queue) does. It then stays
    /// on the CPU on which it is queued.
    ///
    /// If `cpu` goes offline meanwhile, it runs the work before that; on PREEMPT_RT see
    /// [`IrqWork`].
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
    ///     irq_work::{Handler, IrqWork, WorkContext},
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Handler for Nothing {
    ///     fn handle(&self, _context: &WorkContext) {}
    /// }
    ///
    /// let work = IrqWork::new(Nothing, GFP_KERNEL)?;
    /// let cpu = Cpumask::online().next(None).ok_or(ENODEV)?;
    /// assert!(work.queue_on(cpu)?);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "irq_work_queue_on")]
    pub fn queue_on(&self, cpu: CpuId) -> Result<bool> {
        let _guard = raw::stays_online(cpu)?;

        // SAFETY: As in `queue()`. The CPU is online.
        self.queue_by(|work| unsafe { raw::queue_on(work, cpu) })
    }

    /// Waits until the work is not queued and no handler is running.
    ///
    /// The caller then sees what the handlers have written. May sleep, so a handler must not call
    /// it. The wait has no bound while the work is queued again and again. As in C, a long wait is
    /// not reported.
    ///
    /// # Examples
    ///
    /// See [`IrqWork`].
    #[doc(alias = "irq_work_sync")]
    pub fn sync(&self) {
        raw::wait_while(|| self.0.is_used());
    }

    /// Returns the handler.
    ///
    /// # Examples
    ///
    /// See [`IrqWork`].
    pub fn handler(&self) -> &T {
        &self.0.handler
    }
}

/// # Safety
///
/// `work` must be that of an [`Inner<T>`], of which there is a [`Use`] for this.
#[inline]
unsafe extern "C" fn run_irq_work<T: Handler>(work: *mut bindings::irq_work) {
    let work = Opaque::cast_from(work).cast_mut();

    // SAFETY: `work` is in an `Inner<T>`, by the safety requirements.
    let inner = unsafe { container_of!(work, Inner<T>, work) };
    // SAFETY: There is a use, by the safety requirements. C uses the work once more after this has
    // returned, in the same interrupt or RCU read-side critical section.
    let inner = unsafe { Use::from_raw(inner) };

    // SAFETY: C runs this on the CPU of the work, in an interrupt or in a thread of that CPU.
    inner.handler.handle(unsafe { WorkContext::assume() });
}
