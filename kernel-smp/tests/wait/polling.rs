// SPDX-License-Identifier: GPL-2.0

//! Polling waits: synchronous calls with interrupts off, and from interrupts.

use crate::{
    csd::Kind,
    irq::{
        self,
        CanTakeIpi, //
    },
    pool,
    testpoint::Point,
    tests::support::{
        calls::{
            all_others,
            on_each,
            single_on,
            Callback, //
        },
        fixture::{
            flush_from_task,
            leak,
            locked_csd,
            push_here,
            with_interrupts_off, //
        },
        gate::Held,
        hrtimer::{
            Level,
            Timer, //
        },
        irq_work::Work,
        seen::{
            Context,
            Seen, //
        },
        step_in::step_in,
        tally::TALLY,
        thread::{
            Busy,
            Thread, //
        },
        warnings::warnings_of, //
    },
    wait::{
        self,
        DEPTH_MAX, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    lockdep,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        require,
        require_eq,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    }, //
};

/// Threads on some CPUs that call each other, all at once.
struct Party {
    go: Atomic<bool>,
    errors: Atomic<u32>,
    /// The number of CPUs that take part: the first online ones.
    size: u32,
    rounds: u32,
    round: fn(&Party, CpuId) -> c_int,
}

impl Party {
    fn take_part(&'static self) {
        let this_cpu = CpuId::current();

        let _ = becomes_true(|| self.go.load(Acquire));
        for _ in 0..self.rounds {
            if (self.round)(self, this_cpu) != 0 {
                self.errors.fetch_add(1, Full);
            }
        }
    }

    /// The member after `cpu`; after the last, the first.
    fn next_after(&self, cpu: CpuId) -> CpuId {
        let mut members = Cpumask::online().iter().take(self.size as usize);

        members
            .find(|member| member.as_u32() > cpu.as_u32())
            .or_else(|| Cpumask::online().next(None))
            .unwrap_or(cpu)
    }

    /// Runs the rounds. All threads must finish without an error.
    fn run(size: u32, rounds: u32, round: fn(&Party, CpuId) -> c_int) -> Result {
        let party = leak(Self {
            go: Atomic::new(false),
            errors: Atomic::new(0),
            size,
            rounds,
            round,
        })?;
        let mut threads = KVec::new();

        TALLY.clear();
        for cpu in Cpumask::online().iter().take(size as usize) {
            threads.push(Thread::start(cpu, Self::take_part, party)?, GFP_KERNEL)?;
        }
        party.go.store(true, Release);

        require!(threads.iter().all(Self::finishes));
        require_eq!(party.errors.load(Acquire), 0);
        Ok(())
    }

    /// Waits until `thread` is done, for as long as there are new calls meanwhile.
    fn finishes(thread: &Thread) -> bool {
        let mut calls = TALLY.sum();

        while !thread.finishes() {
            let more = TALLY.sum();

            if more == calls {
                return false;
            }
            calls = more;
        }
        true
    }
}

/// Whether each of the first `size` CPUs was called `count` times, and no other.
fn each_of(size: u32, count: u32) -> bool {
    let mut members = KVec::new();

    for cpu in Cpumask::online().iter().take(size as usize) {
        if members.push(cpu, GFP_KERNEL).is_err() {
            return false;
        }
    }
    TALLY.becomes(|cpu| if members.contains(&cpu) { count } else { 0 })
}

/// How many CPUs there are for a party of `size`.
fn available(size: u32) -> u32 {
    size.min(Cpumask::online().weight())
}

/// Whether a callback may make a synchronous call. The interrupted code may be the stopper, or hold
/// a lock.
fn may_wait() -> bool {
    !matches!(irq::can_take_ipi(|| true), CanTakeIpi::Never) && !lockdep::holds_spinning_lock()
}

/// A callback that calls the other CPU, which calls back, and so on.
struct Chain {
    cpus: [CpuId; 2],
    left: Atomic<u32>,
    /// How often it ended early, since a callback was not allowed to wait.
    broken: Atomic<u32>,
    failed: Atomic<bool>,
}

impl Chain {
    fn call_next(&'static self) {
        let left = self.left.load(Relaxed);

        if left == 0 {
            return;
        }
        if !may_wait() {
            self.broken.add(1, Relaxed);
            return;
        }
        self.left.store(left - 1, Relaxed);

        let [one, other] = self.cpus;
        let next = if CpuId::current() == one { other } else { one };
        if single_on(next, self, true) != 0 {
            self.failed.store(true, Relaxed);
        }
    }
}

impl Callback for Chain {
    fn call(&'static self) {
        self.call_next();
    }
}

/// A callback that makes a synchronous call to another CPU.
struct Nested {
    to: CpuId,
    seen: &'static Seen,
    context: Atomic<u32>,
    /// How often it called.
    calls: Atomic<u32>,
    done: Atomic<bool>,
}

impl Nested {
    fn new(to: CpuId) -> Result<&'static Self> {
        leak(Self {
            to,
            seen: Seen::new()?,
            context: Atomic::new(0),
            calls: Atomic::new(0),
            done: Atomic::new(false),
        })
    }
}

impl Callback for Nested {
    fn call(&'static self) {
        self.context.store(Context::current() as u32, Relaxed);
        if may_wait() {
            self.calls.add(1, Relaxed);
            single_on(self.to, self.seen, true);
        }
        self.done.store(true, Release);
    }
}

/// A callback that makes more asynchronous calls than its CPU has csds.
struct Burst {
    to: CpuId,
    over: Atomic<bool>,
}

impl Burst {
    fn calls(from: CpuId) -> u32 {
        pool::state::slots(from) + 3
    }
}

impl Callback for Burst {
    fn call(&'static self) {
        for _ in 0..Self::calls(CpuId::current()) {
            single_on(self.to, &TALLY, false);
        }
        self.over.store(true, Release);
    }
}

/// A callback that calls the next CPU, synchronously and asynchronously.
struct Spread {
    calls: Atomic<u32>,
}

static SPREAD: Spread = Spread {
    calls: Atomic::new(0),
};

impl Callback for Spread {
    fn call(&'static self) {
        let this_cpu = CpuId::current();
        let online = Cpumask::online();
        let next = online.next(Some(this_cpu)).or_else(|| online.next(None));

        if let Some(next) = next.filter(|_| may_wait()) {
            self.calls.fetch_add(2, Full);
            single_on(next, &TALLY, true);
            single_on(next, &TALLY, false);
        }
    }
}

/// A thread that queues IRQ work on a CPU, and then calls it.
struct Remote {
    to: CpuId,
    go: Atomic<bool>,
    call: &'static Seen,
    work: &'static Work<Seen>,
}

impl Remote {
    fn call(&'static self) {
        let _ = becomes_true(|| self.go.load(Acquire));
        self.work.queue_on(self.to);
        single_on(self.to, self.call, true);
    }
}

/// A callback that waits until its caller has run the csd of the thread.
struct Early {
    remote: &'static Remote,
    csd_ran: Atomic<bool>,
    work_ran: Atomic<bool>,
}

impl Callback for Early {
    fn call(&'static self) {
        let csd_ran = becomes_true(|| self.remote.call.runs() == 1);

        self.csd_ran.store(csd_ran, Release);
        self.work_ran
            .store(self.remote.work.callback().runs() != 0, Release);
    }
}

/// Threads that call a CPU with interrupts off, until they are stopped.
struct Callers {
    to: CpuId,
    enough: Atomic<bool>,
    sent: Atomic<u32>,
}

impl Callers {
    fn call(&'static self) {
        while !self.enough.load(Acquire) {
            if with_interrupts_off(|_| single_on(self.to, &TALLY, true)) == 0 {
                self.sent.fetch_add(1, Full);
            }
        }
    }
}

/// How often all CPUs call all.
fn rounds() -> u32 {
    // SAFETY: The parameter is not written after boot.
    unsafe { (&raw const bindings::smp_test_rounds).read() }
}

#[kunit_tests(smp_polling)]
mod cases {
    use super::*;

    #[test]
    fn two_cpus_can_call_each_other_with_interrupts_off() -> Result {
        const ROUNDS: u32 = 100_000;
        two_cpus()?;

        Party::run(2, ROUNDS, |party, cpu| {
            with_interrupts_off(|_| single_on(party.next_after(cpu), &TALLY, true))
        })?;
        check!(each_of(2, ROUNDS));
        Ok(())
    }

    #[test]
    fn four_cpus_can_call_around_a_ring_with_interrupts_off() -> Result {
        const ROUNDS: u32 = 100_000;
        two_cpus()?;

        Party::run(4, ROUNDS, |party, cpu| {
            with_interrupts_off(|_| single_on(party.next_after(cpu), &TALLY, true))
        })?;
        check!(each_of(available(4), ROUNDS));
        Ok(())
    }

    #[test]
    fn all_cpus_can_call_all_with_interrupts_off() -> Result {
        two_cpus()?;
        let size = Cpumask::online().weight();
        let rounds = rounds();

        Party::run(size, rounds, |_, _| {
            with_interrupts_off(|_| {
                all_others(&TALLY, true);
                on_each(Cpumask::online(), &TALLY, true);
            });
            0
        })?;
        check!(each_of(size, rounds * (2 * size - 1)));
        Ok(())
    }

    #[test]
    fn synchronous_and_asynchronous_calls_with_interrupts_off_and_on_mix() -> Result {
        const ROUNDS: u32 = 2_000;
        two_cpus()?;
        let size = Cpumask::online().weight();

        Party::run(size, ROUNDS, |party, cpu| {
            let next = party.next_after(cpu);

            with_interrupts_off(|_| single_on(next, &TALLY, true))
                | single_on(next, &TALLY, false)
                | single_on(next, &TALLY, true)
                | with_interrupts_off(|_| single_on(next, &TALLY, false))
        })?;
        check!(each_of(size, 4 * ROUNDS));
        Ok(())
    }

    #[test]
    fn callbacks_can_call_and_wait() -> Result {
        const ROUNDS: u32 = 1_000;
        two_cpus()?;
        let size = Cpumask::online().weight();

        // Each callback makes two calls to the next CPU, whose callbacks only count.
        SPREAD.calls.store(0, Relaxed);
        Party::run(size, ROUNDS, |party, cpu| {
            let next = party.next_after(cpu);

            single_on(next, &SPREAD, true) | with_interrupts_off(|_| single_on(next, &SPREAD, true))
        })?;

        let calls = SPREAD.calls.load(Acquire);
        check!(calls > 0);
        check!(becomes_true(|| TALLY.sum() == calls));
        Ok(())
    }

    #[test]
    fn interrupts_and_softirqs_can_call_and_wait() -> Result {
        let cpus = two_cpus()?;

        for (level, context) in [
            (Level::Hard, Context::HardIrq),
            (Level::Soft, Context::Other),
        ] {
            let nested = Nested::new(cpus.there)?;
            let timer = Timer::new(nested, level)?;

            for _ in 0..100 {
                require!(timer.run());
            }
            check!(nested.done.load(Acquire));
            check_eq!(nested.context.load(Relaxed), context as u32);
            check_eq!(nested.seen.runs(), nested.calls.load(Relaxed));
            check!(nested.seen.runs() > 0);
            check_eq!(nested.seen.cpu(), cpus.there.as_u32());
        }
        Ok(())
    }

    #[test]
    fn an_interrupt_between_push_and_ipi_can_call_the_same_cpu_and_wait() -> Result {
        let cpus = two_cpus()?;
        // A CPU that leaves the idle loop flushes its queue without an IPI.
        let busy = Busy::new(cpus.there)?;
        let nested = Nested::new(cpus.there)?;

        let work = Work::new(nested)?;
        let interrupt = leak(move || {
            work.queue_on(cpus.here);
        })?;
        TALLY.clear();
        let mut calls = 0;
        for _ in 0..100 {
            nested.done.store(false, Relaxed);
            let made = step_in(Point::Pushed, cpus.here, interrupt, || {
                check_eq!(single_on(cpus.there, &TALLY, true), 0);
            })?;

            require!(made.is_some());
            require!(becomes_true(|| nested.done.load(Acquire)));
            calls += made.unwrap_or(0);
        }
        let was_busy = busy.is_busy();
        drop(busy);
        check!(was_busy);
        check!(nested.seen.runs() > 0);
        check_eq!(nested.seen.runs(), nested.calls.load(Relaxed));
        check!(TALLY.is(|cpu| if cpu == cpus.there { calls } else { 0 }));
        Ok(())
    }

    #[test]
    fn an_interrupt_between_push_and_ipi_can_send_more_than_there_are_csds() -> Result {
        const TIMES: u32 = 20;
        let cpus = two_cpus()?;
        let third = cpus.third();
        let busy = Busy::new(cpus.there)?;
        let burst = leak(Burst {
            to: cpus.there,
            over: Atomic::new(false),
        })?;
        let work = Work::new(burst)?;
        let interrupt = leak(move || {
            burst.over.store(false, Relaxed);
            work.queue_on(cpus.here);
            let _ = becomes_true(|| burst.over.load(Acquire));
        })?;
        let mut calls = 0;

        TALLY.clear();
        for _ in 0..TIMES {
            // The fallback csd is behind a callback from now on, and all slots are free.
            let held = Held::new(third)?;
            let full = Held::new(cpus.there)?;
            for _ in 0..pool::state::slots(cpus.here) {
                require_eq!(single_on(cpus.there, &TALLY, false), 0);
            }
            require_eq!(single_on(third, &TALLY, false), 0);
            drop(full);
            require!(becomes_true(|| pool::state::in_use(cpus.here) == 1));

            let made = step_in(Point::Pushed, cpus.here, interrupt, || {
                check_eq!(single_on(cpus.there, &TALLY, false), 0);
            })?;
            require!(made.is_some());
            require!(burst.over.load(Acquire));
            require!(held.release());
            calls += made.unwrap_or(0);
        }
        let was_busy = busy.is_busy();
        drop(busy);

        check!(was_busy);
        let there = TIMES * (pool::state::slots(cpus.here) + Burst::calls(cpus.here)) + calls;
        check!(TALLY.becomes(|cpu| match cpu {
            _ if cpu == cpus.there => there,
            _ if cpu == third => TIMES,
            _ => 0,
        }));
        Ok(())
    }

    #[test]
    fn two_cpus_can_call_back_and_forth_as_deep_as_is_allowed() -> Result {
        let cpus = two_cpus()?;
        let chain = leak(Chain {
            cpus: [cpus.here, cpus.there],
            left: Atomic::new(0),
            broken: Atomic::new(0),
            failed: Atomic::new(false),
        })?;

        for _ in 0..100 {
            chain.left.store(2 * DEPTH_MAX, Relaxed);
            let broken = chain.broken.load(Relaxed);
            with_interrupts_off(|_| chain.call_next());
            require!(chain.left.load(Relaxed) == 0 || chain.broken.load(Relaxed) != broken);
        }
        check!(chain.broken.load(Relaxed) < 50);
        check!(!chain.failed.load(Relaxed));
        Ok(())
    }

    #[test]
    fn the_deepest_polling_wait_warns_only_about_csds_that_it_would_run() -> Result {
        const TRIES: u32 = 5;
        let cpus = two_cpus()?;
        let mut quiet = false;

        // Another CPU may call this one just then, which also warns.
        for _ in 0..TRIES {
            let seen = Seen::new()?;
            let own = locked_csd(seen, Kind::Async, cpus.here)?;
            let work = Work::new(seen)?.claim();
            let warnings = warnings_of(|| {
                with_interrupts_off(|irq| {
                    push_here(irq, own);
                    push_here(irq, work);
                    wait::state::poll_at(irq, DEPTH_MAX);
                });
            })?;

            flush_from_task();
            require_eq!(seen.runs(), 2);
            if warnings == 0 {
                quiet = true;
                break;
            }
        }
        check!(quiet);

        let seen = Seen::new()?;
        let sync = locked_csd(seen, Kind::Sync, cpus.here)?;
        let warnings = warnings_of(|| {
            with_interrupts_off(|irq| {
                push_here(irq, sync);
                wait::state::poll_at(irq, DEPTH_MAX);
            });
        })?;

        flush_from_task();
        check_eq!(warnings, 1);
        check_eq!(seen.runs(), 1);
        Ok(())
    }

    #[test]
    fn a_polling_wait_does_not_run_irq_work() -> Result {
        let cpus = two_cpus()?;
        let remote = leak(Remote {
            to: cpus.here,
            go: Atomic::new(false),
            call: Seen::new()?,
            work: Work::new(Seen::new()?)?,
        })?;
        let early = leak(Early {
            remote,
            csd_ran: Atomic::new(false),
            work_ran: Atomic::new(true),
        })?;

        let thread = Thread::start(cpus.third(), Remote::call, remote)?;
        let error = with_interrupts_off(|_| {
            remote.go.store(true, Release);
            single_on(cpus.there, early, true)
        });

        check!(thread.finishes());
        check_eq!(error, 0);
        check!(early.csd_ran.load(Acquire));
        check!(!early.work_ran.load(Acquire));
        check_eq!(remote.work.callback().runs_after(1), 1);
        check_eq!(remote.work.callback().cpu(), cpus.here.as_u32());
        check_eq!(remote.call.runs(), 1);
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_PROVE_LOCKING)]
    fn a_call_with_a_spinlock_held_is_reported() -> Result {
        use crate::tests::support::warnings::warnings_of;
        use kernel::sync::{
            new_mutex,
            new_spinlock, //
        };

        let cpus = two_cpus()?;
        let lock = KBox::pin_init(new_spinlock!(()), GFP_KERNEL)?;
        let mutex = KBox::pin_init(new_mutex!(()), GFP_KERNEL)?;
        let call = || {
            with_interrupts_off(|_| single_on(cpus.there, &TALLY, true));
        };

        let without = warnings_of(call)?;
        let with_mutex = warnings_of(|| {
            let _held = mutex.lock();
            call();
        })?;
        let with_spinlock = warnings_of(|| {
            let _held = lock.lock();
            call();
        })?;
        let on_interrupts = warnings_of(|| {
            let _held = lock.lock();
            single_on(cpus.there, &TALLY, true);
        })?;

        check_eq!(without, 0);
        check_eq!(with_mutex, 0);
        check_eq!(with_spinlock, 1);
        check_eq!(on_interrupts, 0);
        Ok(())
    }

    #[test]
    fn a_cpu_goes_offline_and_online_while_others_call_with_interrupts_off() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let callers = leak(Callers {
            to: cpus.there,
            enough: Atomic::new(false),
            sent: Atomic::new(0),
        })?;
        let mut threads = KVec::new();

        TALLY.clear();
        for cpu in [cpus.here, third] {
            threads.push(Thread::start(cpu, Callers::call, callers)?, GFP_KERNEL)?;
        }
        for _ in 0..10 {
            drop(Down::new(cpus.there)?);
        }
        callers.enough.store(true, Release);
        check!(threads.iter().all(Thread::finishes));
        let sent = callers.sent.load(Acquire);
        check!(sent > 0);
        check!(TALLY.becomes(|cpu| if cpu == cpus.there { sent } else { 0 }));
        Ok(())
    }
}
