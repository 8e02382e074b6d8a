// SPDX-License-Identifier: GPL-2.0

//! Turning interrupts off, and back to what they were, without a count.
//!
//! For code on a hot path that knows all that runs meanwhile. Anything else uses
//! [`local_interrupt_disable()`](crate::interrupt::local_interrupt_disable), whose guards are counted
//! and so may be dropped in any order.
//!
//! C header: [`include/linux/irqflags.h`](srctree/include/linux/irqflags.h)

use crate::{
    interrupt::LocalInterruptDisabled,
    lockdep, //
};

/// Runs `f` with interrupts off on this CPU. Afterwards they are as they were before.
///
/// In any context. Calls nest, in that order only; that is why this takes a function and returns no
/// guard.
///
/// # Safety
///
/// - `f` must not sleep, nor turn interrupts on in another way.
/// - The guards of [`local_interrupt_disable()`](crate::interrupt::local_interrupt_disable), and of
///   locks that are taken with interrupts off, must be the same when `f` ends as when it begins: the
///   end of this turns interrupts on under a guard that `f` gives away, and the drop of one from
///   before turns them on under `f`.
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
#[inline(always)]
#[doc(alias = "local_irq_save")]
pub unsafe fn with_interrupts_off<R>(f: impl FnOnce(&LocalInterruptDisabled) -> R) -> R {
    // SAFETY: Interrupts may be turned off in any context.
    let flags = unsafe { bindings::local_irq_save() };
    // SAFETY: They have just been turned off, and stay so while `f` runs, by the safety requirements.
    let result = f(unsafe { LocalInterruptDisabled::assume_disabled() });

    // What `f` must not do cannot be seen by its type.
    lockdep::assert_irqs_disabled();

    // SAFETY: The flags are those of the save above, and all saves of `f` have been restored.
    unsafe { bindings::local_irq_restore(flags) };
    result
}
