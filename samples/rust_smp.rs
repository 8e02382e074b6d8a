// SPDX-License-Identifier: GPL-2.0

//! Rust sample of cross-CPU function calls.
//!
//! Calls each CPU that is online, waiting and not, and prints what came back: where the function
//! ran, and how long a call takes there and back. CPUs may go offline and come online meanwhile.

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
            description: "How often each CPU is called, waiting and not",
        },
    },
}

define_per_cpu! {
    /// Calls without waiting that have run on each CPU.
    static POSTED: Atomic<u64> = Atomic::new(0);
}

/// What a CPU says of itself.
struct Answer {
    cpu: CpuId,
    in_hardirq: bool,
}

impl Answer {
    /// Answers a call that waits.
    fn of(context: &CallContext) -> Self {
        Self {
            cpu: context.cpu(),
            in_hardirq: in_hardirq(),
        }
    }
}

/// What was seen of a CPU.
struct Row {
    answer: Answer,
    fastest_ns: i64,
    mean_ns: i64,
    posted: u64,
}

/// Calls `cpu` `calls` times each way.
fn visit(caller: &Caller, cpu: CpuId, calls: u32) -> Result<Row, CallError> {
    let mut row = Row {
        answer: caller.call(cpu, Answer::of)?,
        fastest_ns: i64::MAX,
        mean_ns: 0,
        posted: 0,
    };
    let mut sum_ns = 0i64;

    for _ in 0..calls {
        let start = Instant::<Monotonic>::now();
        row.answer = caller.call(cpu, Answer::of)?;
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

        pr_info!("{} calls to each CPU, waiting and not\n", calls);
        pr_info!("  CPU  fastest ns     mean ns  not waiting  context\n");

        for cpu in Cpumask::online() {
            match visit(&caller, cpu, calls) {
                Ok(row) => {
                    visited = visited.saturating_add(1);
                    pr_info!(
                        "{:5}  {:10}  {:10}  {:11}  {}\n",
                        row.answer.cpu.as_u32(),
                        row.fastest_ns,
                        row.mean_ns,
                        row.posted,
                        if row.answer.in_hardirq {
                            "interrupt"
                        } else {
                            "this task"
                        },
                    );
                }
                Err(_) => pr_info!("{:5}  went offline\n", cpu.as_u32()),
            }
        }

        pr_info!("{} CPUs answered\n", visited);
        Ok(RustSmp)
    }
}

impl Drop for RustSmp {
    fn drop(&mut self) {
        pr_info!("bye\n");
    }
}
