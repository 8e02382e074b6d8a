// SPDX-License-Identifier: GPL-2.0

//! Seam: sets of CPUs.

use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::Cpumask, //
};

/// Returns `cpu` as a CPU that is online, or [`None`] for any other number.
///
/// Preemption has to be off for the answer to last.
#[inline(always)]
pub(crate) fn online(cpu: i32) -> Option<CpuId> {
    in_range(cpu).filter(|cpu| cpu.is_online())
}

/// Returns `cpu` as a CPU, or [`None`] if it is negative or too large.
#[inline(always)]
pub(crate) fn in_range(cpu: i32) -> Option<CpuId> {
    let cpu = u32::try_from(cpu).ok()?;

    if cpu < nr_cpu_ids() {
        // SAFETY: The number has just been checked.
        Some(unsafe { CpuId::from_u32_unchecked(cpu) })
    } else {
        None
    }
}

/// Returns the online CPU of `mask` that is nearest to `this_cpu`, by NUMA distance.
///
/// If there is none, the number returned is that of no CPU.
#[inline]
pub(crate) fn nearest(mask: &Cpumask, this_cpu: CpuId) -> i32 {
    if mask.test(this_cpu) {
        return i32::from(this_cpu);
    }

    // SAFETY: The mask is valid, and `this_cpu` has a NUMA node.
    unsafe { bindings::sched_numa_find_nth_cpu(mask.as_raw(), 0, i32::from(this_cpu)) as i32 }
}

/// Returns the last possible CPU, wherever `nr_cpu_ids` is.
pub(crate) fn last_possible() -> u32 {
    let bits = Cpumask::possible().as_raw().cast::<usize>();

    // SAFETY: This set holds `NR_CPUS` bits. One that was allocated may hold `nr_cpu_ids` only.
    unsafe { bindings::_find_last_bit(bits, bindings::NR_CPUS as usize) as u32 }
}
