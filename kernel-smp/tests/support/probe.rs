// SPDX-License-Identifier: GPL-2.0

//! Probes at the trace points.

use super::events::Events;
use crate::csd::Func;
use kernel::{
    bindings,
    cpumask::Cpumask,
    error::to_result,
    prelude::*, //
};

// Some of the types are empty without lockdep, which C allows.
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

/// A probe of callbacks.
pub(crate) trait Functions: Sync + 'static {
    /// A function is about to run. `csd` is 0 for a call of a CPU to itself.
    fn entry(&'static self, func: usize, csd: usize);

    /// A function has run.
    fn exit(&'static self, func: usize, csd: usize);
}

/// A probe that is registered until this is dropped.
pub(crate) struct Probe {
    _hooks: [Option<Hook>; 3],
}

impl Probe {
    /// Registers `probe` at the entry and exit of callbacks.
    pub(crate) fn of_functions<T: Functions>(probe: &'static T) -> Result<Self> {
        let entry = &raw mut __tracepoint_csd_function_entry;
        let exit = &raw mut __tracepoint_csd_function_exit;

        Ok(Self {
            _hooks: [
                // SAFETY: The function has the arguments of this trace point.
                Some(unsafe { Hook::new(entry, on_entry::<T> as *mut c_void, probe) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(exit, on_exit::<T> as *mut c_void, probe) }?),
                None,
            ],
        })
    }

    /// Registers `events` at the sending of csds and IPIs.
    pub(crate) fn of_sending(events: &'static Events) -> Result<Self> {
        let queue = &raw mut __tracepoint_csd_queue_cpu;
        let ipi = &raw mut __tracepoint_ipi_send_cpu;
        let ipis = &raw mut __tracepoint_ipi_send_cpumask;

        let this = Self {
            _hooks: [
                // SAFETY: The function has the arguments of this trace point.
                Some(unsafe { Hook::new(queue, on_queue as *mut c_void, events) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(ipi, on_ipi as *mut c_void, events) }?),
                // SAFETY: As above.
                Some(unsafe { Hook::new(ipis, on_ipis as *mut c_void, events) }?),
            ],
        };

        // The second and the third registration patch the text, and each patch calls all CPUs.
        events.clear();
        Ok(this)
    }
}

/// # Safety
///
/// `data` is a `&'static T`.
unsafe fn data_of<T>(data: *mut c_void) -> &'static T {
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
    unsafe { data_of::<T>(data) }.entry(address(func), csd.addr());
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
    unsafe { data_of::<T>(data) }.exit(address(func), csd.addr());
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
    unsafe { data_of::<Events>(data) }.add_csd(cpu, callsite, address(func));
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
    // The reschedule IPI, which has no callback, may be sent at any time.
    if callback.is_null() {
        return;
    }
    // SAFETY: By the safety requirements.
    unsafe { data_of::<Events>(data) }.add_ipi(cpu, callsite);
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
    // SAFETY: The mask that a trace point passes is valid during the call.
    let mask = unsafe { Cpumask::from_raw(mask) };

    // SAFETY: By the safety requirements.
    unsafe { data_of::<Events>(data) }.add_ipis(mask, callsite);
}
