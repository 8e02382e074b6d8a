// SPDX-License-Identifier: GPL-2.0

//! Calls to one CPU, and the "may wait" token.

use super::fixture::{
    hold,
    Delay,
    Dropped,
    Drops, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    interrupt::local_interrupt_disable,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            interrupts_are_off,
            mask_of,
            two_cpus,
            Cpus, //
        },
        CallError,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use core::cell::Cell;

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

#[kunit_tests(rust_smp_one)]
mod cases {
    use super::*;

    #[test]
    fn a_function_runs_on_the_cpu_that_is_called() -> Result {
        two_cpus()?;
        let caller = Caller::new()?;

        for cpu in Cpumask::online() {
            let answer = caller.call(cpu, |ctx| (ctx.cpu(), CpuId::current()))?;
            check_eq!(answer, (cpu, cpu));
        }
        Ok(())
    }

    #[test]
    fn a_function_runs_once_with_interrupts_off() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()?.both() {
            let mut calls = 0;
            let off = caller.call(cpu, |_| {
                calls += 1;
                interrupts_are_off()
            })?;
            check!(off);
            check_eq!(calls, 1);
        }
        Ok(())
    }

    #[test]
    fn a_function_and_its_answer_may_borrow() -> Result {
        let caller = Caller::new()?;
        let there = two_cpus()?.there;
        let mut words = KVec::new();

        words.push(1u32, GFP_KERNEL)?;
        words.push(2, GFP_KERNEL)?;
        let last: &u32 = caller.call(there, |_| words.last())?.ok_or(EINVAL)?;
        check_eq!(*last, 2);

        caller.call(there, |_| words[0] = 7)?;
        check_eq!(words[0], 7);
        Ok(())
    }

    #[test]
    fn what_a_function_has_captured_is_dropped_once_and_not_in_the_interrupt() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()?.both() {
            let drops = Drops::new()?;
            let captured = Dropped(drops.clone());
            caller.call(cpu, move |_| captured.touch())?;
            check_eq!(drops.count(), Some(1));
        }
        Ok(())
    }

    #[test]
    fn an_answer_is_dropped_once_and_not_in_the_interrupt() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()?.both() {
            let drops = Drops::new()?;
            let answer = caller.call(cpu, |_| Dropped(drops.clone()))?;
            check_eq!(drops.count(), Some(0));
            drop(answer);
            check_eq!(drops.count(), Some(1));
        }
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn an_offline_cpu_is_not_called_and_nothing_is_lost() -> Result {
        let caller = Caller::new()?;
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());
        let mut calls = 0;

        let down = Down::new(there)?;
        let answer = caller.call(there, |_| {
            captured.touch();
            calls += 1;
        });
        let any = caller.call_any(&*mask_of([there])?, |_| ());
        drop(down);

        check_eq!(answer, Err(CallError::Offline));
        check_eq!(any, Err(CallError::Offline));
        check_eq!(calls, 0);
        check_eq!(drops.count(), Some(0));
        drop(captured);
        check_eq!(drops.count(), Some(1));
        check_eq!(caller.call(there, |_| ()), Ok(()));
        Ok(())
    }

    #[test]
    fn call_any_takes_this_cpu_if_it_is_in_the_mask() -> Result {
        let caller = Caller::new()?;
        let Cpus { here, there } = two_cpus()?;
        let mut mask = mask_of([])?;

        let empty = caller.call_any(&mask, |ctx| ctx.cpu());
        check_eq!(empty, Err(CallError::Offline));
        mask.set(there);
        check_eq!(caller.call_any(&mask, |ctx| ctx.cpu()), Ok(there));
        mask.set(here);
        check_eq!(caller.call_any(&mask, |ctx| ctx.cpu()), Ok(here));
        Ok(())
    }

    #[test]
    fn the_may_wait_token_is_given_only_to_tasks_with_interrupts_on() -> Result {
        let caller = Caller::new()?;
        let refused = Some(CallError::WrongContext);

        for cpu in two_cpus()?.both() {
            check_eq!(caller.call(cpu, |_| Caller::new().err()), Ok(refused));
        }
        let irq = local_interrupt_disable();
        let off = Caller::new().err();
        drop(irq);
        check_eq!(off, refused);
        check!(Caller::new().is_ok());
        Ok(())
    }

    #[test]
    fn a_wait_that_takes_long_calls_its_target() -> Result {
        let caller = Caller::new()?;
        let there = two_cpus()?.there;
        let called = Cell::new(false);
        let target = || {
            called.set(true);
            there
        };

        caller.wait_until(|| called.get(), target);
        check!(called.get());
        Ok(())
    }

    #[test]
    fn what_was_posted_has_run_when_its_scope_ends() -> Result {
        static DELAY: Delay = Delay::new();
        let caller = Caller::new()?;
        let there = two_cpus()?.there;
        let posted = Atomic::<u32>::new(0);

        DELAY.begin();
        let (gate, held) = hold(there, || ())?;
        let errors = caller.scope(&posted, |posts| {
            let post = |_: &u32| {
                posts
                    .post(there, |_, posted| {
                        DELAY.last();
                        posted.add(1, Relaxed);
                    })
                    .is_err()
            };

            // Behind a function that holds the target, `kernel/smp.c` has room for one call.
            let first = usize::from(post(&0));
            gate.open();
            first + (0..2).filter(post).count()
        });
        let ran = posted.load(Relaxed);
        DELAY.end();

        check!(caller.wait(held));
        check_eq!(errors, 0);
        check_eq!(ran, 3);
        Ok(())
    }

    #[test]
    fn a_condition_is_evaluated_with_interrupts_off() -> Result {
        let caller = Caller::new()?;
        let off = Atomic::<u32>::new(0);

        // Turning interrupts off once more, and on again, leaves them off.
        caller.call_all_if(
            Cpumask::online(),
            |_cpu| {
                drop(local_interrupt_disable());
                off.add(u32::from(interrupts_are_off()), Relaxed);
                false
            },
            |_| (),
        );
        check!(off.load(Relaxed) >= 1);
        check!(!interrupts_are_off());
        Ok(())
    }
}
