// SPDX-License-Identifier: GPL-2.0

//! The task may be on another CPU after the guard is dropped.

use kernel::{
    percpu::{
        define_per_cpu,
        CpuGuard, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static SEEN: Atomic<u64> = Atomic::new(0);
}

pub fn count() {
    let guard = CpuGuard::new();
    let seen = SEEN.this_cpu(&guard);

    #[cfg(misuse)]
    drop(guard);
    //~[misuse]^ ERROR: E0505: cannot move out of `guard` because it is borrowed
    seen.add(1, Relaxed);
}
