// SPDX-License-Identifier: GPL-2.0

//! Softirqs that a callback raises. With PREEMPT_RT a thread runs them.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    tests::support::{
        calls::Callback,
        fixture::{
            flush_from_task,
            leak,
            locked_csd,
            push_here,
            with_interrupts_off, //
        }, //
    }, //
};
use kernel::{
    bindings,
    helpers,
    prelude::*,
    smp::testing::{
        check,
        two_cpus, //
    }, //
};

/// A callback that raises a softirq.
struct Raiser;

impl Callback for Raiser {
    fn call(&'static self) {
        // SAFETY: Interrupts are off.
        unsafe { bindings::__raise_softirq_irqoff(bindings::TASKLET_SOFTIRQ) };
    }
}

/// Returns whether the softirq is raised on this CPU.
fn is_raised() -> bool {
    // SAFETY: Interrupts are off, so that the CPU stays the same.
    let pending = unsafe { helpers::percpu::local_softirq_pending() };

    pending & (1 << bindings::TASKLET_SOFTIRQ) != 0
}

/// Locks a csd that has run, so that it can be queued again.
fn again(csd: Csd) -> Csd {
    csd.lock_new(Kind::Async);
    csd
}

#[kunit_tests(smp_softirq)]
mod cases {
    use super::*;

    #[test]
    fn softirqs_that_a_callback_raises_run_before_the_flush_from_a_task_returns() -> Result {
        let cpus = two_cpus()?;
        let csd = locked_csd(leak(Raiser)?, Kind::Async, cpus.here)?;

        let (raised_before, raised_after) = with_interrupts_off(|irq| {
            let before = is_raised();

            push_here(irq, csd);
            flush_from_task();
            (before, is_raised())
        });

        check!(!raised_before);
        check!(!raised_after);
        check!(!csd.is_locked());
        Ok(())
    }

    #[test]
    fn a_softirq_that_a_callback_raises_stays_pending_until_the_end_of_the_interrupt() -> Result {
        let cpus = two_cpus()?;
        let csd = locked_csd(leak(Raiser)?, Kind::Async, cpus.here)?;

        let raised = with_interrupts_off(|irq| {
            push_here(irq, csd);
            // SAFETY: Interrupts are off.
            unsafe { bindings::generic_smp_call_function_single_interrupt() };
            let raised = is_raised();

            // Otherwise the softirq would stay pending until the next interrupt.
            push_here(irq, again(csd));
            flush_from_task();
            raised
        });

        check!(raised);
        Ok(())
    }
}
