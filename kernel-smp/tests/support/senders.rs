// SPDX-License-Identifier: GPL-2.0

//! Threads that make asynchronous calls, for the suites of the pool.

use super::{
    calls::{
        single_on,
        Callback, //
    },
    fixture::leak,
    gate::Held,
    tally::TALLY,
    thread::Thread, //
};
use crate::pool;
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        require,
        require_eq,
        two_cpus, //
    },
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

/// How many asynchronous calls `cpu` can have in flight before the next one waits.
pub(crate) fn bound(cpu: CpuId) -> u32 {
    pool::state::slots(cpu) + 1
}

/// A thread that makes asynchronous calls.
pub(crate) struct Sender {
    to: CpuId,
    calls: u32,
    returned: Atomic<u32>,
    errors: Atomic<u32>,
}

impl Sender {
    pub(crate) fn new(to: CpuId, calls: u32) -> Result<&'static Self> {
        leak(Self {
            to,
            calls,
            returned: Atomic::new(0),
            errors: Atomic::new(0),
        })
    }

    pub(crate) fn send(&'static self) {
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

/// Makes one call more than `bound` to a CPU that is in a callback. `bound` of them must return,
/// the last one must wait until the callback has returned, and all must run.
pub(crate) fn send_one_too_many(bound: u32) -> Result {
    let cpus = two_cpus()?;
    let from = cpus.third();
    let sender = Sender::new(cpus.there, bound + 1)?;

    TALLY.clear();
    let thread = Thread::prepare(from, Sender::send, sender)?;
    let held = Held::new(cpus.there)?;
    thread.go();
    let returned = becomes_true(|| sender.returned() == bound);
    let in_use = pool::state::in_use(from);
    // The wait of the next one cannot be observed; this gives it the time to return too early. No
    // sleep: the timekeeping CPU may be the one that is held.
    udelay(Delta::from_millis(2));
    let returned_while_held = sender.returned();
    let held_until_now = held.release();
    let finished = thread.finishes();

    check!(returned);
    check_eq!(in_use, bound as usize);
    check!(held_until_now);
    check_eq!(returned_while_held, bound);
    check!(finished);
    check_eq!(sender.errors.load(Relaxed), 0);
    check!(TALLY.becomes(|cpu| if cpu == cpus.there { bound + 1 } else { 0 }));
    check!(becomes_true(|| pool::state::in_use(from) == 0));
    Ok(())
}

/// A callback that does not return until its caller has made `more` calls to the same CPU.
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

    /// Makes the call, and then `more` calls.
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

/// Calls a CPU whose callback waits for the caller, as drivers of MTRRs and watchdogs do. Both must
/// finish.
pub(crate) fn meet(more: u32) -> Result {
    let cpus = two_cpus()?;
    let from = cpus.third();

    for _ in 0..20 {
        let rendezvous = Rendezvous::new(cpus.there, more)?;

        let thread = Thread::start(from, Rendezvous::call_and_meet, rendezvous)?;
        require!(thread.finishes());
        require!(becomes_true(|| rendezvous.met.load(Acquire)));
    }
    Ok(())
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

/// Gathers all CPUs by calls to one at a time. All must meet.
pub(crate) fn gather() -> Result {
    let cpus = two_cpus()?;

    for _ in 0..20 {
        let gathering = leak(Gathering {
            expected: Cpumask::online().weight(),
            inside: Atomic::new(0),
            all_met: Atomic::new(0),
        })?;

        for cpu in Cpumask::online().iter().filter(|cpu| *cpu != cpus.here) {
            require_eq!(single_on(cpu, gathering, false), 0);
        }
        require_eq!(single_on(cpus.here, gathering, false), 0);
        require!(becomes_true(
            || gathering.all_met.load(Acquire) == gathering.expected
        ));
    }
    Ok(())
}

/// How many calls each CPU sends at once.
pub(crate) const BURST: u32 = 1000;

/// Sends bursts from all CPUs to those for which `to` is true. Each call must run once.
pub(crate) fn send_bursts(to: fn(CpuId) -> bool) -> Result {
    two_cpus()?;
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
    let expected = BURST * Cpumask::online().weight();

    require!(threads.iter().all(Thread::finishes));
    check!(TALLY.becomes(|cpu| {
        if Cpumask::online().test(cpu) && to(cpu) {
            expected
        } else {
            0
        }
    }));
    for sender in &senders {
        check_eq!(sender.errors.load(Relaxed), 0);
    }
    for cpu in Cpumask::online() {
        require!(
            becomes_true(|| pool::state::in_use(cpu) == 0),
            "CPU {}",
            cpu.as_u32()
        );
    }
    Ok(())
}
