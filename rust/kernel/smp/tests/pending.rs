// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls with an answer.

use super::fixture::{
    drop_in_interrupt,
    hold,
    Delay,
    Dropped,
    Drops,
    Gate, //
};
use crate::{
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    preempt::CpuPinned,
    prelude::*,
    smp::{
        call_async,
        testing::{
            becomes_true,
            check,
            check_eq,
            two_cpus,
            Cpus, //
        },
        CallContext,
        CallError,
        Caller,
        Pending, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    time::Delta, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

#[kunit_tests(rust_smp_pending)]
mod cases {
    use super::*;

    #[test]
    fn the_caller_goes_on_and_the_answer_comes_later() -> Result {
        let there = two_cpus()?.there;
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

        check!(!early);
        check!(not_in_time.is_err());
        check!(caller.wait(held));
        if let Err(pending) = not_in_time {
            check_eq!(caller.wait(pending), there);
        }
        Ok(())
    }

    #[test]
    fn join_waits_for_many_calls() -> Result {
        static DELAY: Delay = Delay::new();
        let Cpus { here, there } = two_cpus()?;
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

        check_eq!(not_all, Err(CallError::TimedOut));
        check!(all);
        check!(caller.wait(held));
        Ok(())
    }

    /// Sends a function to `cpu` that waits at `gate`. Function and answer record where they are
    /// dropped.
    fn held_at(
        cpu: CpuId,
        gate: &Arc<Gate>,
        drops: &Arc<Drops>,
    ) -> Result<Pending<Option<Dropped>>> {
        let (gate, captured, answer) = (gate.clone(), Dropped(drops.clone()), drops.clone());
        let f = move |_: &CallContext| {
            captured.touch();
            gate.pass().then(|| Dropped(answer.clone()))
        };

        Ok(call_async(cpu, f, GFP_KERNEL)?)
    }

    #[test]
    fn a_drop_does_not_wait_and_a_worker_frees_what_was_detached() -> Result {
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let gate = Gate::new()?;
        let pending = held_at(there, &gate, &drops)?;

        let reached = gate.is_reached();
        drop(pending);
        let early = drops.count();
        gate.open();

        check!(reached);
        check_eq!(early, Some(0));
        check_eq!(drops.after(2), Some(2));
        Ok(())
    }

    #[test]
    fn a_pending_may_be_dropped_in_an_interrupt() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let gate = Gate::new()?;

        let dropped = drop_in_interrupt(there, &caller, || held_at(there, &gate, &drops))?;
        let early = drops.count();
        gate.open();

        check!(dropped);
        check_eq!(early, Some(0));
        check_eq!(drops.after(2), Some(2));
        Ok(())
    }

    #[test]
    fn what_is_dropped_when_it_is_done_is_freed_at_once() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let answer = drops.clone();

        let pending = call_async(there, move |_| Dropped(answer.clone()), GFP_KERNEL)?;
        caller.join(core::slice::from_ref(&pending));
        drop(pending);
        check_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_is_done_at_once() -> Result {
        let here = two_cpus()?.here;

        let pending = call_async(here, |ctx| ctx.cpu(), GFP_KERNEL)?;
        check_eq!(pending.poll().ok(), Some(here));
        Ok(())
    }

    #[test]
    fn a_call_to_all_is_done_when_the_last_cpu_has_returned() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());
        let calls = Arc::new(Atomic::new(0u32), GFP_KERNEL)?;
        let (gate, held) = hold(there, || ())?;
        let counted = calls.clone();
        let f = move |_: &CallContext| {
            captured.touch();
            counted.add(1, Relaxed);
        };

        let cpus = Cpumask::online().weight();
        let pending = caller.call_all_async(Cpumask::online(), f, GFP_KERNEL)?;
        let others = becomes_true(|| calls.load(Relaxed) == cpus.wrapping_sub(1));
        let early = pending.is_done();
        gate.open();
        caller.join(core::slice::from_ref(&pending));
        let all = calls.load(Relaxed);
        let undropped = drops.count();
        drop(pending);

        check!(others);
        check!(!early);
        check!(caller.wait(held));
        check_eq!(all, cpus);
        check_eq!(undropped, Some(0));
        check_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn a_call_to_all_that_is_detached_is_dropped_once_by_a_worker() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());
        let (gate, held) = hold(there, || ())?;

        let f = move |_: &CallContext| captured.touch();
        drop(caller.call_all_async(Cpumask::online(), f, GFP_KERNEL)?);
        let early = drops.count();
        gate.open();

        check!(caller.wait(held));
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        Ok(())
    }

    #[test]
    fn a_call_to_an_empty_set_is_done_at_once() -> Result {
        let caller = Caller::new()?;
        let empty = CpumaskVar::new_zero(GFP_KERNEL)?;

        let pending = caller.call_all_async(&empty, |_| (), GFP_KERNEL)?;
        check_eq!(pending.poll().ok(), Some(()));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn an_offline_cpu_is_not_called_and_nothing_is_lost() -> Result {
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());

        let down = Down::new(there)?;
        let error = call_async(there, move |_| captured.touch(), GFP_KERNEL).err();
        drop(down);

        check_eq!(error, Some(CallError::Offline));
        check_eq!(drops.count(), Some(1));
        Ok(())
    }
}
