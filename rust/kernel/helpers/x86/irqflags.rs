// SPDX-License-Identifier: GPL-2.0

//! The interrupt flag.
//!
//! C header: [`arch/x86/include/asm/irqflags.h`](srctree/arch/x86/include/asm/irqflags.h)

pub use bindings::*;

use crate::ffi::c_ulong;

/// The interrupt flag of the flags register: interrupts are on.
const X86_EFLAGS_IF: c_ulong = 1 << 9;

#[inline(always)]
fn flags() -> c_ulong {
    let flags;

    // SAFETY: This reads the flags register, by way of the stack.
    unsafe {
        crate::asm!(
            "pushfq; popq {flags}";
            flags = lateout(reg) flags,
            options(preserves_flags),
        )
    };
    flags
}

/// Turns interrupts off, and returns the flags register of before.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn local_irq_save() -> c_ulong {
    let flags = flags();

    // SAFETY: Interrupts may be turned off in any context. No access moves over it.
    unsafe { crate::asm!("cli"; options(nostack)) };
    flags
}

/// Turns interrupts on if they were on when `flags` were saved.
///
/// # Safety
///
/// `flags` were returned by [`local_irq_save`] on this CPU, and later saves have been restored.
#[inline(always)]
pub unsafe fn local_irq_restore(flags: c_ulong) {
    if flags & X86_EFLAGS_IF != 0 {
        // SAFETY: Interrupts were on, by the safety requirements. No access moves over it.
        unsafe { crate::asm!("sti"; options(nostack)) };
    }
}

/// Returns whether interrupts are off.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn irqs_disabled() -> bool {
    flags() & X86_EFLAGS_IF == 0
}
