// SPDX-License-Identifier: GPL-2.0

//! Rust sample of cross-CPU function calls.
//!
//! Calls each online CPU, synchronously and asynchronously, and prints the results: where the
//! function ran, and how long a synchronous call takes. CPUs may go offline and come online
//! meanwhile.

use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::define_per_cpu,
    preempt::{
        in_hardirq,
        CpuPinned, //
    },
    prelude::*,
    smp::{
        CallContext,
        CallError,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        Instant,
        Monotonic, //
    }, //
};

module! {
    type: RustSmp,
    name: "rust_smp",
    authors: ["Rust for Linux Contributors"],
    description: "Rust sample of cross-CPU function calls",
    license: "GPL",
    params: {
        calls: u32 {
            default: 100,
            description: "How often each CPU is called, synchronously and asynchronously",
        },
    },
}

define_per_cpu! {
    /// Asynchronous calls that have run on each CPU.
    static POSTED: Atomic<u64> = Atomic::new(0);
}

/// The result of a synchronous call.
struct Place {
    cpu: CpuId,
    in_hardirq: bool,
}

impl Place {
    /// Returns where the function runs.
    fn of(context: &CallContext) -> Self {
        Self {
            cpu: context.cpu(),
            in_hardirq: in_hardirq(),
        }
    }
}

/// The results of a CPU.
struct Row {
    place: Place,
    fastest_ns: i64,
    mean_ns: i64,
    posted: u64,
}

/// Calls `cpu` `calls` times synchronously, and `calls` times asynchronously.
fn visit(caller: &Caller, cpu: CpuId, calls: u32) -> Result<Row, CallError> {
    let mut row = Row {
        place: caller.call(cpu, Place::of)?,
        fastest_ns: i64::MAX,
        mean_ns: 0,
        posted: 0,
    };
    let mut sum_ns = 0i64;

    for _ in 0..calls {
        let start = Instant::<Monotonic>::now();
        row.place = caller.call(cpu, Place::of)?;
        let ns = start.elapsed().as_nanos();

        row.fastest_ns = row.fastest_ns.min(ns);
        sum_ns = sum_ns.saturating_add(ns);
    }
    row.mean_ns = sum_ns / i64::from(calls.max(1));

    let posted = POSTED.get(cpu).ok_or(CallError::NoSuchCpu)?;
    let before = posted.load(Relaxed);
    caller.scope(&(), |posts| {
        (0..calls).try_for_each(|_| {
            posts.post(cpu, |context, ()| POSTED.this_cpu(context).add(1, Relaxed))
        })
    })?;
    row.posted = posted.load(Relaxed).wrapping_sub(before);

    Ok(row)
}

struct RustSmp;

impl kernel::Module for RustSmp {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let calls = module_parameters::calls.value();
        let caller = Caller::new()?;
        let mut visited = 0u32;

        pr_info!("{} calls of each kind to each CPU\n", calls);
        pr_info!("  CPU  fastest ns     mean ns  asynchronous  context\n");

        for cpu in Cpumask::online() {
            match visit(&caller, cpu, calls) {
                Ok(row) => {
                    visited = visited.saturating_add(1);
                    pr_info!(
                        "{:5}  {:10}  {:10}  {:12}  {}\n",
                        row.place.cpu.as_u32(),
                        row.fastest_ns,
                        row.mean_ns,
                        row.posted,
                        if row.place.in_hardirq {
                            "interrupt"
                        } else {
                            "this task"
                        },
                    );
                }
                Err(_) => pr_info!("{:5}  went offline\n", cpu.as_u32()),
            }
        }

        pr_info!("{} CPUs called\n", visited);
        Ok(RustSmp)
    }
}

impl Drop for RustSmp {
    fn drop(&mut self) {
        pr_info!("bye\n");
    }
}
