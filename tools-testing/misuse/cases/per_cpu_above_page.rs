// SPDX-License-Identifier: GPL-2.0

//! The per-CPU memory of a module is aligned to a page, so the variable would be misaligned.

//@[misuse] error-in-other-file: E0080: evaluation panicked: a per-CPU variable is aligned to a page at most

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

#[cfg_attr(good, repr(align(4096)))]
#[cfg_attr(misuse, repr(align(8192)))]
struct Apart(Atomic<u64>);

define_per_cpu! {
    static APART: Apart = Apart(Atomic::new(0));
}

pub fn count(guard: &CpuGuard) {
    APART.this_cpu(guard).0.add(1, Relaxed);
}
