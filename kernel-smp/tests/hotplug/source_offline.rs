// SPDX-License-Identifier: GPL-2.0

//! The CPU of a task goes down while the task waits for another one.

use crate::{
    batch::Batch,
    cfd,
    csd::Csd,
    queue,
    tests::support::{
        down::Down,
        faults::{
            Fault,
            DROP, //
        },
        fixture::{
            becomes_true,
            call_of,
            flush_from_task,
            leak,
            push_here,
            two_cpus,
            with_interrupts_off, //
        },
        thread::Thread,
        waiters::{
            waiting,
            Caller, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// A thread that takes a request off the queue of its CPU and runs it later.
///
/// All CPUs are needed to take one down, so none can be held meanwhile: this one goes on.
struct Keeper {
    caller: &'static Caller,
    has_it: Atomic<bool>,
    go: Atomic<bool>,
}

impl Keeper {
    fn new(caller: &'static Caller) -> Self {
        Self {
            caller,
            has_it: Atomic::new(false),
            go: Atomic::new(false),
        }
    }

    /// Keeps the request of the caller, whose IPI must get lost, until it is told to go on.
    fn keep(&'static self) {
        let mut request = None;

        let _ = becomes_true(|| {
            request = self.take();
            request.is_some()
        });
        self.has_it.store(request.is_some(), Release);
        let _ = becomes_true(|| self.go.load(Acquire));
        if let Some(csd) = request {
            with_interrupts_off(|irq| push_here(irq, csd));
            flush_from_task();
        }
    }

    /// Takes the request of the caller off the queue, and nothing else.
    fn take(&self) -> Option<Csd> {
        let info = call_of(self.caller.target.seen).info;
        let request = with_interrupts_off(|irq| {
            let batch = Batch::new();

            // SAFETY: What is added has just been taken.
            unsafe { batch.add(queue::this_cpu(irq).take_all()) };
            let request = batch.sync.pop_if(|csd| csd.call().info == info);
            for list in [&batch.sync, &batch.other, &batch.wake_ups] {
                while let Some(csd) = list.pop() {
                    push_here(irq, csd);
                }
            }
            request
        });

        // What came after the request relies on the IPI that was lost. If there was none, IPIs of the
        // others are on their way, and a flush could run the request that comes just now.
        if request.is_some() {
            flush_from_task();
        }
        request
    }
}

#[kunit_tests(smp_source_offline)]
mod cases {
    use super::*;

    #[test]
    fn a_task_goes_on_to_wait_when_its_cpu_goes_down() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third()?;

        for way in waiting() {
            let (caller, caller_thread) = Caller::start(third, cpus.there, way)?;
            let keeper = leak(Keeper::new(caller))?;
            let keeper_thread = Thread::start(cpus.there, Keeper::keep, keeper)?;

            let fault = Fault::between(DROP, third, cpus.there, -1);
            caller.go();
            let kept = becomes_true(|| keeper.has_it.load(Acquire));
            drop(fault);
            let down = Down::new(third)?;
            let early = caller_thread.is_done();
            keeper.go.store(true, Release);
            let finished = keeper_thread.finishes() && caller_thread.finishes();
            drop(down);

            assert!(way.check(kept && finished));
            assert!(way.check(!early));
            assert!(way.check(caller.succeeded()));
        }
        Ok(())
    }

    /// A waiter that has moved away looks at them: what was freed looks the same for a while.
    #[test]
    fn the_csds_of_a_cpu_stay_where_they_are_while_it_is_down() -> Result {
        let cpus = two_cpus()?;

        let before = cfd::state::csds(cpus.there);
        let down = Down::new(cpus.there)?;
        let meanwhile = cfd::state::csds(cpus.there);
        drop(down);
        let after = cfd::state::csds(cpus.there);

        assert!(!before.is_null());
        assert!(meanwhile == before);
        assert!(after == before);
        Ok(())
    }
}
