// SPDX-License-Identifier: GPL-2.0

//! Who may wait for other CPUs.

use super::{
    pending,
    CallError, //
};
use crate::{
    preempt,
    types::NotThreadSafe, //
};

/// Leave to wait for other CPUs.
///
/// Calls that wait are methods of this. It is made in a task with interrupts on and cannot be sent
/// elsewhere, so a function that runs in an IPI has none: it must not wait, or two CPUs could wait
/// for each other. The task may have preemption disabled, but must hold no lock that others spin for
/// with interrupts off.
///
/// A task that turns interrupts off later still has it; a call that waits then warns, as in C.
///
/// # Examples
///
/// ```
/// use kernel::{cpumask::Cpumask, preempt::CpuPinned, smp::Caller};
///
/// let caller = Caller::new()?;
/// for cpu in Cpumask::online() {
///     // CPUs come and go: one that was online a moment ago may not answer.
///     if let Ok(answer) = caller.call(cpu, |ctx| ctx.cpu()) {
///         assert!(answer == cpu);
///     }
/// }
/// # Ok::<(), Error>(())
/// ```
pub struct Caller(NotThreadSafe);

impl Caller {
    /// Asks for leave to wait.
    ///
    /// # Errors
    ///
    /// - [`CallError::WrongContext`]: this is no task, or interrupts are off.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{CallError, Caller}};
    ///
    /// let caller = Caller::new()?;
    /// let inside = caller.call(CpuId::current(), |_| Caller::new().err())?;
    /// assert!(inside == Some(CallError::WrongContext));
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn new() -> Result<Self, CallError> {
        if may_wait() {
            Ok(Self(NotThreadSafe))
        } else {
            Err(CallError::WrongContext)
        }
    }

    /// Returns when nothing of what was sent before is left: all has run, and has been dropped.
    ///
    /// For a module on its way out, which has used [`Caller::post`] or dropped a
    /// [`Pending`](super::Pending) where it could not wait. Who sends must have stopped before. May
    /// sleep.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Caller};
    ///
    /// let caller = Caller::new()?;
    /// caller.post(CpuId::current(), &(), |_, _| ())?;
    /// caller.settle();
    /// # Ok::<(), Error>(())
    /// ```
    pub fn settle(&self) {
        // A CPU takes all of its queue at once, and runs first what somebody waits for. What was
        // queued before the first call has run when the second one is answered.
        self.call_all(|_| ());
        self.call_all(|_| ());
        pending::settle();
    }
}

/// Returns whether the context is one in which calls may wait.
#[inline]
pub(super) fn may_wait() -> bool {
    // SAFETY: Reading the interrupt state is always allowed.
    preempt::in_task() && !unsafe { bindings::irqs_disabled() }
}
