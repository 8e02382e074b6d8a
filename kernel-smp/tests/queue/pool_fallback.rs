// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls while no slot of the pool is free, so that each uses the fallback csd.

use crate::{
    pool,
    tests::support::{
        faults::{
            Fault,
            DELAY,
            NO_FREE_SLOT, //
        },
        senders::{
            gather,
            meet,
            send_bursts,
            send_one_too_many, //
        }, //
    }, //
};
use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check_eq,
        two_cpus,
        Down, //
    }, //
};

#[kunit_tests(smp_pool_fallback)]
mod cases {
    use super::*;

    #[test]
    fn one_call_returns_and_the_next_one_waits() -> Result {
        let _fault = Fault::always(NO_FREE_SLOT);

        send_one_too_many(1)
    }

    #[test]
    fn a_callback_can_wait_until_its_caller_has_used_the_fallback_csd() -> Result {
        let _fault = Fault::always(NO_FREE_SLOT);

        meet(1)
    }

    #[test]
    fn all_cpus_can_be_gathered_by_calls_to_one_at_a_time() -> Result {
        let _fault = Fault::always(NO_FREE_SLOT);

        gather()
    }

    #[test]
    fn bursts_to_one_cpu_all_run() -> Result {
        let _fault = Fault::always(NO_FREE_SLOT);

        send_bursts(|cpu| Cpumask::online().next(None) == Some(cpu))
    }

    #[test]
    fn bursts_to_all_cpus_all_run() -> Result {
        let _fault = Fault::always(NO_FREE_SLOT);

        send_bursts(|_| true)
    }

    #[test]
    fn a_cpu_goes_offline_and_online_while_ipis_are_delayed() -> Result {
        let cpus = two_cpus()?;

        // A CPU that goes offline makes two asynchronous calls.
        let faults = [Fault::always(NO_FREE_SLOT), Fault::always(DELAY)];
        for _ in 0..5 {
            let down = Down::new(cpus.there)?;
            check_eq!(pool::state::in_use(cpus.there), 0);
            drop(down);
        }
        drop(faults);
        Ok(())
    }
}
