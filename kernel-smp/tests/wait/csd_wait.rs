// SPDX-License-Identifier: GPL-2.0

//! Waiting for a csd, and when it is locked.

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
            blank_csd,
            csd_for,
            leak,
            locked_csd, //
        },
        thread::{
            sleep,
            Thread, //
        }, //
    },
    wait::{
        self,
        Waiting, //
    }, //
};
use kernel::{
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// A csd that several CPUs use.
struct Shared(Csd);

// SAFETY: The csd is never freed, and only its flag word is used, which is atomic.
unsafe impl Sync for Shared {}

/// A callback that writes a value and then unlocks another csd.
struct Unlocker {
    csd: Shared,
    value: Atomic<u32>,
}

impl Callback for Unlocker {
    fn call(&'static self) {
        self.value.store(7, Relaxed);
        self.csd.0.unlock();
    }
}

/// A thread that waits for a csd, and records the value that it then sees.
struct Waiter {
    unlocker: &'static Unlocker,
    value: Atomic<u32>,
}

impl Waiter {
    fn wait(&'static self) {
        wait::until_over(self.unlocker.csd.0, None, Waiting::Spin);
        self.value.store(self.unlocker.value.load(Relaxed), Release);
    }

    fn lock(&'static self) {
        wait::until_over(self.unlocker.csd.0, None, Waiting::Spin);
        self.unlocker.csd.0.lock_pair(Some(1));
        self.value.store(self.unlocker.value.load(Relaxed), Release);
    }
}

/// A callback that reads the lock of its own csd.
struct LockSeen {
    csd: Atomic<*mut c_void>,
    locked: Atomic<u32>,
}

impl LockSeen {
    fn new() -> Result<&'static Self> {
        leak(Self {
            csd: Atomic::new(core::ptr::null_mut()),
            locked: Atomic::new(u32::MAX),
        })
    }

    /// Sets the csd of the callback.
    fn set(&self, csd: Csd) {
        self.csd.store(csd.as_ptr().cast(), Relaxed);
    }

    /// Waits for the callback. Returns whether the csd was locked when it ran.
    fn was_locked(&self) -> Option<bool> {
        let ran = becomes_true(|| self.locked.load(Acquire) != u32::MAX);

        ran.then(|| self.locked.load(Acquire) == 1)
    }
}

impl Callback for LockSeen {
    fn call(&'static self) {
        // SAFETY: The csd is never freed.
        let csd = unsafe { Csd::from_raw(self.csd.load(Relaxed).cast()) };

        self.locked.store(u32::from(csd.is_locked()), Release);
    }
}

/// Has a thread call `wait` for a csd that is locked as `kind`, until another CPU unlocks it.
/// Returns the csd.
fn waits_for_the_unlock(kind: Kind, wait: fn(&'static Waiter)) -> Result<Csd> {
    let cpus = two_cpus()?;
    let csd = blank_csd()?;
    let unlocker = leak(Unlocker {
        csd: Shared(csd),
        value: Atomic::new(0),
    })?;
    let waiter = leak(Waiter {
        unlocker,
        value: Atomic::new(0),
    })?;

    csd.lock_new(kind);
    let thread = Thread::start(cpus.here, wait, waiter)?;
    sleep(2); // The wait cannot be observed; this gives it the time to end too early.
    let early = thread.is_done();
    let sent = single_async(i32::from(cpus.there), csd_for(unlocker)?);
    let finished = thread.finishes();

    check!(!early);
    check_eq!(sent, 0);
    check!(finished);
    check_eq!(waiter.value.load(Acquire), 7);
    Ok(csd)
}

#[kunit_tests(smp_csd_wait)]
mod cases {
    use super::*;

    #[test]
    fn a_waiter_returns_at_the_unlock_and_sees_earlier_stores() -> Result {
        waits_for_the_unlock(Kind::Sync, Waiter::wait)?;
        Ok(())
    }

    #[test]
    fn a_csd_is_locked_again_only_after_its_last_use() -> Result {
        let csd = waits_for_the_unlock(Kind::Async, Waiter::lock)?;

        check!(csd.is_locked());
        check!(csd.kind() == Kind::Sync);
        Ok(())
    }

    #[test]
    fn the_lock_is_clear_while_an_asynchronous_callback_runs() -> Result {
        let cpus = two_cpus()?;
        let seen = LockSeen::new()?;
        let csd = csd_for(seen)?;

        seen.set(csd);
        check_eq!(single_async(i32::from(cpus.there), csd), 0);
        check_eq!(seen.was_locked(), Some(false));
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn the_lock_is_set_while_a_synchronous_callback_runs_and_clear_after_it() -> Result {
        let cpus = two_cpus()?;
        let seen = LockSeen::new()?;
        let csd = locked_csd(seen, Kind::Sync, cpus.there)?;

        seen.set(csd);
        queue(cpus.there, csd);
        check_eq!(seen.was_locked(), Some(true));
        check!(becomes_true(|| !csd.is_locked()));
        Ok(())
    }
}
