// SPDX-License-Identifier: GPL-2.0

//! Proof that interrupts are off.

use crate::types::NotThreadSafe;

/// Interrupts are off as long as this is there.
pub struct LocalInterruptDisabled(NotThreadSafe);

impl LocalInterruptDisabled {
    /// # Safety
    ///
    /// Interrupts are off for as long as the reference is valid.
    pub unsafe fn assume_disabled<'a>() -> &'a Self {
        assert!(bindings::irqs_disabled());
        &Self(NotThreadSafe)
    }
}
