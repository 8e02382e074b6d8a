// SPDX-License-Identifier: GPL-2.0

//! The caller may have returned when the function runs, and the borrowed data with it.

use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

static LONG: Atomic<u32> = Atomic::new(0);

pub fn count(caller: &Caller) -> Result {
    let brief = Atomic::new(0u32);
    let borrowed = &LONG;
    #[cfg(misuse)]
    let borrowed = &brief;
    //~[misuse]^ ERROR: E0597: `brief` does not live long enough

    let f = move |_: &_| borrowed.add(1, Relaxed);
    let _pending = caller.call_all_async(Cpumask::online(), f, GFP_KERNEL)?;
    brief.add(1, Relaxed);
    Ok(())
}
