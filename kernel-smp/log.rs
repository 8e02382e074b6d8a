// SPDX-License-Identifier: GPL-2.0

//! Seam: log lines with the format directives of C that print symbols.

/// Prints a line at log level `$level`.
macro_rules! log {
    ($level:literal, $format:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(CONFIG_PRINTK)]
        // SAFETY: The arguments are of the types that the format names.
        unsafe {
            ::kernel::bindings::_printk(
                ::kernel::c_str!(concat!($level, "smp: ", $format, "\n")).as_char_ptr()
                $(, $arg)*
            )
        };
        #[cfg(not(CONFIG_PRINTK))]
        { $( let _ = $arg; )* }
    }};
}
pub(crate) use log;
