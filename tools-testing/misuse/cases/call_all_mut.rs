// SPDX-License-Identifier: GPL-2.0

//! All CPUs would have the same `&mut` at once.

use kernel::{
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(caller: &Caller) -> u32 {
    let atomic = Atomic::new(0u32);
    let mut sum = 0;

    caller.call_all(|_| {
        atomic.add(1, Relaxed);
        #[cfg(misuse)]
        {
            sum += 1;
            //~[misuse]^ ERROR: E0594: cannot assign to `sum`, as it is a captured variable in a `Fn` closure
        }
    });
    sum += atomic.load(Relaxed);
    sum
}
