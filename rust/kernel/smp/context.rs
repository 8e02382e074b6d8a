// SPDX-License-Identifier: GPL-2.0

//! The context of a function that runs.

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::interrupt::LocalInterruptDisabled;
use crate::{
    helpers,
    preempt::CpuPinned,
    types::NotThreadSafe, //
};

/// The context of a cross-CPU call: interrupts are off, and the function stays on its CPU.
///
/// Each function gets it as an argument. It is a proof for [per-CPU variables](crate::percpu), and
/// [`CpuPinned::cpu`] returns the CPU.
///
/// # Invariants
///
/// Interrupts are off on this CPU for as long as a reference exists.
///
/// # Examples
///
/// ```
/// use kernel::{cpu::CpuId, preempt::CpuPinned, smp::Caller};
///
/// let caller = Caller::new()?;
/// let cpu = CpuId::current();
/// assert!(caller.call(cpu, |ctx| ctx.cpu())? == cpu);
/// # Ok::<(), Error>(())
/// ```
pub struct CallContext(NotThreadSafe);

impl CallContext {
    /// Makes the context, for a function that is called.
    ///
    /// # Safety
    ///
    /// Interrupts are off during `'a`.
    #[inline]
    pub(super) unsafe fn assume<'a>() -> &'a Self {
        // INVARIANT: By the safety requirements.
        const CONTEXT: &CallContext = &CallContext(NotThreadSafe);

        // SAFETY: The assertion may be made in any context.
        unsafe { helpers::lockdep::lockdep_assert_irqs_disabled() };
        CONTEXT
    }

    /// Returns the proof that interrupts are off, which locks ask for.
    ///
    /// Not on PREEMPT_RT, where such a lock may sleep: a function in an IPI must not sleep.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(CONFIG_PREEMPT_RT))]
    /// # fn f() -> Result {
    /// use kernel::{cpu::CpuId, interrupt::LocalInterruptDisabled, smp::Caller};
    ///
    /// fn needs_interrupts_off(_irq: &LocalInterruptDisabled) -> u32 {
    ///     7
    /// }
    ///
    /// let caller = Caller::new()?;
    /// let answer = caller.call(CpuId::current(), |ctx| needs_interrupts_off(ctx.interrupts()))?;
    /// assert_eq!(answer, 7);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(CONFIG_PREEMPT_RT))]
    /// # f()?;
    /// # Ok::<(), Error>(())
    /// ```
    #[cfg(not(CONFIG_PREEMPT_RT))]
    #[inline]
    pub fn interrupts(&self) -> &LocalInterruptDisabled {
        // SAFETY: Interrupts are off, by the type invariants.
        unsafe { LocalInterruptDisabled::assume_disabled() }
    }
}

// SAFETY: Interrupts are off, by the type invariants, so the holder is not moved.
unsafe impl CpuPinned for CallContext {}
