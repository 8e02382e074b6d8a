// SPDX-License-Identifier: GPL-2.0

//! Seam: sending the interrupt.

#[cfg(CONFIG_SMP_RUST_FAULT)]
use crate::fault;
use crate::{
    queue,
    stats::{
        self,
        Counter, //
    },
    trace::{
        self,
        Callsite, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask, //
};

/// Makes `cpu` look at its queue.
///
/// A CPU that polls in its idle loop is told by a flag and needs no IPI. The trace point is told
/// that of the entry point which was called from `traced`.
#[inline(always)]
pub(crate) fn send(cpu: CpuId, traced: Option<Callsite>) {
    // SAFETY: `cpu` is a CPU with an idle task: requests are queued for CPUs that were online.
    if unsafe { bindings::call_function_single_prep_ipi(i32::from(cpu)) } {
        if let Some(callsite) = traced {
            trace::ipi_send_cpu(cpu, callsite);
        }
        stats::count(Counter::Ipis);
        send_unconditionally(cpu);
    } else {
        stats::count(Counter::Polled);
    }
}

/// Makes each CPU that has requests look at its queue. For an interrupt that is about to wait: the code
/// that it interrupts may have queued them, and not yet sent the IPI.
///
/// The trace point is told the caller of the entry point that is about to wait: it causes these IPIs.
/// Those that are due besides have a caller of their own.
#[cold]
pub(crate) fn send_overdue(callsite: Callsite) {
    for cpu in Cpumask::online() {
        // SAFETY: A CPU that is online is possible.
        if !unsafe { queue::of(cpu) }.is_empty() {
            send(cpu, Some(callsite));
        }
    }
}

/// Sends an IPI to `cpu`, polling or not, and without a trace point.
#[inline(always)]
pub(crate) fn send_unconditionally(cpu: CpuId) {
    #[cfg(CONFIG_SMP_RUST_FAULT)]
    fault::send(cpu);
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    send_now(cpu);
}

/// Sends an IPI to `cpu`, without faults.
#[inline(always)]
pub(crate) fn send_now(cpu: CpuId) {
    // SAFETY: The number is that of a CPU.
    unsafe { bindings::arch_send_call_function_single_ipi(i32::from(cpu)) };
}

/// Sends an IPI to all CPUs of `mask`, which must not be empty.
#[inline(always)]
pub(crate) fn send_mask(mask: &Cpumask, callsite: Callsite) {
    trace::ipi_send_cpumask(mask, callsite);
    stats::count_all(Counter::Ipis, || mask.weight().into());

    #[cfg(CONFIG_SMP_RUST_FAULT)]
    mask.iter().for_each(fault::send);
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    // SAFETY: The mask is valid.
    unsafe {
        bindings::arch_send_call_function_ipi_mask(mask.as_raw())
    };
}
