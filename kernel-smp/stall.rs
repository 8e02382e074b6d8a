// SPDX-License-Identifier: GPL-2.0

//! Reports about requests that take too long.
//!
//! With `csdlock_debug=1` each CPU records the request that it runs, and whoever waits for one
//! longer than `smp.csd_lock_timeout` says so: which CPU does not answer, what it runs, and what it
//! does instead. If the target is not at any request, the IPI may be lost, and is sent again.
//!
//! Off, all of this is one patched jump; without `CONFIG_CSD_LOCK_WAIT_DEBUG` it is nothing. The
//! lines are parsed by scripts and keep their text.

use kernel::bindings;

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod watch;

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
pub(crate) use watch::{
    current,
    flush_begins,
    record,
    record_local,
    record_other,
    report_if_late,
    resume,
    Watch, //
};

#[cfg(all(
    CONFIG_CSD_LOCK_WAIT_DEBUG,
    CONFIG_SMP_RUST_FAULT,
    CONFIG_SMP_RUST_KUNIT_TEST
))]
pub(crate) use watch::{
    verdicts,
    Verdict, //
};

/// Returns whether requests are watched.
#[inline(always)]
pub(crate) fn enabled() -> bool {
    // SAFETY: Reading a static key is always allowed.
    unsafe { bindings::smp_csdlock_debug() }
}

/// Prints a line with the C format directives that print symbols.
macro_rules! log {
    ($level:literal, $format:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(CONFIG_PRINTK)]
        // SAFETY: The arguments are of the types that the format names.
        unsafe {
            bindings::_printk(
                ::kernel::c_str!(concat!($level, "smp: ", $format, "\n")).as_char_ptr()
                $(, $arg)*
            )
        };
        #[cfg(not(CONFIG_PRINTK))]
        { $( let _ = $arg; )* }
    }};
}
pub(crate) use log;

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
mod unwatched {
    use crate::csd::{
        Call,
        Csd,
        Lock, //
    };
    use kernel::interrupt::LocalInterruptDisabled;

    #[inline(always)]
    pub(crate) fn flush_begins(_irq: &LocalInterruptDisabled) {}

    #[inline(always)]
    pub(crate) fn record(_irq: &LocalInterruptDisabled, _csd: Option<Csd>) {}

    #[inline(always)]
    pub(crate) fn record_local(_irq: &LocalInterruptDisabled, _call: Call) {}

    #[inline(always)]
    pub(crate) fn record_other(_irq: &LocalInterruptDisabled, _entry: Csd, _call: Call) {}

    #[inline(always)]
    pub(crate) fn current(_irq: &LocalInterruptDisabled) {}

    #[inline(always)]
    pub(crate) fn resume(_irq: &LocalInterruptDisabled, _running: ()) {}

    pub(crate) struct Watch<'a> {
        csd: Csd,
        lock: Option<Lock>,
        other: Option<&'a dyn Fn() -> bool>,
    }

    impl<'a> Watch<'a> {
        #[inline(always)]
        pub(crate) fn begin(csd: Csd, lock: Option<Lock>) -> Self {
            Self {
                csd,
                lock,
                other: None,
            }
        }

        #[inline(always)]
        pub(crate) fn or_until(mut self, other: Option<&'a dyn Fn() -> bool>) -> Self {
            self.other = other;
            self
        }

        #[inline(always)]
        pub(crate) fn is_over(&mut self) -> bool {
            self.csd.is_over(self.lock) || self.other.is_some_and(|other| other())
        }
    }
}

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
pub(crate) use unwatched::{
    current,
    flush_begins,
    record,
    record_local,
    record_other,
    resume,
    Watch, //
};
