// SPDX-License-Identifier: GPL-2.0

//! The function of a batch runs on another CPU.

use core::cell::Cell;
use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        Batch,
        Caller, //
    }, //
};

pub fn count(caller: &Caller, cpu: CpuId) -> Result {
    let shared = Cell::new(0);
    let mut mine = 0;

    let mut batch = Batch::new(GFP_KERNEL)?;
    batch.add(cpu, |_| mine += 1, GFP_KERNEL)?;
    #[cfg(misuse)]
    batch.add(cpu, |_| shared.set(1), GFP_KERNEL)?;
    //~[misuse]^ ERROR: E0277: `Cell<i32>` cannot be shared between threads safely
    caller.run(&mut batch)?;
    drop(batch);
    shared.set(mine);
    Ok(())
}
