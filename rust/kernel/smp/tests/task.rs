// SPDX-License-Identifier: GPL-2.0

//! Calls that run in a task.

use super::fixture::{
    Dropped,
    Drops, //
};
use crate::{
    cpu::CpuId,
    prelude::*,
    smp::{
        testing::{
            check_eq,
            two_cpus, //
        },
        Caller, //
    },
    task::might_sleep, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::{
    testing::Down,
    CallError, //
};

#[kunit_tests(rust_smp_task)]
mod cases {
    use super::*;

    #[test]
    fn a_function_may_sleep_and_make_calls() -> Result {
        let caller = Caller::new()?;
        let cpus = two_cpus()?.both();

        for there in cpus {
            let answer = caller.call_in_task(there, || {
                might_sleep();
                let on =
                    Caller::new().and_then(|caller| caller.call(cpus[0], |_| CpuId::current()));
                (CpuId::current(), on)
            })?;
            check_eq!(answer, (there, Ok(cpus[0])));
        }
        Ok(())
    }

    #[test]
    fn function_and_answer_are_dropped_once_by_the_caller() -> Result {
        let caller = Caller::new()?;
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let captured = Dropped(drops.clone());

        let answer = caller.call_in_task(there, move || {
            captured.touch();
            Dropped(drops.clone())
        })?;
        let drops = answer.0.clone();
        check_eq!(drops.count(), Some(1));
        drop(answer);
        check_eq!(drops.count(), Some(2));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn an_offline_cpu_is_not_called() -> Result {
        let caller = Caller::new()?;
        let there = two_cpus()?.there;

        let down = Down::new(there)?;
        let answer = caller.call_in_task(there, CpuId::current);
        drop(down);

        check_eq!(answer, Err(CallError::Offline));
        Ok(())
    }
}
