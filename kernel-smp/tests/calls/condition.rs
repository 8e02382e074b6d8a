// SPDX-License-Identifier: GPL-2.0

//! Calls with a condition, and sets that change under the call.

use crate::tests::support::{
    calls::{
        on_each_if,
        Callback,
        Condition, //
    },
    fixture::{
        leak,
        preempt_count, //
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
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        mask_of,
        require,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    /// How often the condition was evaluated for each CPU.
    static EVALUATED: Atomic<u32> = Atomic::new(0);
}

/// A condition that is true for some CPUs, and counts.
struct Wanted {
    wants: fn(CpuId) -> bool,
    /// The lowest preemption count that was seen.
    preempt_count: Atomic<c_int>,
    /// How often it was evaluated on another CPU than the source.
    elsewhere: Atomic<u32>,
    source: CpuId,
}

impl Wanted {
    /// Resets all counts.
    fn new(source: CpuId, wants: fn(CpuId) -> bool) -> Result<&'static Self> {
        TALLY.clear();
        for cpu in Cpumask::possible() {
            // SAFETY: The CPU is possible.
            unsafe { EVALUATED.per_cpu(cpu) }.store(0, Relaxed);
        }
        leak(Self {
            wants,
            preempt_count: Atomic::new(c_int::MAX),
            elsewhere: Atomic::new(0),
            source,
        })
    }

    /// Returns whether it was evaluated once for each CPU of `mask`, and for no other.
    fn was_evaluated_for(mask: &Cpumask) -> bool {
        Cpumask::possible().iter().all(|cpu| {
            // SAFETY: The CPU is possible.
            unsafe { EVALUATED.per_cpu(cpu) }.load(Relaxed) == u32::from(mask.test(cpu))
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

        // SAFETY: The condition is evaluated for possible CPUs only.
        unsafe { EVALUATED.per_cpu(cpu) }.add(1, Relaxed);
        if preempt_count() < self.preempt_count.load(Relaxed) {
            self.preempt_count.store(preempt_count(), Relaxed);
        }
        if CpuId::current() != self.source {
            self.elsewhere.add(1, Relaxed);
        }
        (self.wants)(cpu)
    }
}

fn odd(cpu: CpuId) -> bool {
    cpu.as_u32() % 2 == 1
}

/// A condition that clears or fills the caller's mask when it is first evaluated.
struct Changing {
    mask: *mut bindings::cpumask,
    fill: bool,
    slow: bool,
    runs: Atomic<u32>,
}

// SAFETY: The mask is valid during the call, and nothing else uses it.
unsafe impl Sync for Changing {}

impl Callback for Changing {
    fn call(&'static self) {
        // Gives a caller that does not wait for this CPU the time to return too early.
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
        // SAFETY: The mask is valid during the call, and changes only here.
        let mask = unsafe { Cpumask::from_raw_mut(self.mask) };

        if self.fill {
            mask.setall();
        } else {
            mask.clear_all();
        }
        true
    }
}

/// Calls the CPUs of `mask`, which changes meanwhile. Returns how many had run the callback at the
/// return.
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
    fn a_condition_that_is_false_calls_no_cpu() -> Result {
        let cpus = two_cpus()?;

        for wait in [true, false] {
            let never = Wanted::new(cpus.here, |_| false)?;

            on_each_if(Cpumask::online(), never, wait);
            require!(Wanted::was_evaluated_for(Cpumask::online()));
            require!(TALLY.is(|_| 0));
        }
        Ok(())
    }

    #[test]
    fn a_condition_that_is_true_calls_each_cpu() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        for wait in [true, false] {
            let always = Wanted::new(cpus.here, |_| true)?;

            on_each_if(online, always, wait);
            require!(Wanted::was_evaluated_for(online));
            require!(TALLY.becomes(|cpu| u32::from(online.test(cpu))));
        }
        Ok(())
    }

    #[test]
    fn only_cpus_for_which_the_condition_is_true_are_called() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();

        for wait in [true, false] {
            let wanted = Wanted::new(cpus.here, odd)?;
            on_each_if(online, wanted, wait);
            require!(TALLY.becomes(|cpu| u32::from(online.test(cpu) && odd(cpu))));

            let wanted = Wanted::new(cpus.here, |cpu| !odd(cpu))?;
            on_each_if(online, wanted, wait);
            require!(TALLY.becomes(|cpu| u32::from(online.test(cpu) && !odd(cpu))));
        }
        Ok(())
    }

    #[test]
    fn the_condition_is_evaluated_once_for_each_online_cpu_of_the_set() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.there])?;

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(&mask, always, true);
        check!(Wanted::was_evaluated_for(&mask));
        check!(TALLY.is(|cpu| u32::from(cpu == cpus.there)));

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(Cpumask::possible(), always, true);
        check!(Wanted::was_evaluated_for(Cpumask::online()));
        Ok(())
    }

    #[test]
    fn the_condition_is_evaluated_on_the_source_cpu_with_preemption_off() -> Result {
        let cpus = two_cpus()?;
        let before = preempt_count();
        let always = Wanted::new(cpus.here, |_| true)?;

        on_each_if(Cpumask::online(), always, true);
        check!(always.preempt_count.load(Relaxed) > before);
        check_eq!(always.elsewhere.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn the_condition_is_evaluated_for_a_set_of_the_own_cpu_alone() -> Result {
        let cpus = two_cpus()?;
        let mask = mask_of([cpus.here])?;
        let before = preempt_count();

        let never = Wanted::new(cpus.here, |_| false)?;
        on_each_if(&mask, never, true);
        check!(Wanted::was_evaluated_for(&mask));
        check!(never.preempt_count.load(Relaxed) > before);
        check!(TALLY.is(|_| 0));

        let always = Wanted::new(cpus.here, |_| true)?;
        on_each_if(&mask, always, true);
        check!(TALLY.is(|cpu| u32::from(cpu == cpus.here)));
        Ok(())
    }

    #[test]
    fn called_cpus_are_waited_for_if_the_set_becomes_empty() -> Result {
        two_cpus()?;
        let others = Cpumask::online().weight().saturating_sub(1);

        // The own CPU is called last, and is no longer in the set then.
        check_eq!(call_changing(mask_of(Cpumask::online())?, false)?, others);
        Ok(())
    }

    #[test]
    fn cpus_that_join_the_set_meanwhile_are_not_waited_for() -> Result {
        let cpus = two_cpus()?;

        // The own CPU is called last, and is in the set then; the others were added too late.
        check_eq!(call_changing(mask_of([cpus.there])?, true)?, 2);
        Ok(())
    }
}
