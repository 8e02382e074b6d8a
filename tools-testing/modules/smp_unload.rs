// SPDX-License-Identifier: GPL-2.0

//! A module that is unloaded, or whose initialization fails, while what it has sent is under way.
//!
//! It leaks or drops all that it has sent, which is queued behind a function that takes its time. So
//! all of it runs when nothing in the module knows of it any more.

use core::mem;
use kernel::{
    cpumask::Cpumask,
    irq_work::{
        self,
        IrqWork, //
    },
    prelude::*,
    smp::{
        call_async,
        CallContext,
        Csd,
        Handler, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

module! {
    type: SmpUnload,
    name: "smp_unload",
    authors: ["Rust for Linux Contributors"],
    description: "A module that leaves calls behind",
    license: "GPL",
    params: {
        ms: u32 {
            default: 2000,
            description: "How long a CPU is kept from what was sent, in ms",
        },
        fails: u32 {
            default: 0,
            description: "1: the initialization fails",
        },
    },
}

/// How many functions have run.
static RUN: Atomic<u32> = Atomic::new(0);

fn run(what: &str) {
    let run = RUN.fetch_add(1, Relaxed) + 1;

    pr_info!("{} of 4 have run, the last a {}\n", run, what);
}

/// Keeps a CPU busy with interrupts off.
struct Busy(u32);

impl Handler for Busy {
    fn handle(&self, _context: &CallContext) {
        for _ in 0..self.0 {
            udelay(Delta::from_millis(1));
        }
        run("csd that takes long");
    }
}

struct Runs;

impl Handler for Runs {
    fn handle(&self, _context: &CallContext) {
        run("csd");
    }
}

impl irq_work::Handler for Runs {
    fn handle(&self) {
        run("work");
    }
}

struct SmpUnload;

impl kernel::Module for SmpUnload {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let cpu = Cpumask::online().iter().last().ok_or(ENODEV)?;
        let busy = Csd::new(Busy(module_parameters::ms.value()), GFP_KERNEL)?;
        let csd = Csd::new(Runs, GFP_KERNEL)?;
        let work = IrqWork::new_hard(Runs, GFP_KERNEL)?;

        busy.post(cpu)?;
        csd.post(cpu)?;
        work.queue_on(cpu)?;
        drop(call_async(cpu, |_| run("function"), GFP_KERNEL)?);
        mem::forget(csd);
        mem::forget(work);
        drop(busy);

        if module_parameters::fails.value() != 0 {
            return Err(EINVAL);
        }
        Ok(SmpUnload)
    }
}
