// SPDX-License-Identifier: GPL-2.0

//! The context in which a callback runs.

use crate::{
    csd::Kind,
    tests::support::{
        fixture::{
            flush_from_task,
            locked_csd,
            preempt_count,
            push_here,
            with_interrupts_off, //
        },
        seen::{
            Context,
            Seen, //
        },
        thread::Busy,
        ways::{
            Family,
            Target,
            WAYS, //
        }, //
    }, //
};
use kernel::{
    bindings,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        interrupts_are_off,
        require,
        require_eq,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_context)]
mod cases {
    use super::*;

    #[test]
    fn on_a_cpu_that_runs_a_task_a_callback_runs_in_a_hard_interrupt() -> Result {
        let cpus = two_cpus()?;
        let busy = Busy::new(cpus.there)?;

        for way in &WAYS {
            let target = Target::new(cpus.there)?;
            let error = (way.call)(&target);

            require_eq!(error, 0, "{}", way.name);
            require!(target.is_called(), "{}", way.name);
            require!(
                target.seen.ran_once(cpus.there, Context::HardIrq),
                "{}",
                way.name
            );
        }
        let was_busy = busy.is_busy();
        drop(busy);
        check!(was_busy);
        Ok(())
    }

    #[test]
    fn on_an_idle_cpu_a_callback_runs_in_the_idle_task_or_in_a_hard_interrupt() -> Result {
        let cpus = two_cpus()?;

        for way in &WAYS {
            for _ in 0..20 {
                let target = Target::new(cpus.there)?;

                require_eq!((way.call)(&target), 0, "{}", way.name);
                require!(target.is_called(), "{}", way.name);
                require_eq!(target.seen.cpu(), cpus.there.as_u32(), "{}", way.name);
                // Another task may run there meanwhile; then the callback runs in an interrupt.
                require!(
                    target.seen.was_in(Context::IdleIrqsOff)
                        || target.seen.was_in(Context::HardIrq),
                    "{}",
                    way.name
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_runs_in_the_callers_task_with_interrupts_off() -> Result {
        let cpus = two_cpus()?;

        for way in &WAYS {
            if way.family == Family::Many || way.family == Family::Queue {
                continue;
            }
            let target = Target::new(cpus.here)?;
            let before = preempt_count();

            require_eq!((way.call)(&target), 0, "{}", way.name);
            require!(
                target.seen.ran_once(cpus.here, Context::TaskIrqsOff),
                "{}",
                way.name
            );
            require!(!interrupts_are_off());
            require_eq!(preempt_count(), before);
        }
        Ok(())
    }

    #[test]
    fn an_entry_queued_for_the_own_cpu_runs_in_an_interrupt() -> Result {
        let cpus = two_cpus()?;

        for way in WAYS.iter().filter(|way| way.family == Family::Queue) {
            let target = Target::new(cpus.here)?;

            require_eq!((way.call)(&target), 0, "{}", way.name);
            require!(target.is_called(), "{}", way.name);
            require!(target.seen.ran_once(cpus.here, Context::HardIrq));
        }
        Ok(())
    }

    #[test]
    fn a_flush_from_a_task_runs_what_is_queued_in_that_task() -> Result {
        let cpus = two_cpus()?;

        for kind in [Kind::Sync, Kind::Async] {
            let seen = Seen::new()?;
            let csd = locked_csd(seen, kind, cpus.here)?;

            let off_after = with_interrupts_off(|irq| {
                push_here(irq, csd);
                flush_from_task();
                interrupts_are_off()
            });

            require!(off_after);
            require!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
            require!(!csd.is_locked());
        }
        Ok(())
    }

    #[test]
    fn a_flush_of_an_empty_queue_does_nothing() -> Result {
        two_cpus()?;
        let before = preempt_count();

        flush_from_task();
        check!(!interrupts_are_off());
        check_eq!(preempt_count(), before);

        let off_after = with_interrupts_off(|_| {
            flush_from_task();
            interrupts_are_off()
        });
        check!(off_after);
        Ok(())
    }

    #[test]
    fn a_flush_from_a_task_leaves_interrupts_on_if_they_were() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let csd = locked_csd(seen, Kind::Async, cpus.here)?;

        // No IPI is sent for the entry, so that it stays for the flush.
        with_interrupts_off(|irq| push_here(irq, csd));
        flush_from_task();
        let off_after = interrupts_are_off();

        check!(!off_after);
        check!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
        Ok(())
    }

    #[test]
    fn the_flush_of_a_dying_cpu_runs_what_is_queued() -> Result {
        let cpus = two_cpus()?;

        for kind in [Kind::Sync, Kind::Async] {
            let seen = Seen::new()?;
            let csd = locked_csd(seen, kind, cpus.here)?;

            let (ret, off_after) = with_interrupts_off(|irq| {
                push_here(irq, csd);
                // SAFETY: Interrupts are off, and the test stays on its CPU as the stopper does.
                let ret = unsafe { bindings::smpcfd_dying_cpu(cpus.here.as_u32()) };
                (ret, interrupts_are_off())
            });

            require_eq!(ret, 0);
            require!(off_after);
            require!(seen.ran_once(cpus.here, Context::TaskIrqsOff));
            require!(!csd.is_locked());
        }
        Ok(())
    }

    #[test]
    fn an_interrupt_for_an_empty_queue_is_harmless() -> Result {
        two_cpus()?;

        let off_after = with_interrupts_off(|_| {
            // SAFETY: Interrupts are off.
            unsafe { bindings::generic_smp_call_function_single_interrupt() };
            interrupts_are_off()
        });

        check!(off_after);
        Ok(())
    }
}
