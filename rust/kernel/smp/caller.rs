// SPDX-License-Identifier: GPL-2.0

//! Waiting for other CPUs.

use super::CallError;
use crate::{
    cpu::CpuId,
    helpers,
    preempt,
    processor::cpu_relax,
    types::NotThreadSafe,
    warn_on_once, //
};

/// How often a wait checks its condition before it makes a synchronous call.
const CHECKS_BEFORE_CALL: u32 = 100_000;

/// The "may wait" token: a task that has it may wait for other CPUs.
///
/// Calls that wait are methods of this. It is made in a task with interrupts on, and cannot be sent
/// to another CPU. So a function that runs in an IPI has none: if it waited, two CPUs could wait
/// for each other. The task may have preemption disabled, but must hold no lock for which other
/// CPUs spin with interrupts off.
///
/// A task may turn interrupts off later, and still have the token. A call that waits then warns, as
/// in C, and may deadlock. With `CONFIG_SMP_RUST_POLLING_WAIT` a synchronous call does neither; a
/// wait for an asynchronous one still does.
///
/// # Examples
///
/// ```
/// use kernel::{cpumask::Cpumask, preempt::CpuPinned, smp::Caller};
///
/// let caller = Caller::new()?;
/// for cpu in Cpumask::online() {
///     // A CPU that was online just now may be offline, and is then not called.
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
    /// - [`CallError::WrongContext`]: the caller is not a task, or interrupts are off.
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

    /// Warns, once, if the caller must not wait now, as it has turned interrupts off since
    /// [`new`](Self::new).
    #[inline]
    pub(super) fn assert_may_wait(&self) {
        warn_on_once!(!may_wait());
    }

    /// Waits until `is_done` returns true, for asynchronous calls.
    ///
    /// `csdlock_debug=1` watches synchronous calls: it reports a wait that takes too long, and
    /// sends a lost IPI again. So a long wait makes a synchronous call to `target`, and after that
    /// to all CPUs.
    pub(super) fn wait_until(&self, is_done: impl Fn() -> bool, target: impl FnOnce() -> CpuId) {
        let is_done_soon = || {
            (0..CHECKS_BEFORE_CALL).any(|_| {
                cpu_relax();
                is_done()
            })
        };

        self.assert_may_wait();
        if is_done() || is_done_soon() {
            return;
        }
        // A target that is offline by now has run its queue before.
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
    preempt::in_task() && !unsafe { helpers::irqflags::irqs_disabled() }
}
