// SPDX-License-Identifier: GPL-2.0

//! Interrupts would be on again while a token says that they are off.

use kernel::{
    interrupt::{
        local_interrupt_disable,
        LocalInterruptDisabled, //
    },
    irqflags::with_interrupts_off, //
};

pub fn proof() -> LocalInterruptDisabled {
    #[cfg(misuse)]
    let proof = with_interrupts_off(|_| local_interrupt_disable());
    //~[misuse]^ ERROR: E0133: call to unsafe function `kernel::irqflags::with_interrupts_off` is unsafe and requires unsafe function or block
    #[cfg(good)]
    let proof = {
        // SAFETY: No guard is made or dropped, and no lock is taken.
        unsafe { with_interrupts_off(|_| ()) };
        local_interrupt_disable()
    };
    proof
}
