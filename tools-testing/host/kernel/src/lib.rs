// SPDX-License-Identifier: GPL-2.0

//! What `kernel/smp/` uses of the kernel crate, on a machine whose CPUs are threads.
//!
//! Modules of ours are those of the kernel crate themselves. The others have the names and contracts
//! of the kernel crate, and no more of it than is used.

#![allow(clippy::missing_safety_doc, clippy::new_without_default, unused_unsafe)]

pub use bindings;
pub use macros_of_kernel::LockClassKey;

pub mod alloc;
pub mod cpu;
pub mod cpumask;
pub mod detach;
pub mod error;
pub mod helpers;
pub mod interrupt;
#[path = "../../../../rust/kernel/irqflags.rs"]
pub mod irqflags;
pub mod lockdep;
mod macros_of_kernel;
pub mod percpu;
#[path = "../../../../rust/kernel/preempt.rs"]
pub mod preempt;
pub mod smp;
pub mod sync;

pub mod prelude {
    //! What each file begins with.

    pub use crate::{
        alloc::{__GFP_ZERO, GFP_KERNEL},
        error::{code::*, Error, Result},
        pr_info, static_assert,
        str::CStrExt as _,
    };
    pub use ::macros::export;
    pub use bindings::{c_int, c_uint, c_ulong, c_void};
    pub use core::{ffi::CStr, pin::Pin};
}

pub mod processor {
    //! Waiting for another CPU.

    /// A step of a wait.
    pub fn cpu_relax() {
        bindings::machine::relax();
    }
}

pub mod str {
    //! Strings of C.

    /// What the kernel adds to a string of C.
    pub trait CStrExt {
        /// Returns its address.
        fn as_char_ptr(&self) -> *const core::ffi::c_char;
    }

    impl CStrExt for core::ffi::CStr {
        fn as_char_ptr(&self) -> *const core::ffi::c_char {
            self.as_ptr()
        }
    }
}

pub mod time {
    //! Units of time.

    /// Nanoseconds in a microsecond.
    pub const NSEC_PER_USEC: i64 = 1_000;

    /// Nanoseconds in a millisecond.
    pub const NSEC_PER_MSEC: i64 = 1_000_000;
}

pub mod types {
    //! Marks for the compiler, and what C uses.

    use core::{cell::UnsafeCell, mem::MaybeUninit};

    /// Keeps a type in its thread.
    pub type NotThreadSafe = core::marker::PhantomData<*mut ()>;

    /// The value of [`NotThreadSafe`].
    #[allow(non_upper_case_globals)]
    pub const NotThreadSafe: NotThreadSafe = core::marker::PhantomData;

    /// A value that C uses, too.
    #[repr(transparent)]
    pub struct Opaque<T>(UnsafeCell<MaybeUninit<T>>);

    impl<T> Opaque<T> {
        /// Makes one whose bytes are zero.
        pub const fn zeroed() -> Self {
            Self(UnsafeCell::new(MaybeUninit::zeroed()))
        }

        /// Returns the address that C gets.
        pub const fn cast_into(this: *const Self) -> *mut T {
            UnsafeCell::raw_get(this.cast::<UnsafeCell<MaybeUninit<T>>>()).cast()
        }
    }
}

pub mod build_assert {
    //! Assertions that the compiler checks.

    /// Fails to compile unless `cond`.
    #[macro_export]
    macro_rules! static_assert {
        ($cond:expr) => {
            const _: () = assert!($cond);
        };
    }

    /// Fails to compile unless `cond`.
    #[macro_export]
    macro_rules! const_assert {
        ($cond:expr) => {
            assert!($cond)
        };
    }

    pub use const_assert;
}
