// SPDX-License-Identifier: GPL-2.0

//! Calls with a condition, and sets that change under the call.

use crate::tests::support::{
    calls::{
        on_each_if,
        Callback,
        Condition, //
    },
    fixture::{
        becomes_true,
        leak,
        mask_of,
        preempt_count,
        two_cpus, //
    },
    tally::TALLY, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    percpu::define_per_cpu,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    /// How often the condition was asked about each CPU.
    static ASKED: Atomic<u32> = Atomic::new(0);
}

/// A condition that says yes to some CPUs, and keeps count.
struct Wanted {
    wants: fn(CpuId) -> bool,
    /// The lowest preemption count that was seen.
    preempt_count: Atomic<usize>,
    /// How often it was asked on another CPU than the caller's.
    elsewhere: Atomic<u32>,
    caller: CpuId,
}

impl Wanted {
    /// Starts to count.
    fn new(caller: CpuId, wants: fn(CpuId) -> bool) -> Result<&'static Self> {
        TALLY.clear();
        for cpu in Cpumask::possible() {
            // SAFETY: The CPU is possible.
            unsafe { ASKED.per_cpu(cpu) }.store(0, Relaxed);
        }
        leak(Self {
            wants,
            preempt_count: Atomic::new(usize::MAX),
            elsewhere: Atomic::new(0),
            caller,
        })
    }

    /// Returns whether it was asked once about each CPU of `mask`, and about no other.
    fn was_asked_about(mask: &Cpumask) -> bool {
        Cpumask::possible().iter().all(|cpu| {
            // SAFETY: The CPU is possible.
            unsafe { ASKED.per_cpu(cpu) }.load(Relaxed) == u32::from(mask.test(cpu))
        })
    }
}

impl Callback for Wanted {
    fn call(&'static self) {
        TALLY.call();
    }
}

impl Condition for Wanted {
    fn wants(&'static self, cpu: c_int) -> bool {
        let Some(cpu) = CpuId::from_i32(cpu) else {
            return false;
        };

        // SAFETY: A CPU that is asked about was online.
        unsafe { ASKED.per_cpu(cpu) }.add(1, Relaxed);
        if preempt_count() < self.preempt_count.load(Relaxed) {
            self.preempt_count.store(preempt_count(), Relaxed);
        }
        if CpuId::current() != self.caller {
            self.elsewhere.add(1, Relaxed);
        }
        (self.wants)(cpu)
    }
}

fn odd(cpu: CpuId) -> bool {
    cpu.as_u32() % 2 == 1
}

/// A condition that takes all CPUs out of the caller's set, or puts all in, when it is first asked.
struct Changing {
    mask: *mut bindings::cpumask,
    fill: bool,
    slow: bool,
    runs: Atomic<u32>,
}

// SAFETY: The mask is a field of a value that lives as long as the call, which alone uses it.
unsafe impl Sync for Changing {}

impl Callback for Changing {
    fn call(&'static self) {
        // A caller that does not wait for this CPU would be seen to return too early.
        if self.slow {
            let _ = becomes_true({
                let mut looks = 0;
                move || {
                    looks += 1;
                    looks > 50
                }
            });
        }
        self.runs.fetch_add(1, kernel::sync::atomic::Full);
    }
}

impl Condition for Changing {
    fn wants(&'static self, _cpu: c_int) -> bool {
        // SAFETY: The set lives as long as the call, and changes only here.
        let mask = unsafe { Cpumask::from_raw_mut(self.mask) };

        if self.fill {
            mask.setall();
        } else {
            mask.clear_all();
        }
        true
    }
}

/// Calls the CPUs of `mask`, which changes meanwhile. Returns how many had run it at the return.
fn call_changing(mask: CpumaskVar, fill: bool) -> Result<u32> {
    let changing = leak(Changing {
        mask: mask.as_raw(),
        fill,
        slow: true,
        runs: Atomic::new(0),
    })?;

    on_each_if(&mask, changing, true);
    Ok(changing.runs.load(Acquire))
}

#[kunit_tests(smp_condition)]
mod cases {
    use super::*;

    #[test]
    fn a_condition_that_says_no_calls_nobody() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            let never = Wanted::new(cpus.here, |_| false)?;

            on_each_if(Cpumask::online(), never, wait);
            assert!(Wanted::was_asked_about(Cpumask::online()));
            assert!(TALLY.is(|_| 0));
        }
        Ok(())
    }

    #[test]
    fn a_condition_that_says_yes_calls_each() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        for wait in [true, false] {
            let always = Wanted::new(cpus.here, |_| true)?;

            on_each_if(online, always, wait);
            assert!(Wanted::was_asked_about(online));
            assert!(TALLY.becomes(|cpu| u32::from(online.test(cpu))));
        }
        Ok(())
    }

    #[test]
    fn only_the_cpus_that_are_wanted_are_called() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        for wait in [true, false] {
            let wanted = Wanted::new(cpus.here, odd)?;
            on_each_if(online, wanted, wait);
            assert!(TALLY.becomes(|cpu| u32::from(online.test(cpu) && odd(cpu))));

            let wanted = Wanted::new(cpus.here, |cpu| !odd(cpu))?;
            on_each_if(online, wanted, wait);
            assert!(TALLY.becomes(|cpu| u32::from(online.test(cpu) && !odd(cpu))));
        }
        Ok(())
    }

    #[test]
    fn only_the_online_cpus_of_the_set_are_asked_about() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(&mask, always, true);
        assert!(Wanted::was_asked_about(&mask));
        assert!(TALLY.is(|cpu| u32::from(cpu == cpus.there)));

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(Cpumask::possible(), always, true);
        assert!(Wanted::was_asked_about(Cpumask::online()));
        Ok(())
    }

    #[test]
    fn the_condition_is_asked_on_the_callers_cpu_with_preemption_off() -> Result {
        let cpus = two_cpus()?;
        let before = preempt_count();
        let always = Wanted::new(cpus.here, |_| true)?;

        on_each_if(Cpumask::online(), always, true);
        assert!(always.preempt_count.load(Relaxed) > before);
        assert_eq!(always.elsewhere.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn the_condition_is_asked_about_the_own_cpu_alone() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.here])?;
        let before = preempt_count();

        let never = Wanted::new(cpus.here, |_| false)?;
        on_each_if(&mask, never, true);
        assert!(Wanted::was_asked_about(&mask));
        assert!(never.preempt_count.load(Relaxed) > before);
        assert!(TALLY.is(|_| 0));

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(&mask, always, true);
        assert!(TALLY.is(|cpu| u32::from(cpu == cpus.here)));
        Ok(())
    }

    #[test]
    fn who_was_called_is_waited_for_if_the_set_becomes_empty() -> Result {
        two_cpus()?;
        let others = Cpumask::online().weight().saturating_sub(1);

        // The own CPU is out of the set when its turn comes.
        assert_eq!(call_changing(mask_of(Cpumask::online())?, false)?, others);
        Ok(())
    }

    #[test]
    fn who_comes_into_the_set_meanwhile_is_not_waited_for() -> Result {
        let cpus = two_cpus()?;

        // The own CPU is in the set when its turn comes; the others come too late.
        assert_eq!(call_changing(mask_of([cpus.there])?, true)?, 2);
        Ok(())
    }
}
