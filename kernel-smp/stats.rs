// SPDX-License-Identifier: GPL-2.0

//! Counters: `CONFIG_SMP_RUST_STATS`.
//!
//! Each CPU counts what it does itself. Off, which is the default, each counter is one patched jump.
//! The table is the file `smp/stats` of debugfs, see `stats.c`.

use crate::clock;
use kernel::bindings;

#[cfg(CONFIG_SMP_RUST_STATS)]
use kernel::{
    cpu::CpuId,
    percpu::{
        define_per_cpu,
        CpuGuard, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// What is counted, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Counter {
    /// Csds and other entries that this CPU has queued on others.
    Csds,
    /// IPIs that it has sent.
    Ipis,
    /// Entries that needed none, since the queue was not empty.
    Batched,
    /// Entries that needed none, since the target polled in its idle loop.
    Polled,
    /// Calls in the fallback csd, when no slot was free.
    Fallback,
    /// Waits until a target has taken a csd, to use it again.
    StorageWaits,
    /// Entries that the CPU ran while it went down.
    Dying,
    /// The most slots of its pool that were in use at once.
    SlotsMost,
    /// The longest time that it has waited for a call, in ns.
    LongestWait,
}

/// Returns whether things are counted.
#[inline]
pub(crate) fn enabled() -> bool {
    // SAFETY: Reading a static key is always allowed.
    unsafe { bindings::smp_stats_enabled() }
}

/// The time in ns, if things are counted.
#[inline]
pub(crate) fn now() -> u64 {
    if enabled() {
        clock::now()
    } else {
        0
    }
}

/// Counts one.
#[inline]
pub(crate) fn count(counter: Counter) {
    if enabled() {
        table::add(counter, 1);
    }
}

/// Counts as many as `number` says.
#[inline]
pub(crate) fn count_all(counter: Counter, number: impl FnOnce() -> u64) {
    if enabled() {
        table::add(counter, number());
    }
}

/// Notes the value that `value` gives, if it is the largest so far.
#[inline]
pub(crate) fn most(counter: Counter, value: impl FnOnce() -> u64) {
    if enabled() {
        table::raise(counter, value());
    }
}

#[cfg(CONFIG_SMP_RUST_STATS)]
pub(crate) mod table {
    use super::*;

    /// How many counters there are.
    const COUNTERS: usize = Counter::LongestWait as usize + 1;

    define_per_cpu! {
        static COUNTS: [Atomic<u64>; COUNTERS] = [const { Atomic::new(0) }; COUNTERS];
    }

    #[cold]
    pub(super) fn add(counter: Counter, number: u64) {
        let guard = CpuGuard::new();

        if let Some(count) = COUNTS.this_cpu(&guard).get(counter as usize) {
            count.add(number, Relaxed);
        }
    }

    #[cold]
    pub(super) fn raise(counter: Counter, value: u64) {
        let guard = CpuGuard::new();

        if let Some(most) = COUNTS.this_cpu(&guard).get(counter as usize) {
            if most.load(Relaxed) < value {
                most.store(value, Relaxed);
            }
        }
    }

    /// Returns a count of a CPU, for the table; 0 for a counter that does not exist.
    ///
    /// # Safety
    ///
    /// `cpu` is a possible CPU.
    #[export]
    pub(crate) unsafe extern "C" fn smp_stats_count(cpu: c_uint, counter: c_uint) -> u64 {
        // SAFETY: By the safety requirements.
        let counts = unsafe { COUNTS.per_cpu(CpuId::from_u32_unchecked(cpu)) };

        counts
            .get(counter as usize)
            .map_or(0, |count| count.load(Relaxed))
    }

    /// Sets all counts to zero.
    ///
    /// # Safety
    ///
    /// None.
    #[export]
    pub(crate) unsafe extern "C" fn smp_stats_clear() {
        for cpu in kernel::cpumask::Cpumask::possible() {
            // SAFETY: The CPU is possible.
            for count in unsafe { COUNTS.per_cpu(cpu) } {
                count.store(0, Relaxed);
            }
        }
    }
}

#[cfg(not(CONFIG_SMP_RUST_STATS))]
mod table {
    use super::Counter;

    pub(super) fn add(_counter: Counter, _number: u64) {}

    pub(super) fn raise(_counter: Counter, _value: u64) {}
}
