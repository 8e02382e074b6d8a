// SPDX-License-Identifier: GPL-2.0

//! Calls to many CPUs.

use crate::tests::support::{
    calls::{
        all_others,
        many,
        on_each,
        single_on, //
    },
    fixture::preempt_count,
    gate::Held,
    seen::{
        Context,
        Seen, //
    },
    tally::TALLY, //
};
use kernel::{
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        interrupts_are_off,
        mask_of,
        require,
        require_eq,
        two_cpus, //
    }, //
};

/// A mask with all bits set.
fn full_mask() -> Result<CpumaskVar> {
    let mut mask = mask_of([])?;

    mask.setall();
    Ok(mask)
}

#[kunit_tests(smp_many)]
mod cases {
    use super::*;

    #[test]
    fn a_call_to_all_others_runs_once_on_each_and_not_on_the_own_cpu() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        TALLY.clear();
        all_others(&TALLY, true);
        check!(TALLY.is(|cpu| u32::from(online.test(cpu) && cpu != cpus.here)));
        Ok(())
    }

    #[test]
    fn an_asynchronous_call_runs_on_all_others_too() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        TALLY.clear();
        all_others(&TALLY, false);
        check!(TALLY.becomes(|cpu| u32::from(online.test(cpu) && cpu != cpus.here)));
        Ok(())
    }

    #[test]
    fn a_call_to_a_set_leaves_out_the_own_cpu() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            TALLY.clear();
            many(&*mask_of([cpus.here, cpus.there])?, &TALLY, wait);
            require!(TALLY.becomes(|cpu| u32::from(cpu == cpus.there)));

            TALLY.clear();
            many(&*mask_of([cpus.here])?, &TALLY, wait);
            require!(TALLY.is(|_| 0));
        }
        Ok(())
    }

    #[test]
    fn a_call_to_each_runs_on_the_own_cpu_too() -> Result {
        two_cpus()?;
        let online = Cpumask::online();

        TALLY.clear();
        on_each(online, &TALLY, true);
        check!(TALLY.is(|cpu| u32::from(online.test(cpu))));

        TALLY.clear();
        on_each(online, &TALLY, false);
        check!(TALLY.becomes(|cpu| u32::from(online.test(cpu))));
        Ok(())
    }

    #[test]
    fn a_call_to_each_runs_on_the_own_cpu_only_if_it_is_in_the_set() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            let seen = Seen::new()?;
            on_each(&*mask_of([cpus.there])?, seen, wait);
            require_eq!(seen.runs_after(1), 1);
            require_eq!(seen.cpu(), cpus.there.as_u32());

            let seen = Seen::new()?;
            on_each(&*mask_of([cpus.here])?, seen, wait);
            require!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
        }
        Ok(())
    }

    #[test]
    fn an_empty_set_is_no_error_and_calls_no_cpu() -> Result {
        two_cpus()?;
        let empty = mask_of([])?;

        for wait in [true, false] {
            TALLY.clear();
            many(&empty, &TALLY, wait);
            on_each(&empty, &TALLY, wait);
            require!(TALLY.is(|_| 0));
        }
        Ok(())
    }

    #[test]
    fn offline_cpus_are_left_out() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();
        let full = full_mask()?;

        TALLY.clear();
        many(&full, &TALLY, true);
        check!(TALLY.is(|cpu| u32::from(online.test(cpu) && cpu != cpus.here)));

        TALLY.clear();
        on_each(&full, &TALLY, true);
        check!(TALLY.is(|cpu| u32::from(online.test(cpu))));
        Ok(())
    }

    #[test]
    fn the_set_of_the_caller_is_not_changed() -> Result {
        two_cpus()?;
        let full = full_mask()?;
        let weight = full.weight();

        many(&full, Seen::new()?, true);
        on_each(&full, Seen::new()?, true);
        check_eq!(full.weight(), weight);
        Ok(())
    }

    #[test]
    fn the_next_call_waits_only_until_the_last_one_is_taken() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;
        let seen = Seen::new()?;

        // The first call uses the same csd as the second.
        let held = Held::new_by(|gate| {
            many(&mask, gate, false);
            Ok(())
        })?;
        many(&mask, seen, false);
        let runs_while_held = seen.runs();
        let held_until_now = held.release();

        check!(held_until_now);
        check_eq!(runs_while_held, 0);
        check_eq!(seen.runs_after(1), 1);
        Ok(())
    }

    #[test]
    fn synchronous_calls_can_follow_asynchronous_ones() -> Result {
        const CALLS: u32 = 100;
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        TALLY.clear();
        for _ in 0..CALLS {
            all_others(&TALLY, false);
            all_others(&TALLY, true);
        }
        check!(
            TALLY.becomes(|cpu| if online.test(cpu) && cpu != cpus.here {
                2 * CALLS
            } else {
                0
            })
        );
        Ok(())
    }

    #[test]
    fn calls_to_one_and_to_many_do_not_share_their_csds() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;

        // One of each is queued: if they shared a csd, the second call would not return.
        TALLY.clear();
        let held = Held::new(cpus.there)?;
        let sent = single_on(cpus.there, &TALLY, false);
        many(&mask, &TALLY, false);
        let held_until_now = held.release();

        check!(held_until_now);
        check_eq!(sent, 0);
        check!(TALLY.becomes(|cpu| if cpu == cpus.there { 2 } else { 0 }));
        Ok(())
    }

    #[test]
    fn a_call_leaves_interrupts_and_preemption_as_they_were() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let before = preempt_count();

        for mask in [
            mask_of([])?,
            mask_of([cpus.here])?,
            mask_of([cpus.there])?,
            full_mask()?,
        ] {
            for wait in [true, false] {
                many(&mask, seen, wait);
                require!(!interrupts_are_off());
                require_eq!(preempt_count(), before);

                on_each(&mask, seen, wait);
                require!(!interrupts_are_off());
                require_eq!(preempt_count(), before);
            }
        }
        Ok(())
    }
}
