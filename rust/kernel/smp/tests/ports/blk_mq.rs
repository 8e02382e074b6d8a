// SPDX-License-Identifier: GPL-2.0

//! A request is completed on the CPU that has submitted it, as by `blk_mq_complete_request_remote()`
//! of `block/blk-mq.c`.
//!
//! Each CPU has a csd, and what is complete for it. C has lists and raises a softirq; here there is a
//! bit for each request, and the csd completes it.

use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::define_per_cpu,
    preempt::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    smp::{
        testing::{
            becomes_true,
            check,
            check_eq, //
        },
        CallContext,
        CallError,
        Caller,
        Handler,
        StaticCsd, //
    },
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::{
    two_cpus,
    Down, //
};

/// A device has as many requests.
const REQUESTS: usize = 32;

/// A request of the device.
struct Request {
    submitted_on: Atomic<u32>,
    completed_on: Atomic<u32>,
}

/// No CPU.
const NONE: u32 = u32::MAX;

static DEVICE: [Request; REQUESTS] = [const {
    Request {
        submitted_on: Atomic::new(NONE),
        completed_on: Atomic::new(NONE),
    }
}; REQUESTS];

/// The requests to complete on a CPU, a bit for each.
struct Complete(Atomic<i64>);

define_per_cpu! {
    static COMPLETE: StaticCsd<Complete> = StaticCsd::new(Complete(Atomic::new(0)));
}

impl Complete {
    /// Completes each request once, on this CPU.
    fn all(&self, here: &impl CpuPinned) {
        let tags = self.0.xchg(0, Full);

        for (tag, request) in DEVICE.iter().enumerate() {
            if tags & (1 << tag) != 0 {
                request.completed_on.store(here.cpu().as_u32(), Relaxed);
            }
        }
    }
}

impl Handler for Complete {
    fn handle(&self, context: &CallContext) {
        self.all(context);
    }
}

impl Request {
    fn submit(&self) {
        self.completed_on.store(NONE, Relaxed);
        self.submitted_on.store(CpuId::current().as_u32(), Relaxed);
    }
}

/// Completes a request, in an interrupt of the device on any CPU. If the CPU that has submitted it is
/// offline, it is completed here. Returns whether there is such a request.
fn complete(tag: usize) -> bool {
    let guard = CpuGuard::new();
    let cpu = DEVICE
        .get(tag)
        .and_then(|request| CpuId::from_u32(request.submitted_on.load(Relaxed)));
    let (Some(cpu), Some(csd)) = (cpu, cpu.and_then(|cpu| COMPLETE.get(cpu))) else {
        return false;
    };

    csd.handler().0.fetch_add(1 << tag, Full);
    match csd.post(cpu) {
        // If it is queued, its handler will see the bit.
        Ok(()) | Err(CallError::Busy) => {}
        Err(_) => csd.handler().all(&guard),
    }
    true
}

#[kunit_tests(rust_smp_port_blk_mq)]
mod cases {
    use super::*;

    #[test]
    fn a_request_is_completed_on_the_cpu_that_has_submitted_it() -> Result {
        let caller = Caller::new()?;

        // The CPUs submit in turn.
        let cpus = || Cpumask::online().iter().cycle();
        for (request, cpu) in DEVICE.iter().zip(cpus()) {
            caller.call(cpu, |_| request.submit())?;
        }
        // Interrupts of the device come on this CPU.
        let lost = (0..REQUESTS).filter(|tag| !complete(*tag)).count();
        let done = becomes_true(|| {
            DEVICE
                .iter()
                .all(|request| request.completed_on.load(Relaxed) != NONE)
        });

        check_eq!(lost, 0);
        check!(done);
        for request in &DEVICE {
            let submitted_on = request.submitted_on.load(Relaxed);
            check_eq!(request.completed_on.load(Relaxed), submitted_on);
        }
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_request_of_a_cpu_that_has_gone_offline_is_completed_here() -> Result {
        let cpus = two_cpus()?;
        let [request, ..] = &DEVICE;

        Caller::new()?.call(cpus.there, |_| request.submit())?;
        let down = Down::new(cpus.there)?;
        let found = complete(0);
        let completed_on = request.completed_on.load(Relaxed);
        drop(down);

        check!(found);
        check_eq!(completed_on, cpus.here.as_u32());
        Ok(())
    }
}
