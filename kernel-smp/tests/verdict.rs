// SPDX-License-Identifier: GPL-2.0

//! Requests that get stuck, and what the report says about them.
//!
//! The log is full of reports afterwards, so this wants a boot of its own, with `csdlock_debug=1`.

use super::{
    calls::{
        single_on,
        Callback, //
    },
    faults::{
        Fault,
        DROP, //
    },
    fixture::{
        becomes_true,
        leak,
        request,
        skip,
        two_cpus,
        with_interrupts_off,
        Cpus, //
    },
    seen::Seen,
    thread::{
        Busy,
        Thread, //
    }, //
};
use crate::{
    csd::{
        Csd,
        Kind, //
    },
    serve::Waiting,
    stall::{
        self,
        verdicts,
        Verdict, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*,
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

/// Sets the time, and takes two CPUs of which the second is not idle: an idle one may look at its
/// queue without an IPI.
fn begin() -> Result<(Cpus, Busy)> {
    if !stall::enabled() {
        skip("boot with csdlock_debug=1");
    }

    // SAFETY: The parameter may change at any time.
    unsafe { (&raw mut bindings::smp_csd_lock_timeout).write_volatile(TIMEOUT) };
    let cpus = two_cpus()?;
    let busy = Busy::new(cpus.there)?;

    Ok((cpus, busy))
}

/// Waits for `times` timeouts, in any context.
fn pass(times: usize) {
    for _ in 0..times * TIMEOUT {
        udelay(Delta::from_millis(1));
    }
}

/// Calls `f`, and returns how often `verdict` was given meanwhile, and how often any other.
fn given(verdict: Verdict, f: impl FnOnce()) -> (u32, u32) {
    const ALL: [Verdict; Verdict::NUMBER] = [
        Verdict::Lost,
        Verdict::InterruptsOff,
        Verdict::CallbackRunning,
        Verdict::QueueCorrupt,
    ];
    let count = || {
        ALL.iter().fold((0, 0), |(this, other), v| {
            if *v == verdict {
                (this + verdicts(*v), other)
            } else {
                (this, other + verdicts(*v))
            }
        })
    };
    let before = count();

    f();
    let after = count();
    let (right, wrong) = (after.0 - before.0, after.1 - before.1);

    pr_info!("verdicts: {} right, {} wrong\n", right, wrong);
    (right, wrong)
}

/// Calls `f` until `verdict` was given once in `times` of its calls. Returns whether it was, `f`
/// always returned true, no other verdict ever was given, and none in `misses` calls at most.
///
/// The kernel itself may call the same CPU meanwhile, and its wait gets a verdict too; such a call of
/// `f` shows nothing, and is made again.
fn given_once(
    times: u32,
    misses: u32,
    verdict: Verdict,
    mut f: impl FnMut() -> Result<bool>,
) -> Result<bool> {
    let (mut shown, mut missed) = (0, 0);

    for _ in 0..4 * times {
        let mut fine = Ok(false);
        let (right, wrong) = given(verdict, || fine = f());

        if !fine? || wrong != 0 {
            return Ok(false);
        }
        shown += u32::from(right == 1);
        missed += u32::from(right == 0);
        if shown == times {
            return Ok(missed <= misses);
        }
    }
    Ok(false)
}

/// A callback that takes long.
struct Slow(());

static SLOW: Slow = Slow(());

impl Callback for Slow {
    fn call(&'static self) {
        pass(2);
    }
}

/// A thread that turns interrupts off for long.
struct Deaf {
    begun: Atomic<bool>,
}

impl Deaf {
    fn be(&'static self) {
        with_interrupts_off(|_| {
            self.begun.store(true, Release);
            pass(4);
        });
    }
}

/// A csd that is locked and in no queue.
struct Stray(Csd);

// SAFETY: The csd lives for ever, and what is used of it is its flag word, which is atomic.
unsafe impl Sync for Stray {}

impl Stray {
    fn wait(&'static self) {
        self.0.wait_until_unlocked(Waiting::Spin);
    }
}

/// Calls `cpu` and waits. Returns whether it ran.
fn call(cpu: CpuId) -> Result<bool> {
    let seen = Seen::new()?;

    Ok(single_on(cpu, seen, true) == 0 && seen.runs() == 1)
}

#[kunit_tests(smp_verdict)]
mod cases {
    use super::*;

    #[test]
    fn a_lost_ipi_is_sent_again_and_known_as_lost() -> Result {
        let (cpus, _busy) = begin()?;

        // An IPI of another CPU may come before the time, and then nothing is reported.
        assert!(given_once(5, 15, Verdict::Lost, || {
            let _fault = Fault::between(DROP, cpus.here, cpus.there, 1);

            call(cpus.there)
        })?);
        Ok(())
    }

    #[test]
    fn a_cpu_with_interrupts_off_is_known_as_that() -> Result {
        let (cpus, busy) = begin()?;

        drop(busy);
        assert!(given_once(1, 0, Verdict::InterruptsOff, || {
            let deaf = leak(Deaf {
                begun: Atomic::new(false),
            })?;
            let thread = Thread::start(cpus.there, Deaf::be, deaf)?;
            let begun = becomes_true(|| deaf.begun.load(Acquire));
            let ran = call(cpus.there);

            Ok(begun & ran? & thread.finishes())
        })?);
        Ok(())
    }

    #[test]
    fn a_function_that_takes_long_is_known_as_that() -> Result {
        let (cpus, _busy) = begin()?;

        assert!(given_once(1, 0, Verdict::CallbackRunning, || {
            Ok(single_on(cpus.there, &SLOW, true) == 0)
        })?);
        Ok(())
    }

    #[test]
    fn a_request_that_is_in_no_queue_is_known_as_that() -> Result {
        let (cpus, _busy) = begin()?;
        let stray = leak(Stray(request(Seen::new()?, Kind::Sync, cpus.there)?))?;
        let from = cpus.third()?;

        let (right, wrong) = given(Verdict::QueueCorrupt, || {
            if let Ok(thread) = Thread::start(from, Stray::wait, stray) {
                pass(8);
                stray.0.unlock();
                let _ = thread.finishes();
            }
        });

        assert_eq!(right, 1);
        assert_eq!(wrong, 0);
        Ok(())
    }
}
