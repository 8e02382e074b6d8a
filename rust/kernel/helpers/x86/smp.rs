// SPDX-License-Identifier: GPL-2.0

//! Sending IPIs.
//!
//! C header: [`arch/x86/include/asm/smp.h`](srctree/arch/x86/include/asm/smp.h)

use crate::ffi::c_int;

/// Sends the IPI of cross-CPU calls to `cpu`.
///
/// # Safety
///
/// `cpu` is a possible CPU.
#[inline(always)]
pub unsafe fn arch_send_call_function_single_ipi(cpu: c_int) {
    // SAFETY: The table does not change after boot.
    let send = unsafe { bindings::smp_ops.send_call_func_single_ipi };
    // SAFETY: C defines the table with this function, and replaces it by others only.
    let send = unsafe { send.unwrap_unchecked() };

    // SAFETY: By the safety requirements.
    unsafe { send(cpu) };
}

/// Sends the IPI of cross-CPU calls to all CPUs of `mask`.
///
/// # Safety
///
/// `mask` is valid, and the CPUs in it are online.
#[inline(always)]
pub unsafe fn arch_send_call_function_ipi_mask(mask: *const bindings::cpumask) {
    // SAFETY: The table does not change after boot.
    let send = unsafe { bindings::smp_ops.send_call_func_ipi };
    // SAFETY: C defines the table with this function, and replaces it by others only.
    let send = unsafe { send.unwrap_unchecked() };

    // SAFETY: By the safety requirements.
    unsafe { send(mask) };
}
