// SPDX-License-Identifier: GPL-2.0

//! Trace points, which are off; counters, which are off too; and the watch over requests, which is
//! on if it is built at all.

use crate::{c_int, c_uint, c_ulong, cpumask, machine, smp_call_func_t};

pub fn trace_csd_queue_cpu_enabled() -> bool {
    false
}

pub fn trace_csd_function_entry_enabled() -> bool {
    false
}

pub fn trace_csd_function_exit_enabled() -> bool {
    false
}

pub fn trace_ipi_send_cpu_enabled() -> bool {
    false
}

pub fn trace_ipi_send_cpumask_enabled() -> bool {
    false
}

pub fn smp_trace_csd_queue_cpu<T>(_: c_uint, _: usize, _: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_csd_function_entry<T>(_: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_csd_function_exit<T>(_: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_ipi_send_cpu(_: c_uint, _: usize) {}
pub fn smp_trace_ipi_send_cpumask(_: *const cpumask, _: usize) {}

pub fn smp_stats_enabled() -> bool {
    false
}

pub fn smp_csdlock_debug() -> bool {
    cfg!(feature = "debug")
}

/// In ms. Longer than any check runs.
pub static mut smp_csd_lock_timeout: c_ulong = 1 << 40;
pub static mut smp_panic_on_ipistall: c_int = 0;

/// The time that a CPU sees, in ns. It stands still: nothing is ever late.
pub fn ktime_get_mono_fast_ns() -> u64 {
    1
}

pub fn dump_cpu_task(_cpu: c_int) {}
pub fn dump_stack() {}

pub fn BUG() -> ! {
    panic!("BUG()");
}

pub fn warn_slowpath(text: &str) {
    machine::warn(text);
}
