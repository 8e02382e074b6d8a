// SPDX-License-Identifier: GPL-2.0

//! Grace periods that must not end in a polling wait.
//!
//! Code with interrupts off is an RCU reader. An expedited grace period calls `rcu_exp_handler()`
//! on each CPU, which takes a CPU for no reader if preemption is on in the interrupted code. A CPU
//! that runs it in a polling wait has interrupts off, and is a reader.

use crate::{
    irq,
    tests::support::{
        calls::{
            single_on,
            Callback, //
        },
        fixture::{
            leak,
            with_interrupts_off, //
        },
        hrtimer::{
            Level,
            Timer, //
        },
        probe::{
            Functions,
            Probe, //
        },
        thread::{
            Busy,
            Thread, //
        }, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    helpers,
    preempt,
    prelude::*,
    smp::testing::{
        becomes_true,
        check_eq,
        skip,
        two_cpus,
        Cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

/// The number of rounds of a test.
const ROUNDS: u32 = 10;

/// Where a reader has interrupts off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a task.
    Task,
    /// In a hard interrupt over a task.
    OverTask,
    /// In a hard interrupt over the idle task.
    OverIdle,
}

impl Place {
    /// Whether the caller is at this place. A reader has interrupts off.
    fn is_here(self) -> bool {
        // SAFETY: There is always a current task, and its number does not change.
        let is_idle = unsafe { (*helpers::percpu::get_current()).pid } == 0;

        match self {
            Self::Task => !irq::in_interrupt() && !is_idle,
            Self::OverTask => preempt::in_hardirq() && !is_idle,
            Self::OverIdle => preempt::in_hardirq() && is_idle,
        }
    }
}

/// The address of `rcu_exp_handler()`, which an expedited grace period calls on each CPU; 0 if it
/// is not known.
fn handler() -> usize {
    // SAFETY: The name is a string of C.
    unsafe { bindings::kallsyms_lookup_name(c"rcu_exp_handler".as_char_ptr()) as usize }
}

/// Waits for an expedited grace period.
fn synchronize_rcu_expedited() {
    // SAFETY: The test is a task that may sleep.
    unsafe { bindings::synchronize_rcu_expedited() };
}

/// Waits for `condition`, but so shortly that a CPU can have interrupts off meanwhile. If it does
/// not become true, the round does not count.
fn soon(looks: u32, condition: impl Fn() -> bool) -> bool {
    (0..looks).any(|_| {
        udelay(Delta::from_micros(10));
        condition()
    })
}

/// A reader that calls a CPU and waits, and a grace period that begins meanwhile.
struct Round {
    place: Place,
    handler: usize,
    reader: CpuId,
    target: CpuId,
    /// The reader is in its call, or not at its place.
    began: Atomic<bool>,
    reading: Atomic<bool>,
    waiting: Atomic<bool>,
    /// The reader ran `rcu_exp_handler()` in its wait.
    handled: Atomic<bool>,
    /// The grace period has ended.
    ended: Atomic<bool>,
    /// The grace period ended before the reader did.
    early: Atomic<bool>,
    done: Atomic<bool>,
}

impl Round {
    fn new(cpus: &Cpus, target: CpuId, place: Place, handler: usize) -> Result<&'static Self> {
        leak(Self {
            place,
            handler,
            reader: cpus.there,
            target,
            began: Atomic::new(false),
            reading: Atomic::new(false),
            waiting: Atomic::new(false),
            handled: Atomic::new(false),
            ended: Atomic::new(false),
            early: Atomic::new(false),
            done: Atomic::new(false),
        })
    }

    /// Is a reader while the grace period must not end. Interrupts are off.
    fn read(&'static self) {
        if self.place.is_here() {
            self.reading.store(true, Relaxed);
            self.waiting.store(true, Release);
            single_on(self.target, self, true);
            self.waiting.store(false, Release);

            // No other CPU is a reader any more.
            let early = soon(2_000, || self.ended.load(Acquire));
            self.early.store(early, Relaxed);
        }
        self.done.store(true, Release);
        self.began.store(true, Release);
    }

    fn read_in_task(&'static self) {
        with_interrupts_off(|_| self.read());
    }

    fn read_over_task(timer: &'static Timer<Reading>) {
        let _ = timer.run();
    }

    fn read_over_idle(timer: &'static Timer<Reading>) {
        timer.start(Delta::from_millis(3));
    }

    /// Returns whether the grace period ended too early; [`None`] if the reader did not run
    /// `rcu_exp_handler()` while it waited.
    ///
    /// The CPU of the caller is neither the reader's nor the target.
    fn run(&'static self) -> Result<Option<bool>> {
        let reading = leak(Reading(self))?;
        let timer = Timer::new(reading, Level::Hard)?;
        let _busy = Busy::new(self.target)?;

        // Grace periods are begun by a task, which stays on its CPU while that looks idle. A CPU
        // with an interrupt over its idle task does.
        let elsewhere = Busy::new(self.reader)?;
        synchronize_rcu_expedited();
        drop(elsewhere);

        let thread = match self.place {
            Place::Task => Thread::start(self.reader, Self::read_in_task, self),
            Place::OverTask => Thread::start(self.reader, Self::read_over_task, timer),
            Place::OverIdle => Thread::start(self.reader, Self::read_over_idle, timer),
        }?;

        if self.place == Place::OverIdle {
            drop(thread);
            self.grace_period()?;
        } else {
            self.grace_period()?;
            drop(thread);
        }

        let counts = self.reading.load(Relaxed) && self.handled.load(Acquire);
        Ok(counts.then(|| self.early.load(Relaxed)))
    }

    fn grace_period(&self) -> Result {
        if !becomes_true(|| self.began.load(Acquire)) {
            return Err(ETIMEDOUT);
        }
        synchronize_rcu_expedited();
        self.ended.store(true, Release);

        if becomes_true(|| self.done.load(Acquire)) {
            Ok(())
        } else {
            Err(ETIMEDOUT)
        }
    }
}

impl Callback for Round {
    /// Holds the target, and so the reader, until the reader has run `rcu_exp_handler()`.
    fn call(&'static self) {
        self.began.store(true, Release);
        let _ = soon(20_000, || self.handled.load(Acquire));
    }
}

impl Functions for Round {
    fn entry(&'static self, func: usize, _csd: usize) {
        if func == self.handler && CpuId::current() == self.reader && self.waiting.load(Acquire) {
            self.handled.store(true, Release);
        }
    }

    fn exit(&'static self, _func: usize, _csd: usize) {}
}

/// The callback of the timer.
struct Reading(&'static Round);

impl Callback for Reading {
    fn call(&'static self) {
        self.0.read();
    }
}

/// Runs rounds until `ROUNDS` of them count. Returns how many did, and in how many of these the
/// grace period ended too early.
fn rounds(place: Place) -> Result<(u32, u32)> {
    let cpus = two_cpus()?;
    let target = cpus.third();
    let handler = handler();
    let mut counted = 0;
    let mut early = 0;

    // SAFETY: The variable is an `int` of C, which is not written here.
    if unsafe { (&raw const bindings::rcu_normal).read_volatile() } != 0 {
        skip("needs expedited grace periods");
    }
    if handler == 0 {
        skip("needs the address of rcu_exp_handler()");
    }
    for _ in 0..10 * ROUNDS {
        let round = Round::new(&cpus, target, place, handler)?;
        let probe = Probe::of_functions(round)?;

        if let Some(is_early) = round.run()? {
            counted += 1;
            early += u32::from(is_early);
        }
        drop(probe);
        if counted == ROUNDS {
            break;
        }
    }
    if (counted, early) != (ROUNDS, 0) {
        pr_err!("too early in {early} of {counted} rounds; {ROUNDS} are needed\n");
    }
    Ok((counted, early))
}

#[kunit_tests(smp_readers)]
mod cases {
    use super::*;

    #[test]
    fn a_grace_period_does_not_end_in_the_polling_wait_of_a_task() -> Result {
        check_eq!(rounds(Place::Task)?, (ROUNDS, 0));
        Ok(())
    }

    #[test]
    fn a_grace_period_does_not_end_in_the_polling_wait_of_an_interrupt() -> Result {
        check_eq!(rounds(Place::OverTask)?, (ROUNDS, 0));
        Ok(())
    }

    #[test]
    fn a_grace_period_does_not_end_in_the_polling_wait_of_an_interrupt_over_idle() -> Result {
        check_eq!(rounds(Place::OverIdle)?, (ROUNDS, 0));
        Ok(())
    }
}
