// SPDX-License-Identifier: GPL-2.0

//! Calls from all CPUs at once.

use crate::tests::support::{
    calls::{
        all_others,
        on_each,
        single_on, //
    },
    fixture::leak,
    tally::TALLY,
    thread::Thread, //
};
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        require,
        require_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Release, //
    }, //
};

/// The shared state of the threads.
struct Storm {
    go: Atomic<bool>,
    errors: Atomic<u32>,
    /// One round of a thread on `this_cpu`. Returns how many errors there were.
    round: fn(this_cpu: CpuId) -> u32,
}

/// How many rounds each thread makes.
const ROUNDS: u32 = 100;

impl Storm {
    fn call(&'static self) {
        let this_cpu = CpuId::current();

        let _ = becomes_true(|| self.go.load(Acquire));
        for _ in 0..ROUNDS {
            self.errors.fetch_add((self.round)(this_cpu), Full);
        }
    }

    /// Runs a thread on each CPU. All must finish without an error.
    fn run(round: fn(CpuId) -> u32) -> Result {
        let storm = leak(Self {
            go: Atomic::new(false),
            errors: Atomic::new(0),
            round,
        })?;
        let mut threads = KVec::new();

        TALLY.clear();
        for cpu in Cpumask::online() {
            threads.push(Thread::start(cpu, Self::call, storm)?, GFP_KERNEL)?;
        }
        storm.go.store(true, Release);

        require!(threads.iter().all(Thread::finishes));
        require_eq!(storm.errors.load(Acquire), 0);
        Ok(())
    }
}

/// The online CPU after `cpu`; after the last, the first.
fn next_after(cpu: CpuId) -> CpuId {
    let online = Cpumask::online();

    online
        .next(Some(cpu))
        .or_else(|| online.next(None))
        .unwrap_or(cpu)
}

fn count_error(error: c_int) -> u32 {
    u32::from(error != 0)
}

#[kunit_tests(smp_storm)]
mod cases {
    use super::*;

    #[test]
    fn synchronous_calls_all_run() -> Result {
        two_cpus()?;
        let online = Cpumask::online();

        Storm::run(|cpu| count_error(single_on(next_after(cpu), &TALLY, true)))?;
        check!(TALLY.is(|cpu| if online.test(cpu) { ROUNDS } else { 0 }));
        Ok(())
    }

    #[test]
    fn asynchronous_calls_all_run() -> Result {
        two_cpus()?;
        let online = Cpumask::online();

        Storm::run(|cpu| count_error(single_on(next_after(cpu), &TALLY, false)))?;
        check!(TALLY.becomes(|cpu| if online.test(cpu) { ROUNDS } else { 0 }));
        Ok(())
    }

    #[test]
    fn all_cpus_can_call_one() -> Result {
        two_cpus()?;
        let online = Cpumask::online();
        let first = online.next(None).ok_or(ENODEV)?;

        Storm::run(|_| {
            Cpumask::online()
                .next(None)
                .map_or(1, |first| count_error(single_on(first, &TALLY, true)))
        })?;
        check!(TALLY.is(|cpu| if cpu == first {
            ROUNDS * online.weight()
        } else {
            0
        }));
        Ok(())
    }

    #[test]
    fn calls_of_all_to_all_run() -> Result {
        two_cpus()?;
        let online = Cpumask::online();
        // Two calls to all others, two to each, two to one CPU.
        let each = ROUNDS * (4 * online.weight() - 2 + 2);

        Storm::run(|cpu| {
            all_others(&TALLY, true);
            on_each(Cpumask::online(), &TALLY, false);
            let errors = count_error(single_on(next_after(cpu), &TALLY, false))
                + count_error(single_on(next_after(cpu), &TALLY, true));
            all_others(&TALLY, false);
            on_each(Cpumask::online(), &TALLY, true);
            errors
        })?;
        check!(TALLY.becomes(|cpu| if online.test(cpu) { each } else { 0 }));
        Ok(())
    }
}
