// SPDX-License-Identifier: GPL-2.0

//! The inner call would change the set of CPUs that the outer call sends to and waits for.

use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(caller: &Caller, not: CpuId) -> u32 {
    let calls = Atomic::new(0u32);

    caller.call_all_if(
        Cpumask::online(),
        |cpu| {
            //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
            //~[misuse]| NOTE: required because it appears within the type `Caller`
            #[cfg(misuse)]
            caller.call_others(|_| ());
            cpu != not
        },
        |_| calls.add(1, Relaxed),
    );
    calls.load(Relaxed)
}
