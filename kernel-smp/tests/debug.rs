// SPDX-License-Identifier: GPL-2.0

//! Stall reports, trace points and injected faults.

#[cfg(CONFIG_FAIL_SMP)]
mod fault;

#[cfg(all(
    CONFIG_CSD_LOCK_WAIT_DEBUG,
    CONFIG_JUMP_LABEL,
    not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)
))]
mod stall;

#[cfg(all(CONFIG_SMP_STATS, CONFIG_JUMP_LABEL))]
mod stats;

#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod trace;

#[cfg(all(CONFIG_FAIL_SMP, CONFIG_CSD_LOCK_WAIT_DEBUG))]
mod verdict;
