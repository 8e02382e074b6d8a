// SPDX-License-Identifier: GPL-2.0

//! Several functions for several CPUs, as one call.

use crate::{
    cpu::CpuId,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        testing::{
            check_eq,
            two_cpus, //
        },
        Batch,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Full, //
    }, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::{
    smp::{
        testing::{
            Cpus,
            Down, //
        },
        CallError, //
    },
    sync::atomic::Relaxed, //
};

#[kunit_tests(rust_smp_batch)]
mod cases {
    use super::*;

    #[test]
    fn each_function_runs_once_on_its_cpu_in_the_order_of_adding() -> Result {
        let cpus = two_cpus()?.both();
        let caller = Caller::new()?;
        let mut seen: [(Option<CpuId>, u32); 6] = [(None, 0); 6];
        let order = [const { Atomic::new(0u32) }; 2];

        let mut batch = Batch::new(GFP_KERNEL)?;
        for (i, seen) in seen.iter_mut().enumerate() {
            let order = &order[i % 2];
            batch.add(
                cpus[i % 2],
                move |ctx| *seen = (Some(ctx.cpu()), order.fetch_add(1, Full)),
                GFP_KERNEL,
            )?;
        }
        let result = caller.run(&mut batch);
        let left = batch.len();
        drop(batch);

        check_eq!(result, Ok(()));
        check_eq!(left, 0);
        for (i, seen) in seen.iter().enumerate() {
            check_eq!(*seen, (Some(cpus[i % 2]), i as u32 / 2));
        }
        Ok(())
    }

    #[test]
    fn an_empty_batch_calls_no_cpu() -> Result {
        let mut batch = Batch::new(GFP_KERNEL)?;

        check_eq!(Caller::new()?.run(&mut batch), Ok(()));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn functions_that_were_not_called_stay_and_can_be_tried_again() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let calls = [const { Atomic::new(0u32) }; 2];

        let mut batch = Batch::new(GFP_KERNEL)?;
        batch.add(here, |_| calls[0].add(1, Relaxed), GFP_KERNEL)?;
        batch.add(there, |_| calls[1].add(1, Relaxed), GFP_KERNEL)?;
        let down = Down::new(there)?;
        let first = caller.run(&mut batch);
        let left = batch.len();
        let called = [calls[0].load(Relaxed), calls[1].load(Relaxed)];
        drop(down);
        let second = caller.run(&mut batch);

        check_eq!(first, Err(CallError::Offline));
        check_eq!(left, 1);
        check_eq!(called, [1, 0]);
        check_eq!(second, Ok(()));
        check_eq!([calls[0].load(Relaxed), calls[1].load(Relaxed)], [1, 1]);
        Ok(())
    }
}
