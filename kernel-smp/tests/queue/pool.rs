// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls, and the csds of the pool that they use.

use crate::{
    testpoint::Point,
    tests::support::{
        calls::single_on,
        fixture::{
            becomes_true,
            leak,
            pool_is_free,
            two_cpus,
            Cpus, //
        },
        gate::Held,
        senders::{
            bursts,
            gathers,
            meets,
            sends_and_waits,
            Sender,
            BOUND,
            BURST, //
        },
        step_in::step_in,
        tally::TALLY,
        thread::Thread, //
    }, //
};
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*, //
};

/// Makes a call, and more calls than there are csds between its lock and its push. Returns whether all
/// ran.
fn steps_in() -> Result<bool> {
    let Cpus { here, there } = two_cpus()?;
    let send_more = leak(move || {
        for _ in 0..BOUND + 2 {
            single_on(there, &TALLY, false);
        }
    })?;
    let mut fine = true;

    for _ in 0..20 {
        TALLY.clear();
        let mut sent = true;
        let Some(made) = step_in(Point::Locked, here, send_more, || {
            sent &= single_on(there, &TALLY, false) == 0;
        })?
        else {
            return Ok(false);
        };

        let ran = TALLY.becomes(|cpu| if cpu == there { made + BOUND + 2 } else { 0 });
        fine &= sent && ran;
        fine &= pool_is_free();
    }
    Ok(fine)
}

#[kunit_tests(smp_pool)]
mod cases {
    use super::*;

    #[test]
    fn as_many_calls_as_there_are_csds_return_and_the_next_one_waits() -> Result {
        assert!(sends_and_waits(BOUND)?);
        Ok(())
    }

    #[test]
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    fn calls_behind_a_callback_cost_one_ipi() -> Result {
        use crate::tests::support::{
            events::Events,
            probe::Probe,
            seen::Seen,
            thread::Busy, //
        };

        struct Crowd {
            to: CpuId,
            seen: &'static Seen,
        }

        let cpus = two_cpus()?;
        let third = cpus.third()?;
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
                for _ in 0..BOUND {
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

        assert!(returned && held_until_now);
        assert!(becomes_true(|| crowd.seen.runs() == BOUND));
        assert_eq!(events.csds(), BOUND as usize);
        assert_eq!(ipis, 1);
        Ok(())
    }

    #[test]
    fn a_callback_can_wait_until_its_caller_has_used_all_csds() -> Result {
        assert!(meets(BOUND)?);
        Ok(())
    }

    #[test]
    fn all_cpus_can_be_gathered_by_calls_to_one_at_a_time() -> Result {
        assert!(gathers()?);
        Ok(())
    }

    #[test]
    fn bursts_to_one_cpu_all_run() -> Result {
        assert!(bursts(|cpu| Cpumask::online().next(None) == Some(cpu))?);
        Ok(())
    }

    #[test]
    fn bursts_to_all_cpus_all_run() -> Result {
        assert!(bursts(|_| true)?);
        Ok(())
    }

    #[test]
    fn calls_made_between_the_lock_and_the_push_of_a_slot_all_run() -> Result {
        assert!(steps_in()?);
        Ok(())
    }

    #[test]
    fn calls_of_a_task_that_moves_from_cpu_to_cpu_all_run() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third()?;
        let sender = Sender::new(cpus.here, 4 * BURST)?;
        let mut fine = true;

        TALLY.clear();
        let thread = Thread::start(third, Sender::send, sender)?;
        while !thread.is_done() {
            fine &= thread.move_to(cpus.there).is_ok();
            fine &= thread.move_to(third).is_ok();
        }
        assert!(fine && thread.finishes());
        assert!(TALLY.becomes(|cpu| if cpu == cpus.here { 4 * BURST } else { 0 }));
        Ok(())
    }
}
