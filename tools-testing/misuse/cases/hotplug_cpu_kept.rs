// SPDX-License-Identifier: GPL-2.0

//! The task that drops the registration may run on any CPU.

use kernel::{
    cpuhp::{
        Callbacks,
        Online,
        OnlineCpu, //
    },
    percpu::define_per_cpu,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static SEEN: Atomic<u64> = Atomic::new(0);
}

struct Seen;

/// Counts, now or later.
#[cfg(misuse)]
fn count(cpu: &'static OnlineCpu) {
    SEEN.this_cpu(cpu).add(1, Relaxed);
}

#[cfg(good)]
fn count(cpu: &OnlineCpu) {
    SEEN.this_cpu(cpu).add(1, Relaxed);
}

impl Callbacks for Seen {
    type Section = Online;

    fn startup(&self, cpu: &OnlineCpu) -> Result {
        count(cpu);
        //~[misuse]^ ERROR: E0521: borrowed data escapes outside of method
        Ok(())
    }
}
