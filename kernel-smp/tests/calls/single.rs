// SPDX-License-Identifier: GPL-2.0

//! Calls to one CPU.

use crate::tests::support::{
    calls::{
        single,
        single_on, //
    },
    fixture::{
        invalid_cpus,
        pool_is_free,
        preempt_count, //
    },
    gate::Held,
    seen::{
        Context,
        Seen, //
    },
    tally::TALLY, //
};
use kernel::{
    cpumask::Cpumask,
    error::to_result,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        interrupts_are_off,
        require,
        require_eq,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_single)]
mod cases {
    use super::*;

    #[test]
    fn a_synchronous_call_has_run_on_its_target_when_it_returns() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;

        check_eq!(single_on(cpus.there, seen, true), 0);
        check_eq!(seen.runs(), 1);
        check_eq!(seen.cpu(), cpus.there.as_u32());
        Ok(())
    }

    #[test]
    fn an_asynchronous_call_runs_once_on_its_target() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;

        check_eq!(single_on(cpus.there, seen, false), 0);
        check_eq!(seen.runs_after(1), 1);

        // A second run would have come by the end of two more calls.
        check_eq!(single_on(cpus.there, Seen::new()?, true), 0);
        check_eq!(single_on(cpus.there, Seen::new()?, true), 0);
        check_eq!(seen.runs(), 1);
        check_eq!(seen.cpu(), cpus.there.as_u32());
        Ok(())
    }

    #[test]
    fn each_online_cpu_can_be_called() -> Result {
        two_cpus()?;

        for wait in [true, false] {
            for cpu in Cpumask::online() {
                let seen = Seen::new()?;

                require_eq!(single_on(cpu, seen, wait), 0);
                require_eq!(seen.runs_after(1), 1);
                require_eq!(seen.cpu(), cpu.as_u32());
            }
        }
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_has_run_when_it_returns() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            let seen = Seen::new()?;

            require_eq!(single_on(cpus.here, seen, wait), 0);
            require!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
        }
        Ok(())
    }

    #[test]
    fn invalid_cpu_numbers_are_refused() -> Result {
        two_cpus()?;

        for wait in [true, false] {
            for number in invalid_cpus() {
                let seen = Seen::new()?;
                let error = single(number, seen, wait);

                require!(pool_is_free());
                require_eq!(error, ENXIO.to_errno());
                require_eq!(seen.runs(), 0);
            }
        }
        Ok(())
    }

    #[test]
    fn a_synchronous_call_works_right_after_a_refused_one() -> Result {
        let cpus = two_cpus()?;

        for number in invalid_cpus() {
            let seen = Seen::new()?;

            require_eq!(single(number, seen, true), ENXIO.to_errno());
            require_eq!(single_on(cpus.there, seen, true), 0);
            require_eq!(seen.runs(), 1);
        }
        Ok(())
    }

    #[test]
    fn an_asynchronous_call_works_right_after_a_refused_one() -> Result {
        let cpus = two_cpus()?;

        for number in invalid_cpus() {
            let seen = Seen::new()?;

            let error = single(number, seen, false);

            require!(pool_is_free());
            require_eq!(error, ENXIO.to_errno());
            require_eq!(single_on(cpus.there, seen, false), 0);
            require_eq!(seen.runs_after(1), 1);
        }
        Ok(())
    }

    #[test]
    fn the_second_asynchronous_call_returns_while_the_first_one_runs() -> Result {
        let cpus = two_cpus()?;
        let second = Seen::new()?;

        let held = Held::new_by(|gate| to_result(single_on(cpus.there, gate, false)))?;
        let sent = single_on(cpus.there, second, false);
        let runs_while_held = second.runs();
        let held_until_now = held.release();

        check!(held_until_now);
        check_eq!(sent, 0);
        check_eq!(runs_while_held, 0);
        check_eq!(second.runs_after(1), 1);
        Ok(())
    }

    #[test]
    fn calls_in_a_row_run_each() -> Result {
        const CALLS: u32 = 500;
        let cpus = two_cpus()?;

        TALLY.clear();
        for _ in 0..CALLS {
            require_eq!(single_on(cpus.there, &TALLY, false), 0);
            require_eq!(single_on(cpus.there, &TALLY, true), 0);
        }
        check!(TALLY.becomes(|cpu| if cpu == cpus.there { 2 * CALLS } else { 0 }));
        Ok(())
    }

    #[test]
    fn a_call_leaves_interrupts_and_preemption_as_they_were() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let before = preempt_count();

        for number in [i32::from(cpus.here), i32::from(cpus.there), -1] {
            for wait in [true, false] {
                single(number, seen, wait);
                require!(pool_is_free());
                require!(!interrupts_are_off());
                require_eq!(preempt_count(), before);
            }
        }
        Ok(())
    }
}
