// SPDX-License-Identifier: GPL-2.0

//! Points in the life of a call at which a test can step in.
//!
//! Without `CONFIG_SMP_RUST_KUNIT_TEST` they compile to nothing.

/// A point in the life of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A csd of the pool is locked, and not yet queued.
    Locked,
    /// An entry is queued, and its IPI not yet sent.
    Pushed,
    /// A watched waiter has found its csd locked, and not yet read the clock.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    Watched,
}

#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
pub(crate) use crate::tests::support::step_in::reach;

/// Lets a test step in.
#[cfg(not(CONFIG_SMP_RUST_KUNIT_TEST))]
#[inline]
pub(crate) fn reach(_point: Point) {}
