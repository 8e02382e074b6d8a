// SPDX-License-Identifier: GPL-2.0

//! There is no memory for what the function captures.

//@[misuse] error-in-other-file: E0080: evaluation panicked: a function that is posted captures nothing

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

static SUM: Atomic<u32> = Atomic::new(0);

pub fn add(caller: &Caller, cpu: CpuId) -> Result {
    let value = 1;

    caller.scope(&SUM, |posts| {
        posts.post(cpu, move |_, sum| {
            sum.add(1, Relaxed);
            #[cfg(misuse)]
            sum.add(value, Relaxed);
        })
    })?;
    SUM.add(value, Relaxed);
    Ok(())
}
