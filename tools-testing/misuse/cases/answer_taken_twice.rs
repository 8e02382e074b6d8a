// SPDX-License-Identifier: GPL-2.0

//! There is one result, which may own data.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        call_async,
        Caller, //
    }, //
};

pub fn ask(caller: &Caller, cpu: CpuId) -> Result {
    let pending = call_async(cpu, |_| CpuId::current(), GFP_KERNEL)?;

    caller.wait(pending);
    #[cfg(misuse)]
    caller.wait(pending);
    //~[misuse]^ ERROR: E0382: use of moved value: `pending`
    Ok(())
}
