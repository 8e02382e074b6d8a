// SPDX-License-Identifier: GPL-2.0

//! Probes of the entry and exit of callbacks.

use super::{
    calls::Callback,
    events::callback,
    fixture::leak,
    order_log::{
        Entry,
        Log, //
    },
    probe::Functions,
    seen::Seen, //
};
use crate::csd::Csd;
use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Release, //
    }, //
};

/// Sees the wake-up of a task, if that is the first of its batch.
pub(crate) struct WakeUps {
    wake_entry: usize,
    entry: &'static Entry,
    seen: Atomic<bool>,
}

impl WakeUps {
    /// Calls `entry` when the task is woken up whose `wake_entry` is at this address.
    pub(crate) fn new(wake_entry: usize, entry: &'static Entry) -> Result<&'static Self> {
        leak(Self {
            wake_entry,
            entry,
            seen: Atomic::new(false),
        })
    }

    pub(crate) fn were_seen(&self) -> bool {
        self.seen.load(Acquire)
    }
}

/// The function of the trace points for wake-ups.
fn sched_ttwu_pending() -> usize {
    bindings::sched_ttwu_pending as *const () as usize
}

impl Functions for WakeUps {
    fn entry(&'static self, func: usize, csd: usize) {
        if func == sched_ttwu_pending() && csd == self.wake_entry {
            self.entry.call();
            self.seen.store(true, Release);
        }
    }

    fn exit(&'static self, _func: usize, _csd: usize) {}
}

/// Sees the entry and exit of the function of calls that count in a [`Seen`].
pub(crate) struct Around {
    seen: &'static Seen,
    log: &'static Log,
    /// The csd, and whether it was locked, at the last entry.
    csd: Atomic<usize>,
    locked: Atomic<bool>,
    own_calls: Atomic<u32>,
}

impl Around {
    pub(crate) fn new(seen: &'static Seen) -> Result<&'static Self> {
        leak(Self {
            seen,
            log: Log::new()?,
            csd: Atomic::new(0),
            locked: Atomic::new(false),
            own_calls: Atomic::new(0),
        })
    }

    /// Whether there was one entry before the function ran, one exit after it, and nothing else.
    pub(crate) fn is_complete(&self) -> bool {
        self.log.is(&[10, 21])
    }

    /// Whether entry and exit were seen.
    pub(crate) fn is_over(&self) -> bool {
        self.log.len() >= 2
    }

    /// The csd that the trace point passed, if any.
    pub(crate) fn csd(&self) -> Option<usize> {
        Some(self.csd.load(Acquire)).filter(|csd| *csd != 0)
    }

    /// Whether that csd was locked at the entry.
    pub(crate) fn was_locked(&self) -> bool {
        self.locked.load(Acquire)
    }

    /// How many calls of a CPU to itself were seen, which have no csd.
    pub(crate) fn own_calls(&self) -> u32 {
        self.own_calls.load(Acquire)
    }
}

impl Functions for Around {
    fn entry(&'static self, func: usize, csd: usize) {
        if func != callback() {
            return;
        }
        let at: *mut bindings::__call_single_data = core::ptr::with_exposed_provenance_mut(csd);

        if at.is_null() {
            self.own_calls.fetch_add(1, Full);
        } else {
            // SAFETY: The csds of the tests are never freed, and the call that uses a csd on the
            // stack waits for it.
            let locked = unsafe { Csd::from_raw(at) }.is_locked();
            self.locked.store(locked, Release);
        }
        self.csd.store(csd, Release);
        self.log.add(10 + self.seen.runs());
    }

    fn exit(&'static self, func: usize, csd: usize) {
        if func == callback() && csd == self.csd.load(Acquire) {
            self.log.add(20 + self.seen.runs());
        }
    }
}
