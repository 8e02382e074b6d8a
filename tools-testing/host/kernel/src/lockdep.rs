// SPDX-License-Identifier: GPL-2.0

//! Assertions about the context.

/// Warns if interrupts are off.
pub fn assert_irqs_enabled() {
    bindings::lockdep_assert_irqs_enabled();
}

/// Warns if interrupts are on.
pub fn assert_irqs_disabled() {
    bindings::lockdep_assert_irqs_disabled();
}

/// There are no locks here.
pub fn assert_no_spinning_lock_held() {}
