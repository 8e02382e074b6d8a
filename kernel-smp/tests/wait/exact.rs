// SPDX-License-Identifier: GPL-2.0

//! A wait ends with its own call, though the per-pair csd is in use again.

use crate::{
    cfd::state::is_locked,
    tests::support::{
        calls::{
            many,
            single_async, //
        },
        fixture::{
            csd_for,
            leak, //
        },
        gate::{
            Gate,
            Held, //
        },
        seen::Seen,
        thread::Thread, //
    }, //
};
use kernel::{
    cpu::CpuId,
    cpumask::CpumaskVar,
    prelude::*,
    smp::testing::{
        becomes_true,
        bind,
        mask_of,
        require,
        require_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// A thread that makes a multi-CPU call to one target.
struct Caller {
    mask: CpumaskVar,
    seen: &'static Seen,
    wait: bool,
    begun: Atomic<bool>,
}

// SAFETY: The set is only read.
unsafe impl Sync for Caller {}

impl Caller {
    fn new(to: CpuId, wait: bool) -> Result<&'static Self> {
        leak(Self {
            mask: mask_of([to])?,
            seen: Seen::new()?,
            wait,
            begun: Atomic::new(false),
        })
    }

    fn call(&'static self) {
        self.begun.store(true, Release);
        many(&self.mask, self.seen, self.wait);
    }
}

/// As long as this exists, no static key changes: to patch the code, a CPU calls all others.
///
/// # Invariants
///
/// With static keys that patch the code, their lock is held, by the task that drops this.
struct KeysKept;

impl KeysKept {
    fn new() -> Self {
        #[cfg(CONFIG_JUMP_LABEL)]
        // SAFETY: The test may sleep, and holds no lock.
        unsafe {
            kernel::bindings::jump_label_lock()
        };

        // INVARIANT: It was just taken.
        Self
    }
}

impl Drop for KeysKept {
    fn drop(&mut self) {
        #[cfg(CONFIG_JUMP_LABEL)]
        // SAFETY: The lock is held, by the type invariants.
        unsafe {
            kernel::bindings::jump_label_unlock()
        };
    }
}

#[kunit_tests(smp_exact)]
mod cases {
    use super::*;

    #[test]
    fn a_waiter_returns_though_the_next_call_between_the_same_cpus_is_stuck() -> Result {
        let cpus = two_cpus()?;
        let source = cpus.third();
        // Some change while the system boots: the call of the source would use the same csd.
        let _keys = KeysKept::new();

        for _ in 0..20 {
            bind(cpus.here)?;
            let waiter = Caller::new(cpus.there, true)?;
            let next = Caller::new(cpus.there, false)?;
            let second_gate = leak(Gate::new())?;

            let waits = Thread::prepare(source, Caller::call, waiter)?;
            let sends = Thread::prepare(source, Caller::call, next)?;

            // The csd of the waiter is in the queue, and behind it one that holds the CPU once
            // more.
            let held = Held::new(cpus.there)?;
            waits.go();
            require!(becomes_true(|| is_locked(source, cpus.there)));
            require_eq!(
                single_async(i32::from(cpus.there), csd_for(second_gate)?),
                0
            );

            // The next call waits for the per-pair csd of the first, and keeps the waiter from
            // running until it has the csd.
            sends.go();
            let begun = becomes_true(|| next.begun.load(Acquire));
            drop(held);

            // The first call runs, the second one is stuck.
            let finished = waits.finishes();
            let held_again = Held::assume(second_gate)?;
            let runs = (waiter.seen.runs(), next.seen.runs());
            let held_until_now = held_again.release();

            require!(begun);
            require!(finished);
            require_eq!(runs, (1, 0));
            require!(held_until_now);
            require!(sends.finishes());
            require_eq!(next.seen.runs_after(1), 1);
        }
        Ok(())
    }
}
