// SPDX-License-Identifier: GPL-2.0

//! Steps of CPU hotplug: `smpcfd:prepare`, `smpcfd:dying` and their counterparts.

use crate::{
    cfd::CallFunctionData,
    flush::{
        self,
        Offline, //
    },
    offline,
    pool, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    percpu::CpuPinned as _,
    prelude::*, //
};

/// Allocates the data of `cpu` before it comes up, and drains its queue of entries that were queued
/// while it was down.
///
/// # Errors
///
/// - `-ENOMEM`: the CPU stays down.
///
/// # Safety
///
/// `cpu` is possible; it is not up, or is the boot CPU and has sent no call.
#[export]
pub(crate) unsafe extern "C" fn smpcfd_prepare_cpu(cpu: c_uint) -> c_int {
    // SAFETY: A CPU that is possible is below `nr_cpu_ids`.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };

    // SAFETY: By the safety requirements.
    unsafe { offline::drain(cpu) };

    // SAFETY: By the safety requirements.
    let pool = unsafe { pool::prepare(cpu) };
    // SAFETY: As above.
    match pool.and_then(|()| unsafe { CallFunctionData::prepare(cpu) }) {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// Frees the data that `cpu` does not need while it is down, and drains its queue of entries that
/// were queued after its last flush.
///
/// # Safety
///
/// `cpu` is possible, was prepared, and is not up any more.
#[export]
pub(crate) unsafe extern "C" fn smpcfd_dead_cpu(cpu: c_uint) -> c_int {
    // SAFETY: A CPU that is possible is below `nr_cpu_ids`.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };

    // SAFETY: By the safety requirements.
    unsafe { offline::drain(cpu) };
    // SAFETY: As above.
    unsafe { CallFunctionData::dead(cpu) };
    0
}

/// Flushes the queue of this CPU, which is about to go down.
///
/// An IPI may come late, or not at all once interrupts stay off. The flush does not wait for it, so
/// that no entry stays in the queue.
///
/// # Safety
///
/// Interrupts are off, and this is the stopper thread of the CPU.
#[export]
pub(crate) unsafe extern "C" fn smpcfd_dying_cpu(_cpu: c_uint) -> c_int {
    // SAFETY: By the safety requirements.
    let irq = unsafe { LocalInterruptDisabled::assume_disabled() };

    // Any sender that saw this CPU online has queued its csd by now: the stopper threads of all
    // CPUs run.
    // LITMUS: dying-flush
    flush::flush(irq, Offline::Dying);

    // SAFETY: Interrupts are off.
    unsafe { bindings::irq_work_run() };

    // SAFETY: This CPU is possible.
    unsafe { offline::forget(irq.cpu()) };
    0
}
