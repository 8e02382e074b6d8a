// SPDX-License-Identifier: GPL-2.0

//! Calls while IPIs go wrong.

use super::{
    calls::all_others,
    faults::{
        Fault,
        BURST,
        DELAY,
        DUPLICATE,
        REORDER, //
    },
    fixture::two_cpus,
    tally::TALLY,
    ways::{
        Target,
        WAYS, //
    }, //
};
use kernel::{
    bindings,
    cpumask::Cpumask,
    prelude::*, //
};

/// Calls another CPU in all ways, and all others, while a fault is made in half of the cases.
/// Returns whether each call ran once.
fn works_with(kind: bindings::smp_fault_kind) -> Result<bool> {
    const ROUNDS: u32 = 50;
    let cpus = two_cpus()?;
    let online = Cpumask::online();
    let mut fine = true;

    let fault = Fault::sometimes(kind, 50);
    for _ in 0..ROUNDS {
        for way in &WAYS {
            let target = Target::new(cpus.there)?;

            fine &= way.check((way.call)(&target) == 0 && target.is_called());
        }
    }
    TALLY.clear();
    for _ in 0..ROUNDS {
        all_others(&TALLY, true);
        all_others(&TALLY, false);
    }
    fine &= TALLY.becomes(|cpu| {
        if online.test(cpu) && cpu != cpus.here {
            2 * ROUNDS
        } else {
            0
        }
    });
    drop(fault);
    Ok(fine)
}

#[kunit_tests(smp_fault)]
mod cases {
    use super::*;

    #[test]
    fn calls_work_while_ipis_are_late() -> Result {
        assert!(works_with(DELAY)?);
        Ok(())
    }

    #[test]
    fn calls_work_while_ipis_are_swapped() -> Result {
        assert!(works_with(REORDER)?);
        Ok(())
    }

    #[test]
    fn calls_work_while_ipis_are_doubled() -> Result {
        assert!(works_with(DUPLICATE)?);
        Ok(())
    }

    #[test]
    fn calls_work_while_ipis_come_in_bursts() -> Result {
        assert!(works_with(BURST)?);
        Ok(())
    }
}
