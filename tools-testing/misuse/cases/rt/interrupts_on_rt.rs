// SPDX-License-Identifier: GPL-2.0

//! A lock that asks for the proof that interrupts are off may sleep on PREEMPT_RT.

use kernel::{
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    preempt::CpuPinned,
    prelude::*,
    smp::Caller, //
};

#[cfg(not(CONFIG_PREEMPT_RT))]
compile_error!("this is a case for PREEMPT_RT");

pub fn needs_interrupts_off(_irq: &LocalInterruptDisabled) {}

pub fn call(caller: &Caller, cpu: CpuId) -> Result {
    caller.call(cpu, |context| {
        #[cfg(misuse)]
        needs_interrupts_off(context.interrupts());
        //~[misuse]^ ERROR: E0599: no method named `interrupts` found for reference `&CallContext`
        context.cpu()
    })?;
    Ok(())
}
