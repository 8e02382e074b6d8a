// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls, and the csds of the pool that they use.

use crate::{
    testpoint::Point,
    tests::support::{
        calls::single_on,
        fixture::{
            leak,
            pool_is_free, //
        },
        senders::{
            bound,
            gather,
            meet,
            send_bursts,
            send_one_too_many,
            Sender,
            BURST, //
        },
        step_in::step_in,
        tally::TALLY,
        thread::Thread, //
    }, //
};
use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        require,
        two_cpus,
        Cpus, //
    }, //
};

/// Makes a call, and more calls than there are csds between its lock and its push. All must run.
fn step_in_before_push() -> Result {
    let Cpus { here, there } = two_cpus()?;
    let send_more = leak(move || {
        for _ in 0..bound(here) + 2 {
            single_on(there, &TALLY, false);
        }
    })?;

    for _ in 0..20 {
        TALLY.clear();
        let made = step_in(Point::Locked, here, send_more, || {
            check_eq!(single_on(there, &TALLY, false), 0);
        })?;

        require!(made.is_some());
        let runs = made.unwrap_or(0) + bound(here) + 2;
        require!(TALLY.becomes(|cpu| if cpu == there { runs } else { 0 }));
        require!(pool_is_free());
    }
    Ok(())
}

#[kunit_tests(smp_pool)]
mod cases {
    use super::*;

    #[test]
    fn as_many_calls_as_there_are_csds_return_and_the_next_one_waits() -> Result {
        send_one_too_many(bound(two_cpus()?.third()))
    }

    #[test]
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    fn calls_behind_a_callback_cost_one_ipi() -> Result {
        use crate::tests::support::{
            events::Events,
            gate::Held,
            probe::Probe,
            seen::Seen,
            thread::Busy, //
        };
        use kernel::cpu::CpuId;

        struct Crowd {
            to: CpuId,
            seen: &'static Seen,
        }

        let cpus = two_cpus()?;
        let third = cpus.third();
        let crowd = leak(Crowd {
            to: cpus.there,
            seen: Seen::new()?,
        })?;
        let events = Events::new()?;

        let probe = Probe::of_sending(events)?;
        // A CPU that is about to enter the idle loop needs no IPI.
        let _busy = Busy::new(cpus.there)?;
        let thread = Thread::prepare(
            third,
            |crowd: &'static Crowd| {
                for _ in 0..bound(CpuId::current()) {
                    single_on(crowd.to, crowd.seen, false);
                }
            },
            crowd,
        )?;
        let held = Held::new(cpus.there)?;
        // Registering the probe has filled the list.
        events.clear();
        thread.go();
        let returned = thread.finishes();
        // The first csd in the queue may be one of the kernel itself, with an IPI to several CPUs.
        let ipis = events.ipis_reaching(cpus.there);
        let held_until_now = held.release();
        drop(probe);

        check!(returned);
        check!(held_until_now);
        check_eq!(crowd.seen.runs_after(bound(third)), bound(third));
        check_eq!(events.csds(), bound(third) as usize);
        check_eq!(ipis, 1);
        Ok(())
    }

    #[test]
    fn a_callback_can_wait_until_its_caller_has_used_all_csds() -> Result {
        meet(bound(two_cpus()?.third()))
    }

    #[test]
    fn all_cpus_can_be_gathered_by_calls_to_one_at_a_time() -> Result {
        gather()
    }

    #[test]
    fn bursts_to_one_cpu_all_run() -> Result {
        send_bursts(|cpu| Cpumask::online().next(None) == Some(cpu))
    }

    #[test]
    fn bursts_to_all_cpus_all_run() -> Result {
        send_bursts(|_| true)
    }

    #[test]
    fn calls_made_between_the_lock_and_the_push_of_a_slot_all_run() -> Result {
        step_in_before_push()
    }

    #[test]
    fn calls_of_a_task_that_moves_from_cpu_to_cpu_all_run() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let sender = Sender::new(cpus.here, 4 * BURST)?;

        TALLY.clear();
        let thread = Thread::start(third, Sender::send, sender)?;
        while !thread.is_done() {
            require!(thread.move_to(cpus.there).is_ok());
            require!(thread.move_to(third).is_ok());
        }
        check!(thread.finishes());
        check!(TALLY.becomes(|cpu| if cpu == cpus.here { 4 * BURST } else { 0 }));
        Ok(())
    }
}
