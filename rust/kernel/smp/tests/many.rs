// SPDX-License-Identifier: GPL-2.0

//! Calls to many CPUs.

use super::fixture::two_cpus;
use crate::{
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    preempt::CpuPinned,
    prelude::*,
    smp::{
        CallContext,
        Caller,
        Slots, //
    },
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// How often each CPU was called.
struct Calls(Slots<Atomic<u32>>);

impl Calls {
    fn new() -> Result<Self> {
        Ok(Self(Slots::new(|_| Atomic::new(0), GFP_KERNEL)?))
    }

    fn count(&self, context: &CallContext) {
        self.0.get(context.cpu()).fetch_add(1, Full);
    }

    /// Whether the CPUs for which `wanted` is true were called once, and no others.
    fn are(&self, wanted: impl Fn(CpuId) -> bool) -> bool {
        let expected = |cpu| u32::from(wanted(cpu));

        self.0
            .iter()
            .all(|(cpu, calls)| calls.load(Relaxed) == expected(cpu))
    }
}

fn online(cpu: CpuId) -> bool {
    Cpumask::online().test(cpu)
}

#[kunit_tests(rust_smp_many)]
mod cases {
    use super::*;

    #[test]
    fn call_all_includes_this_cpu() -> Result {
        two_cpus()?;
        let calls = Calls::new()?;

        Caller::new()?.call_all(|ctx| calls.count(ctx));
        assert!(calls.are(online));
        Ok(())
    }

    #[test]
    fn call_others_leaves_out_this_cpu() -> Result {
        let [here, _] = two_cpus()?;
        let calls = Calls::new()?;

        Caller::new()?.call_others(|ctx| calls.count(ctx));
        assert!(calls.are(|cpu| online(cpu) && cpu != here));
        Ok(())
    }

    #[test]
    fn only_cpus_of_the_set_are_called() -> Result {
        let [here, there] = two_cpus()?;
        let caller = Caller::new()?;

        for (with_here, with_there) in [(false, false), (false, true), (true, false), (true, true)]
        {
            let wanted = |cpu| (with_here && cpu == here) || (with_there && cpu == there);
            let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
            [here, there]
                .into_iter()
                .filter(|cpu| wanted(*cpu))
                .for_each(|cpu| mask.set(cpu));

            let all = Calls::new()?;
            caller.call_all_in(&mask, |ctx| all.count(ctx));
            assert!(all.are(wanted));

            let others = Calls::new()?;
            caller.call_others_in(&mask, |ctx| others.count(ctx));
            assert!(others.are(|cpu| wanted(cpu) && cpu != here));
        }
        Ok(())
    }

    #[test]
    fn a_condition_is_evaluated_once_for_each_cpu_and_selects_the_targets() -> Result {
        let [_, there] = two_cpus()?;
        let calls = Calls::new()?;
        let mut evaluated = Slots::new(|_| 0u32, GFP_KERNEL)?;

        Caller::new()?.call_all_if(
            Cpumask::online(),
            |cpu| {
                *evaluated.get_mut(cpu) += 1;
                cpu == there
            },
            |ctx| calls.count(ctx),
        );
        assert!(calls.are(|cpu| cpu == there));
        assert!(evaluated
            .iter()
            .all(|(cpu, evaluated)| *evaluated == u32::from(online(cpu))));
        Ok(())
    }

    #[test]
    fn each_cpu_has_a_slot_of_its_own_and_the_slots_come_back() -> Result {
        two_cpus()?;
        let caller = Caller::new()?;
        let mut slots = Slots::new(|cpu| (cpu.as_u32(), [None; 2]), GFP_KERNEL)?;

        for round in 0..2 {
            caller.call_all_with(Cpumask::online(), &mut slots, |ctx, (number, seen)| {
                seen[round] = Some((*number, ctx.cpu()));
            });
        }
        for (cpu, (_, seen)) in slots.iter() {
            assert!(*seen == [online(cpu).then_some((cpu.as_u32(), cpu)); 2]);
        }
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn offline_cpus_are_left_out() -> Result {
        let [_, there] = two_cpus()?;
        let caller = Caller::new()?;
        let calls = Calls::new()?;

        let down = super::super::fixture::Down::new(there)?;
        caller.call_all_in(Cpumask::possible(), |ctx| calls.count(ctx));
        let right = calls.are(online);
        drop(down);
        assert!(right);
        Ok(())
    }
}
