// SPDX-License-Identifier: GPL-2.0

//! Calls whose answer comes later.

use super::fixture::{
    hold,
    two_cpus,
    Delay,
    Dropped,
    Drops,
    Gate, //
};
use crate::{
    cpumask::Cpumask,
    irqflags::with_interrupts_off,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        call_async,
        CallContext,
        CallError,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::Delta, //
};

/// Takes its time before it is dropped.
struct SlowlyDropped(#[expect(dead_code)] Dropped, &'static Delay);

impl Drop for SlowlyDropped {
    fn drop(&mut self) {
        self.1.last();
    }
}

#[kunit_tests(rust_smp_pending)]
mod cases {
    use super::*;

    #[test]
    fn the_caller_goes_on_and_the_answer_comes_later() -> Result {
        let [_, there] = two_cpus()?;
        let caller = Caller::new()?;
        let (gate, held) = hold(there, || ())?;
        let pending = call_async(there, |ctx| ctx.cpu(), GFP_KERNEL)?;

        let early = pending.is_done();
        let not_yet = pending.poll();
        let not_in_time = match not_yet {
            Err(pending) => caller.wait_timeout(pending, Delta::from_millis(1)),
            done => done,
        };
        gate.open();

        assert!(!early);
        let Err(pending) = not_in_time else {
            return Err(EINVAL);
        };
        assert!(caller.wait(held));
        assert!(caller.wait(pending) == there);
        Ok(())
    }

    #[test]
    fn many_are_waited_for_at_once() -> Result {
        static DELAY: Delay = Delay::new();
        let [here, there] = two_cpus()?;
        let caller = Caller::new()?;
        let (gate, held) = hold(there, || ())?;

        DELAY.begin();
        let mut pending = KVec::new();
        for cpu in Cpumask::online().iter().filter(|cpu| *cpu != here) {
            let last = cpu == there;
            let f = move |_: &CallContext| {
                if last {
                    DELAY.last();
                }
            };
            pending.push(call_async(cpu, f, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let not_all = caller.join_timeout(&pending, Delta::from_millis(1));
        gate.open();
        caller.join(&pending);
        let all = pending.iter().all(|pending| pending.is_done());
        DELAY.end();

        assert!(not_all == Err(CallError::TimedOut));
        assert!(all);
        assert!(caller.wait(held));
        Ok(())
    }

    #[test]
    fn what_is_dropped_early_has_run_by_then() -> Result {
        static DELAY: Delay = Delay::new();
        static RAN: Atomic<u32> = Atomic::new(0);
        let [_, there] = two_cpus()?;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());

        DELAY.begin();
        RAN.store(0, Relaxed);
        let pending = call_async(
            there,
            move |_| {
                captured.touch();
                DELAY.last();
                RAN.add(1, Relaxed)
            },
            GFP_KERNEL,
        )?;
        drop(pending);
        let ran = RAN.load(Relaxed);
        DELAY.end();
        assert_eq!(ran, 1);
        assert_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn what_is_dropped_where_nobody_may_wait_is_freed_later_and_not_in_the_interrupt() -> Result {
        static DELAY: Delay = Delay::new();
        let [_, there] = two_cpus()?;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let (captured, answer) = (Dropped(drops.clone()), drops.clone());
        let gate = Gate::new()?;
        let theirs = gate.clone();

        let pending = call_async(
            there,
            move |_| {
                captured.touch();
                (
                    theirs.pass(),
                    SlowlyDropped(Dropped(answer.clone()), &DELAY),
                )
            },
            GFP_KERNEL,
        )?;
        let reached = gate.is_reached();
        with_interrupts_off(|_| drop(pending));
        let before = drops.count();
        DELAY.begin();
        gate.open();
        caller.settle();
        let after = drops.count();
        DELAY.end();

        assert!(reached);
        assert_eq!(before, Some(0));
        assert_eq!(after, Some(2));
        Ok(())
    }

    #[test]
    fn what_is_dropped_when_it_is_done_is_freed_at_once() -> Result {
        let [_, there] = two_cpus()?;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let answer = drops.clone();

        let pending = call_async(there, move |_| Dropped(answer.clone()), GFP_KERNEL)?;
        caller.join(core::slice::from_ref(&pending));
        drop(pending);
        assert_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_is_done_at_once() -> Result {
        let [here, _] = two_cpus()?;

        let pending = call_async(here, |ctx| ctx.cpu(), GFP_KERNEL)?;
        assert!(pending.poll().ok() == Some(here));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn a_cpu_that_is_offline_is_not_called_and_nothing_is_lost() -> Result {
        let [_, there] = two_cpus()?;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());

        let down = super::super::fixture::Down::new(there)?;
        let error = call_async(there, move |_| captured.touch(), GFP_KERNEL).err();
        drop(down);

        assert!(error == Some(CallError::Offline));
        assert_eq!(drops.count(), Some(1));
        Ok(())
    }
}
