// SPDX-License-Identifier: GPL-2.0

//! Numbers and sets of CPUs.

use crate::{
    mask,
    tests::support::fixture::invalid_cpus, //
};
use kernel::{
    cpu::nr_cpu_ids,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        mask_of,
        require,
        require_eq,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_mask)]
mod cases {
    use super::*;

    #[test]
    fn invalid_numbers_are_no_cpu() {
        for number in invalid_cpus() {
            check!(mask::in_range(number).is_none());
            check!(mask::online(number).is_none());
        }
    }

    #[test]
    fn the_first_and_the_last_number_are_in_range() {
        let last = (nr_cpu_ids() - 1) as i32;

        for number in [0, last] {
            check_eq!(mask::in_range(number).map(i32::from), Some(number));
        }
    }

    #[test]
    fn each_number_is_online_as_the_set_of_online_cpus_says() {
        for cpu in Cpumask::possible() {
            let online = Cpumask::online().test(cpu);

            check!(mask::online(i32::from(cpu)) == online.then_some(cpu));
        }
    }

    #[test]
    fn the_range_ends_after_the_last_possible_cpu() {
        let last = Cpumask::possible().iter().last();

        check_eq!(last.map(|cpu| cpu.as_u32()), Some(mask::last_possible()));
        check!(mask::last_possible() < nr_cpu_ids());
    }

    #[test]
    fn the_nearest_cpu_is_the_own_one_if_that_is_in_the_set() -> Result {
        let cpus = two_cpus()?;
        let (here, there) = (Some(cpus.here), Some(cpus.there));

        check!(mask::nearest(&*mask_of([cpus.here])?, cpus.here) == here);
        check!(mask::nearest(Cpumask::online(), cpus.here) == here);
        check!(mask::nearest(Cpumask::online(), cpus.there) == there);
        check!(mask::nearest(&*mask_of([cpus.there])?, cpus.here) == there);
        check!(mask::nearest(&*mask_of([])?, cpus.here).is_none());
        Ok(())
    }

    #[test]
    fn the_online_others_of_a_set_are_found_wherever_they_are() -> Result {
        two_cpus()?;
        let untouched = mask_of(Cpumask::possible())?;
        let mut others = mask_of(Cpumask::possible())?;

        // Sets that are larger than a word have CPUs in each word only if all possible ones count.
        for online in [Cpumask::online(), Cpumask::possible()] {
            for this_cpu in Cpumask::possible() {
                let find = |set: &Cpumask, others: &mut Cpumask| {
                    mask::online_others(set, online, this_cpu, others)
                };

                untouched.copy(&mut others);
                require!(!find(&*mask_of([])?, &mut others));
                for cpu in Cpumask::possible() {
                    let is_one = cpu != this_cpu && online.test(cpu);

                    for set in [mask_of([cpu])?, mask_of([cpu, this_cpu])?] {
                        untouched.copy(&mut others);
                        require_eq!(find(&set, &mut others), is_one);
                        if is_one {
                            require!(others.iter().eq([cpu]));
                        } else {
                            require!(others.iter().eq(untouched.iter()));
                        }
                    }
                }
                require!(find(Cpumask::possible(), &mut others));
                require!(others
                    .iter()
                    .eq(online.iter().filter(|cpu| *cpu != this_cpu)));
            }
        }
        Ok(())
    }
}
