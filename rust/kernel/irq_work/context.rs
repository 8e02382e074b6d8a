// SPDX-License-Identifier: GPL-2.0

//! The context of a handler that runs.

use crate::{
    preempt::CpuPinned,
    types::NotThreadSafe, //
};

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::{
    helpers,
    interrupt::LocalInterruptDisabled, //
};

/// The context of a [`Handler`](super::Handler) that runs.
///
/// # Invariants
///
/// The handler stays on this CPU. Without PREEMPT_RT, interrupts are off.
///
/// # Examples
///
/// ```
/// use kernel::{
///     irq_work::{Handler, IrqWork, WorkContext},
///     percpu::define_per_cpu,
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// define_per_cpu! {
///     static HANDLED: Atomic<u64> = Atomic::new(0);
/// }
///
/// struct Count;
///
/// impl Handler for Count {
///     fn handle(&self, context: &WorkContext) {
///         HANDLED.this_cpu(context).add(1, Relaxed);
///     }
/// }
///
/// let work = IrqWork::new(Count, GFP_KERNEL)?;
/// work.queue()?;
/// work.sync();
/// # Ok::<(), Error>(())
/// ```
pub struct WorkContext(NotThreadSafe);

impl WorkContext {
    /// Makes the context, for a handler that is called.
    ///
    /// # Safety
    ///
    /// During `'a` the caller stays on its CPU. Without PREEMPT_RT, interrupts are off.
    #[inline]
    pub(super) unsafe fn assume<'a>() -> &'a Self {
        // INVARIANT: By the safety requirements.
        const CONTEXT: &WorkContext = &WorkContext(NotThreadSafe);

        #[cfg(not(CONFIG_PREEMPT_RT))]
        // SAFETY: The assertion may be made in any context.
        unsafe {
            helpers::lockdep::lockdep_assert_irqs_disabled()
        };
        CONTEXT
    }

    /// Returns the proof that interrupts are off, which locks ask for.
    ///
    /// Not on PREEMPT_RT, where they may be on.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{interrupt::LocalInterruptDisabled, irq_work::WorkContext};
    ///
    /// # #[cfg(not(CONFIG_PREEMPT_RT))]
    /// fn off(context: &WorkContext) -> &LocalInterruptDisabled {
    ///     context.interrupts()
    /// }
    /// ```
    #[cfg(not(CONFIG_PREEMPT_RT))]
    #[inline]
    pub fn interrupts(&self) -> &LocalInterruptDisabled {
        // SAFETY: Interrupts are off, by the type invariants.
        unsafe { LocalInterruptDisabled::assume_disabled() }
    }
}

// SAFETY: By the type invariants.
unsafe impl CpuPinned for WorkContext {}
