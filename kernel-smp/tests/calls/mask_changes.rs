// SPDX-License-Identifier: GPL-2.0

//! Masks that change during a call.

use crate::tests::support::{
    calls::{
        many,
        on_each,
        on_each_if,
        single_on,
        Callback,
        Condition, //
    },
    fixture::leak,
    gate::Held,
    seen::Seen,
    thread::Thread, //
};
use core::cell::UnsafeCell;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        mask_of,
        skip,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    }, //
};

/// A set that other CPUs change.
struct Changing {
    mask: UnsafeCell<CpumaskVar>,
    enough: Atomic<bool>,
    changes: Atomic<u32>,
    /// How many callbacks have begun and ended.
    begun: Atomic<u32>,
    ended: Atomic<u32>,
}

// SAFETY: The set is changed and read a bit at a time, by atomic operations.
unsafe impl Sync for Changing {}

impl Changing {
    fn new() -> Result<&'static Self> {
        leak(Self {
            mask: UnsafeCell::new(mask_of(Cpumask::online())?),
            enough: Atomic::new(false),
            changes: Atomic::new(0),
            begun: Atomic::new(0),
            ended: Atomic::new(0),
        })
    }

    fn mask(&self) -> &Cpumask {
        // SAFETY: The set is never freed.
        unsafe { &*self.mask.get() }
    }

    fn raw(&self) -> *mut bindings::cpumask {
        self.mask().as_raw()
    }

    fn set(&self, cpu: CpuId, value: bool) {
        if value {
            // SAFETY: The bit is changed by an atomic operation.
            unsafe { bindings::cpumask_set_cpu(cpu.as_u32(), self.raw()) };
        } else {
            // SAFETY: As above.
            unsafe { bindings::cpumask_clear_cpu(i32::from(cpu), self.raw()) };
        }
    }

    /// Changes the set until it is stopped.
    fn change(&'static self) {
        let mut round: u32 = CpuId::current().as_u32();

        while !self.enough.load(Acquire) {
            round = round.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for cpu in Cpumask::online() {
                self.set(cpu, (round >> (cpu.as_u32() % 16)) & 1 == 1);
            }
            self.changes.fetch_add(1, Full);
        }
    }

    /// Returns whether no callback runs and none has begun since `runs` was set. Updates `runs`.
    fn is_quiet(&self, runs: &mut u32) -> bool {
        let begun = self.begun.load(Acquire);
        let same = *runs == begun;

        *runs = begun;
        same && begun == self.ended.load(Acquire)
    }
}

impl Callback for Changing {
    fn call(&'static self) {
        self.begun.fetch_add(1, Full);
        self.ended.fetch_add(1, Full);
    }
}

impl Condition for Changing {
    fn wants(&'static self, cpu: c_int) -> bool {
        // Adds or removes the next CPU after `cpu`.
        if let Some(next) = Cpumask::online().iter().find(|next| i32::from(*next) > cpu) {
            self.set(next, self.changes.load(Relaxed) % 2 == 0);
        }
        cpu % 2 == 0 || self.changes.load(Relaxed) % 3 == 0
    }
}

/// A set that loses its first CPU when the condition is evaluated for the second one, after the csd
/// for the first was queued.
struct Leaving {
    mask: UnsafeCell<CpumaskVar>,
    first: CpuId,
    ran_on_first: Atomic<bool>,
    ran_on_second: Atomic<bool>,
    over: Atomic<bool>,
}

// SAFETY: The set is changed and read a bit at a time, by atomic operations.
unsafe impl Sync for Leaving {}

impl Leaving {
    fn call_all(&'static self) {
        // SAFETY: The set is never freed.
        on_each_if(unsafe { &*self.mask.get() }, self, true);
        self.over.store(true, Release);
    }
}

impl Callback for Leaving {
    fn call(&'static self) {
        let ran = if CpuId::current() == self.first {
            &self.ran_on_first
        } else {
            &self.ran_on_second
        };

        ran.store(true, Release);
    }
}

impl Condition for Leaving {
    fn wants(&'static self, cpu: c_int) -> bool {
        if cpu != i32::from(self.first) {
            // SAFETY: The set is never freed.
            let mask = unsafe { &*self.mask.get() }.as_raw();

            // SAFETY: The bit is changed by an atomic operation.
            unsafe { bindings::cpumask_clear_cpu(i32::from(self.first), mask) };
        }
        true
    }
}

/// Calls the CPUs of a set that two other CPUs change. When a call returns, it must have run on all
/// CPUs to which it was sent.
fn call_while_it_changes(call: fn(&'static Changing)) -> Result {
    const CALLS: u32 = 3_000;
    // Calls between two checks of the progress.
    const AT_ONCE: u32 = 10;
    let cpus = two_cpus()?;
    let changing = Changing::new()?;
    let mut threads = KVec::new();
    let mut early = 0;
    let mut sent = 0;

    for cpu in [cpus.there, cpus.third()] {
        threads.push(Thread::start(cpu, Changing::change, changing)?, GFP_KERNEL)?;
    }
    let called = becomes_true(|| {
        for _ in 0..AT_ONCE {
            let runs_before = changing.begun.load(Acquire);
            let mut runs = 0;

            call(changing);
            // A callback that the call did not wait for would begin or end now.
            changing.is_quiet(&mut runs);
            early += u32::from(!changing.is_quiet(&mut runs));
            // The set may be empty for a long time if the threads do not run meanwhile.
            sent += u32::from(runs != runs_before);
        }
        sent >= CALLS && changing.changes.load(Acquire) > 0
    });
    changing.enough.store(true, Release);

    check_eq!(early, 0);
    check!(called);
    check!(threads.iter().all(Thread::finishes));
    Ok(())
}

#[kunit_tests(smp_mask_changes)]
mod cases {
    use super::*;

    #[test]
    fn calls_to_a_changing_set_have_run_where_they_were_sent() -> Result {
        call_while_it_changes(|set| many(set.mask(), set, true))
    }

    #[test]
    fn calls_to_a_changing_set_and_the_own_cpu_have_run_where_they_were_sent() -> Result {
        call_while_it_changes(|set| on_each(set.mask(), set, true))
    }

    #[test]
    fn a_cpu_that_leaves_the_set_after_it_was_called_is_waited_for() -> Result {
        let cpus = two_cpus()?;
        let mut others = Cpumask::online().iter().filter(|cpu| *cpu != cpus.here);
        let (Some(first), Some(second), Some(caller)) =
            (others.next(), others.next(), others.next())
        else {
            skip("needs four CPUs");
        };
        let leaving = leak(Leaving {
            mask: UnsafeCell::new(mask_of([first, second])?),
            first,
            ran_on_first: Atomic::new(false),
            ran_on_second: Atomic::new(false),
            over: Atomic::new(false),
        })?;
        let seen = Seen::new()?;
        let thread = Thread::prepare(caller, Leaving::call_all, leaving)?;

        let held = Held::new(first)?;
        thread.go();
        let ran_on_second = becomes_true(|| leaving.ran_on_second.load(Acquire));
        // A caller that waits for the second CPU alone returns between these interrupts.
        for _ in 0..100 {
            single_on(caller, seen, true);
        }
        let early = leaving.over.load(Acquire);
        let held_until_now = held.release();
        let finished = thread.finishes();

        check!(ran_on_second);
        check!(held_until_now);
        check!(finished);
        check!(!early);
        check!(leaving.ran_on_first.load(Acquire));
        Ok(())
    }

    #[test]
    fn a_condition_may_change_the_set_too() -> Result {
        call_while_it_changes(|set| on_each_if(set.mask(), set, true))
    }
}
