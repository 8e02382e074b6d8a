// SPDX-License-Identifier: GPL-2.0

//! Reports about requests that take too long.
//!
//! With `csdlock_debug=1` each CPU records the request that it runs, and whoever waits for one
//! longer than `smp.csd_lock_timeout` says so: which CPU does not answer, what it runs, and what it
//! does instead. If the target is not at any request, the IPI may be lost, and is sent again.
//!
//! Off, all of this is one patched jump; without `CONFIG_CSD_LOCK_WAIT_DEBUG` it is nothing. The
//! lines are parsed by scripts and keep their text.

use crate::csd::{
    Csd,
    Kind, //
};
use kernel::{
    bindings,
    c_str, //
};

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
mod watch;

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
pub(crate) use watch::{
    flush_begins,
    record,
    record_local,
    wait, //
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
                c_str!(concat!($level, "smp: ", $format, "\n")).as_char_ptr()
                $(, $arg)*
            )
        };
        #[cfg(not(CONFIG_PRINTK))]
        { $( let _ = $arg; )* }
    }};
}
use log;

/// Says which request sits in the queue of a CPU that is offline.
#[cold]
pub(crate) fn report_on_offline_cpu(csd: Csd) {
    use kernel::str::CStrExt as _;

    match csd.kind() {
        Kind::Async | Kind::Sync | Kind::IrqWork => {
            let func: *const () = csd
                .call()
                .func
                .map_or(core::ptr::null(), |f| f as *const ());
            log!("\x014", "IPI callback %pS sent to offline CPU", func);
        }
        Kind::Ttwu => log!("\x014", "IPI task-wakeup sent to offline CPU"),
        Kind::Unknown => log!(
            "\x014",
            "IPI callback, unknown type %d, sent to offline CPU",
            csd.type_bits(),
        ),
    }
}

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
mod unwatched {
    use crate::csd::{
        Call,
        Csd, //
    };
    use kernel::interrupt::LocalInterruptDisabled;

    #[inline(always)]
    pub(crate) fn flush_begins(_irq: &LocalInterruptDisabled) {}

    #[inline(always)]
    pub(crate) fn record(_csd: Option<Csd>) {}

    #[inline(always)]
    pub(crate) fn record_local(_call: Call) {}

    #[inline(always)]
    pub(crate) fn wait(_csd: Csd) {}
}

#[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
pub(crate) use unwatched::{
    flush_begins,
    record,
    record_local,
    wait, //
};
