// SPDX-License-Identifier: GPL-2.0

//! Turning interrupts off, and back to what they were.
//!
//! C header: [`include/linux/irqflags.h`](srctree/include/linux/irqflags.h)

use crate::interrupt::LocalInterruptDisabled;

/// Runs `f` with interrupts off on this CPU. Afterwards they are as they were before.
///
/// In any context. Calls nest, in that order only; that is why this takes a function and returns no
/// guard. On PREEMPT_RT too, interrupts are off: `f` must not take a lock that sleeps there.
///
/// # Examples
///
/// ```
/// use kernel::{irqflags::with_interrupts_off, lockdep};
///
/// with_interrupts_off(|_| {
///     with_interrupts_off(|_| ());
///     lockdep::assert_irqs_disabled();
/// });
/// lockdep::assert_irqs_enabled();
/// ```
#[inline(always)]
#[doc(alias = "local_irq_save")]
pub fn with_interrupts_off<R>(f: impl FnOnce(&LocalInterruptDisabled) -> R) -> R {
    // SAFETY: Interrupts may be turned off in any context.
    let flags = unsafe { bindings::local_irq_save() };
    // SAFETY: They have just been turned off, and stay so while `f` runs.
    let result = f(unsafe { LocalInterruptDisabled::assume_disabled() });

    // SAFETY: The flags are those of the save above, and all saves of `f` have been restored.
    unsafe { bindings::local_irq_restore(flags) };
    result
}
