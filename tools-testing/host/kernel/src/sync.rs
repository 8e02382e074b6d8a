// SPDX-License-Identifier: GPL-2.0

//! What CPUs share.

pub mod atomic;

pub mod barrier {
    //! Barriers.

    pub use super::atomic::Full;

    /// An ordering of accesses before a barrier against those after it.
    pub trait Barrier {
        /// Executes the barrier.
        fn run();
    }

    impl Barrier for Full {
        fn run() {
            bindings::memory::smp_mb();
        }
    }

    /// Stores against stores.
    pub struct Write;

    impl Barrier for Write {
        fn run() {
            bindings::memory::smp_wmb();
        }
    }

    /// Executes a barrier.
    pub fn smp_mb<T: Barrier>(_: T) {
        T::run();
    }
}
