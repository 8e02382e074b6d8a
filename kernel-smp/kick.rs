// SPDX-License-Identifier: GPL-2.0

//! Getting CPUs out of their idle loop.

use crate::{
    many,
    percpu::{
        CpuGuard,
        CpuPinned, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpumask::Cpumask,
    prelude::*,
    sync::barrier::{
        smp_mb,
        Full, //
    }, //
};

/// Takes any argument.
///
/// # Safety
///
/// None.
unsafe extern "C" fn do_nothing(_info: *mut c_void) {}

/// Runs an empty function on all other CPUs, and waits for it: each has left its idle loop since.
///
/// Behind `kick_all_cpus_sync()`.
///
/// # Safety
///
/// The caller is a task, with interrupts on.
#[export]
pub(crate) unsafe extern "C" fn smp_kick_all(callsite: usize) {
    // What the caller changed, a function pointer of the idle loop perhaps, is visible before the
    // CPUs are kicked, also to one that needs no IPI because it polls.
    smp_mb(Full);

    // SAFETY: The online mask is valid, and the function takes any argument.
    unsafe {
        many::smp_call_function_many_cond(
            Cpumask::online().as_raw(),
            Some(do_nothing),
            ptr::null_mut(),
            bindings::SCF_WAIT,
            None,
            callsite,
        )
    };
}

/// Makes each idle CPU, polling or not, leave its idle loop once. The others are left alone.
///
/// Does not wait.
///
/// # Safety
///
/// None.
#[export]
pub(crate) unsafe extern "C" fn wake_up_all_idle_cpus() {
    for cpu in Cpumask::possible() {
        let guard = CpuGuard::new();

        if cpu != guard.cpu() && cpu.is_online() {
            // SAFETY: The CPU is online and stays so while preemption is off.
            unsafe { bindings::wake_up_if_idle(i32::from(cpu)) };
        }
    }
}
