// SPDX-License-Identifier: GPL-2.0

//! The caller may have returned when the function runs, and the borrowed data with it.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::call_async,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

static LONG: Atomic<u32> = Atomic::new(0);

pub fn count(cpu: CpuId) -> Result {
    let brief = Atomic::new(0u32);
    let borrowed = &LONG;
    #[cfg(misuse)]
    let borrowed = &brief;
    //~[misuse]^ ERROR: E0597: `brief` does not live long enough

    let _pending = call_async(cpu, move |_| borrowed.add(1, Relaxed), GFP_KERNEL)?;
    brief.add(1, Relaxed);
    Ok(())
}
