// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls with a csd of the caller.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    tests::support::{
        calls::{
            queue,
            single_async,
            Callback, //
        },
        fixture::{
            csd_for,
            invalid_cpus,
            leak,
            locked_csd,
            preempt_count,
            with_interrupts_off, //
        },
        gate::Held,
        seen::{
            Context,
            Seen, //
        },
        tally::TALLY, //
    }, //
};
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        interrupts_are_off,
        require,
        require_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// A csd that goes from CPU to CPU, sent by its own callback.
struct Ring {
    csd: Atomic<*mut c_void>,
    /// How often it will still be sent.
    left: Atomic<u32>,
    /// The first error there was.
    error: Atomic<c_int>,
    /// Whether it goes to the next CPU, or stays where it is.
    moves: bool,
}

impl Ring {
    fn new(rounds: u32, moves: bool) -> Result<(&'static Self, Csd)> {
        let ring = leak(Self {
            csd: Atomic::new(core::ptr::null_mut()),
            left: Atomic::new(rounds),
            error: Atomic::new(0),
            moves,
        })?;
        let csd = csd_for(ring)?;

        ring.csd.store(csd.as_ptr().cast(), Relaxed);
        Ok((ring, csd))
    }

    /// Waits until the last callback has run. Returns the first error.
    fn result(&self) -> c_int {
        let error = || self.error.load(Acquire);

        if becomes_true(|| self.left.load(Acquire) == 0 || error() != 0) {
            error()
        } else {
            ETIMEDOUT.to_errno()
        }
    }
}

impl Callback for Ring {
    fn call(&'static self) {
        TALLY.call();

        let this_cpu = CpuId::current();
        let online = Cpumask::online();
        let next = if self.moves {
            online.next(Some(this_cpu)).or_else(|| online.next(None))
        } else {
            Some(this_cpu)
        };

        // There is one csd, so only one callback at a time counts.
        let left = self.left.load(Relaxed).saturating_sub(1);
        if left != 0 {
            // SAFETY: The csd is never freed.
            let csd = unsafe { Csd::from_raw(self.csd.load(Relaxed).cast()) };

            // ORDERING: The count comes before the callback on the next CPU, by the push.
            self.left.store(left, Relaxed);
            let error = single_async(next.map_or(-1, i32::from), csd);
            if error != 0 {
                let _ = self.error.cmpxchg(0, error, Full);
            }
        } else {
            // ORDERING: Pairs with the load in `result()`: all counts of the tally are seen.
            self.left.xchg(0, Full);
        }
    }
}

#[kunit_tests(smp_async_csd)]
mod cases {
    use super::*;

    #[test]
    fn a_csd_runs_once_on_its_cpu() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        check_eq!(single_async(i32::from(cpus.there), csd), 0);
        check_eq!(seen.runs_after(1), 1);
        check_eq!(seen.cpu(), cpus.there.as_u32());
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn a_csd_for_the_own_cpu_has_run_when_the_call_returns() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        check_eq!(single_async(i32::from(cpus.here), csd), 0);
        check!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn invalid_cpu_numbers_are_refused_and_the_csd_works_right_after() -> Result {
        let cpus = two_cpus()?;

        for number in invalid_cpus() {
            let seen = Seen::new()?;
            let csd = csd_for(seen)?;

            require_eq!(single_async(number, csd), ENXIO.to_errno());
            require!(!csd.is_locked());
            require_eq!(seen.runs(), 0);

            require_eq!(single_async(i32::from(cpus.there), csd), 0);
            require_eq!(seen.runs_after(1), 1);
        }
        Ok(())
    }

    #[test]
    fn a_csd_that_is_queued_is_busy_for_every_cpu() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        let held = Held::new(cpus.there)?;
        let sent = single_async(i32::from(cpus.there), csd);
        for number in [i32::from(cpus.there), i32::from(cpus.here), -1, i32::MAX] {
            check_eq!(single_async(number, csd), EBUSY.to_errno());
            check!(csd.is_locked());
        }
        let runs_while_held = seen.runs();
        let held_until_now = held.release();

        check!(held_until_now);
        check_eq!(sent, 0);
        check_eq!(runs_while_held, 0);
        check_eq!(seen.runs_after(1), 1);
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn a_csd_can_be_sent_again_as_soon_as_its_callback_runs() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        for n in 1..=200 {
            require_eq!(single_async(i32::from(cpus.there), csd), 0);
            require_eq!(seen.runs_after(n), n);
        }
        Ok(())
    }

    #[test]
    fn a_csd_can_be_sent_with_interrupts_off() -> Result {
        let cpus = two_cpus()?;

        for cpu in [cpus.there, cpus.here] {
            let seen = Seen::new()?;
            let csd = csd_for(seen)?;

            let (sent, still_off) =
                with_interrupts_off(|_| (single_async(i32::from(cpu), csd), interrupts_are_off()));

            require_eq!(sent, 0);
            require!(still_off);
            require_eq!(seen.runs_after(1), 1);
            require_eq!(seen.cpu(), cpu.as_u32());
        }
        Ok(())
    }

    #[test]
    fn a_csd_sent_by_its_own_callback_goes_round_all_cpus() -> Result {
        const ROUNDS: u32 = 50;
        two_cpus()?;
        let online = Cpumask::online();
        let (ring, csd) = Ring::new(ROUNDS * online.weight(), true)?;

        TALLY.clear();
        check_eq!(
            single_async(online.next(None).map_or(-1, i32::from), csd),
            0
        );
        check_eq!(ring.result(), 0);
        check!(TALLY.is(|cpu| if online.test(cpu) { ROUNDS } else { 0 }));
        Ok(())
    }

    #[test]
    fn several_csds_go_round_all_cpus_at_once() -> Result {
        const ROUNDS: u32 = 50;
        two_cpus()?;
        let online = Cpumask::online();
        let rings = [
            Ring::new(ROUNDS * online.weight(), true)?,
            Ring::new(ROUNDS * online.weight(), true)?,
            Ring::new(ROUNDS * online.weight(), true)?,
        ];

        TALLY.clear();
        for (start, (_, csd)) in online.iter().zip(&rings) {
            require_eq!(single_async(i32::from(start), *csd), 0);
        }
        let started = online.iter().zip(&rings).count() as u32;
        for (ring, _) in rings.iter().take(started as usize) {
            require_eq!(ring.result(), 0);
        }
        check!(TALLY.is(|cpu| if online.test(cpu) {
            started * ROUNDS
        } else {
            0
        }));
        Ok(())
    }

    #[test]
    fn a_callback_can_send_its_csd_to_its_own_cpu() -> Result {
        let cpus = two_cpus()?;
        let (ring, csd) = Ring::new(4, false)?;

        TALLY.clear();
        check_eq!(single_async(i32::from(cpus.there), csd), 0);
        check_eq!(ring.result(), 0);
        check!(TALLY.is(|cpu| if cpu == cpus.there { 4 } else { 0 }));
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn an_entry_that_is_queued_directly_runs() -> Result {
        let cpus = two_cpus()?;

        for kind in [Kind::Async, Kind::Sync] {
            let seen = Seen::new()?;
            let csd = locked_csd(seen, kind, cpus.there)?;

            queue(cpus.there, csd);
            require_eq!(seen.runs_after(1), 1);
            require!(becomes_true(|| !csd.is_locked()));
            require_eq!(seen.cpu(), cpus.there.as_u32());
        }
        Ok(())
    }

    #[test]
    fn a_call_leaves_interrupts_and_preemption_as_they_were() -> Result {
        let cpus = two_cpus()?;
        let csd = csd_for(Seen::new()?)?;
        let before = preempt_count();

        for number in [i32::from(cpus.here), -1, i32::from(cpus.there)] {
            single_async(number, csd);
            require!(!interrupts_are_off());
            require_eq!(preempt_count(), before);
        }
        check!(becomes_true(|| !csd.is_locked()));
        Ok(())
    }
}
