// SPDX-License-Identifier: GPL-2.0

//! Calls that run in a task of another CPU.

use crate::tests::support::{
    fixture::{
        leak,
        preempt_count, //
    },
    seen::{
        Context,
        Seen, //
    },
    thread::{
        sleep,
        Thread, //
    }, //
};
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        require,
        require_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full, //
    }, //
};

/// The argument of the function, and its return value.
struct Answer {
    seen: &'static Seen,
    ret: c_int,
}

impl Answer {
    fn new(ret: c_int) -> Result<&'static Self> {
        leak(Self {
            seen: Seen::new()?,
            ret,
        })
    }
}

/// # Safety
///
/// `par` is a `&'static Answer`.
unsafe extern "C" fn answer(par: *mut c_void) -> c_int {
    // SAFETY: By the safety requirements.
    let answer = unsafe { &*par.cast_const().cast::<Answer>() };

    sleep(1);
    answer.seen.record();
    answer.ret
}

/// `smp_call_on_cpu()`
fn call_on_cpu(cpu: u32, to: &'static Answer, phys: bool) -> c_int {
    let par = core::ptr::from_ref(to).cast_mut().cast();

    // SAFETY: The argument fits the function.
    unsafe { bindings::smp_call_on_cpu(cpu, Some(answer), par, phys) }
}

/// Calls a CPU many times, from a thread.
struct Caller {
    cpu: CpuId,
    answer: &'static Answer,
    wrong: Atomic<u32>,
}

impl Caller {
    const CALLS: u32 = 10;

    fn call(&'static self) {
        for _ in 0..Self::CALLS {
            if call_on_cpu(self.cpu.as_u32(), self.answer, false) != self.answer.ret {
                self.wrong.fetch_add(1, Full);
            }
        }
    }
}

#[kunit_tests(smp_on_cpu)]
mod cases {
    use super::*;

    #[test]
    fn the_function_runs_in_a_task_on_its_cpu_and_may_sleep() -> Result {
        two_cpus()?;

        for cpu in Cpumask::online() {
            let answer = Answer::new(0)?;

            require_eq!(call_on_cpu(cpu.as_u32(), answer, false), 0);
            require!(answer.seen.ran_once(cpu, Context::Task));
        }
        Ok(())
    }

    #[test]
    fn what_the_function_returns_is_returned() -> Result {
        let cpus = two_cpus()?;

        for phys in [false, true] {
            for ret in [
                0,
                1,
                42,
                -1,
                -5,
                EIO.to_errno(),
                ENXIO.to_errno(),
                i32::MAX,
                i32::MIN,
            ] {
                require_eq!(
                    call_on_cpu(cpus.there.as_u32(), Answer::new(ret)?, phys),
                    ret
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_call_for_a_physical_cpu_runs_on_the_cpu_of_that_number() -> Result {
        two_cpus()?;

        for cpu in Cpumask::online() {
            let answer = Answer::new(7)?;

            require_eq!(call_on_cpu(cpu.as_u32(), answer, true), 7);
            require!(answer.seen.ran_once(cpu, Context::Task));
        }
        Ok(())
    }

    #[test]
    fn invalid_cpu_numbers_are_refused_and_the_next_call_works() -> Result {
        let cpus = two_cpus()?;

        for phys in [false, true] {
            for number in [
                nr_cpu_ids(),
                bindings::NR_CPUS,
                i32::MAX as u32,
                i32::MIN as u32,
                u32::MAX,
            ] {
                let answer = Answer::new(3)?;
                let before = preempt_count();

                require_eq!(call_on_cpu(number, answer, phys), ENXIO.to_errno());
                require_eq!(answer.seen.runs(), 0);
                require_eq!(preempt_count(), before);
                require_eq!(call_on_cpu(cpus.there.as_u32(), answer, phys), 3);
                require_eq!(answer.seen.runs(), 1);
            }
        }
        Ok(())
    }

    #[test]
    fn calls_from_several_tasks_at_once_get_their_own_answers() -> Result {
        let cpus = two_cpus()?;
        let callers = [
            Answer::new(1)?,
            Answer::new(2)?,
            Answer::new(3)?, //
        ];
        let mut started = KVec::new();

        for (caller, at) in callers.into_iter().zip(Cpumask::online()) {
            let caller = leak(Caller {
                cpu: cpus.there,
                answer: caller,
                wrong: Atomic::new(0),
            })?;
            let thread = Thread::start(at, Caller::call, caller)?;

            started.push((thread, caller), GFP_KERNEL)?;
        }
        let finished = started.iter().all(|(thread, _)| thread.finishes());

        check!(finished);
        for (_, caller) in &started {
            check_eq!(caller.wrong.load(Acquire), 0);
            check_eq!(caller.answer.seen.runs(), Caller::CALLS);
        }
        Ok(())
    }
}
