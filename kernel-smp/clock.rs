// SPDX-License-Identifier: GPL-2.0

//! Seam: the time.

use kernel::bindings;

/// Returns the time in ns. In any context.
#[inline]
pub(crate) fn now() -> u64 {
    // SAFETY: The clock may be read in any context.
    unsafe { bindings::ktime_get_mono_fast_ns() }
}

/// Returns the count of timer ticks. In any context. Costs less than [`now`].
#[inline]
pub(crate) fn jiffies() -> u64 {
    // SAFETY: The variable is an `unsigned long` of C, which other CPUs may write.
    unsafe { (&raw const bindings::jiffies).read_volatile() as u64 }
}

/// Returns the time in ns when [`jiffies`] returned `jiffies`. It is too early by some ticks if the
/// CPU that counts them had interrupts off: after five, another CPU counts.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
pub(crate) fn time_of(jiffies: u64) -> u64 {
    let ticks = self::jiffies().saturating_sub(jiffies);

    now().saturating_sub(ticks.saturating_mul(u64::from(bindings::TICK_NSEC)))
}
