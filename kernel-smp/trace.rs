// SPDX-License-Identifier: GPL-2.0

//! Seam: trace points.
//!
//! The check is one patched jump; the rest is in `trace.c`, which also creates the trace points of
//! csds. Those of IPIs belong to the scheduler.
//!
//! C headers: [`include/trace/events/csd.h`](srctree/include/trace/events/csd.h),
//! [`include/trace/events/ipi.h`](srctree/include/trace/events/ipi.h)

use crate::csd::{
    Csd,
    Func, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask, //
};

/// Where the entry point was called from.
#[derive(Clone, Copy)]
pub(crate) struct Callsite(pub(crate) usize);

/// A request is about to be queued.
#[inline(always)]
pub(crate) fn csd_queue(cpu: CpuId, callsite: Callsite, func: Func, csd: Csd) {
    // SAFETY: Asking whether a trace point is on is always allowed.
    if unsafe { bindings::trace_csd_queue_cpu_enabled() } {
        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_queue_cpu(cpu.as_u32(), callsite.0, func, csd.as_ptr()) };
    }
}

/// Returns whether somebody wants to know which requests are queued, or which IPIs are sent to one.
#[inline(always)]
pub(crate) fn sending_is_traced() -> bool {
    // SAFETY: Asking whether a trace point is on is always allowed.
    let requests = || unsafe { bindings::trace_csd_queue_cpu_enabled() };
    // SAFETY: As above.
    let ipis = || unsafe { bindings::trace_ipi_send_cpu_enabled() };

    requests() || ipis()
}

/// Returns whether somebody wants to know which functions run.
#[inline(always)]
pub(crate) fn running_is_traced() -> bool {
    // SAFETY: Asking whether a trace point is on is always allowed.
    let entry = || unsafe { bindings::trace_csd_function_entry_enabled() };
    // SAFETY: As above.
    let exit = || unsafe { bindings::trace_csd_function_exit_enabled() };

    entry() || exit()
}

/// The function of a request is about to run. There is no csd if it runs for its own CPU.
#[inline(always)]
pub(crate) fn csd_function_entry(func: Func, csd: Option<Csd>) {
    // SAFETY: Asking whether a trace point is on is always allowed.
    if unsafe { bindings::trace_csd_function_entry_enabled() } {
        let csd = csd.map_or(core::ptr::null_mut(), Csd::as_ptr);

        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_function_entry(func, csd) };
    }
}

/// The function of a request has run. The csd may be gone by now; only its address is told.
#[inline(always)]
pub(crate) fn csd_function_exit(func: Func, csd: Option<Csd>) {
    // SAFETY: Asking whether a trace point is on is always allowed.
    if unsafe { bindings::trace_csd_function_exit_enabled() } {
        let csd = csd.map_or(core::ptr::null_mut(), Csd::as_ptr);

        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_function_exit(func, csd) };
    }
}

/// An IPI is about to be sent to one CPU.
#[inline(always)]
pub(crate) fn ipi_send_cpu(cpu: CpuId, callsite: Callsite) {
    // SAFETY: Asking whether a trace point is on is always allowed.
    if unsafe { bindings::trace_ipi_send_cpu_enabled() } {
        // SAFETY: The trace point takes any numbers.
        unsafe { bindings::smp_trace_ipi_send_cpu(cpu.as_u32(), callsite.0) };
    }
}

/// An IPI is about to be sent to several CPUs.
#[inline(always)]
pub(crate) fn ipi_send_cpumask(mask: &Cpumask, callsite: Callsite) {
    // SAFETY: Asking whether a trace point is on is always allowed.
    if unsafe { bindings::trace_ipi_send_cpumask_enabled() } {
        // SAFETY: The mask is valid.
        unsafe { bindings::smp_trace_ipi_send_cpumask(mask.as_raw(), callsite.0) };
    }
}
