// SPDX-License-Identifier: GPL-2.0

//! Requests that are a part of what their owner has.

use super::fixture::{
    two_cpus,
    Delay,
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
    fn csd(gate: &Arc<Gate>) -> Result<Pin<KBox<Csd<Self>>>> {
        KBox::pin_init(
            Csd::new(Self {
                gate: gate.clone(),
                calls: Atomic::new(0),
                cpu: Atomic::new(u32::MAX),
            }),
            GFP_KERNEL,
        )
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

#[kunit_tests(rust_smp_csd)]
mod cases {
    use super::*;

    #[test]
    fn a_request_is_never_sent_twice_at_once() -> Result {
        let [here, there] = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;

        let first = csd.as_ref().post(there);
        let again = [csd.as_ref().post(there), csd.as_ref().post(here)];
        let in_flight = csd.is_in_flight();
        gate.open();
        csd.as_ref().wait(&caller);

        assert!(first == Ok(()));
        assert!(again == [Err(CallError::Busy), Err(CallError::Busy)]);
        assert!(in_flight);
        assert!(!csd.is_in_flight());
        assert_eq!(csd.handler().calls_on(there), 1);
        Ok(())
    }

    #[test]
    fn a_request_can_be_sent_again_when_it_is_done() -> Result {
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let mut csd = Record::csd(&gate)?;

        gate.open();
        for (sent, cpu) in two_cpus()?.into_iter().cycle().take(100).enumerate() {
            let in_flight = csd.as_mut().send(cpu)?;
            in_flight.wait(&caller);
            assert_eq!(csd.handler().calls_on(cpu), sent as u32 + 1);
        }
        Ok(())
    }

    #[test]
    fn a_request_may_be_sent_from_an_interrupt() -> Result {
        let [here, there] = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;
        // So that the function there runs in an interrupt and not in the idle task.
        let mut sent = (false, Err(CallError::Busy));

        gate.open();
        for _ in 0..1000 {
            sent = caller.call(there, |_| {
                if in_hardirq() {
                    (true, csd.as_ref().post(here))
                } else {
                    (false, Err(CallError::Busy))
                }
            })?;
            if sent.0 {
                break;
            }
        }
        csd.as_ref().wait(&caller);

        assert!(sent == (true, Ok(())));
        assert_eq!(csd.handler().calls_on(here), 1);
        Ok(())
    }

    #[test]
    fn a_request_that_all_cpus_send_at_once_is_handled_as_often_as_it_was_accepted() -> Result {
        let [_, there] = two_cpus()?;
        let caller = Caller::new()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;
        let accepted = Atomic::<u32>::new(0);
        let failed = Atomic::<u32>::new(0);

        gate.open();
        for _ in 0..1000 {
            caller.call_all(|_| match csd.as_ref().post(there) {
                Ok(()) => accepted.add(1, Relaxed),
                Err(CallError::Busy) => {}
                Err(_) => failed.add(1, Relaxed),
            });
            csd.as_ref().wait(&caller);
        }

        assert!(accepted.load(Relaxed) >= 1000);
        assert_eq!(failed.load(Relaxed), 0);
        assert_eq!(csd.handler().calls_on(there), accepted.load(Relaxed));
        Ok(())
    }

    #[test]
    fn to_drop_a_request_is_to_wait_for_it() -> Result {
        static DELAY: Delay = Delay::new();
        static CALLS: Atomic<u32> = Atomic::new(0);
        struct Slow;

        impl Handler for Slow {
            fn handle(&self, _context: &CallContext) {
                DELAY.last();
                CALLS.add(1, Relaxed);
            }
        }

        let [_, there] = two_cpus()?;
        let csd = KBox::pin_init(Csd::new(Slow), GFP_KERNEL)?;

        DELAY.begin();
        CALLS.store(0, Relaxed);
        csd.as_ref().post(there)?;
        drop(csd);
        let calls = CALLS.load(Relaxed);
        DELAY.end();
        assert_eq!(calls, 1);
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_HOTPLUG_CPU)]
    fn a_request_for_a_cpu_that_is_offline_is_refused_and_can_be_sent_again() -> Result {
        let [here, there] = two_cpus()?;
        let gate = Gate::new()?;
        let csd = Record::csd(&gate)?;

        gate.open();
        let down = super::super::fixture::Down::new(there)?;
        let refused = csd.as_ref().post(there);
        drop(down);
        let free = !csd.is_in_flight();
        let sent = csd.as_ref().post(here);

        assert!(refused == Err(CallError::Offline));
        assert!(free);
        assert!(sent == Ok(()));
        Ok(())
    }
}
