// SPDX-License-Identifier: GPL-2.0

//! Nobody waits for the function, so what it is given must stay for ever.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

static LONG: Atomic<u32> = Atomic::new(0);

pub fn count(caller: &Caller, cpu: CpuId) -> Result {
    let brief = Atomic::new(0u32);

    caller.post(cpu, &LONG, |_, count| count.add(1, Relaxed))?;
    #[cfg(misuse)]
    caller.post(cpu, &brief, |_, count| count.add(1, Relaxed))?;
    //~[misuse]^ ERROR: E0597: `brief` does not live long enough
    brief.add(1, Relaxed);
    Ok(())
}
