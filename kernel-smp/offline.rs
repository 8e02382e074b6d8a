// SPDX-License-Identifier: GPL-2.0

//! Entries in the queue of an offline CPU.
//!
//! A CPU that goes down flushes its queue, whether or not IPIs have come, and nothing should be
//! queued after that. An entry that is queued nevertheless is found at one of three points: by a
//! flush on the offline CPU, by the CPU that takes it down, or by the CPU that brings it up again.
//! Each entry is reported, with one warning per boot.
//!
//! A flush runs the entries, since it is on their target. The other two only unlock csds, which may
//! have waiters: a function must not run on another CPU than its target. IRQ work and tasks to wake
//! up stay in the queue, and run when the CPU is online again. They are reported once, however
//! often the queue is drained until then.

use crate::{
    batch::List,
    csd::{
        func_ptr,
        Csd,
        Kind,
        Node, //
    },
    log::log,
    queue, //
};
use core::ptr;
use kernel::{
    cpu::CpuId,
    percpu::define_per_cpu,
    str::CStrExt as _,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    warn_once, //
};

#[cfg(CONFIG_SMP_STATS)]
use kernel::prelude::export;

/// How many entries for offline CPUs were found.
static FOUND: Atomic<u64> = Atomic::new(0);

define_per_cpu! {
    /// The newest entry that was reported and stays in the queue of the CPU, which is offline
    /// since; or null.
    static LEFT: Atomic<*mut Node> = Atomic::new(ptr::null_mut());
}

/// Forgets the entries that were reported for `cpu`, which has been up and has flushed them since.
///
/// # Safety
///
/// `cpu` is a possible CPU.
pub(crate) unsafe fn forget(cpu: CpuId) {
    // SAFETY: By the safety requirements.
    unsafe { LEFT.per_cpu(cpu) }.store(ptr::null_mut(), Relaxed);
}

/// Returns how many entries for offline CPUs were found since boot.
#[cfg(any(CONFIG_SMP_STATS, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) fn count() -> u64 {
    FOUND.load(Relaxed)
}

/// Returns that count, for the table of `stats.c`.
///
/// # Safety
///
/// None.
#[cfg(CONFIG_SMP_STATS)]
#[export]
pub(crate) unsafe extern "C" fn smp_stats_offline() -> u64 {
    count()
}

/// Drains the queue of `cpu`, which is offline: reports all entries, and unlocks the csds, which
/// may have waiters.
///
/// # Safety
///
/// `cpu` is a possible CPU that executes nothing, or is the boot CPU and was sent nothing.
pub(crate) unsafe fn drain(cpu: CpuId) {
    // SAFETY: `cpu` is possible, by the safety requirements.
    let queue = unsafe { queue::of(cpu) };
    // SAFETY: The entries were just taken.
    let found = unsafe { List::of(queue.take_all()) };
    // SAFETY: As for the queue.
    let left = unsafe { LEFT.per_cpu(cpu) };
    // The oldest entries, up to this one, were reported before, if it is still in the queue.
    let last_known = left.load(Relaxed);
    // SAFETY: The list does not change meanwhile.
    let mut is_known = unsafe { found.iter() }.any(|csd| csd.node() == last_known);

    while let Some(csd) = found.pop() {
        let node = csd.node();

        if is_known {
            is_known = node != last_known;
        } else {
            warn_of(cpu);
            report_entry(csd);
        }
        match csd.kind() {
            Kind::Async | Kind::Sync => csd.unlock(),
            Kind::IrqWork | Kind::Ttwu | Kind::Unknown => {
                left.store(node, Relaxed);
                // No IPI: the CPU flushes its queue when it first leaves its idle loop.
                // SAFETY: The entry was in this queue until just now, and is valid until it has
                // run.
                unsafe { queue.push(node) };
            }
        }
    }
}

/// Reports `entries`, which were found in the queue of `cpu`, which is offline.
#[cold]
#[inline(never)]
pub(crate) fn report(cpu: CpuId, entries: impl Iterator<Item = Csd>) {
    warn_of(cpu);
    entries.for_each(report_entry);
}

#[cold]
fn warn_of(cpu: CpuId) {
    warn_once!(true, "IPI on offline CPU {}\n", cpu.as_u32());
}

#[inline(never)]
fn report_entry(csd: Csd) {
    FOUND.add(1, Relaxed);

    match csd.kind() {
        Kind::Async | Kind::Sync | Kind::IrqWork => {
            let func = func_ptr(csd.call().func);
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
