// SPDX-License-Identifier: GPL-2.0

//! CPU hotplug.

mod dying;
mod ledger;
mod offline;
mod offline_target;
mod reported;
mod starting;
mod teardown;

#[cfg(CONFIG_FAIL_SMP)]
mod source_offline;
