// SPDX-License-Identifier: GPL-2.0

//! Network devices that share a state of CPU hotplug, as those of
//! `drivers/net/ethernet/marvell/mvneta.c` do: each device has one CPU that takes its interrupts, and
//! another one when that goes offline.

use crate::{
    cpu::CpuId,
    cpuhp::{
        Callbacks,
        Online,
        OnlineCpu,
        Registration,
        State, //
    },
    cpumask::Cpumask,
    preempt::CpuPinned,
    prelude::*,
    smp::testing::{
        check,
        check_eq, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::{
    bring_online,
    take_offline,
    two_cpus, //
};

/// No CPU.
const NONE: u32 = u32::MAX;

/// A device.
struct Port {
    /// The CPU that it prefers.
    default_cpu: u32,
    elected: Atomic<u32>,
}

impl Callbacks for Port {
    type Section = Online;

    /// The CPU that the device prefers takes its interrupts, or the first that comes.
    fn startup(&self, cpu: &OnlineCpu) -> Result {
        let cpu = cpu.cpu().as_u32();

        if cpu == self.default_cpu || self.elected.load(Relaxed) == NONE {
            self.elected.store(cpu, Relaxed);
        }
        Ok(())
    }

    /// Another CPU that is online takes its interrupts.
    fn teardown(&self, cpu: &OnlineCpu) -> Result {
        let cpu = cpu.cpu();

        if self.elected.load(Relaxed) == cpu.as_u32() {
            let mut others = Cpumask::online().iter().filter(|other| *other != cpu);
            let next = others.next().map_or(NONE, |cpu| cpu.as_u32());
            self.elected.store(next, Relaxed);
        }
        Ok(())
    }
}

/// The driver.
struct Driver {
    state: Arc<State<Port>>,
}

impl Driver {
    fn new() -> Result<Self> {
        Ok(Self {
            state: State::new(c"test:mvneta:online")?,
        })
    }

    fn probe(&self, default_cpu: CpuId) -> Result<Pin<KBox<Registration<Port>>>> {
        let default_cpu = default_cpu.as_u32();
        let port = try_init!(Port {
            default_cpu,
            elected: Atomic::new(NONE),
        }? Error);

        KBox::pin_init(Registration::instance(self.state.clone(), port), GFP_KERNEL)
    }
}

fn elected(port: &Registration<Port>) -> u32 {
    port.callbacks().elected.load(Relaxed)
}

#[kunit_tests(rust_smp_port_mvneta)]
mod cases {
    use super::*;

    #[test]
    fn each_device_has_the_cpu_that_it_prefers() -> Result {
        let driver = Driver::new()?;

        for cpu in Cpumask::online() {
            let port = driver.probe(cpu)?;
            check_eq!(elected(&port), cpu.as_u32());
        }
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn each_device_has_another_cpu_while_its_own_is_offline() -> Result {
        let driver = Driver::new()?;
        let cpus = two_cpus()?;
        let ports = [driver.probe(cpus.here)?, driver.probe(cpus.there)?];
        let [stays, moves] = &ports;

        check_eq!(take_offline(cpus.there), Ok(()));
        let meanwhile = (elected(stays), elected(moves));
        check_eq!(bring_online(cpus.there), Ok(()));
        let after = (elected(stays), elected(moves));

        check_eq!(meanwhile.0, cpus.here.as_u32());
        check!(meanwhile.1 != cpus.there.as_u32() && meanwhile.1 != NONE);
        check_eq!(after, (cpus.here.as_u32(), cpus.there.as_u32()));
        Ok(())
    }
}
