// SPDX-License-Identifier: GPL-2.0

//! The cost of a call through `kernel::smp`, as smp_bench measures it for calls from C.

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
    type: SmpBenchApi,
    name: "smp_bench_api",
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
    let hundredths = (least * 100 + LOOPS / 2) / LOOPS;

    pr_info!(
        "{}: cost {}.{:02}\n",
        name,
        hundredths / 100,
        hundredths % 100
    );
}

fn measure_all() -> Result {
    let caller = Caller::new()?;
    let here = CpuId::from_u32(0).ok_or(ENODEV)?;
    let there = CpuId::from_u32(1).ok_or(ENODEV)?;

    measure(&caller, "self, wait", || _ = caller.call(here, |_| ()));
    measure(&caller, "one, wait", || _ = caller.call(there, |_| ()));
    caller.scope(&(), |posts| {
        measure(&caller, "one, no wait", || {
            _ = posts.post(there, |_, ()| ())
        })
    });
    measure(&caller, "many, wait", || caller.call_others(|_| ()));
    measure(&caller, "on each, wait", || caller.call_all(|_| ()));
    caller.call(there, |_| ())?;
    pr_info!("end: 5 figures\n");
    Ok(())
}

struct SmpBenchApi;

impl kernel::Module for SmpBenchApi {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Caller::new()?.call_in_task(CpuId::from_u32(0).ok_or(ENODEV)?, measure_all)??;
        Ok(SmpBenchApi)
    }
}
