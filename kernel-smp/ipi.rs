// SPDX-License-Identifier: GPL-2.0

//! Seam: sending the IPI.

use crate::{
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

#[cfg(CONFIG_FAIL_SMP)]
use kernel::bindings::{
    smp_send_ipi,
    smp_send_ipi_mask, //
};
#[cfg(not(CONFIG_FAIL_SMP))]
use kernel::helpers::smp::{
    arch_send_call_function_ipi_mask as smp_send_ipi_mask,
    arch_send_call_function_single_ipi as smp_send_ipi, //
};

/// Sends an IPI to `cpu`, so that it flushes its queue.
///
/// A CPU that polls in its idle loop has a flag for it, and needs no IPI. The trace point shows
/// `callsite`, if there is one.
#[inline]
pub(crate) fn send(cpu: CpuId, callsite: Option<Callsite>) {
    // SAFETY: `cpu` is a CPU with an idle task: csds are queued for CPUs that were online.
    if unsafe { bindings::call_function_single_prep_ipi(i32::from(cpu)) } {
        if let Some(callsite) = callsite {
            trace::ipi_send_cpu(cpu, callsite);
        }
        stats::count(Counter::Ipis);
        // SAFETY: The number is that of a CPU.
        unsafe { smp_send_ipi(i32::from(cpu)) };
    } else {
        stats::count(Counter::Polled);
    }
}

/// Sends an IPI again to `cpu`, polling or not, and without a trace point.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
pub(crate) fn resend(cpu: CpuId) {
    // SAFETY: The number is that of a CPU.
    unsafe { smp_send_ipi(i32::from(cpu)) };
}

/// Sends an IPI to all CPUs of `mask`, which must not be empty.
#[inline]
pub(crate) fn send_mask(mask: &Cpumask, callsite: Callsite) {
    trace::ipi_send_cpumask(mask, callsite);
    stats::count_all(Counter::Ipis, || mask.weight().into());

    // SAFETY: The mask is valid.
    unsafe { smp_send_ipi_mask(mask.as_raw()) };
}
