// SPDX-License-Identifier: GPL-2.0

//! Seam: trace points.
//!
//! The check is one patched jump; the rest is in `trace.c`, which also creates the trace points of
//! csds. Those of IPIs belong to the scheduler.
//!
//! C headers: [`include/trace/events/csd.h`](srctree/include/trace/events/csd.h),
//! [`include/trace/events/ipi.h`](srctree/include/trace/events/ipi.h)

use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask, //
};

/// The address of a csd, or null.
type CsdPtr = *mut bindings::__call_single_data;

type Func = bindings::smp_call_func_t;

/// Where the entry point was called from.
#[derive(Clone, Copy)]
pub(crate) struct Callsite(pub(crate) usize);

/// Returns whether the trace point `$name` is on.
macro_rules! enabled {
    ($name:ident) => {{
        #[cfg(CONFIG_TRACEPOINTS)]
        // SAFETY: This is the key of a trace point of C.
        let enabled = unsafe {
            kernel::macros::paste! {
                kernel::jump_label::static_branch_unlikely!(
                    bindings::[<__tracepoint_ $name>],
                    bindings::tracepoint,
                    key
                )
            }
        };
        #[cfg(not(CONFIG_TRACEPOINTS))]
        let enabled = false;

        enabled
    }};
}

/// An entry is about to be queued.
#[inline]
pub(crate) fn csd_queue(cpu: CpuId, callsite: Callsite, func: Func, csd: CsdPtr) {
    if enabled!(csd_queue_cpu) {
        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_queue_cpu(cpu.as_u32(), callsite.0, func, csd) };
    }
}

/// Returns whether a trace point of queued entries, or of IPIs to one CPU, is on.
#[inline]
pub(crate) fn sending_is_traced() -> bool {
    enabled!(csd_queue_cpu) || enabled!(ipi_send_cpu)
}

/// Returns whether a trace point of functions that run is on.
#[inline]
pub(crate) fn running_is_traced() -> bool {
    enabled!(csd_function_entry) || enabled!(csd_function_exit)
}

/// The function of a csd is about to run. `csd` is null if a CPU calls itself.
#[inline]
pub(crate) fn csd_function_entry(func: Func, csd: CsdPtr) {
    if enabled!(csd_function_entry) {
        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_function_entry(func, csd) };
    }
}

/// The function of a csd has run. The csd may be freed by now: only its address is recorded.
#[inline]
pub(crate) fn csd_function_exit(func: Func, csd: CsdPtr) {
    if enabled!(csd_function_exit) {
        // SAFETY: The trace point records the addresses and reads nothing through them.
        unsafe { bindings::smp_trace_csd_function_exit(func, csd) };
    }
}

/// An IPI is about to be sent to one CPU.
#[inline]
pub(crate) fn ipi_send_cpu(cpu: CpuId, callsite: Callsite) {
    if enabled!(ipi_send_cpu) {
        // SAFETY: The trace point takes any numbers.
        unsafe { bindings::smp_trace_ipi_send_cpu(cpu.as_u32(), callsite.0) };
    }
}

/// An IPI is about to be sent to several CPUs.
#[inline]
pub(crate) fn ipi_send_cpumask(mask: &Cpumask, callsite: Callsite) {
    if enabled!(ipi_send_cpumask) {
        // SAFETY: The mask is valid.
        unsafe { bindings::smp_trace_ipi_send_cpumask(mask.as_raw(), callsite.0) };
    }
}
