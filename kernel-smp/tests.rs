// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of cross-CPU function calls.
//!
//! A callback in an IPI only records; the test's own thread compares. What is shared with callbacks
//! is never freed, since a test that fails may leave a request in a queue. Waiting has a bound, so
//! that a bug makes a test fail and not hang. A failed assertion ends the thread on the spot and
//! runs no destructors: tests first tidy up, then assert.
//!
//! The tests need two CPUs online at least, and say so where they are missing.

// What the suites share.
mod calls;
mod down;
mod fixture;
mod gate;
mod irq_work;
mod order_log;
mod seen;
pub(crate) mod step_in;
mod tally;
mod thread;
mod warnings;
mod ways;

#[cfg(CONFIG_SMP_RUST_FAULT)]
mod faults;

#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod around;
#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod events;
#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod probe;

// The suites.
mod any;
mod api;
mod async_csd;
mod cond;
mod contexts;
mod csd;
mod csd_wait;
mod exact;
mod exemptions;
mod going_down;
mod hotplug;
mod kick;
mod last_step;
mod late;
mod ledger;
mod many;
mod mask;
mod masks;
mod no_function;
mod offline;
mod on_cpu;
mod order;
mod peek;
mod pool;
mod queue;
mod single;
mod starting;
mod storm;
mod tasks;

#[cfg(not(CONFIG_PREEMPT_RT))]
mod softirq;

#[cfg(CONFIG_SMP_RUST_FAULT)]
mod caller_down;
#[cfg(CONFIG_SMP_RUST_FAULT)]
mod injector;

#[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
mod hrtimer;
#[cfg(CONFIG_SMP_RUST_POLLING_WAIT)]
mod serving;

#[cfg(all(CONFIG_SMP_RUST_POLLING_WAIT, CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod readers;

#[cfg(all(
    CONFIG_CSD_LOCK_WAIT_DEBUG,
    CONFIG_JUMP_LABEL,
    not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)
))]
mod stall;

#[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
mod trace;

#[cfg(all(CONFIG_SMP_RUST_FAULT, CONFIG_CSD_LOCK_WAIT_DEBUG))]
mod verdict;
