// SPDX-License-Identifier: GPL-2.0

//! Assertions about the context, checked by lockdep.
//!
//! Each costs nothing unless `CONFIG_PROVE_LOCKING` is on.
//!
//! C header: [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

/// Warns, once, if interrupts are disabled on this CPU.
///
/// # Examples
///
/// ```
/// kernel::lockdep::assert_irqs_enabled();
/// ```
#[inline]
#[doc(alias = "lockdep_assert_irqs_enabled")]
pub fn assert_irqs_enabled() {
    // SAFETY: The assertion may be made in any context.
    unsafe { bindings::lockdep_assert_irqs_enabled() }
}

/// Warns, once, if interrupts are enabled on this CPU.
///
/// # Examples
///
/// ```
/// use kernel::interrupt::local_interrupt_disable;
///
/// let _irq = local_interrupt_disable();
/// kernel::lockdep::assert_irqs_disabled();
/// ```
#[inline]
#[doc(alias = "lockdep_assert_irqs_disabled")]
pub fn assert_irqs_disabled() {
    // SAFETY: The assertion may be made in any context.
    unsafe { bindings::lockdep_assert_irqs_disabled() }
}
