// SPDX-License-Identifier: GPL-2.0

//! Csds that are sent repeatedly.

use super::fixture::{
    drop_in_interrupt,
    hold,
    Dropped,
    Drops,
    Gate, //
};
use crate::{
    cpu::CpuId,
    preempt::{
        in_hardirq,
        CpuPinned, //
    },
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            require,
            require_eq,
            two_cpus,
            Cpus, //
        },
        CallContext,
        CallError,
        Caller,
        Csd,
        Handler, //
    },
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// Records where it was called, behind a gate.
struct Record {
    gate: Arc<Gate>,
    calls: Atomic<u32>,
    cpu: Atomic<u32>,
}

impl Record {
    fn csd(gate: &Arc<Gate>) -> Result<Csd<Self>> {
        let record = Self {
            gate: gate.clone(),
            calls: Atomic::new(0),
            cpu: Atomic::new(u32::MAX),
        };
        Csd::new(record, GFP_KERNEL)
    }

    fn calls_on(&self, cpu: CpuId) -> u32 {
        if self.cpu.load(Relaxed) == cpu.as_u32() {
            self.calls.load(Relaxed)
        } else {
            0
        }
    }
}

impl Handler for Record {
    fn handle(&self, context: &CallContext) {
        self.cpu.store(context.cpu().as_u32(), Relaxed);
        self.gate.pass();
        self.calls.fetch_add(1, Full);
    }
}

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

#[kunit_tests(rust_smp_csd)]
mod cases {
    use super::*;

    #[test]
    fn a_csd_is_never_queued_twice() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;

        gate.open();
        let (held, busy) = hold(there, || ())?;
        let first = csd.post(there);
        let again = [csd.post(there), csd.post(here)];
        let in_flight = csd.is_in_flight();
        held.open();
        csd.wait(&caller);

        check!(caller.wait(busy));
        check_eq!(first, Ok(()));
        check_eq!(again, [Err(CallError::Busy), Err(CallError::Busy)]);
        check!(in_flight);
        check!(!csd.is_in_flight());
        check_eq!(csd.handler().calls_on(there), 1);
        Ok(())
    }

    /// Reads a counter, then waits at a gate.
    struct Looks {
        gate: Arc<Gate>,
        events: Atomic<u32>,
        seen: Atomic<u32>,
    }

    impl Handler for Looks {
        fn handle(&self, _context: &CallContext) {
            self.seen.store(self.events.load(Relaxed), Relaxed);
            self.gate.pass();
        }
    }

    #[test]
    fn an_event_that_comes_when_the_handler_has_looked_is_not_lost() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let looks = Looks {
            gate: gate.clone(),
            events: Atomic::new(0),
            seen: Atomic::new(0),
        };
        let csd = Csd::new(looks, GFP_KERNEL)?;

        csd.post(there)?;
        let looked = gate.is_reached();
        csd.handler().events.store(1, Relaxed);
        let again = csd.post(there);
        gate.open();
        csd.wait(&caller);

        check!(looked);
        check_eq!(again, Ok(()));
        check_eq!(csd.handler().seen.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn the_handler_has_seen_the_last_event_when_nothing_is_in_flight() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let looks = Looks {
            gate: gate.clone(),
            events: Atomic::new(0),
            seen: Atomic::new(0),
        };
        let csd = Csd::new(looks, GFP_KERNEL)?;

        gate.open();
        for event in 1..=2000 {
            csd.handler().events.store(event, Relaxed);
            let posted = csd.post(if event % 2 == 0 { here } else { there });
            require!(
                matches!(posted, Ok(()) | Err(CallError::Busy)),
                "{posted:?}"
            );
            if event % 16 == 0 {
                csd.wait(&caller);
                require_eq!(csd.handler().seen.load(Relaxed), event);
            }
        }
        Ok(())
    }

    #[test]
    fn a_csd_can_be_sent_again_when_it_is_done() -> Result {
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let mut csd = Record::csd(&gate)?;

        gate.open();
        for (sent, cpu) in two_cpus()?.both().into_iter().cycle().take(100).enumerate() {
            let in_flight = csd.send(cpu)?;
            in_flight.wait(&caller);
            require_eq!(csd.handler().calls_on(cpu), sent as u32 + 1);
        }
        Ok(())
    }

    #[test]
    fn a_csd_may_be_sent_from_an_interrupt() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;
        // So that the function there runs in an interrupt and not in the idle task.
        let mut sent = (false, Err(CallError::Busy));

        gate.open();
        for _ in 0..1000 {
            sent = caller.call(there, |_| {
                if in_hardirq() {
                    (true, csd.post(here))
                } else {
                    (false, Err(CallError::Busy))
                }
            })?;
            if sent.0 {
                break;
            }
        }
        csd.wait(&caller);

        check_eq!(sent, (true, Ok(())));
        check_eq!(csd.handler().calls_on(here), 1);
        Ok(())
    }

    #[test]
    fn a_csd_that_all_cpus_send_at_once_is_handled_as_often_as_it_was_accepted() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;
        let accepted = Atomic::<u32>::new(0);
        let failed = Atomic::<u32>::new(0);

        gate.open();
        for _ in 0..1000 {
            caller.call_all(|_| match csd.post(there) {
                Ok(()) => accepted.add(1, Relaxed),
                Err(CallError::Busy) => {}
                Err(_) => failed.add(1, Relaxed),
            });
            csd.wait(&caller);
        }

        check!(accepted.load(Relaxed) >= 1000);
        check_eq!(failed.load(Relaxed), 0);
        check_eq!(csd.handler().calls_on(there), accepted.load(Relaxed));
        Ok(())
    }

    /// Waits at a gate, and records where it is dropped.
    struct Held {
        gate: Arc<Gate>,
        _dropped: Dropped,
    }

    impl Handler for Held {
        fn handle(&self, _context: &CallContext) {
            self.gate.pass();
        }
    }

    impl Held {
        fn csd(gate: &Arc<Gate>, drops: &Arc<Drops>) -> Result<Csd<Self>> {
            let held = Self {
                gate: gate.clone(),
                _dropped: Dropped(drops.clone()),
            };
            Csd::new(held, GFP_KERNEL)
        }
    }

    #[test]
    fn a_drop_does_not_wait_and_a_worker_drops_the_handler_when_it_has_run() -> Result {
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let gate = Gate::new()?;
        let csd = Held::csd(&gate, &drops)?;

        csd.post(there)?;
        let runs = gate.is_reached();
        drop(csd);
        let early = drops.count();
        gate.open();

        check!(runs);
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        Ok(())
    }

    #[test]
    fn a_csd_that_is_queued_again_while_it_runs_is_dropped_after_both_runs() -> Result {
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let gate = Gate::new()?;
        let csd = Held::csd(&gate, &drops)?;

        csd.post(there)?;
        let runs = gate.is_reached();
        let again = csd.post(there);
        drop(csd);
        let early = drops.count();
        gate.open();

        check!(runs);
        check_eq!(again, Ok(()));
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        check_eq!(gate.passed(), 2);
        Ok(())
    }

    #[test]
    fn a_csd_that_is_not_in_flight_is_dropped_at_once() -> Result {
        let there = two_cpus()?.there;
        let drops = Drops::new()?;
        let gate = Gate::new()?;
        let csd = Held::csd(&gate, &drops)?;

        gate.open();
        csd.post(there)?;
        csd.wait(&Caller::new()?);
        drop(csd);

        check_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn a_csd_in_flight_may_be_dropped_in_an_interrupt() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let gate = Gate::new()?;

        let dropped = drop_in_interrupt(there, &caller, || {
            let csd = Held::csd(&gate, &drops)?;

            csd.post(there)?;
            Ok(csd)
        })?;
        let early = drops.count();
        gate.open();

        check!(dropped);
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn a_csd_for_an_offline_cpu_is_refused_and_can_be_sent_again() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;

        gate.open();
        let down = Down::new(there)?;
        let refused = csd.post(there);
        drop(down);
        let free = !csd.is_in_flight();
        let sent = csd.post(here);

        check_eq!(refused, Err(CallError::Offline));
        check!(free);
        check_eq!(sent, Ok(()));
        Ok(())
    }
}
