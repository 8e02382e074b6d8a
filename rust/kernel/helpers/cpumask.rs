// SPDX-License-Identifier: GPL-2.0

//! Masks of CPUs, as arrays of words.
//!
//! A mask may change while it is read: each word is read once.
//!
//! C header: [`include/linux/cpumask.h`](srctree/include/linux/cpumask.h)

pub use bindings::*;

use crate::ffi::{
    c_int,
    c_uint, //
};

/// The number of bits of a word.
const BITS: u32 = usize::BITS;

/// Returns the number of bits that may be set: a constant if all fit into a word.
#[inline(always)]
fn small_cpumask_bits() -> u32 {
    if bindings::NR_CPUS <= BITS {
        bindings::NR_CPUS
    } else {
        crate::cpu::nr_cpu_ids()
    }
}

/// Returns the address of the word with the bit of `cpu`.
///
/// # Safety
///
/// `mask` is valid, and has a bit for `cpu`.
#[inline(always)]
unsafe fn word_of(mask: *const bindings::cpumask, cpu: u32) -> *const usize {
    let words: *const usize = mask.cast();

    if bindings::NR_CPUS <= BITS {
        words
    } else {
        // SAFETY: The word is in the mask, by the safety requirements.
        unsafe { words.add((cpu / BITS) as usize) }
    }
}

/// Returns whether `cpu` is in `mask`.
///
/// # Safety
///
/// `mask` is valid for reads, also while other CPUs change it, and `cpu` is below `nr_cpu_ids`.
#[inline(always)]
pub unsafe fn cpumask_test_cpu(cpu: c_int, mask: *const bindings::cpumask) -> bool {
    // CAST: A CPU is not negative.
    let cpu = cpu as u32;

    // SAFETY: The mask has a bit for each CPU.
    let word = unsafe { word_of(mask, cpu) };
    // SAFETY: The word is valid for reads, by the safety requirements.
    let word = unsafe { word.read_volatile() };

    word >> (cpu % BITS) & 1 != 0
}

/// Removes `cpu` from `mask`. Not atomic.
///
/// # Safety
///
/// `mask` is valid, only the caller uses it, and `cpu` is below `nr_cpu_ids`.
#[inline(always)]
pub unsafe fn __cpumask_clear_cpu(cpu: c_int, mask: *mut bindings::cpumask) {
    // CAST: A CPU is not negative.
    let cpu = cpu as u32;

    // SAFETY: The mask has a bit for each CPU.
    let word = unsafe { word_of(mask, cpu) }.cast_mut();
    // SAFETY: The word is valid, and only the caller uses it.
    unsafe { *word &= !(1 << (cpu % BITS)) };
}

/// Sets `to` to the CPUs of `from`.
///
/// # Safety
///
/// `from` is valid for reads, also while other CPUs change it. `to` is valid, and only the caller
/// uses it.
#[inline(always)]
pub unsafe fn cpumask_copy(to: *mut bindings::cpumask, from: *const bindings::cpumask) {
    // As C, a constant number of words if there are few.
    let bits = if bindings::NR_CPUS <= 4 * BITS {
        bindings::NR_CPUS
    } else {
        crate::cpu::nr_cpu_ids()
    };

    for number in 0..bits.div_ceil(BITS) {
        // SAFETY: The word is in the mask.
        let from = unsafe { from.cast::<usize>().add(number as usize) };
        // SAFETY: As above.
        let to = unsafe { to.cast::<usize>().add(number as usize) };
        // SAFETY: The word is valid for reads, by the safety requirements.
        let word = unsafe { from.read_volatile() };

        // SAFETY: The word is valid, and only the caller uses it.
        unsafe { *to = word };
    }
}

/// Returns the lowest CPU of `mask` that is above `cpu`, or `nr_cpu_ids` or more if there is none.
///
/// # Safety
///
/// `mask` is valid for reads, also while other CPUs change it, and `cpu` is -1, or below
/// `nr_cpu_ids`.
#[inline(always)]
pub unsafe fn cpumask_next(cpu: c_int, mask: *const bindings::cpumask) -> c_uint {
    let bits = small_cpumask_bits();
    // CAST: The first is 0 for -1.
    let first = cpu.wrapping_add(1) as u32;
    if first >= bits {
        return bits;
    }

    let mut at = first - first % BITS;
    let mut wanted = usize::MAX << (first % BITS);
    loop {
        // SAFETY: `at` is below the number of bits, which the mask has.
        let word = unsafe { word_of(mask, at) };
        // SAFETY: The word is valid for reads, by the safety requirements.
        let found = unsafe { word.read_volatile() } & wanted;
        if found != 0 {
            return bits.min(at.wrapping_add(found.trailing_zeros()));
        }

        at = at.wrapping_add(BITS);
        if at >= bits {
            return bits;
        }
        wanted = usize::MAX;
    }
}

/// Returns whether `cpu` is online.
///
/// # Safety
///
/// `cpu` is below `nr_cpu_ids`.
#[cfg(CONFIG_SMP)]
#[inline(always)]
pub unsafe fn cpu_online(cpu: c_uint) -> bool {
    // SAFETY: The mask is a global of the kernel. The CPU is in range, by the safety requirements.
    unsafe { cpumask_test_cpu(cpu as c_int, &raw const bindings::__cpu_online_mask) }
}

/// Returns the number of CPUs that are online.
///
/// # Safety
///
/// None.
#[cfg(CONFIG_SMP)]
#[inline(always)]
pub unsafe fn num_online_cpus() -> c_uint {
    let number: *const c_uint = (&raw const bindings::__num_online_cpus).cast();

    // SAFETY: The variable is an atomic integer of C, which other CPUs may write.
    unsafe { number.read_volatile() }
}
