// SPDX-License-Identifier: GPL-2.0

//! Getting CPUs out of their idle loop.

use crate::tests::support::{
    calls::peek,
    fixture::{
        leak,
        preempt_count, //
    },
    gate::Held,
    thread::Thread, //
};
use kernel::{
    bindings,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        interrupts_are_off,
        mask_of,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

fn kick_all() {
    // SAFETY: The caller is a task with interrupts on.
    unsafe { bindings::kick_all_cpus_sync() };
}

fn wake_up_all_idle() {
    // SAFETY: The caller is a task.
    unsafe { bindings::wake_up_all_idle_cpus() };
}

#[kunit_tests(smp_kick)]
mod cases {
    use super::*;

    #[test]
    fn a_kick_of_all_cpus_waits_for_each() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;
        let go = leak(Atomic::new(false))?;
        let thread = Thread::start(
            cpus.here,
            |go: &Atomic<bool>| {
                let _ = becomes_true(|| go.load(Acquire));
                kick_all();
            },
            go,
        )?;

        let held = Held::new(cpus.there)?;
        go.store(true, Release);
        let queued = becomes_true(|| peek(&mask));
        let early = thread.is_done();
        let held_until_now = held.release();
        let finished = thread.finishes();

        check!(held_until_now);
        check!(queued);
        check!(!early);
        check!(finished);
        Ok(())
    }

    #[test]
    fn waking_up_idle_cpus_does_not_wait() -> Result {
        let cpus = two_cpus()?;

        let held = Held::new(cpus.there)?;
        wake_up_all_idle();
        let held_until_now = held.release();

        check!(held_until_now);
        Ok(())
    }

    #[test]
    fn a_kick_leaves_interrupts_and_preemption_as_they_were() -> Result {
        two_cpus()?;
        let before = preempt_count();

        kick_all();
        check!(!interrupts_are_off());
        check_eq!(preempt_count(), before);

        wake_up_all_idle();
        check!(!interrupts_are_off());
        check_eq!(preempt_count(), before);
        Ok(())
    }
}
