// SPDX-License-Identifier: GPL-2.0

//! Calls that nobody waits for, and where they live.

use super::{
    calls::{
        single_on,
        Callback, //
    },
    fixture::{
        becomes_true,
        leak,
        pool_is_free,
        two_cpus,
        Cpus, //
    },
    gate::Held,
    step_in::step_in,
    tally::TALLY,
    thread::Thread, //
};
use crate::{
    pool::{
        self,
        SLOTS, //
    },
    testpoint::Point, //
};
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

/// How many calls can be under way without a wait.
const BOUND: u32 = SLOTS as u32 + 1;

/// A thread that sends calls that it does not wait for.
struct Sender {
    to: CpuId,
    calls: u32,
    returned: Atomic<u32>,
    errors: Atomic<u32>,
}

impl Sender {
    fn new(to: CpuId, calls: u32) -> Result<&'static Self> {
        leak(Self {
            to,
            calls,
            returned: Atomic::new(0),
            errors: Atomic::new(0),
        })
    }

    fn send(&'static self) {
        for _ in 0..self.calls {
            if single_on(self.to, &TALLY, false) != 0 {
                self.errors.fetch_add(1, Full);
            }
            self.returned.fetch_add(1, Full);
        }
    }

    fn returned(&self) -> u32 {
        self.returned.load(Acquire)
    }
}

/// Sends one call more than `bound` to a CPU that is in a callback. Returns whether `bound` of them
/// returned, the last one waited until the callback was over, and all ran.
fn sends_and_waits(bound: u32) -> Result<bool> {
    let cpus = two_cpus()?;
    let from = cpus.third()?;
    let sender = Sender::new(cpus.there, bound + 1)?;

    TALLY.clear();
    let thread = Thread::prepare(from, Sender::send, sender)?;
    let held = Held::new(cpus.there)?;
    thread.go();
    let returned = becomes_true(|| sender.returned() == bound);
    let in_use = pool::state::in_use(from);
    // The next one cannot be seen to wait; this gives it the time to go wrong. No sleep: the CPU
    // that keeps the time may be the one that is held.
    udelay(Delta::from_millis(2));
    let waits = sender.returned() == bound && held.holds();
    drop(held);
    let finished = thread.finishes();
    let ran = TALLY.becomes(|cpu| if cpu == cpus.there { bound + 1 } else { 0 });
    let free = becomes_true(|| pool::state::in_use(from) == 0);

    if in_use != bound as usize {
        pr_err!("{} csds in use, not {}\n", in_use, bound);
    }
    Ok(returned
        && waits
        && finished
        && ran
        && free
        && in_use == bound as usize
        && sender.errors.load(Relaxed) == 0)
}

/// A callback that does not return until its caller has sent some more calls to the same CPU.
struct Rendezvous {
    to: CpuId,
    more: u32,
    sent: Atomic<u32>,
    met: Atomic<bool>,
}

impl Rendezvous {
    fn new(to: CpuId, more: u32) -> Result<&'static Self> {
        leak(Self {
            to,
            more,
            sent: Atomic::new(0),
            met: Atomic::new(false),
        })
    }

    /// The caller: sends the callback, and then more.
    fn call_and_meet(&'static self) {
        single_on(self.to, self, false);
        for _ in 0..self.more {
            single_on(self.to, &TALLY, false);
            self.sent.fetch_add(1, Full);
        }
    }
}

impl Callback for Rendezvous {
    fn call(&'static self) {
        let met = becomes_true(|| self.sent.load(Acquire) == self.more);

        self.met.store(met, Release);
    }
}

/// Calls a CPU that waits for the caller, as drivers of MTRRs and watchdogs do. Returns whether
/// both came to their end.
fn meets(more: u32) -> Result<bool> {
    let cpus = two_cpus()?;
    let from = cpus.third()?;
    let mut fine = true;

    for _ in 0..20 {
        let rendezvous = Rendezvous::new(cpus.there, more)?;

        let thread = Thread::start(from, Rendezvous::call_and_meet, rendezvous)?;
        fine &= thread.finishes();
        fine &= becomes_true(|| rendezvous.met.load(Acquire));
    }
    Ok(fine)
}

/// A callback that waits until all CPUs that were called are in it.
struct Gathering {
    expected: u32,
    inside: Atomic<u32>,
    all_met: Atomic<u32>,
}

impl Callback for Gathering {
    fn call(&'static self) {
        self.inside.fetch_add(1, Full);
        if becomes_true(|| self.inside.load(Acquire) == self.expected) {
            self.all_met.fetch_add(1, Full);
        }
    }
}

/// Gathers all CPUs by calls to one at a time. Returns whether all met.
fn gathers() -> Result<bool> {
    let cpus = two_cpus()?;
    let mut fine = true;

    for _ in 0..20 {
        let gathering = leak(Gathering {
            expected: Cpumask::online().weight(),
            inside: Atomic::new(0),
            all_met: Atomic::new(0),
        })?;

        for cpu in Cpumask::online().iter().filter(|cpu| *cpu != cpus.here) {
            fine &= single_on(cpu, gathering, false) == 0;
        }
        fine &= single_on(cpus.here, gathering, false) == 0;
        fine &= becomes_true(|| gathering.all_met.load(Acquire) == gathering.expected);
    }
    Ok(fine)
}

/// How many calls each CPU sends at once.
const BURST: u32 = 1000;

/// Sends bursts from all CPUs to those that `to` names. Returns whether each call ran once.
fn bursts(to: fn(CpuId) -> bool) -> Result<bool> {
    let cpus = two_cpus()?;
    let mut threads = KVec::new();
    let mut senders = KVec::new();

    TALLY.clear();
    for from in Cpumask::online() {
        for cpu in Cpumask::online().iter().filter(|cpu| to(*cpu)) {
            senders.push(Sender::new(cpu, BURST)?, GFP_KERNEL)?;
            let sender = *senders.last().ok_or(EINVAL)?;
            threads.push(Thread::start(from, Sender::send, sender)?, GFP_KERNEL)?;
        }
    }
    let finished = threads.iter().all(Thread::finishes);
    let expected = BURST * Cpumask::online().weight();
    let ran = TALLY.becomes(|cpu| {
        if Cpumask::online().test(cpu) && to(cpu) {
            expected
        } else {
            0
        }
    });
    let free = Cpumask::online()
        .iter()
        .all(|cpu| becomes_true(|| pool::state::in_use(cpu) == 0));

    drop(cpus);
    Ok(finished
        && ran
        && free
        && senders
            .iter()
            .all(|sender| sender.errors.load(Relaxed) == 0))
}

/// Sends a call, and more than there are csds between its claim and its push. Returns whether all ran.
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
        use super::super::{
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
        // A CPU on its way into the idle loop needs no IPI.
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
        // What was seen so far comes from the probe itself, and fills the list.
        events.clear();
        thread.go();
        let returned = thread.finishes();
        // The first request in the queue may be somebody else's, with an IPI to several CPUs.
        let ipis = events.ipis_reaching(cpus.there);
        let held_until_now = held.release();
        drop(probe);

        assert!(returned && held_until_now);
        assert!(becomes_true(|| crowd.seen.runs() == BOUND));
        assert_eq!(events.requests(), BOUND as usize);
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
    fn more_calls_from_between_the_claim_and_the_push_all_run() -> Result {
        assert!(steps_in()?);
        Ok(())
    }

    #[test]
    fn calls_of_a_sender_that_moves_from_cpu_to_cpu_all_run() -> Result {
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

#[cfg(CONFIG_SMP_RUST_FAULT)]
#[kunit_tests(smp_pool_empty)]
mod empty {
    use super::{
        super::{
            down::Down,
            faults::{
                Fault,
                DELAY,
                NO_FREE_SLOT, //
            }, //
        },
        *, //
    };

    #[test]
    fn one_call_returns_and_the_next_one_waits() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = sends_and_waits(1);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn a_callback_can_wait_until_its_caller_has_used_the_fallback_csd() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = meets(1);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn all_cpus_can_be_gathered_by_calls_to_one_at_a_time() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = gathers();
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn bursts_to_one_cpu_all_run() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = bursts(|cpu| Cpumask::online().next(None) == Some(cpu));
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn bursts_to_all_cpus_all_run() -> Result {
        let fault = Fault::always(NO_FREE_SLOT);
        let fine = bursts(|_| true);
        drop(fault);

        assert!(fine?);
        Ok(())
    }

    #[test]
    fn a_cpu_goes_down_and_comes_back_while_ipis_are_late() -> Result {
        let cpus = two_cpus()?;
        let mut fine = true;

        // On its way down a CPU sends two calls that it does not wait for.
        let faults = [Fault::always(NO_FREE_SLOT), Fault::always(DELAY)];
        for _ in 0..5 {
            let down = Down::new(cpus.there)?;
            fine &= pool::state::in_use(cpus.there) == 0;
            drop(down);
        }
        drop(faults);

        assert!(fine);
        Ok(())
    }
}
