// SPDX-License-Identifier: GPL-2.0

//! Macros of the kernel crate.

/// Notes a warning.
#[doc(hidden)]
#[macro_export]
macro_rules! warn_if {
    ($cond:expr) => {{
        let cond: bool = $cond;

        if cond {
            $crate::bindings::warn_slowpath(concat!(file!(), ": ", stringify!($cond)));
        }
        cond
    }};
}

/// Warns if `cond` is true.
#[macro_export]
macro_rules! warn_on {
    ($cond:expr) => {
        $crate::warn_if!($cond)
    };
}

/// Warns if `cond` is true, each time: a machine does not live long.
#[macro_export]
macro_rules! warn_on_once {
    ($cond:expr) => {
        $crate::warn_if!($cond)
    };
}

/// The same with a message.
#[macro_export]
macro_rules! warn_once {
    ($cond:expr, $($arg:tt)+) => {{
        let cond: bool = $cond;

        if cond {
            $crate::bindings::warn_slowpath(&::std::format!($($arg)+));
        }
        cond
    }};
}

/// Says nothing.
#[macro_export]
macro_rules! pr_info {
    ($($arg:tt)+) => {
        let _ = ::core::format_args!($($arg)+);
    };
}

/// Makes a string of C.
#[macro_export]
macro_rules! c_str {
    ($text:expr) => {
        match ::core::ffi::CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
            Ok(text) => text,
            Err(_) => unreachable!(),
        }
    };
}

/// Finds the struct that a field is in.
#[macro_export]
macro_rules! container_of {
    ($field:expr, $type:ty, $name:ident) => {
        $field
            .byte_sub(::core::mem::offset_of!($type, $name))
            .cast::<$type>()
    };
}

/// A key that is not looked at.
pub struct LockClassKey;

impl LockClassKey {
    /// Returns no address.
    pub fn as_ptr(&self) -> *mut bindings::lock_class_key {
        core::ptr::null_mut()
    }
}

/// A key that is not looked at.
#[macro_export]
macro_rules! static_lock_class {
    () => {
        $crate::LockClassKey
    };
}
