// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls while no slot of the pool is free, so that each uses the fallback csd.

use crate::{
    pool,
    tests::support::{
        down::Down,
        faults::{
            Fault,
            DELAY,
            NO_FREE_SLOT, //
        },
        fixture::two_cpus,
        senders::{
            bursts,
            gathers,
            meets,
            sends_and_waits, //
        }, //
    }, //
};
use kernel::{
    cpumask::Cpumask,
    prelude::*, //
};

#[kunit_tests(smp_pool_fallback)]
mod cases {
    use super::*;

    #[test]
    fn one_call_returns_and_the_next_one_waits() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = sends_and_waits(1);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn a_callback_can_wait_until_its_caller_has_used_the_fallback_csd() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = meets(1);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn all_cpus_can_be_gathered_by_calls_to_one_at_a_time() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = gathers();
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn bursts_to_one_cpu_all_run() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = bursts(|cpu| Cpumask::online().next(None) == Some(cpu));
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn bursts_to_all_cpus_all_run() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = bursts(|_| true);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn a_cpu_goes_offline_and_online_while_ipis_are_delayed() -> Result {
        let cpus = two_cpus()?;
        let mut fine = true;

        // A CPU that goes offline makes two asynchronous calls.
        let faults = [Fault::always(NO_FREE_SLOT), Fault::always(DELAY)];
        for _ in 0..5 {
            let down = Down::new(cpus.there)?;
            fine &= pool::state::in_use(cpus.there) == 0;
            drop(down);
        }
        drop(faults);

        assert!(fine);
        Ok(())
    }
}
