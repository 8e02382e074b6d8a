// SPDX-License-Identifier: GPL-2.0

//! Seam: the time.

use kernel::bindings;

/// Returns the time in ns. In any context.
#[inline]
pub(crate) fn now() -> u64 {
    // SAFETY: The clock may be read in any context.
    unsafe { bindings::ktime_get_mono_fast_ns() }
}
