// SPDX-License-Identifier: GPL-2.0

//! Saving and restoring the interrupt state, without a count.
//!
//! For hot paths that know all code that runs with interrupts off. All other code uses
//! [`local_interrupt_disable()`](crate::interrupt::local_interrupt_disable): its guards are
//! counted, and so may be dropped in any order.
//!
//! C header: [`include/linux/irqflags.h`](srctree/include/linux/irqflags.h)

use crate::{
    helpers,
    interrupt::LocalInterruptDisabled,
    lockdep, //
};

/// Runs `f` with interrupts off on this CPU, then restores the interrupt state.
///
/// In any context. Calls must nest, so this takes a function and returns no guard.
///
/// # Safety
///
/// - `f` must not sleep, nor turn interrupts on.
/// - The guards of [`local_interrupt_disable()`](crate::interrupt::local_interrupt_disable), and of
///   locks that are taken with interrupts off, must be the same when `f` returns as when it begins.
///   This function turns interrupts on at its end, though a guard that `f` has made may still
///   exist. The drop of an older guard turns interrupts on while `f` runs.
/// - On PREEMPT_RT, `f` must not use the token to take a lock that sleeps there.
///
/// # Examples
///
/// ```
/// use kernel::{irqflags::with_interrupts_off, lockdep};
///
/// // SAFETY: No guard is made or dropped, and no lock is taken.
/// unsafe { with_interrupts_off(|_| lockdep::assert_irqs_disabled()) };
/// lockdep::assert_irqs_enabled();
/// ```
#[inline]
#[doc(alias = "local_irq_save")]
pub unsafe fn with_interrupts_off<R>(f: impl FnOnce(&LocalInterruptDisabled) -> R) -> R {
    // SAFETY: Interrupts may be turned off in any context.
    let flags = unsafe { helpers::irqflags::local_irq_save() };
    // SAFETY: Interrupts were just turned off, and stay off while `f` runs, by the safety
    // requirements.
    let result = f(unsafe { LocalInterruptDisabled::assume_disabled() });

    // The type of `f` does not prevent it from turning interrupts on.
    lockdep::assert_irqs_disabled();

    // SAFETY: The flags are those of the save above, and all saves of `f` have been restored.
    unsafe { helpers::irqflags::local_irq_restore(flags) };
    result
}
