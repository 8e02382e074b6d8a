// SPDX-License-Identifier: GPL-2.0

//! Looking on at the trace points.

use super::events::Events;
use crate::csd::Func;
use kernel::{
    bindings,
    cpumask::Cpumask,
    error::to_result,
    prelude::*, //
};

// Some of the types in it are empty without lockdep, which C has no objection to.
#[allow(improper_ctypes)]
extern "C" {
    static mut __tracepoint_csd_queue_cpu: bindings::tracepoint;
    static mut __tracepoint_csd_function_entry: bindings::tracepoint;
    static mut __tracepoint_csd_function_exit: bindings::tracepoint;
    static mut __tracepoint_ipi_send_cpu: bindings::tracepoint;
    static mut __tracepoint_ipi_send_cpumask: bindings::tracepoint;
}

/// A function at a trace point, until this is dropped.
struct Hook {
    tracepoint: *mut bindings::tracepoint,
    func: *mut c_void,
    data: *mut c_void,
}

impl Hook {
    /// Puts `func` at `tracepoint`.
    ///
    /// # Safety
    ///
    /// `func` has the arguments of the trace point, and before them takes a `&'static T`.
    unsafe fn new<T>(
        tracepoint: *mut bindings::tracepoint,
        func: *mut c_void,
        data: &'static T,
    ) -> Result<Self> {
        let data = core::ptr::from_ref(data).cast_mut().cast();

        // SAFETY: The trace point is one of the kernel, and the rest is in the safety requirements.
        to_result(unsafe { bindings::tracepoint_probe_register(tracepoint, func, data) })?;
        Ok(Self {
            tracepoint,
            func,
            data,
        })
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: This undoes the registration of `new()`.
        unsafe { bindings::tracepoint_probe_unregister(self.tracepoint, self.func, self.data) };
    }
}

/// What looks on at functions that are called.
pub(crate) trait Functions: Sync + 'static {
    /// A function is about to run. `csd` is 0 for a call of a CPU to itself.
    fn entry(&'static self, func: usize, csd: usize);

    /// A function has run.
    fn exit(&'static self, func: usize, csd: usize);
}

/// Somebody who looks on, until this is dropped.
pub(crate) struct Probe {
    _hooks: [Option<Hook>; 3],
}

impl Probe {
    /// Has `who` look on at functions.
    pub(crate) fn of_functions<T: Functions>(who: &'static T) -> Result<Self> {
        let entry = &raw mut __tracepoint_csd_function_entry;
        let exit = &raw mut __tracepoint_csd_function_exit;

        Ok(Self {
            _hooks: [
                // SAFETY: The function has the arguments of this trace point.
                Some(unsafe { Hook::new(entry, on_entry::<T> as *mut c_void, who) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(exit, on_exit::<T> as *mut c_void, who) }?),
                None,
            ],
        })
    }

    /// Has `who` look on at requests and IPIs on their way.
    pub(crate) fn of_sending(who: &'static Events) -> Result<Self> {
        let queue = &raw mut __tracepoint_csd_queue_cpu;
        let ipi = &raw mut __tracepoint_ipi_send_cpu;
        let ipis = &raw mut __tracepoint_ipi_send_cpumask;

        let this = Self {
            _hooks: [
                // SAFETY: The function has the arguments of this trace point.
                Some(unsafe { Hook::new(queue, on_queue as *mut c_void, who) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(ipi, on_ipi as *mut c_void, who) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(ipis, on_ipis as *mut c_void, who) }?),
            ],
        };

        // The text is patched for the second and the third, and each patch calls all CPUs.
        who.clear();
        Ok(this)
    }
}

/// # Safety
///
/// `data` is a `&'static T`.
unsafe fn who<T>(data: *mut c_void) -> &'static T {
    // SAFETY: By the safety requirements.
    unsafe { &*data.cast_const().cast() }
}

fn address(func: Func) -> usize {
    func.map_or(0, |func| func as usize)
}

/// # Safety
///
/// `data` is a `&'static T`.
unsafe extern "C" fn on_entry<T: Functions>(
    data: *mut c_void,
    func: Func,
    csd: *mut bindings::__call_single_data,
) {
    // SAFETY: By the safety requirements.
    unsafe { who::<T>(data) }.entry(address(func), csd.addr());
}

/// # Safety
///
/// `data` is a `&'static T`.
unsafe extern "C" fn on_exit<T: Functions>(
    data: *mut c_void,
    func: Func,
    csd: *mut bindings::__call_single_data,
) {
    // SAFETY: By the safety requirements.
    unsafe { who::<T>(data) }.exit(address(func), csd.addr());
}

/// # Safety
///
/// `data` is a `&'static Events`.
unsafe extern "C" fn on_queue(
    data: *mut c_void,
    cpu: c_uint,
    callsite: c_ulong,
    func: Func,
    _csd: *mut bindings::__call_single_data,
) {
    // SAFETY: By the safety requirements.
    unsafe { who::<Events>(data) }.add_request(cpu, callsite, address(func));
}

/// # Safety
///
/// `data` is a `&'static Events`.
unsafe extern "C" fn on_ipi(
    data: *mut c_void,
    cpu: c_uint,
    callsite: c_ulong,
    callback: *mut c_void,
) {
    // The scheduler's IPI that runs nothing may come at any time.
    if callback.is_null() {
        return;
    }
    // SAFETY: By the safety requirements.
    unsafe { who::<Events>(data) }.add_ipi(cpu, callsite);
}

/// # Safety
///
/// `data` is a `&'static Events`.
unsafe extern "C" fn on_ipis(
    data: *mut c_void,
    mask: *const bindings::cpumask,
    callsite: c_ulong,
    _callback: *mut c_void,
) {
    // SAFETY: A trace point tells of a mask that is valid.
    let mask = unsafe { Cpumask::from_raw(mask) };

    // SAFETY: By the safety requirements.
    unsafe { who::<Events>(data) }.add_ipis(mask, callsite);
}
