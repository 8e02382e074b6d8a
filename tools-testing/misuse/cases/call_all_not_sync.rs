// SPDX-License-Identifier: GPL-2.0

//! All CPUs would write to the cell at once.

use core::cell::Cell;
use kernel::{
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(caller: &Caller) {
    let atomic = Atomic::new(0u32);
    let cell = Cell::new(0u32);

    caller.call_all(|_| {
        //~[misuse]^ ERROR: E0277: `Cell<u32>` cannot be shared between threads safely
        atomic.add(1, Relaxed);
        #[cfg(misuse)]
        cell.set(cell.get() + 1);
    });
    cell.set(atomic.load(Relaxed));
}
