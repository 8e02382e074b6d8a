// SPDX-License-Identifier: GPL-2.0

//! Calls while faults are injected into IPIs.

use crate::tests::support::{
    calls::{
        all_others,
        single_on, //
    },
    faults::{
        Fault,
        BURST,
        DELAY,
        DUPLICATE,
        REORDER, //
    },
    seen::Seen,
    tally::TALLY,
    thread::Busy,
    ways::{
        Target,
        WAYS, //
    }, //
};
use kernel::{
    bindings,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        require,
        require_eq,
        two_cpus, //
    }, //
};

/// Calls another CPU in all ways, and all others, while a fault is injected in half of the cases.
/// Each call must run once.
fn call_with(kind: bindings::smp_fault_kind) -> Result {
    const ROUNDS: u32 = 50;
    let cpus = two_cpus()?;
    let online = Cpumask::online();

    let fault = Fault::sometimes(kind, 50);
    for _ in 0..ROUNDS {
        for way in &WAYS {
            let target = Target::new(cpus.there)?;

            require_eq!((way.call)(&target), 0, "{}", way.name);
            require!(target.is_called(), "{}", way.name);
        }
    }
    TALLY.clear();
    for _ in 0..ROUNDS {
        all_others(&TALLY, true);
        all_others(&TALLY, false);
    }
    check!(TALLY.becomes(|cpu| {
        if online.test(cpu) && cpu != cpus.here {
            2 * ROUNDS
        } else {
            0
        }
    }));
    drop(fault);
    Ok(())
}

#[kunit_tests(smp_fault)]
mod cases {
    use super::*;

    #[test]
    fn calls_work_while_ipis_are_delayed() -> Result {
        call_with(DELAY)
    }

    #[test]
    fn calls_work_while_ipis_are_reordered() -> Result {
        call_with(REORDER)
    }

    #[test]
    fn calls_work_while_ipis_are_duplicated() -> Result {
        call_with(DUPLICATE)
    }

    #[test]
    fn calls_work_while_ipis_come_in_bursts() -> Result {
        call_with(BURST)
    }

    #[test]
    #[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
    fn a_delayed_ipi_arrives_though_its_source_waits_with_interrupts_off() -> Result {
        use crate::tests::support::fixture::with_interrupts_off;

        let cpus = two_cpus()?;
        // A CPU that leaves the idle loop flushes its queue without an IPI.
        let busy = Busy::new(cpus.there)?;
        let before = Seen::new()?;
        let seen = Seen::new()?;

        let fault = Fault::between(DELAY, cpus.here, cpus.there, 1);
        let own = with_interrupts_off(|_| single_on(cpus.there, seen, true));
        drop(fault);
        let fault = Fault::between(DELAY, cpus.here, cpus.there, 1);
        let (sent, behind) = with_interrupts_off(|_| {
            (
                single_on(cpus.there, before, false),
                single_on(cpus.there, seen, true),
            )
        });
        drop(fault);
        let came = busy.is_busy();
        drop(busy);

        check!(came);
        check_eq!((own, sent, behind), (0, 0, 0));
        check_eq!(before.runs(), 1);
        check_eq!(seen.runs(), 2);
        Ok(())
    }

    #[test]
    fn a_fault_between_two_cpus_does_not_affect_other_targets() -> Result {
        const TIMES: i32 = 1000;
        let cpus = two_cpus()?;
        let third = cpus.third();
        let _busy = [Busy::new(cpus.there)?, Busy::new(third)?];
        let seen = Seen::new()?;
        let mut calls = 0;

        let fault = Fault::between(DUPLICATE, cpus.here, cpus.there, TIMES);
        // Returns how many faults were injected; the kernel itself may make calls meanwhile.
        let mut faults_of_call_to = |cpu| {
            let before = fault.times_left();

            calls += u32::from(single_on(cpu, seen, true) == 0);
            before - fault.times_left()
        };
        let spares_others = becomes_true(|| faults_of_call_to(third) == 0);
        let hits = becomes_true(|| faults_of_call_to(cpus.there) != 0);
        drop(fault);

        check!(spares_others);
        check!(hits);
        check_eq!(seen.runs(), calls);
        Ok(())
    }
}
