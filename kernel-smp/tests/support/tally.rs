// SPDX-License-Identifier: GPL-2.0

//! How often a callback ran on each CPU.

use super::calls::Callback;
use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::{
        define_per_cpu,
        CpuGuard, //
    },
    prelude::*,
    smp::testing::becomes_true,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static RUNS: Atomic<u32> = Atomic::new(0);
}

/// A callback that counts on the CPU it runs on.
pub(crate) struct Tally(());

/// The only tally.
pub(crate) static TALLY: Tally = Tally(());

impl Callback for Tally {
    fn call(&'static self) {
        let guard = CpuGuard::new();

        // ORDERING: Pairs with the load in `runs()`.
        RUNS.this_cpu(&guard).fetch_add(1, Full);
    }
}

impl Tally {
    /// Sets all counts to zero.
    pub(crate) fn clear(&self) {
        for cpu in Cpumask::possible() {
            // SAFETY: The CPU is possible.
            unsafe { RUNS.per_cpu(cpu) }.store(0, Relaxed);
        }
    }

    /// How often it ran on `cpu`.
    pub(crate) fn runs(&self, cpu: CpuId) -> u32 {
        // SAFETY: The CPUs of the tests are possible.
        unsafe { RUNS.per_cpu(cpu) }.load(Acquire)
    }

    /// How often it ran on all CPUs together.
    #[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
    pub(crate) fn sum(&self) -> u32 {
        Cpumask::possible()
            .iter()
            .fold(0, |sum, cpu| sum + self.runs(cpu))
    }

    /// Returns whether it ran as often on each CPU as `expected` returns for the CPU.
    pub(crate) fn matches(&self, expected: impl Fn(CpuId) -> u32) -> bool {
        Cpumask::possible()
            .iter()
            .all(|cpu| self.runs(cpu) == expected(cpu))
    }

    /// As [`Tally::matches`], but prints the counts if they differ.
    pub(crate) fn is(&self, expected: impl Fn(CpuId) -> u32) -> bool {
        let same = self.matches(&expected);

        if !same {
            for cpu in Cpumask::possible() {
                pr_err!(
                    "CPU {} ran it {} times, not {}\n",
                    cpu.as_u32(),
                    self.runs(cpu),
                    expected(cpu),
                );
            }
        }
        same
    }

    /// As [`Tally::is`], after waiting for it.
    pub(crate) fn becomes(&self, expected: impl Fn(CpuId) -> u32) -> bool {
        let _ = becomes_true(|| self.matches(&expected));

        self.is(expected)
    }
}
