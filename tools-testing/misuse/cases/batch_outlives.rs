// SPDX-License-Identifier: GPL-2.0

//! The batch would call a function that borrows from variables that do not exist any more.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        Batch,
        Caller, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(caller: &Caller, cpu: CpuId) -> Result {
    let long = Atomic::new(0u32);
    let mut batch = Batch::new(GFP_KERNEL)?;
    {
        let brief = Atomic::new(0u32);
        let borrowed = &long;
        #[cfg(misuse)]
        let borrowed = &brief;
        //~[misuse]^ ERROR: E0597: `brief` does not live long enough

        batch.add(cpu, |_| borrowed.add(1, Relaxed), GFP_KERNEL)?;
        brief.add(1, Relaxed);
    }
    caller.run(&mut batch)?;
    Ok(())
}
