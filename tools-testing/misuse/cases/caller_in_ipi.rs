// SPDX-License-Identifier: GPL-2.0

//! Two CPUs that wait for each other in interrupts would deadlock.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller, //
};

pub fn in_one(caller: &Caller, cpu: CpuId) -> Result {
    caller.call(cpu, |_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
        //~[misuse]| NOTE: required because it appears within the type `Caller`
        #[cfg(misuse)]
        caller.call_all(|_| ());
    })?;
    Ok(())
}

pub fn in_all(caller: &Caller, cpu: CpuId) {
    caller.call_all(|_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
        //~[misuse]| NOTE: required because it appears within the type `Caller`
        let _ = cpu;
        #[cfg(misuse)]
        let _ = caller.call(cpu, |_| ());
    });
}
