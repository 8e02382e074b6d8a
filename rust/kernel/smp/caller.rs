// SPDX-License-Identifier: GPL-2.0

//! Waiting for other CPUs.

use super::CallError;
use crate::{
    cpu::CpuId,
    preempt,
    processor::cpu_relax,
    types::NotThreadSafe,
    warn_on_once, //
};

/// How often a wait looks before it becomes a call that C watches.
const LOOKS_BEFORE_CALL: u32 = 100_000;

/// The "may wait" token: a task that has it may wait for other CPUs.
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
    /// Returns the token, if the caller may wait.
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

    /// Warns, once, if this task must not wait now: it has turned interrupts off since it was asked.
    #[inline]
    pub(super) fn assert_may_wait(&self) {
        warn_on_once!(!may_wait());
    }

    /// Waits until `is_done`, which is brought about by what was sent without waiting.
    ///
    /// C watches the waits of synchronous calls only: with `csdlock_debug=1` it reports those that take
    /// too long, and sends lost IPIs again. So a wait that takes long becomes a call to `target`, and
    /// if that does not help, calls to all CPUs.
    pub(super) fn wait_until(&self, is_done: impl Fn() -> bool, target: impl FnOnce() -> CpuId) {
        let is_done_soon = || {
            (0..LOOKS_BEFORE_CALL).any(|_| {
                cpu_relax();
                is_done()
            })
        };

        self.assert_may_wait();
        if is_done() || is_done_soon() {
            return;
        }
        // If it is offline by now, it has run what it was sent.
        let _ = self.call(target(), |_| ());
        while !is_done_soon() {
            self.call_all(|_| ());
        }
    }
}

/// Returns whether the context is one in which calls may wait.
#[inline]
pub(super) fn may_wait() -> bool {
    // SAFETY: Reading the interrupt state is always allowed.
    preempt::in_task() && !unsafe { bindings::irqs_disabled() }
}
