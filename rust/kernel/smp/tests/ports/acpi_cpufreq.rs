// SPDX-License-Identifier: GPL-2.0

//! A register that each CPU of a set can read, as `drv_read()` of `drivers/cpufreq/acpi-cpufreq.c`
//! reads that of a frequency domain.

use crate::{
    cpumask::Cpumask,
    percpu::define_per_cpu,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            mask_of,
            two_cpus, //
        },
        CallError,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    /// The register of each CPU.
    static PERF_STATUS: Atomic<u64> = Atomic::new(0);
}

/// CPUs that change their frequency together.
struct Policy<'a> {
    cpus: &'a Cpumask,
}

impl Policy<'_> {
    /// Returns the state, read on the nearest CPU that is online.
    fn read(&self, caller: &Caller) -> Result<u64, CallError> {
        caller.call_any(self.cpus, |ctx| PERF_STATUS.this_cpu(ctx).load(Relaxed))
    }

    /// Sets the state on each CPU.
    fn write(&self, caller: &Caller, state: u64) {
        caller.call_all_in(self.cpus, |ctx| {
            PERF_STATUS.this_cpu(ctx).store(state, Relaxed)
        });
    }
}

#[kunit_tests(rust_smp_port_acpi_cpufreq)]
mod cases {
    use super::*;

    #[test]
    fn a_domain_is_read_on_one_of_its_cpus_and_written_on_all() -> Result {
        let there = two_cpus()?.there;
        let caller = Caller::new()?;
        let one = mask_of([there])?;
        let none = mask_of([])?;
        let all = Policy {
            cpus: Cpumask::online(),
        };
        let domain = Policy { cpus: &one };

        all.write(&caller, 1);
        domain.write(&caller, 2);
        check_eq!(domain.read(&caller), Ok(2));
        // This CPU is one of them, and the nearest.
        check_eq!(all.read(&caller), Ok(1));
        check!(Policy { cpus: &none }.read(&caller) == Err(CallError::Offline));
        Ok(())
    }
}
