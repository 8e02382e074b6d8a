// SPDX-License-Identifier: GPL-2.0

//! Warnings that are given once, or carry a message.
//!
//! [`warn_on!`](crate::warn_on) warns each time and without words; the macros here are what it
//! leaves out.
//!
//! C header: [`include/asm-generic/bug.h`](srctree/include/asm-generic/bug.h)

use crate::{
    fmt,
    prelude::*, //
};

/// Prints the head line of a warning and its message.
#[doc(hidden)]
#[cold]
pub fn print(args: fmt::Arguments<'_>) {
    // SAFETY: `%pA` prints the `fmt::Arguments` that the pointer names.
    unsafe { bindings::__warn_printk(c"%pA".as_char_ptr(), (&raw const args).cast::<c_void>()) };
}

/// Warns if `cond` is true, the first time that it is, and returns `cond`.
///
/// # Examples
///
/// ```
/// let empty = false;
/// assert!(!kernel::warn_on_once!(empty));
/// ```
#[macro_export]
#[doc(alias = "WARN_ON_ONCE")]
macro_rules! warn_on_once {
    ($cond:expr) => {{
        const FLAGS_ONCE: u32 = $crate::bindings::BUGFLAG_ONCE
            | $crate::bug::bugflag_taint($crate::bindings::TAINT_WARN);
        let cond: bool = $cond;

        if cond {
            $crate::warn_flags!(::core::file!(), FLAGS_ONCE);
        }
        cond
    }};
}

/// Warns with a message.
///
/// # Examples
///
/// ```
/// # let queue_is_empty = true;
/// if !queue_is_empty {
///     kernel::warn!("IPI on offline CPU {}\n", 3);
/// }
/// ```
#[macro_export]
#[doc(alias = "WARN")]
macro_rules! warn {
    ($($arg:tt)+) => {{
        const FLAGS_WARN: u32 = $crate::bindings::BUGFLAG_NO_CUT_HERE
            | $crate::bug::bugflag_taint($crate::bindings::TAINT_WARN);

        $crate::warn::print($crate::prelude::fmt!($($arg)+));
        $crate::warn_flags!(::core::file!(), FLAGS_WARN);
    }};
}
