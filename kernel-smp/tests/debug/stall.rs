// SPDX-License-Identifier: GPL-2.0

//! Calls while csds are watched for stalls. No test stalls a csd: the reports would fill the log.

use crate::{
    clock::now,
    csd::{
        Csd,
        Kind, //
    },
    pool,
    stall,
    testpoint::Point,
    tests::support::{
        calls::{
            all_others,
            single,
            single_async,
            single_on,
            Callback, //
        },
        fixture::{
            blank_csd,
            call_of,
            csd_for,
            invalid_cpus,
            leak,
            pool_is_free,
            with_interrupts_off, //
        },
        gate::Held,
        irq_work::Work,
        key::KeyOn,
        seen::Seen,
        step_in::step_in,
        tally::TALLY,
        thread::Thread,
        ways::{
            Target,
            WAYS, //
        }, //
    }, //
};
use kernel::{
    bindings,
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
        Delta,
        NSEC_PER_SEC, //
    }, //
};

/// A csd that a test uses on several CPUs.
#[derive(Clone, Copy)]
struct Used(Csd);

// SAFETY: The csd is never freed, and one CPU at a time uses it.
unsafe impl Sync for Used {}

impl Used {
    fn csd(&self) -> Csd {
        self.0
    }
}

/// Waits are reported after a short time until this is dropped.
struct Timeout {
    before: usize,
}

impl Timeout {
    const MS: usize = 300;

    fn place() -> *mut usize {
        &raw mut bindings::csd_lock_timeout
    }

    fn new() -> Self {
        // SAFETY: The parameter may change at any time.
        let before = unsafe { Self::place().read_volatile() };

        // SAFETY: As above.
        unsafe { Self::place().write_volatile(Self::MS) };
        Self { before }
    }

    /// Spins for longer than the timeout.
    fn pass() {
        for _ in 0..Self::MS + Self::MS / 10 {
            udelay(Delta::from_millis(1));
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        // SAFETY: The parameter may change at any time.
        unsafe { Self::place().write_volatile(self.before) };
    }
}

/// Has csds watched until the result is dropped.
fn watch() -> KeyOn {
    // SAFETY: This only computes an address.
    let key = unsafe { &raw mut bindings::csdlock_debug_enabled.key };

    // SAFETY: The key is one of the kernel, which only these tests turn on and off.
    unsafe { KeyOn::new(key) }
}

/// Returns whether a csd is reported as stuck.
fn is_stuck() -> bool {
    // SAFETY: May be called in any context.
    unsafe { bindings::csd_lock_is_stuck() }
}

/// A callback that reads the record of the entry that its CPU runs, before and after a call to its
/// own CPU.
struct Record {
    /// The csd and its argument, each time.
    entries: [[Atomic<usize>; 2]; 2],
    seen: &'static Seen,
    own: Used,
    over: Atomic<bool>,
}

impl Record {
    fn new() -> Result<&'static Self> {
        let seen = Seen::new()?;

        leak(Self {
            entries: [const { [const { Atomic::new(0) }; 2] }; 2],
            seen,
            own: Used(csd_for(seen)?),
            over: Atomic::new(false),
        })
    }

    fn look(&self, at: usize) {
        let running = with_interrupts_off(stall::current);
        let (csd, info) = running.map_or((0, 0), |running| running.entry());

        self.entries[at][0].store(csd, Relaxed);
        self.entries[at][1].store(info, Relaxed);
    }

    /// Returns what was found, in the order of time.
    fn found(&self) -> [[usize; 2]; 2] {
        self.entries
            .each_ref()
            .map(|entry| entry.each_ref().map(|part| part.load(Relaxed)))
    }
}

impl Callback for Record {
    fn call(&'static self) {
        self.look(0);
        single_async(i32::from(CpuId::current()), self.own.csd());
        self.look(1);
        self.over.store(true, Release);
    }
}

/// Threads that make asynchronous calls to one CPU.
struct Senders {
    to: CpuId,
    go: Atomic<bool>,
    errors: Atomic<u32>,
}

impl Senders {
    const CALLS: u32 = 200;

    fn send(&'static self) {
        let _ = becomes_true(|| self.go.load(Acquire));
        for _ in 0..Self::CALLS {
            if single_on(self.to, &TALLY, false) != 0 {
                self.errors.fetch_add(1, Full);
            }
        }
    }
}

#[kunit_tests(smp_stall)]
mod cases {
    use super::*;

    #[test]
    fn calls_of_all_kinds_work_while_they_are_watched() -> Result {
        let cpus = two_cpus()?;

        let watch = watch();
        let on = stall::enabled();
        for way in &WAYS {
            for _ in 0..20 {
                let target = Target::new(cpus.there)?;

                require_eq!((way.call)(&target), 0, "{}", way.name);
                require!(target.is_called(), "{}", way.name);
            }
        }
        let stuck = is_stuck();
        drop(watch);

        check!(on);
        check!(!stuck);
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_leaves_the_record_of_its_caller() -> Result {
        let cpus = two_cpus()?;
        let record = Record::new()?;
        let info = core::ptr::from_ref(record).addr();

        let watch = watch();
        let sent = single_on(cpus.there, record, true);
        drop(watch);

        let [before, after] = record.found();
        check_eq!(sent, 0);
        check_eq!(record.seen.runs(), 1);
        check_eq!(before[1], info);
        check_eq!(after, before);
        Ok(())
    }

    #[test]
    fn irq_work_is_recorded_while_it_runs() -> Result {
        let cpus = two_cpus()?;
        let record = Record::new()?;
        let work = Work::new(record)?;
        let entry = core::ptr::from_ref(work).addr();

        let watch = watch();
        let queued = work.queue_on(cpus.there);
        let over = becomes_true(|| record.over.load(Acquire));
        drop(watch);

        check!(queued);
        check!(over);
        check_eq!(record.found(), [[entry; 2]; 2]);
        Ok(())
    }

    #[test]
    fn a_wait_that_ends_between_the_lock_and_the_clock_is_not_reported() -> Result {
        let cpus = two_cpus()?;
        let used = leak(Used(blank_csd()?))?;
        let end = leak(|| {
            used.csd().unlock();
            Timeout::pass();
        })?;
        let mut over = KVec::new();
        let mut reported = KVec::new();

        let watch = watch();
        let timeout = Timeout::new();
        let steps = step_in(Point::Watched, cpus.here, end, || {
            let csd = used.csd();
            let lock = csd.lock_new(Kind::Sync);
            csd.fill(call_of(&TALLY), cpus.here, cpus.there);
            let mut wait = stall::Watch::begin(csd, Some(lock));

            // As a waiter that is preempted at the point, until long after the unlock.
            let _ = over.push(wait.is_over(), GFP_KERNEL);
            let _ = reported.push(wait.is_reported(), GFP_KERNEL);
        })?;
        drop(timeout);
        drop(watch);

        check_eq!(steps, Some(1));
        check_eq!(*over, [true]);
        check_eq!(*reported, [false]);
        Ok(())
    }

    #[test]
    fn a_csd_that_is_in_use_again_is_not_reported_as_its_last_use() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let used = leak(Used(blank_csd()?))?;
        let again = leak(move || {
            let csd = used.csd();

            csd.unlock();
            csd.try_lock();
            csd.fill(call_of(seen), cpus.here, cpus.here);
            Timeout::pass();
        })?;
        let mut over = KVec::new();
        let mut reported = KVec::new();

        let watch = watch();
        let timeout = Timeout::new();
        let steps = step_in(Point::Watched, cpus.here, again, || {
            let csd = used.csd();
            csd.try_lock();
            csd.fill(call_of(&TALLY), cpus.here, cpus.there);
            let mut wait = stall::Watch::begin(csd, None);

            // The second check is right after the first.
            for _ in 0..2 {
                let _ = over.push(wait.is_over(), GFP_KERNEL);
                let _ = reported.push(wait.is_reported(), GFP_KERNEL);
            }
            csd.unlock();
        })?;
        drop(timeout);
        drop(watch);

        check_eq!(steps, Some(1));
        check_eq!(*over, [false, false]);
        check_eq!(*reported, [false, false]);
        Ok(())
    }

    #[test]
    fn a_clock_that_went_back_is_no_reason_for_a_report() -> Result {
        let cpus = two_cpus()?;
        let csd = blank_csd()?;
        let start = now() + 3600 * NSEC_PER_SEC as u64;

        csd.lock_new(Kind::Sync);
        csd.fill(call_of(&TALLY), cpus.here, cpus.there);
        let watch = watch();
        let reported = stall::report_if_late(csd, cpus.here, start, start, &|| false);
        drop(watch);
        csd.unlock();

        check!(!reported);
        Ok(())
    }

    #[test]
    fn an_asynchronous_call_uses_a_csd_of_its_source_while_watched() -> Result {
        let cpus = two_cpus()?;

        let watch = watch();
        let free = pool_is_free();
        let held = Held::new(cpus.there)?;
        let sent = single_on(cpus.there, Seen::new()?, false);
        let of_sender = pool::state::in_use(cpus.here);
        let of_target = pool::state::in_use(cpus.there);
        let held_until_now = held.release();
        drop(watch);

        check!(free);
        check!(held_until_now);
        check_eq!(sent, 0);
        check_eq!(of_sender, 1);
        check_eq!(of_target, 0);
        Ok(())
    }

    #[test]
    fn refused_calls_leave_nothing_locked_while_watched() -> Result {
        let cpus = two_cpus()?;

        let _watch = watch();
        for number in invalid_cpus() {
            let seen = Seen::new()?;

            require_eq!(single(number, seen, false), ENXIO.to_errno());
            require!(pool_is_free());
            require_eq!(single_on(cpus.there, seen, false), 0);
            require_eq!(seen.runs_after(1), 1);
        }
        Ok(())
    }

    #[test]
    fn several_cpus_can_make_asynchronous_calls_to_one_while_watched() -> Result {
        let cpus = two_cpus()?;
        let senders = leak(Senders {
            to: cpus.there,
            go: Atomic::new(false),
            errors: Atomic::new(0),
        })?;
        let mut threads = KVec::new();

        let watch = watch();
        TALLY.clear();
        for cpu in Cpumask::online().iter().filter(|cpu| *cpu != cpus.there) {
            threads.push(Thread::start(cpu, Senders::send, senders)?, GFP_KERNEL)?;
        }
        senders.go.store(true, Release);
        let finished = threads.iter().all(Thread::finishes);
        let count = (threads.len() as u32).saturating_mul(Senders::CALLS);
        let ran = TALLY.becomes(|cpu| if cpu == cpus.there { count } else { 0 });
        let stuck = is_stuck();
        drop(watch);

        check!(finished);
        check!(ran);
        check!(!stuck);
        check_eq!(senders.errors.load(Acquire), 0);
        Ok(())
    }

    #[test]
    fn watching_can_begin_and_end_while_calls_are_made() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        TALLY.clear();
        for _ in 0..10 {
            all_others(&TALLY, false);
            let watch = watch();
            all_others(&TALLY, false);
            all_others(&TALLY, true);
            drop(watch);
        }
        check!(
            TALLY.becomes(|cpu| if online.test(cpu) && cpu != cpus.here {
                30
            } else {
                0
            })
        );
        check!(!is_stuck());
        Ok(())
    }
}
