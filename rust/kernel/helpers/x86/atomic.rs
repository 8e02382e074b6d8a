// SPDX-License-Identifier: GPL-2.0

//! Atomic operations.
//!
//! A read-modify-write instruction is a full barrier on x86, so that the variants of an operation,
//! of which some need less, are one function. To the compiler it is one too: assembly with access
//! to all of memory, or an operation that is sequentially consistent.
//!
//! C headers: [`arch/x86/include/asm/atomic.h`](srctree/arch/x86/include/asm/atomic.h),
//! [`arch/x86/include/asm/cmpxchg.h`](srctree/arch/x86/include/asm/cmpxchg.h)

use super::barrier::barrier;
use crate::ffi::c_void;
use crate::macros::paste;
use core::sync::{
    self,
    atomic::Ordering::SeqCst, //
};

/// Defines `read`, `set`, `xchg` and `try_cmpxchg` for the type `$ty`, whose functions begin with
/// `$prefix`. `$size` is the suffix of the instructions; `$class` is the class of registers,
/// `$part` the modifier for their part of this size. `$atomic` is the type of the core crate, and
/// `$cast` makes its value of a `$ty`.
macro_rules! basic {
    ($prefix:ident, $ty:ty, $size:literal, $class:tt, $part:literal,
     $atomic:ident $(, $cast:ident)?) => {
        paste! {
            /// Reads the variable.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _read>](ptr: *mut $ty) -> $ty {
                // SAFETY: By the safety requirements. An aligned access is not torn.
                unsafe { ptr.read_volatile() }
            }

            /// Reads the variable, before all later accesses.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _read_acquire>](ptr: *mut $ty) -> $ty {
                // SAFETY: By the safety requirements. An aligned access is not torn.
                let value = unsafe { ptr.read_volatile() };

                barrier();
                value
            }

            /// Writes the variable.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _set>](ptr: *mut $ty, value: $ty) {
                // SAFETY: By the safety requirements. An aligned access is not torn.
                unsafe { ptr.write_volatile(value) };
            }

            /// Writes the variable, after all earlier accesses.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _set_release>](ptr: *mut $ty, value: $ty) {
                barrier();
                // SAFETY: By the safety requirements. An aligned access is not torn.
                unsafe { ptr.write_volatile(value) };
            }

            /// Writes the variable, and returns its value of before.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _xchg>](ptr: *mut $ty, mut value: $ty) -> $ty {
                // SAFETY: By the safety requirements.
                unsafe {
                    crate::asm!(
                        concat!("xchg", $size, " {value", $part, "}, ({ptr})");
                        value = inlateout($class) value,
                        ptr = in(reg) ptr,
                        options(nostack, preserves_flags),
                    )
                };
                value
            }

            /// Writes `new` if the variable is `*old`, and returns whether it was. If not, sets
            /// `*old` to the variable.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned. `old` is a pointer that only the caller uses.
            #[inline(always)]
            pub unsafe fn [<$prefix _try_cmpxchg>](
                ptr: *mut $ty,
                old: *mut $ty,
                new: $ty,
            ) -> bool {
                // SAFETY: By the safety requirements.
                let expected = unsafe { *old }$(.$cast())?;
                // SAFETY: By the safety requirements. All accesses are atomic.
                let atomic = unsafe { sync::atomic::$atomic::from_ptr(ptr.cast()) };

                // The compiler knows that the instruction compares, which it does not of assembly.
                let exchanged = atomic.compare_exchange(expected, new$(.$cast())?, SeqCst, SeqCst);
                let Err(found) = exchanged else {
                    return true;
                };
                // SAFETY: By the safety requirements.
                unsafe { *old = found };
                false
            }

            pub use {
                [<$prefix _try_cmpxchg>] as [<$prefix _try_cmpxchg_acquire>],
                [<$prefix _try_cmpxchg>] as [<$prefix _try_cmpxchg_relaxed>],
                [<$prefix _try_cmpxchg>] as [<$prefix _try_cmpxchg_release>],
                [<$prefix _xchg>] as [<$prefix _xchg_acquire>],
                [<$prefix _xchg>] as [<$prefix _xchg_relaxed>],
                [<$prefix _xchg>] as [<$prefix _xchg_release>],
            };
        }
    };
}

/// Defines `add`, `fetch_add` and `fetch_sub`, with the arguments of [`basic`].
macro_rules! arithmetic {
    ($prefix:ident, $ty:ty, $size:literal, $part:literal) => {
        paste! {
            /// Adds `value` to the variable, wrapping.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _add>](value: $ty, ptr: *mut $ty) {
                // SAFETY: By the safety requirements.
                unsafe {
                    crate::asm!(
                        concat!("lock add", $size, " {value", $part, "}, ({ptr})");
                        value = in(reg) value,
                        ptr = in(reg) ptr,
                        options(nostack),
                    )
                };
            }

            /// Adds `value` to the variable, wrapping, and returns its value of before.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _fetch_add>](mut value: $ty, ptr: *mut $ty) -> $ty {
                // SAFETY: By the safety requirements.
                unsafe {
                    crate::asm!(
                        concat!("lock xadd", $size, " {value", $part, "}, ({ptr})");
                        value = inlateout(reg) value,
                        ptr = in(reg) ptr,
                        options(nostack),
                    )
                };
                value
            }

            /// Subtracts `value` from the variable, wrapping, and returns its value of before.
            ///
            /// # Safety
            ///
            /// `ptr` is valid and aligned.
            #[inline(always)]
            pub unsafe fn [<$prefix _fetch_sub>](value: $ty, ptr: *mut $ty) -> $ty {
                // SAFETY: By the safety requirements.
                unsafe { [<$prefix _fetch_add>](value.wrapping_neg(), ptr) }
            }

            pub use {
                [<$prefix _fetch_add>] as [<$prefix _fetch_add_acquire>],
                [<$prefix _fetch_add>] as [<$prefix _fetch_add_relaxed>],
                [<$prefix _fetch_add>] as [<$prefix _fetch_add_release>],
                [<$prefix _fetch_sub>] as [<$prefix _fetch_sub_acquire>],
                [<$prefix _fetch_sub>] as [<$prefix _fetch_sub_relaxed>],
                [<$prefix _fetch_sub>] as [<$prefix _fetch_sub_release>],
            };
        }
    };
}

basic!(atomic, i32, "l", reg, ":e", AtomicI32);
basic!(atomic64, i64, "q", reg, ":r", AtomicI64);
basic!(atomic_i8, i8, "b", reg_byte, "", AtomicI8);
basic!(atomic_i16, i16, "w", reg, ":x", AtomicI16);
basic!(
    atomic_ptr,
    *const c_void,
    "q",
    reg,
    ":r",
    AtomicPtr,
    cast_mut
);
arithmetic!(atomic, i32, "l", ":e");
arithmetic!(atomic64, i64, "q", ":r");
