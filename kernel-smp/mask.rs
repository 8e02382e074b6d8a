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
/// A CPU that is online stays so while preemption is off.
#[inline]
pub(crate) fn online(cpu: i32) -> Option<CpuId> {
    in_range(cpu).filter(|cpu| cpu.is_online())
}

/// Returns whether `cpu` is on its way down, or is down since.
pub(crate) fn is_dying(cpu: CpuId) -> bool {
    // SAFETY: This is a set of the kernel.
    let dying = unsafe { Cpumask::from_raw(&raw const bindings::__cpu_dying_mask) };

    dying.test(cpu)
}

/// Returns `cpu` as a CPU, or [`None`] if it is negative or too large.
#[inline]
pub(crate) fn in_range(cpu: i32) -> Option<CpuId> {
    // CAST: A negative number becomes one that is too large.
    let cpu = cpu as u32;

    if cpu < nr_cpu_ids() {
        // SAFETY: The number has just been checked.
        Some(unsafe { CpuId::from_u32_unchecked(cpu) })
    } else {
        None
    }
}

/// Returns `this_cpu` if it is in `mask`, else the CPU of `mask` that is online and nearest to it,
/// by NUMA distance.
///
/// A CPU that is online stays so while preemption is off.
#[inline]
pub(crate) fn nearest(mask: &Cpumask, this_cpu: CpuId) -> Option<CpuId> {
    if mask.test(this_cpu) {
        return Some(this_cpu);
    }

    #[cfg(not(CONFIG_NUMA))]
    let nearest = mask.iter().find(|cpu| cpu.is_online());

    #[cfg(CONFIG_NUMA)]
    let nearest = {
        let (mask, this_cpu) = (mask.as_raw(), i32::from(this_cpu));

        // SAFETY: The mask is valid, and `this_cpu` has a NUMA node.
        online(unsafe { bindings::sched_numa_find_nth_cpu(mask, 0, this_cpu) } as i32)
    };

    nearest
}

/// Sets `others` to the CPUs that are in `mask` and in `online`, without `this_cpu`. If there are
/// none, returns false and does not change `others`.
///
/// Each multi-CPU call begins with this. By the functions for masks it would be two calls of C
/// functions: `make bench` then shows 47 instructions more in each. `mask` may change meanwhile.
#[inline]
pub(crate) fn online_others(
    mask: &Cpumask,
    online: &Cpumask,
    this_cpu: CpuId,
    others: &mut Cpumask,
) -> bool {
    let this_cpu = this_cpu.as_u32();
    let (words, this_word) = if bindings::NR_CPUS <= usize::BITS {
        (1, 0)
    } else {
        (nr_cpu_ids().div_ceil(usize::BITS), this_cpu / usize::BITS)
    };
    let word_of = |set: &Cpumask, number: u32| {
        // SAFETY: A set holds at least `nr_cpu_ids` bits.
        unsafe { set.as_raw().cast::<usize>().add(number as usize) }
    };
    let online_others = |number: u32| {
        // SAFETY: The word is valid, and may change at any time.
        let wanted = unsafe { word_of(mask, number).read_volatile() };
        // SAFETY: As above. No bit beyond `nr_cpu_ids` is set in this set.
        let online = unsafe { word_of(online, number).read_volatile() };
        let this_cpu = if number == this_word {
            1 << (this_cpu % usize::BITS)
        } else {
            0
        };

        wanted & online & !this_cpu
    };

    // SAFETY: The word is valid, and only the caller uses it.
    let set = |number, word| unsafe { word_of(others, number).write(word) };
    let mut not_empty = (0..words)
        .map(|number| (number, online_others(number)))
        .filter(|(_, word)| *word != 0);

    let Some((first, word)) = not_empty.next() else {
        return false;
    };
    for number in 0..first {
        set(number, 0);
    }
    set(first, word);
    for number in first.wrapping_add(1)..words {
        set(number, online_others(number));
    }
    true
}

/// Returns how many CPUs are present.
pub(crate) fn present_cpus() -> u32 {
    // SAFETY: This is a set of the kernel.
    unsafe { Cpumask::from_raw(&raw const bindings::__cpu_present_mask) }.weight()
}

/// Returns the last possible CPU, whatever `nr_cpu_ids` is.
pub(crate) fn last_possible() -> u32 {
    let bits = Cpumask::possible().as_raw().cast::<usize>();

    // SAFETY: This set holds `NR_CPUS` bits. One that was allocated may hold `nr_cpu_ids` only.
    unsafe { bindings::_find_last_bit(bits, bindings::NR_CPUS as usize) as u32 }
}
