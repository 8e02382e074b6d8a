// SPDX-License-Identifier: GPL-2.0

//! Rust sample of cross-CPU function calls.
//!
//! Calls each CPU that is online, waiting and not, and prints what came back: its APIC id, and how
//! long a call takes there and back. CPUs may go offline and come online meanwhile.

use core::ffi::c_void;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    error::to_result,
    percpu::{
        define_per_cpu,
        CpuGuard, //
    },
    preempt::in_hardirq,
    prelude::*,
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
#[derive(Default)]
struct Answer {
    cpu: u32,
    apic_id: Option<u32>,
    in_hardirq: bool,
}

/// Answers a call that waits.
///
/// # Safety
///
/// `info` is an [`Answer`] that nobody else uses meanwhile.
unsafe extern "C" fn answer(info: *mut c_void) {
    // SAFETY: By the safety requirements.
    let answer = unsafe { &mut *info.cast::<Answer>() };

    answer.cpu = CpuId::current().as_u32();
    answer.apic_id = apic_id();
    answer.in_hardirq = in_hardirq();
}

/// Counts a call that does not wait. Takes any argument.
///
/// # Safety
///
/// None.
unsafe extern "C" fn count(_info: *mut c_void) {
    POSTED.this_cpu(&CpuGuard::new()).add(1, Relaxed);
}

/// Returns the number by which the interrupt controller knows this CPU.
#[cfg(CONFIG_X86_LOCAL_APIC)]
fn apic_id() -> Option<u32> {
    // SAFETY: This is a per-CPU variable of the kernel, written at boot.
    let id = unsafe { bindings::this_cpu_ptr((&raw mut bindings::x86_cpu_to_apicid).cast()) };

    // SAFETY: As above. It is a `u32`.
    Some(unsafe { *id.cast::<u32>() })
}

#[cfg(not(CONFIG_X86_LOCAL_APIC))]
fn apic_id() -> Option<u32> {
    None
}

/// Calls `cpu` and waits for its answer.
fn ask(cpu: CpuId) -> Result<Answer> {
    let mut said = Answer::default();

    // SAFETY: `answer()` gets what it wants, and is over when the call returns.
    to_result(unsafe {
        bindings::smp_call_function_single(
            i32::from(cpu),
            Some(answer),
            (&raw mut said).cast(),
            true,
        )
    })?;
    Ok(said)
}

/// Calls `cpu` and does not wait.
fn post(cpu: CpuId) -> Result {
    // SAFETY: `count()` takes any argument.
    to_result(unsafe {
        bindings::smp_call_function_single(
            i32::from(cpu),
            Some(count),
            core::ptr::null_mut(),
            false,
        )
    })
}

/// Returns when all that was posted to `cpu` has run.
///
/// A CPU takes all calls that are queued at once, and runs those first that somebody waits for. So
/// the first answer may come before the posted calls, and the second comes after them. A CPU that
/// goes offline runs what is queued before it does.
fn settle(cpu: CpuId) {
    for _ in 0..2 {
        if ask(cpu).is_err() {
            return;
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
fn visit(cpu: CpuId, calls: u32) -> Result<Row> {
    let mut row = Row {
        answer: ask(cpu)?,
        fastest_ns: i64::MAX,
        mean_ns: 0,
        posted: 0,
    };
    let mut sum_ns = 0i64;

    for _ in 0..calls {
        let start = Instant::<Monotonic>::now();
        row.answer = ask(cpu)?;
        let ns = start.elapsed().as_nanos();

        row.fastest_ns = row.fastest_ns.min(ns);
        sum_ns = sum_ns.saturating_add(ns);
    }
    row.mean_ns = sum_ns / i64::from(calls.max(1));

    // SAFETY: A CPU that was online is possible.
    let posted = unsafe { POSTED.per_cpu(cpu) };
    let before = posted.load(Relaxed);
    for _ in 0..calls {
        post(cpu)?;
    }
    settle(cpu);
    row.posted = posted.load(Relaxed).wrapping_sub(before);

    Ok(row)
}

struct RustSmp;

impl kernel::Module for RustSmp {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let calls = module_parameters::calls.value();
        let mut visited = 0u32;

        pr_info!("{} calls to each CPU, waiting and not\n", calls);
        pr_info!("  CPU  APIC id  fastest ns     mean ns  not waiting  context\n");

        for cpu in Cpumask::online() {
            match visit(cpu, calls) {
                Ok(row) => {
                    visited = visited.saturating_add(1);
                    pr_info!(
                        "{:5}  {:7}  {:10}  {:10}  {:11}  {}\n",
                        row.answer.cpu,
                        row.answer.apic_id.map_or(-1, i64::from),
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
        // Nothing is on its way: each visit waited for its calls.
        pr_info!("bye\n");
    }
}
