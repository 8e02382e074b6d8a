// SPDX-License-Identifier: GPL-2.0

//! The variables are freed with the allocation.

use kernel::{
    cpu::CpuId,
    percpu::DynamicPerCpu,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(cpu: CpuId) -> Result {
    let seen = DynamicPerCpu::new_with(|_| Atomic::new(0u64), GFP_KERNEL)?;
    let of_cpu = seen.get(cpu).ok_or(ENXIO)?;

    #[cfg(misuse)]
    drop(seen);
    //~[misuse]^ ERROR: E0505: cannot move out of `seen` because it is borrowed
    of_cpu.add(1, Relaxed);
    Ok(())
}
