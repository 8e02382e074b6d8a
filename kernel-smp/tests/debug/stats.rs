// SPDX-License-Identifier: GPL-2.0

//! Counters.

use crate::{
    clock::now,
    csd::Kind,
    stats,
    tests::support::{
        fixture::blank_csd,
        key::KeyOn, //
    },
    wait::{
        self,
        Waiting, //
    }, //
};
use core::cell::OnceCell;
use kernel::{
    bindings,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::check, //
};

/// Switches the counters on.
fn counters_on() -> KeyOn {
    // SAFETY: This only computes an address.
    let key = unsafe { &raw mut bindings::smp_stats_key.key };

    // SAFETY: The key is one of the kernel, and no other test turns it on or off.
    unsafe { KeyOn::new(key) }
}

/// Returns the longest wait that any CPU has counted, in ns.
fn longest_wait() -> u64 {
    Cpumask::possible()
        .iter()
        .map(|cpu| {
            // SAFETY: The CPU is a possible one.
            unsafe { bindings::smp_stats_read(bindings::smp_counter_SMP_LONGEST_NS, cpu.as_u32()) }
        })
        .max()
        .unwrap_or(0)
}

/// Waits for a csd that stays locked until `end` returns true.
fn wait_until(end: &dyn Fn() -> bool) -> Result {
    let csd = blank_csd()?;

    csd.lock_new(Kind::Sync);
    wait::until_over_or(csd, None, Waiting::Spin, Some(end));
    csd.unlock();
    Ok(())
}

#[kunit_tests(smp_stats)]
mod cases {
    use super::*;

    #[test]
    fn a_wait_is_counted_only_if_the_counters_were_on_when_it_began() -> Result {
        let counters = OnceCell::new();
        let before = longest_wait();
        let start = now();

        check!(!stats::enabled());
        wait_until(&|| {
            counters.get_or_init(counters_on);
            true
        })?;
        check!(stats::enabled());
        // Other waits may have been counted meanwhile: none is longer than the test.
        let counted = longest_wait();
        check!(counted <= before.max(now().saturating_sub(start)));

        // The wait has begun when it first looks whether it is over.
        let begun = OnceCell::new();
        wait_until(&|| now().saturating_sub(*begun.get_or_init(now)) > counted)?;
        check!(longest_wait() > counted);
        Ok(())
    }
}
