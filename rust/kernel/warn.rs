// SPDX-License-Identifier: GPL-2.0

//! Warnings that are given once, with and without a message.
//!
//! They complement [`warn_on!`](crate::warn_on), which warns each time and has no message.
//!
//! C header: [`include/asm-generic/bug.h`](srctree/include/asm-generic/bug.h)

use crate::fmt;

/// Prints the head line of a warning and its message.
///
/// On UML and ARM the warning itself prints the head line, and this prints the message only.
/// Without `CONFIG_BUG` there are no warnings.
#[doc(hidden)]
#[cold]
pub fn print(args: fmt::Arguments<'_>) {
    // UML and ARM declare `__warn_printk()`, but do not define it.
    #[cfg(all(CONFIG_BUG, not(any(CONFIG_UML, CONFIG_ARM))))]
    {
        use crate::prelude::*;

        // SAFETY: `%pA` prints the `fmt::Arguments` that the pointer refers to.
        unsafe {
            bindings::__warn_printk(c"%pA".as_char_ptr(), (&raw const args).cast::<c_void>())
        };
    }
    #[cfg(all(CONFIG_BUG, any(CONFIG_UML, CONFIG_ARM)))]
    crate::pr_warn!("{}", args);
    #[cfg(not(CONFIG_BUG))]
    let _ = args;
}

/// The flag of [`warn_flags!`](crate::warn_flags) for a warning that is given once.
///
/// UML, LoongArch and ARM ignore it.
#[doc(hidden)]
pub const ONCE: u32 = {
    #[cfg(CONFIG_GENERIC_BUG)]
    let flag = bindings::BUGFLAG_ONCE;
    #[cfg(not(CONFIG_GENERIC_BUG))]
    let flag = 0;
    flag
};

/// The flag of [`warn_flags!`](crate::warn_flags) for a warning with a head line that is already
/// printed.
#[doc(hidden)]
pub const NO_CUT_HERE: u32 = {
    #[cfg(CONFIG_GENERIC_BUG)]
    let flag = bindings::BUGFLAG_NO_CUT_HERE;
    #[cfg(not(CONFIG_GENERIC_BUG))]
    let flag = 0;
    flag
};

/// Warns the first time that `cond` is true. Returns `cond`.
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
        const FLAGS_ONCE: u32 =
            $crate::warn::ONCE | $crate::bug::bugflag_taint($crate::bindings::TAINT_WARN);
        let cond: bool = $cond;

        if cond {
            #[cfg(not(any(CONFIG_UML, CONFIG_LOONGARCH, CONFIG_ARM)))]
            {
                $crate::warn_flags!(::core::file!(), FLAGS_ONCE);
            }
            #[cfg(any(CONFIG_UML, CONFIG_LOONGARCH, CONFIG_ARM))]
            $crate::do_once_lite! {
                $crate::warn_flags!(::core::file!(), FLAGS_ONCE);
            }
        }
        cond
    }};
}

/// Warns with a message the first time that `cond` is true. Returns `cond`.
///
/// # Examples
///
/// ```
/// # let cpu = kernel::cpu::CpuId::current();
/// let offline = !cpu.is_online();
/// assert!(!kernel::warn_once!(offline, "IPI on offline CPU {}\n", cpu.as_u32()));
/// ```
#[macro_export]
#[doc(alias = "WARN_ONCE")]
macro_rules! warn_once {
    ($cond:expr, $($arg:tt)+) => {{
        const FLAGS_WARN: u32 =
            $crate::warn::NO_CUT_HERE | $crate::bug::bugflag_taint($crate::bindings::TAINT_WARN);
        let cond: bool = $cond;

        if cond {
            $crate::do_once_lite! {
                $crate::warn::print($crate::prelude::fmt!($($arg)+));
                $crate::warn_flags!(::core::file!(), FLAGS_WARN);
            }
        }
        cond
    }};
}
