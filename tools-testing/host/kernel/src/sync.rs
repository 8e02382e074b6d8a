// SPDX-License-Identifier: GPL-2.0

//! What CPUs share.

pub mod atomic;

pub mod barrier {
    //! Barriers.

    pub use super::atomic::Full;

    /// Orders all accesses before against all after.
    pub fn smp_mb(_: Full) {
        bindings::memory::fence();
    }
}
