// SPDX-License-Identifier: GPL-2.0

//! Waiting for a csd.

mod csd_wait;
mod exact;
mod tasks;

#[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
mod polling;

#[cfg(all(CONFIG_SMP_RUST_POLLING_WAIT, CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod readers;
