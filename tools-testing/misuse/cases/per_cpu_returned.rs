// SPDX-License-Identifier: GPL-2.0

//! The caller may be on another CPU, and may not stay on its CPU.

use kernel::{
    cpu::CpuId,
    percpu::define_per_cpu,
    prelude::*,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static SEEN: Atomic<u64> = Atomic::new(0);
}

pub fn seen(caller: &Caller, cpu: CpuId) -> Result<u64> {
    #[cfg(misuse)]
    caller.call(cpu, |context| SEEN.this_cpu(context))?;
    //~[misuse]^ ERROR: lifetime may not live long enough
    Ok(caller.call(cpu, |context| SEEN.this_cpu(context).load(Relaxed))?)
}
