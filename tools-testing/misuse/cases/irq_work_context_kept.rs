// SPDX-License-Identifier: GPL-2.0

//! A task that looks at the context later may be on another CPU.

use kernel::{
    irq_work::{
        Handler,
        WorkContext, //
    },
    percpu::define_per_cpu,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static SEEN: Atomic<u64> = Atomic::new(0);
}

#[cfg(misuse)]
fn count(context: &'static WorkContext) {
    SEEN.this_cpu(context).add(1, Relaxed);
}

#[cfg(good)]
fn count(context: &WorkContext) {
    SEEN.this_cpu(context).add(1, Relaxed);
}

pub struct Seen;

impl Handler for Seen {
    fn handle(&self, context: &WorkContext) {
        count(context);
        //~[misuse]^ ERROR: E0521: borrowed data escapes outside of method
    }
}
