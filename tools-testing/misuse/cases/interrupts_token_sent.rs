// SPDX-License-Identifier: GPL-2.0

//! The token says that interrupts are off on the source, not on the target.

use kernel::{
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    smp::Caller, //
};

fn needs_interrupts_off(_irq: &LocalInterruptDisabled) {}

pub fn call(caller: &Caller, cpu: CpuId, irq: &LocalInterruptDisabled) -> Result {
    needs_interrupts_off(irq);
    caller.call(cpu, |_| {
        //~[misuse]^ ERROR: E0277: `*mut ()` cannot be shared between threads safely
        //~[misuse]| NOTE: required because it appears within the type `LocalInterruptDisabled`
        #[cfg(misuse)]
        needs_interrupts_off(irq);
    })?;
    Ok(())
}
