// SPDX-License-Identifier: GPL-2.0

//! Calls that run in a task of another CPU, and may sleep.

use crate::{
    mask,
    run,
    trace::Callsite, //
};
use core::{
    mem::MaybeUninit,
    ptr, //
};
use kernel::{
    bindings,
    container_of,
    prelude::*,
    static_lock_class, //
};

/// A call that goes through the workqueue.
struct Work {
    work: bindings::work_struct,
    done: bindings::completion,
    func: unsafe extern "C" fn(*mut c_void) -> c_int,
    data: *mut c_void,
    ret: c_int,
    /// Where the virtual CPU is to be pinned while the function runs.
    physical_cpu: Option<c_int>,
}

/// Pins the virtual CPU that runs to a physical one, or unpins it.
fn pin_vcpu(cpu: Option<c_int>) {
    // SAFETY: The caller is bound to its CPU by the workqueue.
    unsafe { bindings::hypervisor_pin_vcpu(cpu.unwrap_or(-1)) };
}

/// Runs the call.
///
/// # Safety
///
/// `work` is the field of a [`Work`] that stays valid until `done` is completed.
#[no_mangle]
unsafe extern "C" fn smp_call_on_cpu_callback(work: *mut bindings::work_struct) {
    // SAFETY: By the safety requirements.
    let call: *mut Work = unsafe { container_of!(work, Work, work) };
    // The sender uses the completion meanwhile, and the workqueue the work item: no reference to
    // the whole.
    // SAFETY: The sender has written this, and does not use it before the completion.
    let func = unsafe { (*call).func };
    // SAFETY: As above.
    let data = unsafe { (*call).data };
    // SAFETY: As above.
    let physical_cpu = unsafe { (*call).physical_cpu };

    if physical_cpu.is_some() {
        pin_vcpu(physical_cpu);
    }
    // SAFETY: The sender allows the call.
    let ret = unsafe { func(data) };
    if physical_cpu.is_some() {
        pin_vcpu(None);
    }

    // SAFETY: The sender reads this after the completion.
    unsafe { (&raw mut (*call).ret).write(ret) };
    // SAFETY: The completion is initialised. The sender may continue from here.
    unsafe { bindings::complete(&raw mut (*call).done) };
}

/// Runs `func` in a task on `cpu` and returns what it returned.
///
/// Behind `smp_call_on_cpu()`. With `phys`, the virtual CPU is pinned to the physical CPU of that
/// number meanwhile, if the hypervisor can do it. From a task that may sleep.
///
/// # Errors
///
/// - `-EINVAL`: `func` is null. This also gives a warning.
/// - `-ENXIO`: `cpu` is not online, or is not the number of a CPU.
///
/// # Safety
///
/// `func` may be called with `par` from a task.
#[export]
pub(crate) unsafe extern "C" fn __smp_call_on_cpu(
    cpu: c_uint,
    func: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    par: *mut c_void,
    phys: bool,
    callsite: usize,
) -> c_int {
    let number = cpu as c_int;
    let Some(func) = func else {
        run::warn_no_function(Some(Callsite(callsite)), ptr::null_mut());
        return EINVAL.to_errno();
    };
    if mask::online(number).is_none() {
        return ENXIO.to_errno();
    }

    let mut call = MaybeUninit::<Work>::uninit();
    let call = call.as_mut_ptr();

    // SAFETY: The memory is ours; this only computes an address.
    let (work, done) = unsafe { (&raw mut (*call).work, &raw mut (*call).done) };
    // SAFETY: As above.
    unsafe { (&raw mut (*call).func).write(func) };
    // SAFETY: As above.
    unsafe { (&raw mut (*call).data).write(par) };
    // SAFETY: As above.
    unsafe { (&raw mut (*call).ret).write(0) };
    // SAFETY: As above.
    unsafe { (&raw mut (*call).physical_cpu).write(phys.then_some(number)) };
    // SAFETY: The memory is ours, and large enough for a completion.
    unsafe { bindings::init_completion(done) };
    // SAFETY: The memory is ours, and large enough for a work item.
    unsafe {
        bindings::init_work_with_key(
            work,
            Some(smp_call_on_cpu_callback),
            true,
            c"smp_call_on_cpu".as_char_ptr(),
            static_lock_class!().as_ptr(),
        )
    };

    // SAFETY: The workqueue exists since early boot.
    let queue = unsafe { bindings::system_percpu_wq };
    // SAFETY: The work item stays valid: this function waits for it.
    unsafe { bindings::queue_work_on(number, queue, work) };
    // SAFETY: The completion is initialised.
    unsafe { bindings::wait_for_completion(done) };
    // SAFETY: The work item has run, and was initialised as one on a stack.
    unsafe { bindings::destroy_work_on_stack(work) };

    // SAFETY: `ret` was written before the completion.
    unsafe { ptr::read(&raw const (*call).ret) }
}
