// SPDX-License-Identifier: GPL-2.0

//! A module that is unloaded, or whose initialization fails, while its calls are in flight.
//!
//! It leaks or drops all that it has sent: a chain of calls, each of which keeps its CPU busy for a
//! while and sends the next one, and other calls that are queued behind the first. One function
//! owns a value whose drop sleeps, in a worker, and so does an object that is sent. So all of them run
//! detached. A module that is being
//! unloaded cannot send a call, so the chain ends early. It also leaks callbacks of CPU hotplug, one
//! of two instances of their state.

use core::mem;
use kernel::{
    cpu::CpuId,
    cpuhp::{
        Callbacks,
        Online,
        OnlineCpu,
        Registration,
        State, //
    },
    cpumask::Cpumask,
    irq_work::{
        self,
        IrqWork,
        WorkContext, //
    },
    prelude::*,
    smp::{
        call_async,
        impl_has_csd,
        send,
        CallContext,
        Csd,
        Handler,
        OwnedCsd,
        OwnedHandler,
        Sent,
        StaticCsd, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::{
            fsleep,
            udelay, //
        },
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
        links: u32 {
            default: 100,
            description: "How many calls the chain has",
        },
        fails: u32 {
            default: 0,
            description: "1: the initialization fails",
        },
    },
}

/// How long each call of the chain takes, in ms.
const LINK_MS: u32 = 50;

/// The number of functions that have not run yet.
static LEFT: Atomic<u32> = Atomic::new(0);

fn have_run(functions: u32) {
    if LEFT.fetch_sub(functions, Relaxed) == functions {
        pr_info!("all have run\n");
    }
}

/// Its drop takes some time.
struct Slow;

impl Slow {
    /// Makes a closure capture the value.
    fn touch(&self) {}
}

impl Drop for Slow {
    fn drop(&mut self) {
        fsleep(Delta::from_millis(500));
        have_run(1);
    }
}

/// Sends the rest of the chain, to two CPUs in turn.
fn send_chain(cpus: [CpuId; 2], links: u32) {
    let [cpu, next] = cpus;
    let link = move |_: &CallContext| {
        for _ in 0..LINK_MS {
            udelay(Delta::from_millis(1));
        }
        if links > 1 {
            send_chain([next, cpu], links - 1);
        }
        have_run(1);
    };

    match call_async(cpu, link, GFP_ATOMIC) {
        Ok(pending) => drop(pending),
        Err(error) => {
            pr_info!("the chain ends: {:?}, {} are not sent\n", error, links);
            have_run(links);
        }
    }
}

struct Runs;

impl Handler for Runs {
    fn handle(&self, _context: &CallContext) {
        have_run(1);
    }
}

impl irq_work::Handler for Runs {
    fn handle(&self, _context: &WorkContext) {
        have_run(1);
    }
}

static STATIC: StaticCsd<Runs> = StaticCsd::new(Runs);

/// An object that is given away.
struct Owned {
    csd: OwnedCsd<Self>,
    _slow: Slow,
}

impl_has_csd! {
    impl HasCsd<Self> for Owned { self.csd }
}

impl OwnedHandler for Owned {
    type Pointer = Pin<KBox<Self>>;

    fn handle(_this: Sent<'_, Pin<KBox<Self>>>, _context: &CallContext) {
        have_run(1);
    }
}

/// The number of callbacks that have run.
static CALLED: Atomic<u32> = Atomic::new(0);

impl Callbacks for Runs {
    type Section = Online;

    fn startup(&self, _cpu: &OnlineCpu) -> Result {
        CALLED.add(1, Relaxed);
        Ok(())
    }
}

/// Registers callbacks twice, and leaks one.
fn leak_callbacks() -> Result {
    let state = State::new(c"smp_unload:leaked")?;
    let leaked = Registration::instance(state.clone(), try_init!(Runs {}? Error));
    let leaked = KBox::pin_init(leaked, GFP_KERNEL)?;
    let dropped = Registration::instance(state, try_init!(Runs {}? Error));
    let dropped = KBox::pin_init(dropped, GFP_KERNEL)?;

    mem::forget(leaked);
    drop(dropped);
    pr_info!("{} callbacks have run\n", CALLED.load(Relaxed));
    Ok(())
}

struct SmpUnload;

impl kernel::Module for SmpUnload {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let links = module_parameters::links.value();
        let mut cpus = Cpumask::online().iter().skip(1);
        let (Some(one), Some(other)) = (cpus.next(), cpus.next()) else {
            pr_err!("three CPUs are needed\n");
            return Err(ENODEV);
        };
        let csd = Csd::new(Runs, GFP_KERNEL)?;
        let work = IrqWork::new_hard(Runs, GFP_KERNEL)?;

        LEFT.store(links + 7, Relaxed);
        send_chain([one, other], links);
        let slow = Slow;
        let touch = move |_: &CallContext| {
            slow.touch();
            have_run(1);
        };
        drop(call_async(one, touch, GFP_KERNEL)?);
        csd.post(one)?;
        STATIC.post(one)?;
        let owned = Owned {
            csd: OwnedCsd::new(),
            _slow: Slow,
        };
        send(KBox::pin(owned, GFP_KERNEL)?, one).map_err(|(error, _)| error)?;
        work.queue_on(one)?;
        mem::forget(csd);
        mem::forget(work);

        leak_callbacks()?;
        if module_parameters::fails.value() != 0 {
            return Err(EINVAL);
        }
        Ok(SmpUnload)
    }
}
