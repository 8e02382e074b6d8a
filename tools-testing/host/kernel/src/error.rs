// SPDX-License-Identifier: GPL-2.0

//! Errors.

/// An error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error(i32);

impl Error {
    /// Returns the number as C functions return it.
    pub fn to_errno(self) -> i32 {
        -self.0
    }
}

/// What may fail.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

pub mod code {
    //! The error numbers.

    use super::Error;

    pub const ENXIO: Error = Error(6);
    pub const ENOMEM: Error = Error(12);
    pub const EBUSY: Error = Error(16);
    pub const ENODEV: Error = Error(19);
    pub const EINVAL: Error = Error(22);
    pub const EDEADLK: Error = Error(35);
    pub const ETIMEDOUT: Error = Error(110);
}
