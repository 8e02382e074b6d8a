// SPDX-License-Identifier: GPL-2.0

//! Per-CPU variables, which the segment `%gs` selects.
//!
//! C headers: [`arch/x86/include/asm/percpu.h`](srctree/arch/x86/include/asm/percpu.h),
//! [`arch/x86/include/asm/current.h`](srctree/arch/x86/include/asm/current.h)

pub use bindings::*;

use crate::ffi::{
    c_uint,
    c_void, //
};
use core::hint::assert_unchecked;

/// Returns the address of the per-CPU variable `base` of the CPU that the caller runs on.
///
/// # Safety
///
/// `base` is the address of a per-CPU variable, or was returned by `alloc_percpu_gfp()`.
#[inline(always)]
pub unsafe fn this_cpu_ptr(base: *mut c_void) -> *mut c_void {
    let offset: usize;

    // SAFETY: This reads a per-CPU variable.
    unsafe {
        crate::asm!(
            "movq %gs:{this_cpu_off}(%rip), {offset}";
            this_cpu_off = sym bindings::this_cpu_off,
            offset = lateout(reg) offset,
            options(pure, readonly, nostack, preserves_flags),
        )
    };
    base.wrapping_byte_add(offset)
}

/// Returns the address of the per-CPU variable `base` of `cpu`.
///
/// # Safety
///
/// `base` is as for [`this_cpu_ptr`], and `cpu` is a possible CPU.
#[inline(always)]
pub unsafe fn per_cpu_ptr(base: *mut c_void, cpu: c_uint) -> *mut c_void {
    let offsets: *const usize = (&raw const bindings::__per_cpu_offset).cast();

    // SAFETY: The array has an element for each possible CPU.
    let offset = unsafe { offsets.add(cpu as usize) };
    // SAFETY: The element does not change after boot.
    base.wrapping_byte_add(unsafe { *offset })
}

/// Returns the number of the CPU that the caller runs on.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn raw_smp_processor_id() -> c_uint {
    let cpu: usize;

    // SAFETY: This reads a per-CPU variable. It is not `pure`: the task may move between two reads.
    unsafe {
        crate::asm!(
            "movl %gs:{cpu_number}(%rip), {cpu:e}";
            cpu_number = sym bindings::cpu_number,
            cpu = lateout(reg) cpu,
            options(readonly, nostack, preserves_flags),
        )
    };
    // Where the number is an index, the compiler need not extend it.
    // SAFETY: The instruction clears the upper half of the register.
    unsafe { assert_unchecked(cpu <= c_uint::MAX as usize) };
    cpu as c_uint
}

/// Returns the task that runs on this CPU.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn get_current() -> *mut bindings::task_struct {
    let task: *mut bindings::task_struct;

    // SAFETY: This reads a per-CPU variable. It is `nomem`: to a task, it never changes.
    unsafe {
        crate::asm!(
            "movq %gs:{current_task}(%rip), {task}";
            current_task = sym bindings::current_task,
            task = lateout(reg) task,
            options(pure, nomem, nostack, preserves_flags),
        )
    };
    task
}

/// Returns the softirqs that are pending on this CPU.
///
/// # Safety
///
/// None.
#[inline(always)]
pub unsafe fn local_softirq_pending() -> c_uint {
    let pending: c_uint;

    // SAFETY: This reads a per-CPU variable. It is not `pure`: an interrupt may raise a softirq.
    unsafe {
        crate::asm!(
            "movzwl %gs:{softirq_pending}(%rip), {pending:e}";
            softirq_pending = sym bindings::__softirq_pending,
            pending = lateout(reg) pending,
            options(readonly, nostack, preserves_flags),
        )
    };
    pending
}
