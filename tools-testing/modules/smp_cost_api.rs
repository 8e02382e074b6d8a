// SPDX-License-Identifier: GPL-2.0

//! What a call through `kernel::smp` costs, as smp_cost.c says it of calls from C.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller,
    time::{
        Instant,
        Monotonic, //
    }, //
};

module! {
    type: SmpCostApi,
    name: "smp_cost_api",
    authors: ["Rust for Linux Contributors"],
    description: "What a cross-CPU call from Rust costs",
    license: "GPL",
}

const LOOPS: i64 = 500;
const ROUNDS: u32 = 5;

/// Prints the least of `ROUNDS` averages of `LOOPS` calls.
fn measure(caller: &Caller, name: &str, call: impl Fn()) {
    let mut least = i64::MAX;

    for _ in 0..ROUNDS {
        let start = Instant::<Monotonic>::now();

        for _ in 0..LOOPS {
            call();
        }
        least = least.min(start.elapsed().as_nanos());
        caller.call_others(|_| ());
    }
    pr_info!("{}: {}\n", name, least / LOOPS);
}

fn measure_all() -> Result {
    let caller = Caller::new()?;
    let here = CpuId::from_u32(0).ok_or(ENODEV)?;
    let there = CpuId::from_u32(1).ok_or(ENODEV)?;

    measure(&caller, "self, wait", || _ = caller.call(here, |_| ()));
    measure(&caller, "one, wait", || _ = caller.call(there, |_| ()));
    measure(&caller, "one, no wait", || {
        _ = caller.post(there, &(), |_, ()| ())
    });
    measure(&caller, "many, wait", || caller.call_others(|_| ()));
    measure(&caller, "on each, wait", || caller.call_all(|_| ()));
    caller.settle();
    caller.call(there, |_| ())?;
    Ok(())
}

struct SmpCostApi;

impl kernel::Module for SmpCostApi {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Caller::new()?.call_in_task(CpuId::from_u32(0).ok_or(ENODEV)?, measure_all)??;
        Ok(SmpCostApi)
    }
}
