// SPDX-License-Identifier: GPL-2.0

//! Trace points, which are off; static keys; and the watch over csds and the counters, which are on if
//! they are built at all.

use crate::{c_char, c_int, c_uint, c_ulong, cpumask, machine, smp_call_func_t};
use std::{
    ffi::CStr,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Mutex,
    },
};

pub fn smp_trace_csd_queue_cpu<T>(_: c_uint, _: usize, _: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_csd_function_entry<T>(_: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_csd_function_exit<T>(_: smp_call_func_t, _: *mut T) {}
pub fn smp_trace_ipi_send_cpu(_: c_uint, _: usize) {}
pub fn smp_trace_ipi_send_cpumask(_: *const cpumask, _: usize) {}

/// A condition that seldom changes.
pub struct static_key(AtomicBool);
pub type static_key_false = static_key;

impl static_key {
    pub(crate) const fn new(is_on: bool) -> Self {
        Self(AtomicBool::new(is_on))
    }
}

/// Switches a key.
///
/// # Safety
///
/// `key` is valid.
pub unsafe fn static_key_switch(key: *mut static_key, on: bool) {
    // SAFETY: By the safety requirements.
    unsafe { &*key }.0.store(on, Ordering::Relaxed);
}

pub static mut csdlock_debug_enabled: static_key_false = static_key::new(true);

/// # Safety
///
/// `key` is valid.
pub unsafe fn static_key_count(key: *mut static_key) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { &*key }.0.load(Ordering::Relaxed).into()
}

/// In ms.
pub static mut csd_lock_timeout: c_ulong = 1;
pub static mut panic_on_ipistall: c_int = 0;

/// The time in ns. Between any two looks at it is so much that what is waited for is late.
pub fn ktime_get_mono_fast_ns() -> u64 {
    static NOW: AtomicU64 = AtomicU64::new(1);

    #[cfg(feature = "shuttle")]
    machine::switch();
    NOW.fetch_add(1 << 40, Ordering::Relaxed)
}

/// The ticks since boot. A tick never comes, and the time goes on nevertheless.
#[expect(non_upper_case_globals)]
pub static mut jiffies: c_ulong = 1;

/// How many ns a tick takes.
pub const TICK_NSEC: u32 = 4_000_000;

/// A line of the log: its format, and the arguments, which are all numbers or addresses.
pub struct Line {
    pub format: String,
    pub arguments: [usize; 6],
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// Takes what was printed.
pub fn take_lines() -> Vec<Line> {
    std::mem::take(&mut LINES.lock().unwrap())
}

extern "C" {
    pub fn _printk(format: *const c_char, ...) -> c_int;
}

// What is variadic passes numbers and addresses as any other function does, on x86-64.
#[export_name = "_printk"]
unsafe extern "C" fn printk(
    format: *const c_char,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_int {
    // SAFETY: As in C.
    let format = unsafe { CStr::from_ptr(format) };

    LINES.lock().unwrap().push(Line {
        format: format.to_string_lossy().into_owned(),
        arguments: [a, b, c, d, e, f],
    });
    0
}

pub fn smp_warn_no_function<T>(_: usize, _: *mut T) {
    machine::warn("a call without a function");
}

pub type smp_counter = c_uint;
pub const smp_counter_SMP_CSDS: smp_counter = 0;
pub const smp_counter_SMP_IPIS: smp_counter = 1;
pub const smp_counter_SMP_BATCHED: smp_counter = 2;
pub const smp_counter_SMP_POLLED: smp_counter = 3;
pub const smp_counter_SMP_FALLBACK_CSD: smp_counter = 4;
pub const smp_counter_SMP_STORAGE_WAITS: smp_counter = 5;
pub const smp_counter_SMP_DYING: smp_counter = 6;
pub const smp_counter_SMP_MOST_SLOTS: smp_counter = 7;
pub const smp_counter_SMP_LONGEST_NS: smp_counter = 8;
pub const smp_counter_SMP_COUNTERS: smp_counter = 9;

pub static mut smp_stats_key: static_key_false = static_key::new(true);

#[cfg(feature = "debug")]
pub fn smp_stats_add(counter: smp_counter, number: u64) {
    machine::counter(counter).fetch_add(number, Ordering::Relaxed);
}

#[cfg(feature = "debug")]
pub fn smp_stats_raise(counter: smp_counter, value: u64) {
    machine::counter(counter).fetch_max(value, Ordering::Relaxed);
}

pub type smp_stall_nmi = c_uint;
pub const smp_stall_nmi_SMP_STALL_IRQS_OFF: smp_stall_nmi = 2;
pub const smp_stall_nmi_SMP_STALL_IRQS_ON: smp_stall_nmi = 3;

pub fn smp_stall_ask(_cpu: c_uint) {}

/// There are no NMIs.
pub fn smp_stall_found(_cpu: c_uint) -> smp_stall_nmi {
    0
}

pub fn dump_cpu_task(_cpu: c_int) {}
pub fn dump_stack() {}

pub fn smp_stall_bug_on(too_long: bool) {
    assert!(!too_long);
}

pub fn warn_slowpath(text: &str) {
    machine::warn(text);
}
