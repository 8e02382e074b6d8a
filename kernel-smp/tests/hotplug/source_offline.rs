// SPDX-License-Identifier: GPL-2.0

//! The source CPU goes offline while a task waits for a target.

use crate::{
    batch::Batch,
    cfd,
    csd::Csd,
    queue,
    tests::support::{
        faults::{
            Fault,
            DROP, //
        },
        fixture::{
            call_of,
            flush_from_task,
            leak,
            push_here,
            with_interrupts_off, //
        },
        thread::Thread,
        waiters::{
            synchronous,
            Caller, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        require,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// A thread that takes a csd off the queue of its CPU and runs it later.
///
/// All CPUs are needed to take one offline, so none can be held meanwhile.
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

    /// Takes the csd of the caller, whose IPI must be dropped, and runs it when told to.
    fn keep(&'static self) {
        let mut taken = None;

        let _ = becomes_true(|| {
            taken = self.take();
            taken.is_some()
        });
        self.has_it.store(taken.is_some(), Release);
        let _ = becomes_true(|| self.go.load(Acquire));
        if let Some(csd) = taken {
            with_interrupts_off(|irq| push_here(irq, csd));
            flush_from_task();
        }
    }

    /// Takes the csd of the caller off the queue, and no other.
    fn take(&self) -> Option<Csd> {
        let info = call_of(self.caller.target.seen).info;
        let taken = with_interrupts_off(|irq| {
            // SAFETY: The entries have just been taken off the queue.
            let batch = unsafe { Batch::of(queue::this_cpu(irq).take_all()) };
            let taken = batch.sync.pop_if(|csd| csd.call().info == info);
            for list in [&batch.sync, &batch.other, &batch.wake_ups] {
                while let Some(csd) = list.pop() {
                    push_here(irq, csd);
                }
            }
            taken
        });

        // Entries behind the csd rely on the IPI that was dropped. If the csd was not there, the
        // IPIs of the other entries are on the way, and a flush could run the csd if it arrives
        // just now.
        if taken.is_some() {
            flush_from_task();
        }
        taken
    }
}

#[kunit_tests(smp_source_offline)]
mod cases {
    use super::*;

    #[test]
    fn a_task_still_waits_when_its_cpu_goes_offline() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();

        for way in synchronous() {
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

            require!(kept, "{}", way.name);
            require!(finished, "{}", way.name);
            require!(!early, "{}", way.name);
            require!(caller.succeeded(), "{}", way.name);
        }
        Ok(())
    }

    /// A waiter that has moved to another CPU still reads them: freed memory keeps its content for
    /// a while.
    #[test]
    fn the_per_pair_csds_of_a_cpu_stay_in_place_while_it_is_offline() -> Result {
        let cpus = two_cpus()?;

        let before = cfd::state::csds(cpus.there);
        let down = Down::new(cpus.there)?;
        let meanwhile = cfd::state::csds(cpus.there);
        drop(down);
        let after = cfd::state::csds(cpus.there);

        check!(!before.is_null());
        check!(meanwhile == before);
        check!(after == before);
        Ok(())
    }
}
