// SPDX-License-Identifier: GPL-2.0

//! An interrupt, and other CPUs, may access the variable at any time.

use core::cell::Cell;
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
    static ATOMIC: Atomic<u64> = Atomic::new(0);

    static CELL: Cell<u64> = Cell::new(0);
}

pub fn count(guard: &CpuGuard) {
    ATOMIC.this_cpu(guard).add(1, Relaxed);
    #[cfg(misuse)]
    CELL.this_cpu(guard).set(1);
    //~[misuse]^ ERROR: E0599: the method `this_cpu` exists for struct `StaticPerCpu<Cell<u64>>`, but its trait bounds were not satisfied
    let _unsafe_to_use = CELL.this_cpu_ptr();
}
