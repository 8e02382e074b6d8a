// SPDX-License-Identifier: GPL-2.0

//! The lock is released by the task that took it, and not in an interrupt.

use kernel::{
    cpu::CpuId,
    cpuhp::HotplugLock,
    prelude::*,
    smp::Caller, //
};

pub fn released_elsewhere(caller: &Caller, cpu: CpuId) -> Result {
    let lock = HotplugLock::new();
    let online = lock.is_online(cpu);

    caller.call(cpu, move |_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
        //~[misuse]| NOTE: required because it appears within the type `HotplugLock`
        #[cfg(misuse)]
        drop(lock);
        online
    })?;
    Ok(())
}
