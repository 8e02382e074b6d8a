// SPDX-License-Identifier: GPL-2.0

//! Checks of the context, which are nothing without `CONFIG_PROVE_LOCKING`.
//!
//! C header: [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

/// Checks that interrupts are off.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn lockdep_assert_irqs_disabled() {}

/// Checks that interrupts are on.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn lockdep_assert_irqs_enabled() {}
