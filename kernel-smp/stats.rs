// SPDX-License-Identifier: GPL-2.0

//! Counters: `CONFIG_SMP_STATS`.
//!
//! While the counters are off, which is the default, each is one patched jump. The counts and their
//! table, the file `smp/stats` of debugfs, are in `stats.c`; each CPU counts its own events.

use crate::clock;

#[cfg(CONFIG_SMP_STATS)]
use crate::static_key::static_branch_unlikely;
#[cfg(CONFIG_SMP_STATS)]
use kernel::bindings;

/// The counters.
#[derive(Clone, Copy)]
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
    #[cfg(CONFIG_SMP_STATS)]
    return static_branch_unlikely!(bindings::smp_stats_key);
    #[cfg(not(CONFIG_SMP_STATS))]
    false
}

/// Returns the time in ns when a wait begins, or 0 if the counters are off.
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

/// Counts a wait that began at `start`, if the counters were on then, too.
#[inline]
pub(crate) fn waited_since(start: u64) {
    if start != 0 {
        most(Counter::LongestWait, || now().saturating_sub(start));
    }
}

#[cfg(CONFIG_SMP_STATS)]
mod table {
    use super::*;

    /// Returns C's name of a counter.
    fn named(counter: Counter) -> bindings::smp_counter {
        match counter {
            Counter::Csds => bindings::smp_counter_SMP_CSDS,
            Counter::Ipis => bindings::smp_counter_SMP_IPIS,
            Counter::Batched => bindings::smp_counter_SMP_BATCHED,
            Counter::Polled => bindings::smp_counter_SMP_POLLED,
            Counter::Fallback => bindings::smp_counter_SMP_FALLBACK_CSD,
            Counter::StorageWaits => bindings::smp_counter_SMP_STORAGE_WAITS,
            Counter::Dying => bindings::smp_counter_SMP_DYING,
            Counter::SlotsMost => bindings::smp_counter_SMP_MOST_SLOTS,
            Counter::LongestWait => bindings::smp_counter_SMP_LONGEST_NS,
        }
    }

    #[cold]
    pub(super) fn add(counter: Counter, number: u64) {
        // SAFETY: May be called in any context.
        unsafe { bindings::smp_stats_add(named(counter), number) };
    }

    #[cold]
    pub(super) fn raise(counter: Counter, value: u64) {
        // SAFETY: May be called in any context.
        unsafe { bindings::smp_stats_raise(named(counter), value) };
    }
}

#[cfg(not(CONFIG_SMP_STATS))]
mod table {
    use super::Counter;

    pub(super) fn add(_counter: Counter, _number: u64) {}

    pub(super) fn raise(_counter: Counter, _value: u64) {}
}
