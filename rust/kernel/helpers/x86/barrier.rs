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

/// Spins until `done` returns true for the value of `ptr`, and returns that value. The last load is
/// an acquire.
///
/// # Safety
///
/// `ptr` is valid and aligned.
#[inline(always)]
unsafe fn smp_cond_load_acquire(ptr: *mut u32, done: impl Fn(u32) -> bool) -> u32 {
    loop {
        // SAFETY: By the safety requirements.
        let value = unsafe { ptr.read_volatile() };

        if done(value) {
            barrier();
            return value;
        }
        // SAFETY: There are no requirements.
        unsafe { cpu_relax() };
    }
}

/// Spins until `bits` are clear.
///
/// # Safety
///
/// `ptr` is valid and aligned.
#[inline(always)]
pub unsafe fn smp_cond_load_acquire_clear(ptr: *mut u32, bits: u32) -> u32 {
    // SAFETY: By the safety requirements.
    unsafe { smp_cond_load_acquire(ptr, |value| value & bits == 0) }
}

/// Spins until the variable has another value than `other`.
///
/// # Safety
///
/// `ptr` is valid and aligned.
#[inline(always)]
pub unsafe fn smp_cond_load_acquire_not(ptr: *mut u32, other: u32) -> u32 {
    // SAFETY: By the safety requirements.
    unsafe { smp_cond_load_acquire(ptr, |value| value != other) }
}
