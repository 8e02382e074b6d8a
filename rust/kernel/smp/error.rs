// SPDX-License-Identifier: GPL-2.0

//! The errors of a call.

use crate::{
    alloc::AllocError,
    cpu::CpuId,
    cpumask::Cpumask,
    error::{
        code::*,
        Error, //
    }, //
};

/// The reason why a call was not made, or has no result yet.
///
/// # Examples
///
/// ```
/// use kernel::smp::CallError;
///
/// assert!(Error::from(CallError::Offline) == ENXIO);
/// assert!(Error::from(CallError::Busy) == EBUSY);
/// assert!(Error::from(CallError::TimedOut) == ETIMEDOUT);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The CPU is not possible. `ENXIO`.
    NoSuchCpu,
    /// The CPU, or each CPU of the set, is offline. `ENXIO`.
    Offline,
    /// The csd is queued, and its handler has not begun. `EBUSY`.
    Busy,
    /// There is no result yet. `ETIMEDOUT`.
    TimedOut,
    /// The caller is in a context that must not wait for other CPUs. `EDEADLK`.
    WrongContext,
    /// There is no memory for the call. `ENOMEM`.
    NoMemory,
    /// The module of the function is being unloaded. `ENODEV`.
    Unloading,
}

impl CallError {
    /// Returns the reason why `cpu` was not called.
    #[cold]
    #[inline]
    pub(super) fn not_called(cpu: CpuId) -> Self {
        if Cpumask::possible().test(cpu) {
            Self::Offline
        } else {
            Self::NoSuchCpu
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoSuchCpu | CallError::Offline => ENXIO,
            CallError::Busy => EBUSY,
            CallError::TimedOut => ETIMEDOUT,
            CallError::WrongContext => EDEADLK,
            CallError::NoMemory => ENOMEM,
            CallError::Unloading => ENODEV,
        }
    }
}

impl From<AllocError> for CallError {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}
