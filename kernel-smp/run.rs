// SPDX-License-Identifier: GPL-2.0

//! Running one entry, with its trace points and its record for reports.

use crate::{
    csd::{
        Call,
        Csd, //
    },
    irq,
    stall,
    trace::{
        self,
        Callsite, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    interrupt::LocalInterruptDisabled, //
};

/// Runs a function, with the trace points before and after it. Warns if the function is null.
///
/// # Safety
///
/// Interrupts are off, and the call may be made. Only the address of `csd` is used.
#[inline]
unsafe fn call(call: Call, csd: Option<Csd>) {
    let csd = csd.map_or(ptr::null_mut(), Csd::as_ptr);

    trace::csd_function_entry(call.func, csd);
    match call.func {
        // SAFETY: By the safety requirements.
        Some(func) => unsafe { func(call.info) },
        None => warn_no_function(None, csd),
    }
    trace::csd_function_exit(call.func, csd);
}

/// Warns about a call without a function, once. The warning names the caller if that is known.
#[cold]
#[inline(never)]
pub(crate) fn warn_no_function(callsite: Option<Callsite>, csd: *mut bindings::__call_single_data) {
    let callsite = callsite.map_or(0, |callsite| callsite.0);

    // SAFETY: The addresses are only printed.
    unsafe { bindings::smp_warn_no_function(callsite, csd) };
}

/// Runs a synchronous csd, and unlocks it.
///
/// # Safety
///
/// `csd` is a `Sync` csd that was taken out of a list.
#[inline]
pub(crate) unsafe fn sync(irq: &LocalInterruptDisabled, csd: Csd) {
    stall::record(irq, Some(csd));
    // SAFETY: Interrupts are off, and the source has sent this call.
    unsafe { call(csd.call(), Some(csd)) };
    csd.unlock();
    stall::record(irq, None);
}

/// Unlocks an asynchronous csd, and runs it.
///
/// # Safety
///
/// `csd` is an `Async` csd that was taken out of a list.
#[inline]
pub(crate) unsafe fn r#async(irq: &LocalInterruptDisabled, csd: Csd) {
    let what = csd.call();

    stall::record(irq, Some(csd));
    csd.unlock();
    // SAFETY: Interrupts are off, and the source has sent this call.
    unsafe { call(what, Some(csd)) };
    stall::record(irq, None);
}

/// Runs an IRQ work.
///
/// # Safety
///
/// `csd` is an entry of kind `IrqWork` that was taken out of a list.
#[inline]
pub(crate) unsafe fn irq_work(irq: &LocalInterruptDisabled, csd: Csd) {
    let work = Call {
        info: csd.as_ptr().cast(),
        // The function of an IRQ work is where that of a csd is.
        ..csd.call()
    };

    stall::record_other(irq, csd, work);
    // SAFETY: An entry of this kind is the beginning of a `struct irq_work`.
    unsafe { bindings::irq_work_single(csd.as_ptr().cast()) };
    stall::record(irq, None);
}

/// Wakes up tasks.
///
/// # Safety
///
/// `csd` is the first of the entries of kind `Ttwu` that were taken out of a list all at once.
#[inline]
pub(crate) unsafe fn wake_ups(irq: &LocalInterruptDisabled, csd: Csd) {
    let wake_ups = Call {
        func: Some(bindings::sched_ttwu_pending),
        info: csd.node().cast(),
    };

    stall::record_other(irq, csd, wake_ups);
    // SAFETY: Interrupts are off, and these are entries of the scheduler.
    unsafe { call(wake_ups, Some(csd)) };
    stall::record(irq, None);
}

/// Runs a call of this CPU to itself.
///
/// # Safety
///
/// The call may be made on this CPU, with interrupts off.
#[inline(never)]
#[export_name = "csd_do_func"]
pub(crate) unsafe fn here(call: Call) {
    let run = |irq: &LocalInterruptDisabled| match call.func {
        Some(func) if !stall::enabled() && !trace::running_is_traced() => {
            // SAFETY: Interrupts are off, and the rest is in the safety requirements.
            unsafe { func(call.info) };
        }
        // SAFETY: As above.
        _ => unsafe { here_recorded(irq, call) },
    };

    // SAFETY: The function returns with interrupts off, and with the guards that it began with.
    unsafe { irq::with_interrupts_off(run) };
}

/// Runs a call of this CPU to itself that is recorded or traced. If a function that runs on this
/// CPU makes the call, the record of that function is restored afterwards.
///
/// # Safety
///
/// As for [`here`].
#[cold]
#[inline(never)]
unsafe fn here_recorded(irq: &LocalInterruptDisabled, local: Call) {
    let running = stall::current(irq);

    stall::record_local(irq, local);
    // SAFETY: By the safety requirements.
    unsafe { call(local, None) };
    stall::resume(irq, running);
}
