// SPDX-License-Identifier: GPL-2.0

//! Reports of csds that are locked for too long.
//!
//! With `csdlock_debug=1` each CPU records what it runs, and a wait of more than
//! `smp.csd_lock_timeout` is reported: the target CPU, what it runs, and its backtrace. If the
//! target runs no function, the IPI may be lost, and is sent again.
//!
//! While it is off, all of this is one patched jump; without `CONFIG_CSD_LOCK_WAIT_DEBUG` it
//! compiles to nothing. Scripts parse the lines, which have the text of C.

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)]
use crate::static_key::static_branch_likely;
#[cfg(all(CONFIG_CSD_LOCK_WAIT_DEBUG, not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)))]
use crate::static_key::static_branch_unlikely;
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
use kernel::bindings;

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod record;
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod resend;
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod verdict;
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod watch;

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
pub(crate) use {
    record::{
        current,
        record,
        record_local,
        record_other,
        resume, //
    },
    resend::flush,
    watch::{
        report_if_late,
        Watch, //
    },
};

#[cfg(all(
    CONFIG_CSD_LOCK_WAIT_DEBUG,
    CONFIG_FAIL_SMP,
    CONFIG_SMP_RUST_KUNIT_TEST
))]
pub(crate) use verdict::{
    verdicts,
    Verdict, //
};

/// Returns whether csds are watched.
#[inline]
pub(crate) fn enabled() -> bool {
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)]
    return static_branch_likely!(bindings::csdlock_debug_enabled);
    #[cfg(all(CONFIG_CSD_LOCK_WAIT_DEBUG, not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)))]
    return static_branch_unlikely!(bindings::csdlock_debug_enabled);
    #[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
    false
}

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
mod unwatched {
    use crate::csd::{
        Call,
        Csd,
        Flags, //
    };
    use kernel::interrupt::LocalInterruptDisabled;

    #[inline]
    pub(crate) fn flush<T>(_irq: &LocalInterruptDisabled, take: impl FnOnce() -> T) -> T {
        take()
    }

    #[inline]
    pub(crate) fn record(_irq: &LocalInterruptDisabled, _csd: Option<Csd>) {}

    #[inline]
    pub(crate) fn record_local(_irq: &LocalInterruptDisabled, _call: Call) {}

    #[inline]
    pub(crate) fn record_other(_irq: &LocalInterruptDisabled, _entry: Csd, _call: Call) {}

    #[inline]
    pub(crate) fn current(_irq: &LocalInterruptDisabled) {}

    #[inline]
    pub(crate) fn resume(_irq: &LocalInterruptDisabled, _running: ()) {}

    pub(crate) struct Watch<'a> {
        csd: Csd,
        flags: Option<Flags>,
        other: Option<&'a dyn Fn() -> bool>,
    }

    impl<'a> Watch<'a> {
        #[inline]
        pub(crate) fn begin(csd: Csd, flags: Option<Flags>) -> Self {
            Self {
                csd,
                flags,
                other: None,
            }
        }

        #[inline]
        pub(crate) fn or_until(mut self, other: Option<&'a dyn Fn() -> bool>) -> Self {
            self.other = other;
            self
        }

        #[inline]
        pub(crate) fn is_over(&mut self) -> bool {
            self.csd.is_over(self.flags) || self.other.is_some_and(|other| other())
        }
    }
}

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
pub(crate) use unwatched::{
    current,
    flush,
    record,
    record_local,
    record_other,
    resume,
    Watch, //
};
