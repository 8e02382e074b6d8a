// SPDX-License-Identifier: GPL-2.0

//! The references to an allocation that an owner shares.

use crate::sync::atomic::{
    Acquire,
    Atomic,
    Full,
    Relaxed, //
};

/// How many references there are: one of the owner, and one of each [`Use`](super::Use).
pub(super) struct References(Atomic<u32>);

impl References {
    /// Makes the reference of the owner.
    #[inline]
    pub(super) const fn one() -> Self {
        Self(Atomic::new(1))
    }

    /// Takes one more. The caller has one.
    #[inline]
    pub(super) fn take_one(&self) {
        self.0.add(1, Relaxed);
    }

    /// Drops one. Returns whether it was the last: the caller then sees what was done with all others.
    #[inline]
    pub(super) fn drop_one(&self) -> bool {
        // ORDERING: Full. As a release it pairs with the acquire in `are_more_than_one()` and with
        // itself on other CPUs; as an acquire it pairs with itself.
        self.0.fetch_sub(1, Full) == 1
    }

    /// Returns whether the caller has not the only one. If it has, it sees what was done with all
    /// others.
    #[inline]
    pub(super) fn are_more_than_one(&self) -> bool {
        // ORDERING: Pairs with the release in `drop_one()`.
        self.0.load(Acquire) != 1
    }
}
