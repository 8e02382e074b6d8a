// SPDX-License-Identifier: GPL-2.0

//! Interrupts are on again after the function has returned.

use kernel::{
    cpu::CpuId,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        CallContext,
        Caller, //
    }, //
};

pub fn returned(caller: &Caller, cpu: CpuId) -> Result {
    #[cfg(misuse)]
    caller.call(cpu, |context| context)?;
    //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
    //~[misuse]| NOTE: required because it appears within the type `CallContext`
    caller.call(cpu, |context| context.cpu())?;
    Ok(())
}

pub fn stored(caller: &Caller, cpu: CpuId) -> Result {
    let mut kept: Option<&CallContext> = None;

    caller.call(cpu, |context| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
        //~[misuse]| NOTE: required because it appears within the type `CallContext`
        #[cfg(misuse)]
        {
            kept = Some(context);
        }
        context.cpu()
    })?;
    kept = None;
    assert!(kept.is_none());
    Ok(())
}
