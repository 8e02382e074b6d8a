// SPDX-License-Identifier: GPL-2.0

//! The target would undo what the guard did on the source.

use kernel::{
    cpu::CpuId,
    preempt::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    smp::Caller,
    sync::Mutex, //
};

pub fn pinned(caller: &Caller, cpu: CpuId) -> Result {
    let guard = CpuGuard::new();
    let here = guard.cpu();

    caller.call(cpu, move |_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
        //~[misuse]| NOTE: required because it appears within the type `CpuGuard`
        #[cfg(misuse)]
        let here = guard.cpu();
        here == CpuId::current()
    })?;
    Ok(())
}

pub fn locked(caller: &Caller, cpu: CpuId, mutex: &Mutex<u32>) -> Result {
    let held = mutex.lock();
    let value = *held;

    caller.call(cpu, move |_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
        //~[misuse]| NOTE: required because it appears within the type `kernel::sync::lock::Guard<'_,
        #[cfg(misuse)]
        let value = *held;
        value + 1
    })?;
    Ok(())
}
