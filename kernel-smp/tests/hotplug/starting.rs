// SPDX-License-Identifier: GPL-2.0

//! Calls of a CPU that comes online.

use crate::{
    pool,
    tests::support::{
        calls::single_on,
        fixture::{
            leak,
            with_interrupts_off, //
        },
        seen::Seen,
        thread::Thread, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    error::to_result,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
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

/// A STARTING state of CPU hotplug, which runs on the CPU itself with interrupts off, and which
/// only another architecture uses.
const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_AP_ARM_TWD_STARTING;

/// The calls of the callback.
struct Plan {
    /// How many csds the CPU has.
    csds: u32,
    target: CpuId,
    seen: &'static Seen,
    /// Tells the target to turn interrupts off.
    go: Atomic<bool>,
    interrupts_are_off: Atomic<bool>,
    sent: Atomic<u32>,
    errors: Atomic<u32>,
}

static PLAN: Atomic<*mut Plan> = Atomic::new(ptr::null_mut());

impl Plan {
    fn current() -> &'static Self {
        // SAFETY: It was leaked.
        unsafe { &*PLAN.load(Acquire) }
    }

    /// Makes one call more than there are csds, so that the last one waits.
    fn call(&self) {
        self.go.store(true, Release);
        let _ = becomes_true(|| self.interrupts_are_off.load(Acquire));
        for _ in 0..=self.csds {
            if single_on(self.target, self.seen, false) != 0 {
                self.errors.fetch_add(1, Full);
            }
            self.sent.fetch_add(1, Full);
        }
    }

    /// Has interrupts off until all csds are in use, or for a long time.
    fn keep_interrupts_off(&'static self) {
        let _ = becomes_true(|| self.go.load(Acquire));
        with_interrupts_off(|_| {
            self.interrupts_are_off.store(true, Release);
            let _ = becomes_true(|| self.sent.load(Acquire) == self.csds);
        });
    }
}

/// # Safety
///
/// There is a plan.
unsafe extern "C" fn starting(_cpu: c_uint) -> c_int {
    Plan::current().call();
    0
}

/// The callback runs for each CPU that comes online until this is dropped.
struct Callback(());

impl Callback {
    fn new(plan: &'static Plan) -> Result<Self> {
        PLAN.store(ptr::from_ref(plan).cast_mut(), Release);
        // SAFETY: The state is not used, and the callback may be called until it is removed.
        to_result(unsafe {
            bindings::__cpuhp_setup_state(
                STATE,
                c"smp_test:starting".as_char_ptr(),
                false,
                Some(starting),
                None,
                false,
            )
        })?;
        Ok(Self(()))
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: It was set up.
        unsafe { bindings::__cpuhp_remove_state(STATE, false) };
    }
}

#[kunit_tests(smp_starting)]
mod cases {
    use super::*;

    #[test]
    fn a_starting_cpu_can_make_more_calls_than_it_has_csds() -> Result {
        let cpus = two_cpus()?;
        let plan = leak(Plan {
            // Its slots, the fallback csd and two more.
            csds: pool::state::slots(cpus.there) + 3,
            target: cpus.third(),
            seen: Seen::new()?,
            go: Atomic::new(false),
            interrupts_are_off: Atomic::new(false),
            sent: Atomic::new(0),
            errors: Atomic::new(0),
        })?;

        let down = Down::new(cpus.there)?;
        let thread = Thread::start(plan.target, Plan::keep_interrupts_off, plan)?;
        let callback = Callback::new(plan)?;
        drop(down);
        drop(callback);
        let finished = thread.finishes();

        check!(finished);
        check_eq!(plan.sent.load(Relaxed), plan.csds + 1);
        check_eq!(plan.errors.load(Relaxed), 0);
        check_eq!(plan.seen.runs_after(plan.csds + 1), plan.csds + 1);
        Ok(())
    }
}
