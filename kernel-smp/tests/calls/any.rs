// SPDX-License-Identifier: GPL-2.0

//! Calls to any CPU of a set.

use crate::tests::support::{
    calls::any,
    fixture::{
        pool_is_free,
        preempt_count, //
    },
    seen::{
        Context,
        Seen, //
    }, //
};
use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        bind,
        check_eq,
        interrupts_are_off,
        mask_of,
        require,
        require_eq,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_any)]
mod cases {
    use super::*;

    #[test]
    fn the_own_cpu_is_taken_if_it_is_in_the_set() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            for mask in [
                mask_of([cpus.here])?,
                mask_of([cpus.here, cpus.there])?,
                mask_of(Cpumask::online())?,
            ] {
                let seen = Seen::new()?;

                require_eq!(any(&mask, seen, wait), 0);
                require!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
            }
        }
        Ok(())
    }

    #[test]
    fn the_own_cpu_is_taken_even_if_it_is_not_the_first_one() -> Result {
        let cpus = two_cpus()?;
        bind(cpus.there)?;

        for wait in [true, false] {
            let seen = Seen::new()?;

            require_eq!(any(Cpumask::online(), seen, wait), 0);
            require!(seen.ran_once(cpus.there, Context::TaskIrqsOff));
        }
        Ok(())
    }

    #[test]
    fn another_cpu_is_taken_if_only_that_is_in_the_set() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;

        for wait in [true, false] {
            let seen = Seen::new()?;

            require_eq!(any(&mask, seen, wait), 0);
            require_eq!(seen.runs_after(1), 1);
            require_eq!(seen.cpu(), cpus.there.as_u32());
        }
        Ok(())
    }

    #[test]
    fn a_synchronous_call_has_run_when_it_returns() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;

        check_eq!(any(&*mask_of([cpus.there])?, seen, true), 0);
        check_eq!(seen.runs(), 1);
        Ok(())
    }

    #[test]
    fn one_cpu_of_several_others_is_taken() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let mask = mask_of([third, cpus.there])?;

        for wait in [true, false] {
            let seen = Seen::new()?;

            require_eq!(any(&mask, seen, wait), 0);
            require_eq!(seen.runs_after(1), 1);
            require!([third, cpus.there]
                .iter()
                .any(|cpu| seen.cpu() == cpu.as_u32()));
        }
        Ok(())
    }

    #[test]
    fn an_empty_set_is_refused_and_the_next_call_works() -> Result {
        let cpus = two_cpus()?;
        let empty = mask_of([])?;
        let mask = mask_of([cpus.there])?;

        for wait in [true, false] {
            let seen = Seen::new()?;

            let error = any(&empty, seen, wait);

            require!(pool_is_free());
            require_eq!(error, ENXIO.to_errno());
            require_eq!(seen.runs(), 0);
            require_eq!(any(&mask, seen, wait), 0);
            require_eq!(seen.runs_after(1), 1);
        }
        Ok(())
    }

    #[test]
    fn a_call_leaves_interrupts_and_preemption_as_they_were() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let before = preempt_count();

        for mask in [mask_of([])?, mask_of([cpus.here])?, mask_of([cpus.there])?] {
            for wait in [true, false] {
                any(&mask, seen, wait);
                require!(pool_is_free());
                require!(!interrupts_are_off());
                require_eq!(preempt_count(), before);
            }
        }
        Ok(())
    }
}
