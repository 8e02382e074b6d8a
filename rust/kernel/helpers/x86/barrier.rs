// SPDX-License-Identifier: GPL-2.0

//! Barriers, and waits.
//!
//! A load is an acquire on x86, and a store is a release: only the compiler must be kept from
//! moving accesses, which each assembly block does that is not `nomem`.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

pub use bindings::*;

/// Orders all accesses before it against all after it.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn smp_mb() {
    // SAFETY: This adds nothing to a word below the stack, which nothing uses.
    unsafe { crate::asm!("lock addl $0, -4(%rsp)"; options(nostack)) };
}

/// Orders all stores before it against all stores after it.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn smp_wmb() {
    barrier();
}

/// Tells the CPU that this is a loop that waits.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn cpu_relax() {
    // SAFETY: The instruction has no other effect.
    unsafe { crate::asm!("pause"; options(nostack, preserves_flags)) };
}

/// Keeps the compiler from moving accesses over it.
#[inline(always)]
pub(super) fn barrier() {
    // SAFETY: The block is empty.
    unsafe { crate::asm!(""; options(nostack, preserves_flags)) };
}

/// Waits for a while. `ptr` and `value` are not used: there is no instruction that waits for a write.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn cmpwait_relaxed_u32(_ptr: *mut u32, _value: u32) {
    // SAFETY: There are no requirements.
    unsafe { cpu_relax() };
}

/// As [`cmpwait_relaxed_u32`].
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn cmpwait_relaxed_u64(_ptr: *mut u64, _value: u64) {
    // SAFETY: There are no requirements.
    unsafe { cpu_relax() };
}
