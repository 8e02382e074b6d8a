// SPDX-License-Identifier: GPL-2.0

//! Counters: `CONFIG_SMP_RUST_STATS`.
//!
//! Each CPU counts its own events. While the counters are off, which is the default, each is one
//! patched jump. The table is the file `smp/stats` of debugfs, see `stats.c`.

use crate::clock;

#[cfg(CONFIG_SMP_RUST_STATS)]
use crate::static_key::static_branch_unlikely;
#[cfg(CONFIG_SMP_RUST_STATS)]
use kernel::{
    bindings,
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

/// The counters, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Counter {
    /// Csds and other entries that this CPU has queued on others.
    Csds,
    /// IPIs that it has sent.
    Ipis,
    /// Entries that needed no IPI, since the queue was not empty.
    Batched,
    /// Entries that needed no IPI, since the target polled in its idle loop.
    Polled,
    /// Calls in the fallback csd, since no slot was free.
    Fallback,
    /// Waits for a free csd of the pool.
    StorageWaits,
    /// Entries that the CPU ran in its last flush before it went down.
    Dying,
    /// The most slots of its pool that were in use at once.
    SlotsMost,
    /// The longest wait for a synchronous call or for a free csd of the pool, in ns.
    LongestWait,
}

/// Returns whether the counters are on.
#[inline]
pub(crate) fn enabled() -> bool {
    #[cfg(CONFIG_SMP_RUST_STATS)]
    return static_branch_unlikely!(bindings::smp_stats_key);
    #[cfg(not(CONFIG_SMP_RUST_STATS))]
    false
}

/// Returns the time in ns, or 0 if the counters are off.
#[inline]
pub(crate) fn now() -> u64 {
    if enabled() {
        clock::now()
    } else {
        0
    }
}

/// Adds one to `counter`.
#[inline]
pub(crate) fn count(counter: Counter) {
    if enabled() {
        table::add(counter, 1);
    }
}

/// Adds the number that `number` returns to `counter`.
#[inline]
pub(crate) fn count_all(counter: Counter, number: impl FnOnce() -> u64) {
    if enabled() {
        table::add(counter, number());
    }
}

/// Sets `counter` to the value that `value` returns, if that is the largest so far.
#[inline]
pub(crate) fn most(counter: Counter, value: impl FnOnce() -> u64) {
    if enabled() {
        table::raise(counter, value());
    }
}

#[cfg(CONFIG_SMP_RUST_STATS)]
pub(crate) mod table {
    use super::*;

    /// The number of counters.
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
