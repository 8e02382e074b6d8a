// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of per-CPU variables, and of masks of CPUs.

use super::{
    define_per_cpu,
    DynamicPerCpu, //
};
use crate::{
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            mask_of,
            two_cpus,
            Cpus, //
        },
        Caller, //
    },
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

#[kunit_tests(rust_percpu)]
mod suite {
    use super::*;

    define_per_cpu! {
        static HITS: Atomic<usize> = Atomic::new(0);
        static BALANCE: Atomic<i32> = Atomic::new(0);
    }

    /// Records that it is dropped.
    struct Counted(Arc<Atomic<u32>>, CpuId);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.add(1, Relaxed);
        }
    }

    #[test]
    fn an_allocated_variable_is_made_and_dropped_for_each_possible_cpu() -> Result {
        let drops = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let possible = Cpumask::possible();

        let variable = DynamicPerCpu::new_with(|cpu| Counted(drops.clone(), cpu), GFP_KERNEL)?;
        let made = possible
            .iter()
            .all(|cpu| variable.get(cpu).is_some_and(|it| it.1 == cpu));
        let early = drops.load(Relaxed);
        drop(variable);

        check!(made);
        check_eq!(early, 0);
        check_eq!(drops.load(Relaxed), possible.weight());
        Ok(())
    }

    #[test]
    fn each_cpu_has_a_variable_of_its_own() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let variable = DynamicPerCpu::<[Atomic<u32>; 3]>::new_with(
            |_| [const { Atomic::new(0) }; 3],
            GFP_KERNEL,
        )?;

        Caller::new()?.call(there, |ctx| {
            variable.this_cpu(ctx)[1].store(7, Relaxed);
        })?;
        let of = |cpu| variable.get(cpu).map(|it| it[1].load(Relaxed));

        check_eq!(of(there), Some(7));
        check_eq!(of(here), Some(0));
        Ok(())
    }

    #[test]
    fn a_number_is_added_to_the_variable_of_this_cpu() -> Result {
        const TIMES: u32 = 100;
        let there = two_cpus()?.there;
        let before = HITS.get(there).ok_or(ENXIO)?.load(Relaxed);

        Caller::new()?.call(there, |_| {
            for _ in 0..TIMES {
                HITS.num().add(3);
            }
            HITS.num().sub(1);
            BALANCE.num().sub(2);
        })?;

        let after = HITS.get(there).ok_or(ENXIO)?.load(Relaxed);
        check_eq!(after.wrapping_sub(before), 299);
        let balance = BALANCE.get(there).ok_or(ENXIO)?;
        check_eq!(balance.xchg(0, crate::sync::atomic::Full), -2);
        Ok(())
    }

    #[test]
    fn a_sum_of_each_width_wraps_around() -> Result {
        let words = DynamicPerCpu::new_with(|_| Atomic::new(u32::MAX), GFP_KERNEL)?;
        let sizes = DynamicPerCpu::new_with(|_| Atomic::new(1usize), GFP_KERNEL)?;
        let there = two_cpus()?.there;

        Caller::new()?.call(there, |_| {
            words.num().add(2);
            sizes.num().sub(2);
        })?;

        check_eq!(words.get(there).map(|it| it.load(Relaxed)), Some(1));
        check_eq!(
            sizes.get(there).map(|it| it.load(Relaxed)),
            Some(usize::MAX)
        );
        Ok(())
    }

    #[cfg(CONFIG_64BIT)]
    #[test]
    fn a_sum_of_64_bits_wraps_around() -> Result {
        let longs = DynamicPerCpu::new_with(|_| Atomic::new(-1i64), GFP_KERNEL)?;
        let there = two_cpus()?.there;

        Caller::new()?.call(there, |_| longs.num().add(i64::MIN))?;

        check_eq!(longs.get(there).map(|it| it.load(Relaxed)), Some(i64::MAX));
        Ok(())
    }

    #[test]
    fn masks_are_compared_and_printed() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let [low, high] = if here.as_u32() < there.as_u32() {
            [here, there]
        } else {
            [there, here]
        };
        let both = mask_of([there, here])?;
        let one = mask_of([low])?;
        let empty = CpumaskVar::new_zero(GFP_KERNEL)?;
        let printed = |mask: &Cpumask| CString::try_from_fmt(fmt!("{}", mask));
        let [first, last] = [low, high].map(|cpu| cpu.as_u32());
        let dash = if last == first.wrapping_add(1) {
            "-"
        } else {
            ","
        };

        check!(*both == *mask_of([here, there])?);
        check!(*both != *one && *one != *empty);
        check_eq!(&*printed(&empty)?, c"");
        check_eq!(
            &*printed(&one)?,
            &*CString::try_from_fmt(fmt!("{}", first))?
        );
        check_eq!(
            &*printed(&both)?,
            &*CString::try_from_fmt(fmt!("{}{}{}", first, dash, last))?
        );
        Ok(())
    }
}
