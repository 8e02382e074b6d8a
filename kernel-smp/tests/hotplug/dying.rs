// SPDX-License-Identifier: GPL-2.0

//! Csds in the queue of a CPU in its step `smpcfd:dying`, with no IPI on the way.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    offline,
    tests::support::{
        fixture::{
            locked_csd,
            push_here,
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
    smp::testing::{
        check_eq,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// The csds that the next CPU that goes offline finds in its queue.
static CSDS: [Atomic<*mut bindings::__call_single_data>; 2] =
    [const { Atomic::new(core::ptr::null_mut()) }; 2];

/// A dying step, after the CPU is no longer online and before `smpcfd:dying`.
struct Step;

impl Step {
    /// A state that only another architecture uses.
    const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_AP_ARM_CACHE_B15_RAC_DYING;

    fn new() -> Result<Self> {
        let name = c"smp/test:dying".as_char_ptr();

        // SAFETY: This state is not used on x86, and the callback is not called now.
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
/// This is a step of a CPU that goes offline.
unsafe extern "C" fn push(_cpu: c_uint) -> c_int {
    with_interrupts_off(|irq| {
        for csd in &CSDS {
            // SAFETY: The csds of the tests are never freed.
            push_here(irq, unsafe { Csd::from_raw(csd.load(Acquire)) });
        }
    });
    0
}

#[kunit_tests(smp_dying)]
mod cases {
    use super::*;

    #[test]
    fn csds_without_an_ipi_run_in_the_dying_step_of_their_target() -> Result {
        let cpus = two_cpus()?;
        let seen = [Seen::new()?, Seen::new()?];
        let csds = [
            locked_csd(seen[0], Kind::Sync, cpus.there)?,
            locked_csd(seen[1], Kind::Async, cpus.there)?,
        ];
        let reported_before = offline::count();

        for (place, csd) in CSDS.iter().zip(csds) {
            place.store(csd.as_ptr(), Release);
        }
        let step = Step::new()?;
        let down = Down::new(cpus.there)?;
        let ran = seen.map(|seen| seen.ran_once(cpus.there, Context::TaskIrqsOff));
        drop(down);
        drop(step);

        check_eq!(ran, [true, true]);
        check_eq!(seen.map(|seen| seen.runs()), [1, 1]);
        check_eq!(csds.map(|csd| csd.is_locked()), [false, false]);
        check_eq!(offline::count(), reported_before);
        Ok(())
    }
}
