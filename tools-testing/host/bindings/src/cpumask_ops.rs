// SPDX-License-Identifier: GPL-2.0

//! Sets of CPUs, in one word.

use crate::{c_int, c_uint, cpumask, cpumask_var_t, machine::CPUS};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The CPUs that are present: one, so that pools stay small.
pub static mut __cpu_present_mask: cpumask = cpumask { bits: [1] };

/// The CPUs that are online.
pub static mut __cpu_online_mask: cpumask = cpumask { bits: [0] };
/// No CPU goes down so far that it sends calls then.
pub static mut __cpu_dying_mask: cpumask = cpumask { bits: [0] };
/// The CPUs that there can be.
pub static mut __cpu_possible_mask: cpumask = cpumask { bits: [0] };
/// One above the last CPU.
pub static mut nr_cpu_ids: c_uint = CPUS as c_uint;

pub(crate) fn set_up(cpus: usize) {
    // SAFETY: No CPU runs.
    unsafe {
        __cpu_online_mask.bits[0] = (1 << cpus) - 1;
        __cpu_possible_mask.bits[0] = (1 << cpus) - 1;
        nr_cpu_ids = cpus as c_uint;
    }
}

pub(crate) fn set_online(cpu: u32, online: bool) {
    let mask = &raw mut __cpu_online_mask;

    if online {
        cpumask_set_cpu(cpu, mask);
    } else {
        cpumask_clear_cpu(cpu, mask);
    }
}

/// The word of a set. Others may change it meanwhile.
fn word<'a>(mask: *const cpumask) -> &'a AtomicUsize {
    // SAFETY: The sets of a machine live as long as who uses them.
    unsafe { AtomicUsize::from_ptr((&raw const (*mask).bits).cast_mut().cast()) }
}

fn bits(mask: *const cpumask) -> usize {
    word(mask).load(Relaxed)
}

pub fn cpumask_set_cpu(cpu: c_uint, mask: *mut cpumask) {
    word(mask).fetch_or(1 << cpu, Relaxed);
}

pub fn cpumask_clear_cpu(cpu: c_uint, mask: *mut cpumask) {
    word(mask).fetch_and(!(1 << cpu), Relaxed);
}

pub fn cpumask_clear(mask: *mut cpumask) {
    word(mask).store(0, Relaxed);
}

pub fn cpumask_copy(to: *mut cpumask, from: *const cpumask) {
    word(to).store(bits(from), Relaxed);
}

pub fn cpumask_and(to: *mut cpumask, a: *const cpumask, b: *const cpumask) -> bool {
    word(to).store(bits(a) & bits(b), Relaxed);
    bits(to) != 0
}

pub fn cpumask_or(to: *mut cpumask, a: *const cpumask, b: *const cpumask) {
    word(to).store(bits(a) | bits(b), Relaxed);
}

pub fn cpumask_andnot(to: *mut cpumask, a: *const cpumask, b: *const cpumask) -> bool {
    word(to).store(bits(a) & !bits(b), Relaxed);
    bits(to) != 0
}

pub fn cpumask_test_cpu(cpu: c_uint, mask: *const cpumask) -> bool {
    bits(mask) & (1 << cpu) != 0
}

pub fn cpumask_empty(mask: *const cpumask) -> bool {
    bits(mask) == 0
}

pub fn cpumask_weight(mask: *const cpumask) -> c_uint {
    bits(mask).count_ones()
}

pub fn cpumask_next(after: c_int, mask: *const cpumask) -> c_uint {
    let above = bits(mask) & usize::MAX.checked_shl((after + 1) as u32).unwrap_or(0);

    above.trailing_zeros()
}

pub fn cpumask_size() -> usize {
    size_of::<cpumask>()
}

pub fn cpu_online(cpu: c_uint) -> bool {
    cpumask_test_cpu(cpu, &raw const __cpu_online_mask)
}

pub fn num_online_cpus() -> c_uint {
    cpumask_weight(&raw const __cpu_online_mask)
}

/// # Safety
///
/// `bits` are `size` bits.
pub unsafe fn _find_last_bit(bits: *const usize, size: usize) -> usize {
    assert_eq!(size, usize::BITS as usize);
    // SAFETY: By the safety requirements.
    unsafe { bits.read() }.ilog2() as usize
}

/// All CPUs are on one node, so that the nearest is the lowest that is online.
pub fn sched_numa_find_nth_cpu(mask: *const cpumask, nth: c_int, _near: c_int) -> c_int {
    assert_eq!(nth, 0);
    (bits(mask) & bits(&raw const __cpu_online_mask)).trailing_zeros() as c_int
}

/// # Safety
///
/// `mask` may be written.
pub unsafe fn zalloc_cpumask_var_node(mask: *mut cpumask_var_t, _cpu: c_int) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { (*mask)[0].bits = [0] };
    true
}
