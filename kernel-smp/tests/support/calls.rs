// SPDX-License-Identifier: GPL-2.0

//! The entry points as C callers use them, with a typed argument.

use crate::csd::Csd;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*, //
};

/// A callback.
pub(crate) trait Callback: Sync + 'static {
    /// Is called with interrupts off. Must not check, only record.
    fn call(&'static self);
}

/// A callback with a condition that selects the targets.
pub(crate) trait Condition: Callback {
    /// Is called with preemption off.
    fn wants(&'static self, cpu: c_int) -> bool;
}

/// The function of all calls of the tests.
///
/// # Safety
///
/// `info` is a `&'static T`.
pub(crate) unsafe extern "C" fn enter<T: Callback>(info: *mut c_void) {
    // SAFETY: By the safety requirements.
    let callback = unsafe { &*info.cast_const().cast::<T>() };

    callback.call();
}

/// The condition of all calls of the tests.
///
/// # Safety
///
/// `info` is a `&'static T`.
unsafe extern "C" fn evaluate<T: Condition>(cpu: c_int, info: *mut c_void) -> bool {
    // SAFETY: By the safety requirements.
    let condition = unsafe { &*info.cast_const().cast::<T>() };

    condition.wants(cpu)
}

fn as_info<T>(info: &'static T) -> *mut c_void {
    core::ptr::from_ref(info).cast_mut().cast()
}

/// `smp_call_function_single()`
pub(crate) fn single<T: Callback>(cpu: c_int, info: &'static T, wait: bool) -> c_int {
    // SAFETY: The argument fits `enter()`, and is never freed.
    unsafe { bindings::smp_call_function_single(cpu, Some(enter::<T>), as_info(info), wait) }
}

/// `smp_call_function_single()` for a CPU.
pub(crate) fn single_on<T: Callback>(cpu: CpuId, info: &'static T, wait: bool) -> c_int {
    single(i32::from(cpu), info, wait)
}

/// `smp_call_function_single_async()`
///
/// `csd` is never freed, and one CPU at a time sends it.
pub(crate) fn single_async(cpu: c_int, csd: Csd) -> c_int {
    // SAFETY: The csd is never freed, and so does its argument.
    unsafe { bindings::smp_call_function_single_async(cpu, csd.as_ptr()) }
}

/// `__smp_call_single_queue()`
///
/// `csd` is never freed, is locked and filled in, and in no queue.
pub(crate) fn queue(cpu: CpuId, csd: Csd) {
    // SAFETY: The csd is never freed, locked, filled in and in no queue; the CPU is online.
    unsafe { bindings::__smp_call_single_queue(i32::from(cpu), csd.node()) }
}

/// `smp_call_function_any()`
pub(crate) fn any<T: Callback>(mask: &Cpumask, info: &'static T, wait: bool) -> c_int {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe {
        bindings::smp_call_function_any(
            mask.as_raw(),
            Some(enter::<T>),
            as_info(info),
            c_int::from(wait),
        )
    }
}

/// `smp_call_function_many()`
pub(crate) fn many<T: Callback>(mask: &Cpumask, info: &'static T, wait: bool) {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe {
        bindings::smp_call_function_many(mask.as_raw(), Some(enter::<T>), as_info(info), wait)
    }
}

/// `smp_call_function()`
pub(crate) fn all_others<T: Callback>(info: &'static T, wait: bool) {
    // SAFETY: The argument fits `enter()`.
    unsafe { bindings::smp_call_function(Some(enter::<T>), as_info(info), c_int::from(wait)) }
}

/// `on_each_cpu_cond_mask()` without a condition.
pub(crate) fn on_each<T: Callback>(mask: &Cpumask, info: &'static T, wait: bool) {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe {
        bindings::on_each_cpu_cond_mask(None, Some(enter::<T>), as_info(info), wait, mask.as_raw())
    }
}

/// `on_each_cpu_cond_mask()`
pub(crate) fn on_each_if<T: Condition>(mask: &Cpumask, info: &'static T, wait: bool) {
    // SAFETY: The mask is valid, and the argument fits `evaluate()` and `enter()`.
    unsafe {
        bindings::on_each_cpu_cond_mask(
            Some(evaluate::<T>),
            Some(enter::<T>),
            as_info(info),
            wait,
            mask.as_raw(),
        )
    }
}

/// `cpus_peek_for_pending_ipi()`
pub(crate) fn peek(mask: &Cpumask) -> bool {
    // SAFETY: The mask is valid, and the CPUs of the tests' masks are possible.
    unsafe { bindings::cpus_peek_for_pending_ipi(mask.as_raw()) }
}
