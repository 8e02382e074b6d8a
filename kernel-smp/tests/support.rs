// SPDX-License-Identifier: GPL-2.0

//! Helpers of the suites.
//!
//! What the tests of the kernel crate need, too, is in [`kernel::smp::testing`].

pub(crate) mod calls;
pub(crate) mod fixture;
pub(crate) mod gate;
pub(crate) mod irq_work;
pub(crate) mod order_log;
pub(crate) mod seen;
pub(crate) mod senders;
pub(crate) mod step_in;
pub(crate) mod tally;
pub(crate) mod thread;
pub(crate) mod waiters;
pub(crate) mod warnings;
pub(crate) mod ways;

#[cfg(CONFIG_FAIL_SMP)]
pub(crate) mod faults;

#[cfg(CONFIG_JUMP_LABEL)]
pub(crate) mod key;

#[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
pub(crate) mod hrtimer;

#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
pub(crate) mod around;
#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
pub(crate) mod events;
#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
pub(crate) mod probe;
