// SPDX-License-Identifier: GPL-2.0

//! Whether an entry is pending for a set of CPUs.

use crate::{
    csd::Kind,
    tests::support::{
        calls::{
            peek,
            queue, //
        },
        fixture::{
            locked_csd,
            with_interrupts_off, //
        },
        gate::Held,
        seen::Seen, //
    }, //
};
use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        mask_of,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_peek)]
mod cases {
    use super::*;

    #[test]
    fn nothing_is_pending_for_an_empty_set() -> Result {
        let cpus = two_cpus()?;
        let empty = mask_of([])?;
        let csd = locked_csd(Seen::new()?, Kind::Async, cpus.there)?;

        let held = Held::new(cpus.there)?;
        queue(cpus.there, csd);
        let pending = peek(&empty);
        let held_until_now = held.release();

        check!(held_until_now);
        check!(!pending);
        Ok(())
    }

    #[test]
    fn a_csd_that_is_not_taken_is_pending_for_the_sets_with_its_target() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = locked_csd(seen, Kind::Async, cpus.there)?;
        let alone = mask_of([cpus.there])?;
        let both = mask_of([cpus.here, cpus.there])?;

        let held = Held::new(cpus.there)?;
        queue(cpus.there, csd);
        let pending = [peek(&alone), peek(&both), peek(Cpumask::online())];
        let pending_irqs_off = with_interrupts_off(|_| peek(&alone));
        let held_until_now = held.release();

        check!(held_until_now);
        check_eq!(pending, [true; 3]);
        check!(pending_irqs_off);
        check_eq!(seen.runs_after(1), 1);
        Ok(())
    }

    #[test]
    fn a_csd_for_one_cpu_is_not_pending_for_another() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = locked_csd(seen, Kind::Async, cpus.there)?;
        let other = mask_of([cpus.here])?;

        let held = Held::new(cpus.there)?;
        queue(cpus.there, csd);
        // The kernel itself may have sent a csd to this CPU, which does not stay pending.
        let quiet = becomes_true(|| !peek(&other));
        let held_until_now = held.release();

        check!(held_until_now);
        check!(quiet);
        check_eq!(seen.runs_after(1), 1);
        Ok(())
    }

    #[test]
    fn nothing_is_pending_once_it_is_taken() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;
        let seen = Seen::new()?;

        queue(cpus.there, locked_csd(seen, Kind::Async, cpus.there)?);
        check_eq!(seen.runs_after(1), 1);
        check!(becomes_true(|| !peek(&mask)));
        Ok(())
    }
}
