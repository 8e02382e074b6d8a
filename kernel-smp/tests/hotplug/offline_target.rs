// SPDX-License-Identifier: GPL-2.0

//! Calls to an offline CPU, and to the same CPU when it is online again.

use crate::tests::support::{
    calls::{
        all_others,
        any,
        many,
        on_each,
        on_each_if,
        peek,
        single_on,
        Callback,
        Condition, //
    },
    fixture::{
        leak,
        pool_is_free, //
    },
    seen::{
        Context,
        Seen, //
    },
    tally::TALLY,
    thread::Thread,
    ways::{
        Family,
        Target,
        WAYS, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        mask_of,
        require,
        require_eq,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// A condition that is true, and counts how often it is evaluated for a CPU.
struct Evaluated {
    cpu: CpuId,
    count: Atomic<u32>,
}

impl Callback for Evaluated {
    fn call(&'static self) {
        TALLY.call();
    }
}

impl Condition for Evaluated {
    fn wants(&'static self, cpu: c_int) -> bool {
        if cpu == i32::from(self.cpu) {
            self.count.add(1, Relaxed);
        }
        true
    }
}

/// A call to an offline CPU, and its result.
struct Visit {
    target: Target,
    error: Atomic<c_int>,
    left_locked: Atomic<bool>,
}

/// Calls a CPU in all ways.
struct Visitor {
    visits: KVec<Visit>,
}

impl Visitor {
    fn new(cpu: CpuId) -> Result<Self> {
        let mut visits = KVec::new();

        for _ in &WAYS {
            visits.push(
                Visit {
                    target: Target::new(cpu)?,
                    error: Atomic::new(0),
                    left_locked: Atomic::new(false),
                },
                GFP_KERNEL,
            )?;
        }
        Ok(Self { visits })
    }

    fn visit(&'static self) {
        for (way, visit) in WAYS.iter().zip(&self.visits) {
            // This entry point requires that the target is online.
            if way.family == Family::Queue {
                continue;
            }
            visit.error.store((way.call)(&visit.target), Release);
            visit.left_locked.store(!pool_is_free(), Release);
        }
    }
}

/// A thread on a CPU that is online again, which calls all others.
struct Back {
    cpu: Atomic<u32>,
}

/// # Safety
///
/// `par` is a `&'static Seen`.
unsafe extern "C" fn run_on_cpu(par: *mut c_void) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { &*par.cast_const().cast::<Seen>() }.record();
    0
}

/// `smp_call_on_cpu()`
fn call_on_cpu(cpu: CpuId, seen: &'static Seen) -> c_int {
    let par = core::ptr::from_ref(seen).cast_mut().cast();

    // SAFETY: The argument fits the function.
    unsafe { bindings::smp_call_on_cpu(cpu.as_u32(), Some(run_on_cpu), par, false) }
}

#[kunit_tests(smp_offline_target)]
mod cases {
    use super::*;

    #[test]
    fn an_offline_cpu_is_not_called_and_is_called_when_online_again() -> Result {
        let cpus = two_cpus()?;
        let visitor = leak(Visitor::new(cpus.there)?)?;

        // A call that is not refused would not return while the CPU is offline, so a thread makes
        // it.
        let down = Down::new(cpus.there)?;
        let thread = Thread::start(cpus.here, Visitor::visit, visitor)?;
        let all_returned = thread.finishes();
        drop(down);

        check!(all_returned);
        // The same csds once more. A csd that is still queued or locked would run too, or be busy.
        for (way, visit) in WAYS.iter().zip(&visitor.visits) {
            let expected = match way.family {
                Family::Single | Family::Async => ENXIO.to_errno(),
                Family::Many | Family::Each | Family::Queue => 0,
            };

            check_eq!(visit.error.load(Acquire), expected, "{}", way.name);
            check!(!visit.left_locked.load(Acquire), "{}", way.name);
            check_eq!(visit.target.seen.runs(), 0, "{}", way.name);
            require_eq!((way.call)(&visit.target), 0, "{}", way.name);
            require!(visit.target.is_called(), "{}", way.name);
            check_eq!(visit.target.seen.cpu(), cpus.there.as_u32(), "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn a_call_in_a_task_is_refused_for_an_offline_cpu_and_works_when_it_is_online_again() -> Result
    {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let seen = Seen::new()?;

        let down = Down::new(cpus.there)?;
        let refused = call_on_cpu(cpus.there, seen);
        let works = call_on_cpu(third, Seen::new()?);
        drop(down);
        let runs = seen.runs();
        let back = call_on_cpu(cpus.there, seen);

        check_eq!(refused, ENXIO.to_errno());
        check_eq!(works, 0);
        check_eq!(runs, 0);
        check_eq!(back, 0);
        check!(seen.ran_once(cpus.there, Context::Task));
        Ok(())
    }

    #[test]
    fn calls_to_a_set_leave_out_an_offline_cpu() -> Result {
        let cpus = two_cpus()?;
        let all = mask_of(Cpumask::online())?;
        let expected = |cpu: CpuId| u32::from(all.test(cpu) && cpu != cpus.there);
        let evaluated = leak(Evaluated {
            cpu: cpus.there,
            count: Atomic::new(0),
        })?;

        let down = Down::new(cpus.there)?;
        TALLY.clear();
        many(&all, &TALLY, true);
        check!(TALLY.is(|cpu| if cpu == cpus.here { 0 } else { expected(cpu) }));

        TALLY.clear();
        all_others(&TALLY, true);
        check!(TALLY.is(|cpu| if cpu == cpus.here { 0 } else { expected(cpu) }));

        TALLY.clear();
        on_each(&all, &TALLY, true);
        check!(TALLY.is(expected));

        TALLY.clear();
        on_each_if(&all, evaluated, true);
        check!(TALLY.is(expected));
        drop(down);

        check_eq!(evaluated.count.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn a_call_to_any_cpu_of_a_set_takes_an_online_one() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let mask = mask_of([cpus.there, third])?;

        let down = Down::new(cpus.there)?;
        for wait in [true, false] {
            let seen = Seen::new()?;

            require_eq!(any(&mask, seen, wait), 0);
            require_eq!(seen.runs_after(1), 1);
            check_eq!(seen.cpu(), third.as_u32());
        }
        drop(down);
        Ok(())
    }

    #[test]
    fn nothing_is_pending_for_an_offline_cpu() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;

        // The last call ran when the CPU went offline.
        let sent = single_on(cpus.there, Seen::new()?, false);
        let down = Down::new(cpus.there)?;
        let pending = peek(&mask);
        drop(down);

        check_eq!(sent, 0);
        check!(!pending);
        Ok(())
    }

    #[test]
    fn a_cpu_that_is_online_again_can_call_the_others() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        for _ in 0..3 {
            drop(Down::new(cpus.there)?);

            let back = leak(Back {
                cpu: Atomic::new(u32::MAX),
            })?;
            TALLY.clear();
            let thread = Thread::start(
                cpus.there,
                |back: &Back| {
                    all_others(&TALLY, false);
                    all_others(&TALLY, true);
                    back.cpu.store(CpuId::current().as_u32(), Release);
                },
                back,
            )?;

            require!(thread.finishes());
            check_eq!(back.cpu.load(Acquire), cpus.there.as_u32());
            require!(TALLY.becomes(|cpu| {
                if online.test(cpu) && cpu != cpus.there {
                    2
                } else {
                    0
                }
            }));
        }
        Ok(())
    }
}
