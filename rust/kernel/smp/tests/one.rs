// SPDX-License-Identifier: GPL-2.0

//! Calls to one CPU, and the "may wait" token.

use super::fixture::{
    hold,
    two_cpus,
    Delay,
    Dropped,
    Drops, //
};
use crate::{
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    interrupt::local_interrupt_disable,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        CallError,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use core::cell::Cell;

#[kunit_tests(rust_smp_one)]
mod cases {
    use super::*;

    #[test]
    fn a_function_runs_on_the_cpu_that_is_called() -> Result {
        two_cpus()?;
        let caller = Caller::new()?;

        for cpu in Cpumask::online() {
            let answer = caller.call(cpu, |ctx| (ctx.cpu(), CpuId::current()))?;
            assert!(answer == (cpu, cpu));
        }
        Ok(())
    }

    #[test]
    fn a_function_runs_once_with_interrupts_off() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()? {
            let mut calls = 0;
            // SAFETY: Reading the interrupt state is always allowed.
            let off = caller.call(cpu, |_| {
                calls += 1;
                unsafe { bindings::irqs_disabled() }
            })?;
            assert!(off);
            assert_eq!(calls, 1);
        }
        Ok(())
    }

    #[test]
    fn a_function_and_its_answer_may_borrow() -> Result {
        let caller = Caller::new()?;
        let [_, there] = two_cpus()?;
        let mut words = KVec::new();

        words.push(1u32, GFP_KERNEL)?;
        words.push(2, GFP_KERNEL)?;
        let last: &u32 = caller.call(there, |_| words.last())?.ok_or(EINVAL)?;
        assert_eq!(*last, 2);

        caller.call(there, |_| words[0] = 7)?;
        assert_eq!(words[0], 7);
        Ok(())
    }

    #[test]
    fn what_a_function_has_captured_is_dropped_once_and_not_in_the_interrupt() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()? {
            let drops = Drops::new()?;
            let captured = Dropped(drops.clone());
            caller.call(cpu, move |_| captured.touch())?;
            assert_eq!(drops.count(), Some(1));
        }
        Ok(())
    }

    #[test]
    fn an_answer_is_dropped_once_and_not_in_the_interrupt() -> Result {
        let caller = Caller::new()?;

        for cpu in two_cpus()? {
            let drops = Drops::new()?;
            let answer = caller.call(cpu, |_| Dropped(drops.clone()))?;
            assert_eq!(drops.count(), Some(0));
            drop(answer);
            assert_eq!(drops.count(), Some(1));
        }
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn an_offline_cpu_is_not_called_and_nothing_is_lost() -> Result {
        let caller = Caller::new()?;
        let [_, there] = two_cpus()?;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());
        let mut calls = 0;

        let down = super::super::fixture::Down::new(there)?;
        let answer = caller.call(there, |_| {
            captured.touch();
            calls += 1;
        });
        let mask = {
            let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
            mask.set(there);
            mask
        };
        let any = caller.call_any(&mask, |_| ());
        drop(down);

        assert!(answer == Err(CallError::Offline));
        assert!(any == Err(CallError::Offline));
        assert_eq!(calls, 0);
        assert_eq!(drops.count(), Some(0));
        drop(captured);
        assert_eq!(drops.count(), Some(1));
        assert!(caller.call(there, |_| ()).is_ok());
        Ok(())
    }

    #[test]
    fn call_any_takes_this_cpu_if_it_is_in_the_mask() -> Result {
        let caller = Caller::new()?;
        let [here, there] = two_cpus()?;
        let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

        assert!(caller.call_any(&mask, |ctx| ctx.cpu()) == Err(CallError::Offline));
        mask.set(there);
        assert!(caller.call_any(&mask, |ctx| ctx.cpu()) == Ok(there));
        mask.set(here);
        assert!(caller.call_any(&mask, |ctx| ctx.cpu()) == Ok(here));
        Ok(())
    }

    #[test]
    fn the_may_wait_token_is_given_only_to_tasks_with_interrupts_on() -> Result {
        let caller = Caller::new()?;
        let refused = Some(CallError::WrongContext);

        for cpu in two_cpus()? {
            assert!(caller.call(cpu, |_| Caller::new().err())? == refused);
        }
        let irq = local_interrupt_disable();
        let off = Caller::new().err();
        drop(irq);
        assert!(off == refused);
        assert!(Caller::new().is_ok());
        Ok(())
    }

    #[test]
    fn a_wait_that_takes_long_calls_its_target() -> Result {
        let caller = Caller::new()?;
        let [_, there] = two_cpus()?;
        let called = Cell::new(false);
        let target = || {
            called.set(true);
            there
        };

        caller.wait_until(|| called.get(), target);
        assert!(called.get());
        Ok(())
    }

    #[test]
    fn what_was_posted_has_run_when_its_scope_ends() -> Result {
        static DELAY: Delay = Delay::new();
        let caller = Caller::new()?;
        let [_, there] = two_cpus()?;
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
            let errors = (0..3).filter(post).count();
            gate.open();
            errors
        });
        let ran = posted.load(Relaxed);
        DELAY.end();

        assert!(caller.wait(held));
        assert_eq!(errors, 0);
        assert_eq!(ran, 3);
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
                // SAFETY: Reading the interrupt state is always allowed.
                off.add(u32::from(unsafe { bindings::irqs_disabled() }), Relaxed);
                false
            },
            |_| (),
        );
        assert!(off.load(Relaxed) >= 1);
        // SAFETY: As above.
        assert!(!unsafe { bindings::irqs_disabled() });
        Ok(())
    }
}
