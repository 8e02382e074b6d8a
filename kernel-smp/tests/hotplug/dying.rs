// SPDX-License-Identifier: GPL-2.0

//! Requests that are in the queue of a CPU at its last step down, with no IPI on the way.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    offline,
    tests::support::{
        down::Down,
        fixture::{
            push_here,
            request,
            two_cpus,
            with_interrupts_off, //
        },
        seen::{
            Context,
            Seen, //
        }, //
    }, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// What the next CPU that goes down finds in its queue.
static REQUEST: [Atomic<*mut bindings::__call_single_data>; 2] =
    [const { Atomic::new(core::ptr::null_mut()) }; 2];

/// A step on the way down: after the CPU has gone offline, before `smpcfd:dying`.
struct Step;

impl Step {
    /// A step of another architecture.
    const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_AP_ARM_CACHE_B15_RAC_DYING;

    fn new() -> Result<Self> {
        let name = c"smp/test:dying".as_char_ptr();

        // SAFETY: Nobody has this step on x86, and it is not called now.
        to_result(unsafe {
            bindings::__cpuhp_setup_state(Self::STATE, name, false, None, Some(push), false)
        })?;
        Ok(Self)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        // SAFETY: This undoes `new()`.
        unsafe { bindings::__cpuhp_remove_state(Self::STATE, false) };
    }
}

/// # Safety
///
/// This is a step of a CPU that goes down.
unsafe extern "C" fn push(_cpu: c_uint) -> c_int {
    with_interrupts_off(|irq| {
        for request in &REQUEST {
            // SAFETY: The csds of the tests live for ever.
            push_here(irq, unsafe { Csd::from_raw(request.load(Acquire)) });
        }
    });
    0
}

#[kunit_tests(smp_dying)]
mod cases {
    use super::*;

    #[test]
    fn requests_that_no_ipi_announces_run_in_the_last_step_of_their_cpu() -> Result {
        let cpus = two_cpus()?;
        let seen = [Seen::new()?, Seen::new()?];
        let csds = [
            request(seen[0], Kind::Sync, cpus.there)?,
            request(seen[1], Kind::Async, cpus.there)?,
        ];
        let late_before = offline::count();

        for (request, csd) in REQUEST.iter().zip(csds) {
            request.store(csd.as_ptr(), Release);
        }
        let step = Step::new()?;
        let down = Down::new(cpus.there)?;
        let ran = seen.map(|seen| seen.ran_once(cpus.there, Context::TaskIrqsOff));
        drop(down);
        drop(step);

        assert_eq!(ran, [true, true]);
        assert!(seen.iter().all(|seen| seen.runs() == 1));
        assert!(csds.iter().all(|csd| !csd.is_locked()));
        assert_eq!(offline::count(), late_before);
        Ok(())
    }
}
