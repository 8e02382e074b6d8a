// SPDX-License-Identifier: GPL-2.0

//! Staying on one CPU.
//!
//! C header: [`include/linux/preempt.h`](srctree/include/linux/preempt.h)

use crate::{
    cpu::CpuId,
    helpers,
    interrupt::LocalInterruptDisabled,
    types::NotThreadSafe, //
};

/// Proof that the current task stays on the CPU that it runs on.
///
/// # Safety
///
/// Implementers guarantee that the task that holds a value of the type does not move to another CPU
/// until the value is dropped.
///
/// # Examples
///
/// See [`CpuGuard`].
pub unsafe trait CpuPinned {
    /// Returns the CPU that the holder stays on.
    #[inline]
    fn cpu(&self) -> CpuId {
        CpuId::current()
    }
}

/// Keeps the current task on its CPU by disabling preemption.
///
/// May be created in any context. Guards nest. The holder must not sleep.
///
/// # Invariants
///
/// Preemption is disabled at least once on behalf of this value.
///
/// # Examples
///
/// ```
/// use kernel::preempt::{CpuGuard, CpuPinned};
///
/// let guard = CpuGuard::new();
/// assert_eq!(guard.cpu(), guard.cpu());
/// ```
#[must_use = "the guard ends where it is dropped"]
#[doc(alias = "get_cpu")]
pub struct CpuGuard(NotThreadSafe);

impl CpuGuard {
    /// Disables preemption until the guard is dropped.
    ///
    /// # Examples
    ///
    /// See [`CpuGuard`].
    #[inline]
    #[doc(alias = "preempt_disable")]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        // SAFETY: Preemption may be disabled in any context.
        unsafe { helpers::preempt::preempt_disable() };

        // INVARIANT: Preemption has just been disabled.
        Self(NotThreadSafe)
    }
}

impl Drop for CpuGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this undoes the `preempt_disable()` of `new()`.
        unsafe { helpers::preempt::preempt_enable() };
    }
}

// SAFETY: A task is not moved while preemption is disabled, which it is by the type invariants.
unsafe impl CpuPinned for CpuGuard {}

// SAFETY: A task is not moved while interrupts are disabled on its CPU.
unsafe impl CpuPinned for LocalInterruptDisabled {}

/// Returns whether the caller runs in task context: not in an NMI, a hard interrupt or a softirq.
///
/// # Examples
///
/// ```
/// assert!(kernel::preempt::in_task());
/// ```
#[inline]
pub fn in_task() -> bool {
    // SAFETY: Reading the preemption count is always allowed.
    unsafe { helpers::preempt::in_task() }
}

/// Returns whether the caller runs in a hard interrupt.
///
/// # Examples
///
/// ```
/// assert!(!kernel::preempt::in_hardirq());
/// ```
#[inline]
pub fn in_hardirq() -> bool {
    // SAFETY: Reading the preemption count is always allowed.
    unsafe { helpers::preempt::in_hardirq() }
}

/// Returns whether the caller runs in a non-maskable interrupt.
///
/// # Examples
///
/// ```
/// assert!(!kernel::preempt::in_nmi());
/// ```
#[inline]
pub fn in_nmi() -> bool {
    // SAFETY: Reading the preemption count is always allowed.
    unsafe { helpers::preempt::in_nmi() }
}
