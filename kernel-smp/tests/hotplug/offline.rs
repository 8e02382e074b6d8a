// SPDX-License-Identifier: GPL-2.0

//! Calls and flushes of a CPU that is not online.
//!
//! A test cannot run on a CPU that goes offline or comes online. So the CPU of the test is taken
//! out of the set of online CPUs for an instant, with its interrupts off, and all other CPUs are
//! held meanwhile, so that they do not see it.

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
        gate::Held,
        seen::{
            Context,
            Seen, //
        },
        warnings::warnings_of,
        ways::{
            Family,
            Target,
            WAYS, //
        }, //
    }, //
};
use kernel::{
    bindings,
    cpumask::Cpumask,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    smp::testing::{
        check_eq,
        require,
        require_eq,
        two_cpus,
        Cpus, //
    }, //
};

/// Calls `f` as if this CPU were not online. Returns how many warnings it gave.
fn while_offline(cpus: &Cpus, f: impl FnOnce(&LocalInterruptDisabled)) -> Result<c_int> {
    let mut held = KVec::new();
    for cpu in Cpumask::online().iter().filter(|cpu| *cpu != cpus.here) {
        held.push(Held::new(cpu)?, GFP_KERNEL)?;
    }

    let count = warnings_of(|| {
        with_interrupts_off(|irq| {
            let here = cpus.here.as_u32();

            // SAFETY: The other CPUs are held, and do not read the set now.
            unsafe { bindings::set_cpu_online(here, false) };
            f(irq);
            // SAFETY: As above.
            unsafe { bindings::set_cpu_online(here, true) };
        })
    })?;

    if held.iter().all(Held::holds) {
        Ok(count)
    } else {
        pr_err!("the other CPUs were not held long enough\n");
        Err(ETIMEDOUT)
    }
}

/// Flushes the queue as the IPI does.
fn interrupt() {
    // SAFETY: Interrupts are off.
    unsafe { bindings::generic_smp_call_function_single_interrupt() };
}

/// An asynchronous and a synchronous csd.
fn locked_csds(cpus: &Cpus, seen: [&'static Seen; 2]) -> Result<[Csd; 2]> {
    let [first, second] = seen;

    Ok([
        locked_csd(first, Kind::Async, cpus.here)?,
        locked_csd(second, Kind::Sync, cpus.here)?,
    ])
}

#[kunit_tests(smp_offline)]
mod cases {
    use super::*;

    #[test]
    fn an_offline_cpu_may_call_itself_with_interrupts_off() -> Result {
        let cpus = two_cpus()?;

        for way in &WAYS {
            // The other families do not call the own CPU, or only by an IPI.
            if !matches!(way.family, Family::Single | Family::Each | Family::Async) {
                continue;
            }
            let target = Target::new(cpus.here)?;
            let mut error = -1;

            let warnings = while_offline(&cpus, |_| error = (way.call)(&target))?;

            require_eq!(error, 0, "{}", way.name);
            require!(
                target.seen.ran_once(cpus.here, Context::TaskIrqsOff),
                "{}",
                way.name
            );
            require_eq!(warnings, 0, "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn an_offline_cpu_may_call_another_with_interrupts_off() -> Result {
        let cpus = two_cpus()?;

        // The target is held, so a synchronous call would not return.
        for way in WAYS.iter().filter(|way| !way.is_sync) {
            let target = Target::new(cpus.there)?;
            let mut error = -1;

            let warnings = while_offline(&cpus, |_| error = (way.call)(&target))?;

            require_eq!(error, 0, "{}", way.name);
            require!(target.is_called(), "{}", way.name);
            require_eq!(target.seen.cpu(), cpus.there.as_u32(), "{}", way.name);
            require_eq!(warnings, 0, "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn the_last_flush_of_a_dying_cpu_runs_all_and_does_not_warn() -> Result {
        let cpus = two_cpus()?;
        let seen = [Seen::new()?, Seen::new()?];
        let csds = locked_csds(&cpus, seen)?;

        let warnings = while_offline(&cpus, |irq| {
            csds.into_iter().for_each(|csd| push_here(irq, csd));
            // SAFETY: Interrupts are off.
            unsafe { bindings::smpcfd_dying_cpu(cpus.here.as_u32()) };
        })?;

        check_eq!(warnings, 0);
        check_eq!(seen.map(|seen| seen.runs()), [1, 1]);
        check_eq!(csds.map(|csd| csd.is_locked()), [false, false]);
        Ok(())
    }

    #[test]
    fn an_interrupt_that_finds_an_empty_queue_does_not_warn() -> Result {
        let cpus = two_cpus()?;

        check_eq!(while_offline(&cpus, |_| interrupt())?, 0);
        Ok(())
    }

    #[test]
    fn csds_flushed_on_an_offline_cpu_are_reported_and_run() -> Result {
        let cpus = two_cpus()?;

        for _ in 0..2 {
            let seen = [Seen::new()?, Seen::new()?];
            let csds = locked_csds(&cpus, seen)?;
            let before = offline::count();

            let warnings = while_offline(&cpus, |irq| {
                csds.into_iter().for_each(|csd| push_here(irq, csd));
                interrupt();
            })?;

            // The first report of a boot is a warning too.
            require_eq!(warnings, c_int::from(before == 0));
            require_eq!(offline::count() - before, 2);
            require_eq!(seen.map(|seen| seen.runs()), [1, 1]);
            require_eq!(csds.map(|csd| csd.is_locked()), [false, false]);
        }
        Ok(())
    }

    #[test]
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    fn an_offline_cpu_is_not_traced() -> Result {
        use crate::tests::support::{
            around::Around,
            events::Events,
            probe::Probe, //
        };

        let cpus = two_cpus()?;

        for way in &WAYS {
            if way.is_sync || way.family == Family::Many || way.family == Family::Queue {
                continue;
            }
            let there = Target::new(cpus.there)?;
            let here = Target::new(cpus.here)?;
            let events = Events::new()?;
            let around = Around::new(here.seen)?;
            let probes = [Probe::of_sending(events)?, Probe::of_functions(around)?];

            let warnings = while_offline(&cpus, |_| {
                (way.call)(&there);
                (way.call)(&here);
            });
            drop(probes);

            require!(warnings.is_ok());
            require!(there.is_called(), "{}", way.name);
            require_eq!(here.seen.runs(), 1, "{}", way.name);
            require_eq!(events.csds(), 0, "{}", way.name);
            require_eq!(around.own_calls(), 0, "{}", way.name);
        }
        Ok(())
    }
}
