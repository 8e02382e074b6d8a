// SPDX-License-Identifier: GPL-2.0

//! Calls to many CPUs.

use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            mask_of,
            two_cpus,
            Cpus, //
        },
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

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

#[kunit_tests(rust_smp_many)]
mod cases {
    use super::*;

    #[test]
    fn call_all_includes_this_cpu() -> Result {
        two_cpus()?;
        let calls = Calls::new()?;

        Caller::new()?.call_all(|ctx| calls.count(ctx));
        check!(calls.are(online));
        Ok(())
    }

    #[test]
    fn call_others_leaves_out_this_cpu() -> Result {
        let here = two_cpus()?.here;
        let calls = Calls::new()?;

        Caller::new()?.call_others(|ctx| calls.count(ctx));
        check!(calls.are(|cpu| online(cpu) && cpu != here));
        Ok(())
    }

    #[test]
    fn only_cpus_of_the_set_are_called() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;

        for (with_here, with_there) in [(false, false), (false, true), (true, false), (true, true)]
        {
            let wanted = |cpu| (with_here && cpu == here) || (with_there && cpu == there);
            let mask = mask_of([here, there].into_iter().filter(|cpu| wanted(*cpu)))?;

            let all = Calls::new()?;
            caller.call_all_in(&mask, |ctx| all.count(ctx));
            check!(all.are(wanted));

            let others = Calls::new()?;
            caller.call_others_in(&mask, |ctx| others.count(ctx));
            check!(others.are(|cpu| wanted(cpu) && cpu != here));
        }
        Ok(())
    }

    #[test]
    fn a_condition_is_evaluated_once_for_each_cpu_and_selects_the_targets() -> Result {
        let there = two_cpus()?.there;
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
        check!(calls.are(|cpu| cpu == there));
        for (cpu, evaluated) in evaluated.iter() {
            check_eq!(*evaluated, u32::from(online(cpu)), "CPU {}", cpu.as_u32());
        }
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
            check_eq!(*seen, [online(cpu).then_some((cpu.as_u32(), cpu)); 2]);
        }
        Ok(())
    }

    #[test]
    fn each_slot_is_in_a_cache_line_of_its_own() -> Result {
        const LINE: usize = crate::bindings::L1_CACHE_BYTES as usize;
        let slots = Slots::new(|_| 0u8, GFP_KERNEL)?;

        let begins = |slot: &u8| (&raw const *slot).align_offset(LINE) == 0;
        check!(slots.iter().all(|(_, slot)| begins(slot)));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn offline_cpus_are_left_out() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let calls = Calls::new()?;

        let down = Down::new(there)?;
        caller.call_all_in(Cpumask::possible(), |ctx| calls.count(ctx));
        check!(calls.are(online));
        drop(down);
        Ok(())
    }
}
