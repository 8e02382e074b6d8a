// SPDX-License-Identifier: GPL-2.0

//! Csds that are statics or per-CPU variables.

use super::fixture::hold;
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::define_per_cpu,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            two_cpus,
            Cpus, //
        },
        CallContext,
        CallError,
        Caller,
        Handler,
        StaticCsd, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

/// Records where it was called.
struct Record {
    calls: Atomic<u32>,
    cpu: Atomic<u32>,
}

impl Record {
    const fn new() -> Self {
        Self {
            calls: Atomic::new(0),
            cpu: Atomic::new(u32::MAX),
        }
    }

    /// Returns how often it was called since the last time that this was asked, and where last.
    fn take(&self) -> (u32, u32) {
        (self.calls.xchg(0, Relaxed), self.cpu.load(Relaxed))
    }
}

impl Handler for Record {
    fn handle(&self, context: &CallContext) {
        self.cpu.store(context.cpu().as_u32(), Relaxed);
        self.calls.add(1, Relaxed);
    }
}

define_per_cpu! {
    static REQUEST: StaticCsd<Record> = StaticCsd::new(Record::new());
}

#[kunit_tests(rust_smp_static_csd)]
mod cases {
    use super::*;

    #[test]
    fn a_static_csd_is_never_queued_twice() -> Result {
        static CSD: StaticCsd<Record> = StaticCsd::new(Record::new());
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;

        CSD.handler().take();
        let (held, busy) = hold(there, || ())?;
        let first = CSD.post(there);
        let again = [CSD.post(there), CSD.post(here)];
        let in_flight = CSD.is_in_flight();
        held.open();
        CSD.wait(&caller);

        check!(caller.wait(busy));
        check_eq!(first, Ok(()));
        check_eq!(again, [Err(CallError::Busy), Err(CallError::Busy)]);
        check!(in_flight);
        check!(!CSD.is_in_flight());
        check_eq!(CSD.handler().take(), (1, there.as_u32()));
        Ok(())
    }

    #[test]
    fn each_cpu_has_a_csd_of_its_own() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let all = || {
            let cpus = Cpumask::online().iter();
            cpus.filter_map(|cpu| Some((cpu, REQUEST.get(cpu)?)))
        };

        all().for_each(|(_, csd)| _ = csd.handler().take());
        // All of them are queued on one CPU.
        let (held, busy) = hold(there, || ())?;
        let posted = all().filter(|(_, csd)| csd.post(there).is_ok()).count();
        held.open();
        all().for_each(|(_, csd)| csd.wait(&caller));
        let ran = all().filter(|(_, csd)| csd.handler().take() == (1, there.as_u32()));

        check_eq!(ran.count(), posted);
        check_eq!(posted, Cpumask::online().iter().count());
        check!(caller.wait(busy));
        check_eq!(REQUEST.get(here).map(|csd| csd.post(here)), Some(Ok(())));
        check_eq!(
            REQUEST.get(here).map(|csd| csd.handler().take()),
            Some((1, here.as_u32()))
        );
        Ok(())
    }

    /// Sends itself back to the CPU that it came from, a few times.
    struct Returns {
        left: Atomic<u32>,
        lost: Atomic<u32>,
        from: Atomic<u32>,
    }

    static RETURNS: StaticCsd<Returns> = StaticCsd::new(Returns {
        left: Atomic::new(0),
        lost: Atomic::new(0),
        from: Atomic::new(0),
    });

    impl Handler for Returns {
        fn handle(&self, context: &CallContext) {
            let back = self.from.xchg(context.cpu().as_u32(), Relaxed);

            if self.left.fetch_sub(1, Relaxed) > 1 {
                let sent = CpuId::from_u32(back).is_some_and(|back| RETURNS.post(back).is_ok());
                self.lost.add(u32::from(!sent), Relaxed);
            }
        }
    }

    #[test]
    fn a_handler_can_send_its_own_csd() -> Result {
        const TIMES: u32 = 100;
        let Cpus { here, there } = two_cpus()?;
        let returns = RETURNS.handler();

        returns.left.store(TIMES, Relaxed);
        returns.from.store(here.as_u32(), Relaxed);
        let first = RETURNS.post(there);
        RETURNS.wait(&Caller::new()?);

        check_eq!(first, Ok(()));
        check_eq!(
            (returns.left.load(Relaxed), returns.lost.load(Relaxed)),
            (0, 0)
        );
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_static_csd_is_not_sent_to_an_offline_cpu() -> Result {
        static CSD: StaticCsd<Record> = StaticCsd::new(Record::new());
        let cpu = two_cpus()?.there;

        CSD.handler().take();
        let down = Down::new(cpu)?;
        check_eq!(CSD.post(cpu), Err(CallError::Offline));
        check!(!CSD.is_in_flight());
        drop(down);
        check_eq!(CSD.post(cpu), Ok(()));
        CSD.wait(&Caller::new()?);

        check_eq!(CSD.handler().take(), (1, cpu.as_u32()));
        Ok(())
    }
}
