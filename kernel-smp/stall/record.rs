// SPDX-License-Identifier: GPL-2.0

//! What each CPU runs: `cur_csd`, `cur_csd_func` and `cur_csd_info`. The target writes it, and a
//! waiter reads it.

use super::enabled;
use crate::csd::{
    func_ptr,
    Call,
    Csd, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    percpu::StaticPerCpu,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

const CUR_CSD: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: This is a per-CPU variable of `data.c`, a pointer; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd) };

const CUR_CSD_FUNC: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: As above.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd_func) };

const CUR_CSD_INFO: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: As above.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd_info) };

/// What a CPU runs: its variables `cur_csd`, `cur_csd_func` and `cur_csd_info`.
struct Record<'a> {
    /// The csd, or null; [`local()`] for a call of the CPU to itself.
    csd: &'a Atomic<*mut c_void>,
    func: &'a Atomic<*mut c_void>,
    info: &'a Atomic<*mut c_void>,
}

impl<'a> Record<'a> {
    #[inline]
    fn this_cpu(irq: &'a LocalInterruptDisabled) -> Self {
        Self {
            csd: CUR_CSD.this_cpu(irq),
            func: CUR_CSD_FUNC.this_cpu(irq),
            info: CUR_CSD_INFO.this_cpu(irq),
        }
    }
}

impl Record<'static> {
    /// Returns that of `cpu`, if it is a possible CPU.
    fn of(cpu: CpuId) -> Option<Self> {
        Some(Self {
            csd: CUR_CSD.get(cpu)?,
            func: CUR_CSD_FUNC.get(cpu)?,
            info: CUR_CSD_INFO.get(cpu)?,
        })
    }
}

/// Returns what stands for a call of a CPU to itself, which has no csd.
fn local() -> *mut c_void {
    (&raw mut bindings::smp_local_csd).cast()
}

/// Records that this CPU runs `csd` from now on; without it, that it runs nothing.
#[inline]
pub(crate) fn record(irq: &LocalInterruptDisabled, csd: Option<Csd>) {
    if enabled() {
        match csd {
            Some(csd) => begin(irq, csd.as_ptr().cast(), csd.call()),
            None => end(irq),
        }
    }
}

/// Records that this CPU runs a call to itself.
#[inline]
pub(crate) fn record_local(irq: &LocalInterruptDisabled, call: Call) {
    if enabled() {
        begin(irq, local(), call);
    }
}

/// Records that this CPU runs `call` for a queue entry that is no csd: IRQ work, or wake-ups.
#[inline]
pub(crate) fn record_other(irq: &LocalInterruptDisabled, entry: Csd, call: Call) {
    if enabled() {
        begin_other(irq, entry, call);
    }
}

#[cold]
fn begin_other(irq: &LocalInterruptDisabled, entry: Csd, call: Call) {
    begin(irq, entry.as_ptr().cast(), call);
}

#[inline]
fn begin(irq: &LocalInterruptDisabled, csd: *mut c_void, call: Call) {
    let record = Record::this_cpu(irq);

    record.func.store(func_ptr(call.func), Relaxed);
    record.info.store(call.info, Relaxed);
    // ORDERING: The release pairs with the acquire in `Running::of()`: a CPU that sees the csd sees
    // the function and argument that go with it.
    // LITMUS: stall-record-begin
    record.csd.store(csd, Release);
}

#[inline]
fn end(irq: &LocalInterruptDisabled) {
    // ORDERING: The release pairs with the acquire in `Running::of()`: a CPU that sees that nothing
    // runs sees what the last function did, and that its csd is unlocked.
    // LITMUS: stall-record-end
    CUR_CSD.this_cpu(irq).store(ptr::null_mut(), Release);
}

/// What a CPU runs, or ran before a nested call began.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(super) csd: *mut c_void,
    pub(super) func: *mut c_void,
    pub(super) info: *mut c_void,
}

impl Running {
    /// Returns what `cpu` runs; without it, what CPU 0 runs, as C does. A CPU that is not possible
    /// runs nothing.
    pub(super) fn of(cpu: Option<CpuId>) -> Self {
        match cpu.or_else(|| CpuId::from_u32(0)).and_then(Record::of) {
            Some(record) => Self {
                // ORDERING: The acquire pairs with the releases in `begin()`, `end()` and
                // `resume()`.
                // LITMUS: stall-record-begin, stall-record-end
                csd: record.csd.load(Acquire),
                func: record.func.load(Relaxed),
                info: record.info.load(Relaxed),
            },
            None => Self {
                csd: ptr::null_mut(),
                func: ptr::null_mut(),
                info: ptr::null_mut(),
            },
        }
    }
}

#[cfg(all(
    CONFIG_SMP_RUST_KUNIT_TEST,
    CONFIG_JUMP_LABEL,
    not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)
))]
impl Running {
    /// Returns the csd and the argument, both as addresses.
    pub(crate) fn entry(&self) -> (usize, usize) {
        (self.csd.addr(), self.info.addr())
    }
}

/// Returns what this CPU runs, if that is recorded.
#[inline]
pub(crate) fn current(irq: &LocalInterruptDisabled) -> Option<Running> {
    enabled().then(|| {
        let record = Record::this_cpu(irq);

        Running {
            csd: record.csd.load(Relaxed),
            func: record.func.load(Relaxed),
            info: record.info.load(Relaxed),
        }
    })
}

/// Records that this CPU continues with what it ran before.
#[inline]
pub(crate) fn resume(irq: &LocalInterruptDisabled, running: Option<Running>) {
    if let Some(running) = running {
        let record = Record::this_cpu(irq);

        record.func.store(running.func, Relaxed);
        record.info.store(running.info, Relaxed);
        // ORDERING: As in `begin()`.
        record.csd.store(running.csd, Release);
    }
}
