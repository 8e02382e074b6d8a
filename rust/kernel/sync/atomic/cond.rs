// SPDX-License-Identifier: GPL-2.0

//! Waiting for an atomic variable to change.

use super::Atomic;
use crate::helpers;

impl Atomic<u32> {
    /// Spins until all of `bits` are clear, and returns the value that the last load has read.
    ///
    /// The last load is an acquire: if another CPU has cleared the bits with a release, the caller
    /// sees what that CPU did before. The wait has no bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::Atomic;
    ///
    /// let flags = Atomic::new(0x10u32);
    /// assert_eq!(flags.wait_until_clear(0x01), 0x10);
    /// ```
    #[inline]
    #[doc(alias = "smp_cond_load_acquire")]
    pub fn wait_until_clear(&self, bits: u32) -> u32 {
        // SAFETY: The pointer is valid and aligned as long as `self` is borrowed.
        unsafe { helpers::barrier::smp_cond_load_acquire_clear(self.as_ptr(), bits) }
    }

    /// Spins until the variable has another value than `value`, and returns that.
    ///
    /// Otherwise as [`wait_until_clear`](Self::wait_until_clear).
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::Atomic;
    ///
    /// let ticket = Atomic::new(7u32);
    /// assert_eq!(ticket.wait_until_not(6), 7);
    /// ```
    #[inline]
    #[doc(alias = "smp_cond_load_acquire")]
    pub fn wait_until_not(&self, value: u32) -> u32 {
        // SAFETY: The pointer is valid and aligned as long as `self` is borrowed.
        unsafe { helpers::barrier::smp_cond_load_acquire_not(self.as_ptr(), value) }
    }
}
