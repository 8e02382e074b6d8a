// SPDX-License-Identifier: GPL-2.0

//! The result would point to data that belongs to the target.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        call_async,
        Caller, //
    },
    types::NotThreadSafe, //
};

/// Counts its owners without atomics, as `Rc` does.
pub struct Counted(NotThreadSafe);

pub fn now(caller: &Caller, cpu: CpuId) -> Result<usize> {
    #[cfg(misuse)]
    caller.call(cpu, |_| core::ptr::null_mut::<u32>())?;
    //~[misuse]^ ERROR: E0277: `*mut u32` cannot be sent between threads safely
    Ok(caller.call(cpu, |_| core::ptr::null_mut::<u32>().addr())?)
}

pub fn later(caller: &Caller, cpu: CpuId) -> Result {
    #[cfg(misuse)]
    let _pending = call_async(cpu, |_| Counted(NotThreadSafe), GFP_KERNEL)?;
    //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
    //~[misuse]| HELP: within `Counted`, the trait `Send` is not implemented
    caller.wait(call_async(cpu, |_| (), GFP_KERNEL)?);
    Ok(())
}
