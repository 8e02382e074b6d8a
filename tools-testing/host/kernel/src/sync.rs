// SPDX-License-Identifier: GPL-2.0

//! What CPUs share.

pub mod atomic;

pub mod barrier {
    //! Barriers.

    pub use super::atomic::Full;

    /// What is before orders with what is after.
    pub trait Barrier {
        /// Orders them.
        fn run();
    }

    /// All accesses.
    impl Barrier for Full {
        fn run() {
            bindings::memory::smp_mb();
        }
    }

    /// Stores.
    pub struct Write;

    impl Barrier for Write {
        fn run() {
            bindings::memory::smp_wmb();
        }
    }

    /// Orders accesses before against accesses after.
    pub fn smp_mb<T: Barrier>(_: T) {
        T::run();
    }
}
