// SPDX-License-Identifier: GPL-2.0

//! Values that are never freed, csds, and the state of this CPU.

use super::calls::{
    enter,
    Callback, //
};
use crate::{
    csd::{
        Call,
        Csd,
        Kind, //
    },
    irq,
    pool,
    queue, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    interrupt::LocalInterruptDisabled,
    prelude::*,
    smp::testing::becomes_true, //
};

/// Runs `f` with interrupts off on this CPU. Afterwards they are as they were before.
pub(crate) fn with_interrupts_off<R>(f: impl FnOnce(&LocalInterruptDisabled) -> R) -> R {
    // SAFETY: No test makes or drops a guard in it, sleeps, or turns interrupts on.
    unsafe { irq::with_interrupts_off(f) }
}

/// Invalid CPU numbers.
pub(crate) fn invalid_cpus() -> [i32; 6] {
    [
        -1,
        i32::MIN,
        i32::MAX,
        nr_cpu_ids() as i32,
        bindings::NR_CPUS as i32,
        -(nr_cpu_ids() as i32),
    ]
}

/// Allocates a value that is never freed.
pub(crate) fn leak<T: 'static>(value: T) -> Result<&'static T> {
    Ok(KBox::leak(KBox::new(value, GFP_KERNEL)?))
}

/// Returns how often preemption and interrupts are disabled, as the kernel counts it.
pub(crate) fn preempt_count() -> c_int {
    // SAFETY: The count may always be read.
    unsafe { bindings::smp_test_preempt_count() }
}

/// The memory of a csd.
#[repr(C, align(32))]
struct Slot(UnsafeCell<MaybeUninit<bindings::__call_single_data>>);

/// Makes a csd of zeroes, which is never freed.
pub(crate) fn blank_csd() -> Result<Csd> {
    let slot = leak(Slot(UnsafeCell::new(MaybeUninit::zeroed())))?;

    // SAFETY: The slot is large enough for a csd and is never freed.
    Ok(unsafe { Csd::from_raw(slot.0.get().cast()) })
}

/// Makes an unlocked csd that calls `info`.
pub(crate) fn csd_for<T: Callback>(info: &'static T) -> Result<Csd> {
    let csd = blank_csd()?;

    csd.fill(call_of(info), CpuId::current(), CpuId::current());
    Ok(csd)
}

/// Makes a csd that is locked as `kind` and filled in, ready to be pushed on the queue of `cpu`.
pub(crate) fn locked_csd<T: Callback>(info: &'static T, kind: Kind, cpu: CpuId) -> Result<Csd> {
    let csd = blank_csd()?;

    csd.lock_new(kind);
    csd.fill(call_of(info), CpuId::current(), cpu);
    Ok(csd)
}

/// Waits until no csd of this CPU's pool is in use. Returns false if one stays in use: a refused
/// call must not leave a csd locked.
pub(crate) fn pool_is_free() -> bool {
    // Another task on this CPU may use one just now.
    becomes_true(|| pool::state::in_use(CpuId::current()) == 0)
}

/// Makes a call of `info`.
pub(crate) fn call_of<T: Callback>(info: &'static T) -> Call {
    Call {
        func: Some(enter::<T>),
        info: core::ptr::from_ref(info).cast_mut().cast(),
    }
}

/// Pushes an entry on this CPU's queue, with no IPI.
pub(crate) fn push_here(irq: &LocalInterruptDisabled, csd: Csd) {
    // SAFETY: The entry is never freed, is in no queue, and is filled in.
    unsafe { queue::this_cpu(irq).push(csd.node()) };
}

/// `flush_smp_call_function_queue()`
pub(crate) fn flush_from_task() {
    // SAFETY: The test is a task, and bound to its CPU.
    unsafe { bindings::flush_smp_call_function_queue() };
}
