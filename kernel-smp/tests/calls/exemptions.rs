// SPDX-License-Identifier: GPL-2.0

//! Contexts in which a call warns, and exemptions.

use crate::{
    irq,
    tests::support::{
        calls::{
            single,
            Callback, //
        },
        fixture::{
            blank_csd,
            leak,
            pool_is_free,
            with_interrupts_off, //
        },
        gate::Held,
        irq_work::Work,
        seen::Context,
        warnings::{
            warnings_of,
            Oops, //
        },
        ways::{
            Family,
            Target,
            Way,
            WAYS, //
        }, //
    },
    wait, //
};
use kernel::{
    bindings,
    cpumask::Cpumask,
    percpu::CpuGuard,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        require,
        require_eq,
        two_cpus,
        Cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// Whether lockdep works, which checks that interrupts are on for calls to many.
fn lockdep_works() -> bool {
    // SAFETY: The variable is an `int` of C; any value is fine.
    cfg!(CONFIG_PROVE_LOCKING) && unsafe { (&raw const bindings::debug_locks).read_volatile() } != 0
}

/// How many warnings a call in this way gives for interrupts that are off.
///
/// None if waits poll: then it is allowed.
fn warnings_for_interrupts(way: &Way) -> c_int {
    c_int::from(match way.family {
        _ if wait::POLLING => false,
        Family::Single => true,
        Family::Many | Family::Each => lockdep_works(),
        Family::Async | Family::Queue => false,
    })
}

/// How many warnings a call in this way gives outside of a task.
///
/// None if waits poll.
fn warnings_for_context(way: &Way) -> c_int {
    c_int::from(match way.family {
        _ if wait::POLLING => false,
        Family::Single | Family::Many | Family::Each => true,
        Family::Async | Family::Queue => false,
    })
}

/// Calls both CPUs in all ways, from the context in which `call` runs its argument.
///
/// Each call must run, and give as many warnings as `expected` says.
fn check_warnings(
    cpus: &Cpus,
    call: impl Fn(&mut dyn FnMut()),
    expected: fn(&Way) -> c_int,
) -> Result {
    for cpu in [cpus.there, cpus.here] {
        for way in &WAYS {
            let target = Target::new(cpu)?;
            let mut error = -1;

            let count = warnings_of(|| call(&mut || error = (way.call)(&target)))?;
            let ran = way.family == Family::Many && cpu == cpus.here || target.is_called();

            check_eq!(error, 0, "{}", way.name);
            check_eq!(count, expected(way), "{}", way.name);
            require!(ran, "{}", way.name);
        }
    }
    Ok(())
}

/// A callback that calls a CPU, and records its context.
struct Nested {
    target: Target,
    way: &'static Way,
    error: Atomic<c_int>,
    in_interrupt: Atomic<bool>,
    done: Atomic<bool>,
    oops: bool,
}

impl Callback for Nested {
    fn call(&'static self) {
        let oops = self.oops.then(Oops::new);

        self.in_interrupt
            .store(Context::current() == Context::HardIrq, Relaxed);
        self.error.store((self.way.call)(&self.target), Relaxed);
        drop(oops);
        self.done.store(true, Release);
    }
}

/// Calls another CPU in all ways from a hard interrupt. Each call must run, and give as many
/// warnings as `expected` says.
fn check_warnings_in_interrupt(cpus: &Cpus, oops: bool, expected: fn(&Way) -> c_int) -> Result {
    for way in &WAYS {
        let nested = leak(Nested {
            target: Target::new(cpus.there)?,
            way,
            error: Atomic::new(-1),
            in_interrupt: Atomic::new(false),
            done: Atomic::new(false),
            oops,
        })?;
        let work = Work::new(nested)?;

        // The interrupt interrupts this task, so its warnings count as those of the task.
        let mut ran = false;
        let count = warnings_of(|| {
            work.queue_on(cpus.here);
            ran = becomes_true(|| nested.done.load(Acquire));
        })?;

        require!(ran, "{}", way.name);
        check!(nested.in_interrupt.load(Relaxed), "{}", way.name);
        check_eq!(nested.error.load(Relaxed), 0, "{}", way.name);
        check_eq!(count, expected(way), "{}", way.name);
        require!(nested.target.is_called(), "{}", way.name);
    }
    Ok(())
}

#[kunit_tests(smp_exemptions)]
mod cases {
    use super::*;

    #[test]
    fn calls_from_a_task_with_interrupts_on_give_no_warning() -> Result {
        let cpus = two_cpus()?;

        check_warnings(&cpus, |call| call(), |_| 0)
    }

    #[test]
    fn calls_from_a_task_with_preemption_off_give_no_warning() -> Result {
        let cpus = two_cpus()?;

        check_warnings(
            &cpus,
            |call| {
                let _guard = CpuGuard::new();
                call();
            },
            |_| 0,
        )
    }

    #[test]
    fn calls_from_a_task_with_interrupts_off_warn_each_time() -> Result {
        let cpus = two_cpus()?;

        for _ in 0..2 {
            check_warnings(
                &cpus,
                |call| with_interrupts_off(|_| call()),
                warnings_for_interrupts,
            )?;
        }
        Ok(())
    }

    #[test]
    fn calls_with_interrupts_off_give_no_warning_during_an_oops() -> Result {
        let cpus = two_cpus()?;

        check_warnings(
            &cpus,
            |call| {
                with_interrupts_off(|_| {
                    let _oops = Oops::new();
                    call();
                })
            },
            |_| 0,
        )
    }

    #[test]
    fn calls_from_an_interrupt_warn_about_the_context_and_about_interrupts() -> Result {
        let cpus = two_cpus()?;

        check_warnings_in_interrupt(&cpus, false, |way| {
            warnings_for_interrupts(way) + warnings_for_context(way)
        })
    }

    #[test]
    fn calls_from_an_interrupt_during_an_oops_warn_about_the_context_alone() -> Result {
        let cpus = two_cpus()?;

        check_warnings_in_interrupt(&cpus, true, warnings_for_context)
    }

    #[test]
    fn an_offline_cpu_is_exempt_from_the_rule_about_interrupts() -> Result {
        two_cpus()?;

        for (online, single, many) in [(true, 1, c_int::from(lockdep_works())), (false, 0, 0)] {
            require_eq!(
                warnings_of(|| with_interrupts_off(|_| irq::warn_single(|| online)))?,
                single
            );
            require_eq!(
                warnings_of(|| with_interrupts_off(|_| irq::warn_many(|| online)))?,
                many
            );
            require_eq!(warnings_of(|| irq::warn_single(|| online))?, 0);
            require_eq!(warnings_of(|| irq::warn_many(|| online))?, 0);
        }
        Ok(())
    }

    #[test]
    fn in_early_boot_calls_to_many_are_exempt_and_calls_to_one_are_not() -> Result {
        let cpus = two_cpus()?;
        let early = &raw mut bindings::early_boot_irqs_disabled;
        let mut held = KVec::new();

        // Lockdep reads the variable whenever a CPU turns interrupts on.
        for cpu in Cpumask::online().iter().filter(|cpu| *cpu != cpus.here) {
            held.push(Held::new(cpu)?, GFP_KERNEL)?;
        }
        let rules: [fn(); 2] = [|| irq::warn_many(|| true), || irq::warn_single(|| true)];
        let warnings = rules.map(|warn| {
            warnings_of(|| {
                with_interrupts_off(|_| {
                    // SAFETY: The other CPUs are held, and do not read it now.
                    unsafe { early.write_volatile(true) };
                    warn();
                    // SAFETY: As above.
                    unsafe { early.write_volatile(false) };
                })
            })
        });
        let held_until_now = held.iter().all(Held::holds);
        drop(held);

        let [many, single] = warnings;
        check!(held_until_now);
        check_eq!(many?, 0);
        check_eq!(single?, 1);
        Ok(())
    }

    #[test]
    fn a_call_that_is_refused_gives_no_warning() -> Result {
        let cpus = two_cpus()?;
        let target = Target::new(cpus.there)?;
        let mut errors = [0; 3];
        let mut free = false;

        let count = warnings_of(|| {
            errors = [
                single(-1, target.seen, true),
                single(i32::MAX, target.seen, false),
                single(i32::MIN, target.seen, true),
            ];
            free = pool_is_free();
        })?;

        check!(free);
        check_eq!(errors, [ENXIO.to_errno(); 3]);
        check_eq!(count, 0);
        Ok(())
    }

    #[test]
    fn unlocking_an_unlocked_csd_warns() -> Result {
        let csd = blank_csd()?;

        check_eq!(warnings_of(|| csd.unlock())?, 1);
        check!(csd.lock_if_unlocked());
        check_eq!(warnings_of(|| csd.unlock())?, 0);
        Ok(())
    }
}
