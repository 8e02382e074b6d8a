// SPDX-License-Identifier: GPL-2.0

//! The preemption count.
//!
//! A per-CPU variable of 64 bits. Its highest bit is set unless a reschedule is due, so that the
//! variable becomes zero where one is both due and allowed. The count is in the lower half.
//!
//! C headers: [`arch/x86/include/asm/preempt.h`](srctree/arch/x86/include/asm/preempt.h),
//! [`include/linux/preempt.h`](srctree/include/linux/preempt.h)

pub use bindings::*;

/// Disables preemption, once more if it is disabled.
///
/// # Safety
///
/// None.
#[cfg(all(
    CONFIG_PREEMPTION,
    not(any(CONFIG_DEBUG_PREEMPT, CONFIG_TRACE_PREEMPT_TOGGLE))
))]
#[inline(always)]
pub unsafe fn preempt_disable() {
    // SAFETY: Preemption may be disabled in any context. No access moves over it.
    unsafe {
        crate::asm!(
            "incq %gs:{count}(%rip)";
            count = sym bindings::__preempt_count,
            options(nostack),
        )
    };
}

/// Undoes one [`preempt_disable`], and reschedules if that is due.
///
/// # Safety
///
/// The caller has disabled preemption.
#[cfg(all(
    CONFIG_PREEMPTION,
    not(any(CONFIG_DEBUG_PREEMPT, CONFIG_TRACE_PREEMPT_TOGGLE))
))]
#[inline(always)]
pub unsafe fn preempt_enable() {
    /// Out of line, since it is rare.
    #[cold]
    fn reschedule() {
        // SAFETY: Preemption has just been enabled, and a reschedule is due.
        unsafe { bindings::__preempt_schedule() };
    }

    // SAFETY: By the safety requirements. No access moves over it.
    unsafe {
        crate::asm!(
            "decq %gs:{count}(%rip); jz {reschedule}";
            count = sym bindings::__preempt_count,
            reschedule = label {
                reschedule();
                // No jump to it either: a backtrace shows the caller, as in C.
                super::barrier::barrier();
            },
        )
    };
}

/// Returns the count: of disabled preemption, and of interrupts by their kind.
#[inline(always)]
fn preempt_count() -> u32 {
    let count;

    // SAFETY: This reads a per-CPU variable.
    unsafe {
        crate::asm!(
            "movl %gs:{preempt_count}(%rip), {count:e}";
            preempt_count = sym bindings::__preempt_count,
            count = lateout(reg) count,
            options(readonly, nostack, preserves_flags),
        )
    };
    count
}

/// The counts of NMIs, which are the highest.
const NMI_MASK: u32 = u32::MAX << bindings::NMI_SHIFT;

/// The counts of NMIs and of hard interrupts, which are below.
const NMI_OR_HARDIRQ_MASK: u32 = u32::MAX << bindings::HARDIRQ_SHIFT;

/// Returns whether the caller is in a task: not in an NMI, a hard interrupt or a softirq.
///
/// # Safety
///
/// None.
#[cfg(not(CONFIG_PREEMPT_RT))]
#[inline(always)]
pub unsafe fn in_task() -> bool {
    preempt_count() & (NMI_OR_HARDIRQ_MASK | bindings::SOFTIRQ_OFFSET) == 0
}

/// Returns whether the caller is in a hard interrupt.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn in_hardirq() -> bool {
    preempt_count() & (NMI_OR_HARDIRQ_MASK & !NMI_MASK) != 0
}

/// Returns whether the caller is in an NMI.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn in_nmi() -> bool {
    preempt_count() & NMI_MASK != 0
}
