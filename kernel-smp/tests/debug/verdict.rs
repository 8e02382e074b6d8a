// SPDX-License-Identifier: GPL-2.0

//! Stalled csds, and the verdict of the reports.
//!
//! The log is full of reports afterwards, so this needs a boot of its own, with `csdlock_debug=1`.

use crate::{
    clock::{
        jiffies,
        now, //
    },
    csd::{
        Csd,
        Kind, //
    },
    pool,
    stall::{
        self,
        verdicts,
        Verdict, //
    },
    tests::support::{
        calls::{
            single_async,
            single_on,
            Callback, //
        },
        faults::{
            Fault,
            DROP, //
        },
        fixture::{
            csd_for,
            leak,
            locked_csd,
            pool_is_free,
            with_interrupts_off, //
        },
        gate::Held,
        irq_work::Work,
        seen::Seen,
        thread::{
            Busy,
            Thread, //
        }, //
    },
    wait::{
        self,
        Waiting, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*,
    smp::{
        call_async,
        testing::{
            becomes_true,
            check,
            check_eq,
            require,
            require_eq,
            skip,
            two_cpus,
            Cpus,
            Down, //
        },
        Caller, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

/// When a wait is reported, in ms.
const TIMEOUT: usize = 1000;

/// Sets the timeout, and picks two CPUs of which the second is kept busy: an idle one may flush its
/// queue without an IPI.
fn begin() -> Result<(Cpus, Busy)> {
    if !stall::enabled() {
        skip("boot with csdlock_debug=1");
    }

    // SAFETY: The parameter may change at any time.
    unsafe { (&raw mut bindings::csd_lock_timeout).write_volatile(TIMEOUT) };
    let cpus = two_cpus()?;
    let busy = Busy::new(cpus.there)?;

    Ok((cpus, busy))
}

/// Waits for so many tenths of a timeout, in any context.
fn pass(tenths: usize) {
    for _ in 0..tenths * TIMEOUT / 10 {
        udelay(Delta::from_millis(1));
    }
}

/// How often each verdict was given.
type Counts = [u32; Verdict::NUMBER];

const ALL: [Verdict; Verdict::NUMBER] = [
    Verdict::Over,
    Verdict::NotFlushed,
    Verdict::Flushed,
    Verdict::CallbackRunning,
    Verdict::Offline,
    Verdict::InterruptsOff,
    Verdict::InterruptsOn,
];

fn counts() -> Counts {
    ALL.map(verdicts)
}

/// The verdicts of a call.
#[derive(Clone, Copy)]
struct Given {
    /// Whether each wanted verdict was given once.
    right: bool,
    /// How many others were given. Verdicts of an NMI do not count.
    wrong: u32,
}

/// Calls `f`, and returns the verdicts that were given meanwhile.
fn given(wanted: &[Verdict], f: impl FnOnce()) -> Given {
    let before = counts();

    f();
    let after = counts();
    let count = |verdict: &Verdict| {
        let at = *verdict as usize;

        after[at] - before[at]
    };
    let right = wanted.iter().all(|verdict| count(verdict) == 1);
    let is_other = |verdict: &&Verdict| {
        !wanted.contains(verdict)
            && !matches!(**verdict, Verdict::InterruptsOff | Verdict::InterruptsOn)
    };
    let wrong = ALL.iter().filter(is_other).map(count).sum();

    pr_info!("verdicts: {} right, {} wrong\n", u32::from(right), wrong);
    Given { right, wrong }
}

/// Calls `f` until the verdicts `wanted` were given in `times` of its calls. Checks that they were,
/// that no other was given, and that there were `misses` calls at most in which they were not
/// given.
///
/// The kernel itself may call the same CPU meanwhile, and its wait gets a verdict too; such a call
/// of `f` shows nothing, and is made again.
fn check_given(
    times: u32,
    misses: u32,
    wanted: &[Verdict],
    mut f: impl FnMut() -> Result,
) -> Result {
    let (mut shown, mut missed) = (0, 0);

    while shown < times && shown + missed < 4 * times {
        let mut result = Ok(());
        let Given { right, wrong } = given(wanted, || result = f());

        result?;
        require_eq!(wrong, 0);
        shown += u32::from(right);
        missed += u32::from(!right);
    }
    check_eq!(shown, times);
    check!(missed <= misses, "{} of {}", missed, misses);
    Ok(())
}

/// A callback that takes long.
struct Slow {
    begun: Atomic<bool>,
}

impl Slow {
    fn new() -> Result<&'static Self> {
        leak(Self {
            begun: Atomic::new(false),
        })
    }
}

impl Callback for Slow {
    fn call(&'static self) {
        self.begun.store(true, Release);
        pass(20);
    }
}

/// A callback that calls its own CPU, and then takes long.
struct Inner {
    seen: &'static Seen,
    own: Stray,
}

impl Callback for Inner {
    fn call(&'static self) {
        single_async(i32::from(CpuId::current()), self.own.0);
        pass(20);
    }
}

/// A thread that turns interrupts off for long.
struct InterruptsOff {
    begun: Atomic<bool>,
    tenths: usize,
}

impl InterruptsOff {
    fn spin(&'static self) {
        with_interrupts_off(|_| {
            self.begun.store(true, Release);
            pass(self.tenths);
        });
    }

    /// Calls `cpu` while it has interrupts off for so long.
    fn called(cpu: CpuId, tenths: usize) -> Result {
        let off = leak(Self {
            begun: Atomic::new(false),
            tenths,
        })?;
        let thread = Thread::start(cpu, Self::spin, off)?;
        let begun = becomes_true(|| off.begun.load(Acquire));
        let called = call(cpu);

        check!(begun);
        check!(thread.finishes());
        called
    }
}

/// A csd that is in no queue.
struct Stray(Csd);

// SAFETY: The csd is never freed, and only its flag word is used, which is atomic.
unsafe impl Sync for Stray {}

impl Stray {
    /// Makes one that is locked.
    fn new(target: CpuId) -> Result<&'static Self> {
        leak(Self(locked_csd(Seen::new()?, Kind::Sync, target)?))
    }

    fn wait(&'static self) {
        wait::until_over(self.0, None, Waiting::Spin);
    }
}

/// Makes asynchronous calls whose IPI is lost, and waits until they have run. Returns whether one was
/// reported meanwhile, or soon after.
fn late_is_reported(cpus: &Cpus, calls: u32) -> Result<bool> {
    let seen = Seen::new()?;
    let began = now();
    let _fault = Fault::between(DROP, cpus.here, cpus.there, 1);

    for _ in 0..calls {
        check_eq!(single_on(cpus.there, seen, false), 0);
    }
    require_eq!(seen.runs_after(calls), calls);
    // The time of a report is noted after it was written.
    let is_reported = || pool::state::last_report(cpus.here, cpus.there) > began;
    for _ in 0..20 {
        if is_reported() {
            break;
        }
        pass(1);
    }
    Ok(is_reported())
}

/// Checks that one of four calls of `f` returns true: an IPI of another CPU may come before the one
/// that is sent again.
fn check_reported(mut f: impl FnMut() -> Result<bool>) -> Result {
    let mut reported = false;

    for _ in 0..4 {
        reported = f()?;
        if reported {
            break;
        }
    }
    check!(reported);
    Ok(())
}

/// Makes a synchronous call to `cpu`.
fn call(cpu: CpuId) -> Result {
    let seen = Seen::new()?;

    require_eq!(single_on(cpu, seen, true), 0);
    require_eq!(seen.runs(), 1);
    Ok(())
}

#[kunit_tests(smp_verdict)]
mod cases {
    use super::*;

    #[test]
    fn a_lost_ipi_is_sent_again_and_the_cpu_then_flushes_its_queue() -> Result {
        let (cpus, _busy) = begin()?;

        // An IPI of another CPU may come before the time, and then nothing is reported.
        check_given(5, 15, &[Verdict::Over, Verdict::InterruptsOn], || {
            let _fault = Fault::between(DROP, cpus.here, cpus.there, 1);

            call(cpus.there)
        })
    }

    #[test]
    fn a_lost_ipi_is_sent_again_for_a_wait_of_the_rust_api_too() -> Result {
        let (cpus, _busy) = begin()?;
        let caller = Caller::new()?;

        // As above.
        check_given(1, 3, &[Verdict::Over, Verdict::InterruptsOn], || {
            let _fault = Fault::between(DROP, cpus.here, cpus.there, 1);
            let pending = call_async(cpus.there, |_| (), GFP_KERNEL)?;

            caller.wait(pending);
            Ok(())
        })
    }

    #[test]
    fn a_lost_ipi_is_sent_again_for_asynchronous_calls_too() -> Result {
        let (cpus, _busy) = begin()?;

        check_reported(|| late_is_reported(&cpus, 2))
    }

    #[test]
    fn a_lost_ipi_is_sent_again_while_an_older_asynchronous_call_is_stuck() -> Result {
        let (cpus, _busy) = begin()?;
        let third = cpus.third();

        check_reported(|| {
            let stuck = Seen::new()?;
            let held = Held::new(third)?;

            check_eq!(single_on(third, stuck, false), 0);
            // The age of a call is in jiffies: this one is older than the next.
            let sent = jiffies();
            require!(becomes_true(|| jiffies() != sent));
            let reported = late_is_reported(&cpus, 1)?;
            check!(held.release());
            require_eq!(stuck.runs_after(1), 1);
            Ok(reported)
        })
    }

    #[test]
    fn a_cpu_with_interrupts_off_for_long_is_reported_as_not_flushing() -> Result {
        let (cpus, busy) = begin()?;

        drop(busy);
        check_given(
            1,
            0,
            &[Verdict::InterruptsOff, Verdict::NotFlushed, Verdict::Over],
            || InterruptsOff::called(cpus.there, 80),
        )
    }

    #[test]
    fn a_cpu_with_interrupts_off_for_little_more_than_a_timeout_is_reported_as_such() -> Result {
        let (cpus, busy) = begin()?;

        drop(busy);
        check_given(1, 0, &[Verdict::InterruptsOff, Verdict::Over], || {
            InterruptsOff::called(cpus.there, 11)
        })
    }

    #[test]
    fn a_function_that_takes_long_is_reported_as_running() -> Result {
        let (cpus, _busy) = begin()?;

        check_given(1, 0, &[Verdict::CallbackRunning], || {
            require_eq!(single_on(cpus.there, Slow::new()?, true), 0);
            Ok(())
        })
    }

    #[test]
    fn a_function_that_takes_long_after_a_call_to_its_own_cpu_is_reported_as_running() -> Result {
        let (cpus, _busy) = begin()?;

        check_given(1, 0, &[Verdict::CallbackRunning], || {
            let seen = Seen::new()?;
            let inner = leak(Inner {
                seen,
                own: Stray(csd_for(seen)?),
            })?;

            require_eq!(single_on(cpus.there, inner, true), 0);
            require_eq!(inner.seen.runs(), 1);
            Ok(())
        })
    }

    #[test]
    fn irq_work_that_takes_long_before_a_csd_of_a_pool_is_reported_as_running() -> Result {
        let (cpus, _busy) = begin()?;

        check_given(1, 0, &[Verdict::CallbackRunning], || {
            let slow = Slow::new()?;
            let seen = Seen::new()?;
            let calls = pool::state::slots(cpus.here) + 2;

            require!(pool_is_free());
            require!(Work::new(slow)?.queue_on(cpus.there));
            require!(becomes_true(|| slow.begun.load(Acquire)));
            // The last call waits for a csd.
            for _ in 0..calls {
                require_eq!(single_on(cpus.there, seen, false), 0);
            }
            require_eq!(seen.runs_after(calls), calls);
            Ok(())
        })
    }

    #[test]
    fn a_csd_that_is_in_no_queue_stays_locked_after_a_flush() -> Result {
        let (cpus, _busy) = begin()?;
        let stray = Stray::new(cpus.there)?;
        let from = cpus.third();

        let Given { right, wrong } = given(&[Verdict::Flushed], || {
            if let Ok(thread) = Thread::start(from, Stray::wait, stray) {
                pass(80);
                stray.0.unlock();
                check!(thread.finishes());
            }
        });

        check!(right);
        check_eq!(wrong, 0);
        Ok(())
    }

    #[test]
    fn no_ipi_is_sent_again_to_an_offline_cpu() -> Result {
        let (cpus, busy) = begin()?;
        let stray = Stray::new(cpus.there)?;
        let from = cpus.third();

        drop(busy);
        let down = Down::new(cpus.there)?;
        let mut told = false;
        let Given { right, wrong } = given(&[Verdict::Offline], || {
            let before = counts();

            if let Ok(thread) = Thread::start(from, Stray::wait, stray) {
                told = becomes_true(|| counts() != before);
                stray.0.unlock();
                check!(thread.finishes());
            }
        });
        drop(down);

        check!(told);
        check!(right);
        check_eq!(wrong, 0);
        Ok(())
    }
}
