// SPDX-License-Identifier: GPL-2.0

//! What a CPU does with its queue.

use crate::{
    batch::Batch,
    csd::{
        Call,
        Csd,
        Kind, //
    },
    irq,
    late,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    queue,
    serve,
    stall,
    stats::{
        self,
        Counter, //
    },
    trace, //
};
use kernel::{
    bindings,
    interrupt::LocalInterruptDisabled,
    prelude::*, //
};

/// Runs the function of a request with the trace points around it.
///
/// # Safety
///
/// Interrupts are off, and the call may be made. `csd` is only told to the trace points.
#[inline(always)]
pub(crate) unsafe fn run_traced(call: Call, csd: Option<Csd>) {
    trace::csd_function_entry(call.func, csd);
    // SAFETY: By the safety requirements.
    unsafe { call.run(csd) };
    trace::csd_function_exit(call.func, csd);
}

/// Runs a request that somebody waits for, and ends it.
///
/// # Safety
///
/// `csd` is a `Sync` request that was taken out of a list.
#[inline(always)]
pub(crate) unsafe fn run_sync(irq: &LocalInterruptDisabled, csd: Csd) {
    stall::record(irq, Some(csd));
    // SAFETY: Interrupts are off, and the sender asked for this call.
    unsafe { run_traced(csd.call(), Some(csd)) };
    csd.unlock();
    stall::record(irq, None);
}

/// Ends a request that nobody waits for, and runs it.
///
/// # Safety
///
/// `csd` is an `Async` request that was taken out of a list.
#[inline(always)]
pub(crate) unsafe fn run_async(irq: &LocalInterruptDisabled, csd: Csd) {
    let call = csd.call();

    stall::record(irq, Some(csd));
    csd.unlock();
    // SAFETY: Interrupts are off, and the sender asked for this call.
    unsafe { run_traced(call, Some(csd)) };
    stall::record(irq, None);
}

/// Runs a call of this CPU to itself.
///
/// # Safety
///
/// The call may be made on this CPU, with interrupts off.
#[inline(never)]
#[export_name = "csd_do_func"]
pub(crate) unsafe fn run_here(call: Call) {
    let run = |irq: &LocalInterruptDisabled| {
        if stall::enabled() || trace::running_is_traced() {
            // SAFETY: Interrupts are off, and the rest is in the safety requirements.
            unsafe { run_here_seen(irq, call) };
        } else {
            // SAFETY: As above.
            unsafe { call.run(None) };
        }
    };

    // SAFETY: A function that is called leaves interrupts off, and no guards behind.
    unsafe { irq::with_interrupts_off(run) };
}

/// Runs a call of this CPU to itself that is recorded or traced. It may be made by a function that this
/// CPU was called with: the record of that one is kept.
///
/// # Safety
///
/// As for [`run_here`].
#[cold]
#[inline(never)]
unsafe fn run_here_seen(irq: &LocalInterruptDisabled, call: Call) {
    let running = stall::current(irq);

    stall::record_local(irq, call);
    // SAFETY: By the safety requirements.
    unsafe { run_traced(call, None) };
    stall::resume(irq, running);
}

/// Runs an IRQ work.
///
/// # Safety
///
/// `csd` is an entry of kind `IrqWork` that was taken out of a list.
#[inline(always)]
unsafe fn run_irq_work(irq: &LocalInterruptDisabled, csd: Csd) {
    let call = Call {
        info: csd.as_ptr().cast(),
        // The function of an IRQ work is where that of a request is.
        ..csd.call()
    };

    stall::record_other(irq, csd, call);
    // SAFETY: An entry of this kind is the beginning of a `struct irq_work`.
    unsafe { bindings::irq_work_single(csd.as_ptr().cast()) };
    stall::record(irq, None);
}

/// What a flush means if this CPU is offline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offline {
    /// There should be nothing left to do: report what there is.
    Unexpected,
    /// The CPU is on its way down, and this is the flush that leaves nothing.
    Dying,
}

/// Takes all requests off the queue of this CPU and runs them.
///
/// Interrupts are off.
#[inline(never)]
#[export_name = "__flush_smp_call_function_queue"]
pub(crate) fn run(irq: &LocalInterruptDisabled, offline: Offline) {
    stall::flush_begins(irq);

    let new = Batch::new();
    let batch = serve::unfinished(irq).unwrap_or(&new);
    let newest = queue::this_cpu(irq).take_all();

    // SAFETY: `newest` has just been taken.
    unsafe { batch.add(newest) };

    if offline == Offline::Dying {
        stats::count_all(Counter::Dying, || batch.copy().len());
    } else if !irq.cpu().is_online() && !batch.is_empty() {
        late::report(irq.cpu(), &batch.copy());
    }

    while let Some(csd) = batch.sync.pop() {
        // SAFETY: The list is that of `Sync` requests.
        unsafe { run_sync(irq, csd) };
    }

    while let Some(csd) = batch.other.pop() {
        if csd.is(Kind::Async) {
            // SAFETY: The request is an `Async` one.
            unsafe { run_async(irq, csd) };
        } else if csd.is(Kind::IrqWork) {
            // SAFETY: The entry is an `IrqWork` one.
            unsafe { run_irq_work(irq, csd) };
        }
    }

    if let Some(csd) = batch.wake_ups.take() {
        let call = Call {
            func: Some(bindings::sched_ttwu_pending),
            info: csd.node().cast(),
        };

        stall::record_other(irq, csd, call);
        // SAFETY: Interrupts are off, and these are entries of the scheduler.
        unsafe { run_traced(call, Some(csd)) };
        stall::record(irq, None);
    }
}

/// Handles the IPI.
///
/// # Safety
///
/// Interrupts are off.
#[export]
pub(crate) unsafe extern "C" fn generic_smp_call_function_single_interrupt() {
    // SAFETY: By the safety requirements.
    let irq = unsafe { LocalInterruptDisabled::assume_disabled() };

    run(irq, Offline::Unexpected);
}

/// Does the work of an IPI from a task: the idle task when it stops polling, or the stopper thread
/// before it moves a task.
///
/// Softirqs that a function raises run before this returns, on PREEMPT_RT in ksoftirqd.
///
/// # Safety
///
/// The caller is a task that stays on its CPU.
#[export]
pub(crate) unsafe extern "C" fn flush_smp_call_function_queue() {
    let has_work =
        |guard: CpuGuard| !queue::this_cpu(&guard).is_empty() || serve::is_unfinished(&guard);

    if !has_work(CpuGuard::new()) {
        return;
    }
    let flush = |irq: &LocalInterruptDisabled| {
        // SAFETY: Reading this CPU's softirq state is allowed with interrupts off.
        let was_pending = unsafe { bindings::local_softirq_pending() };

        run(irq, Offline::Unexpected);

        // SAFETY: As above.
        if unsafe { bindings::local_softirq_pending() } != 0 {
            // SAFETY: Interrupts are off, in a task.
            unsafe { bindings::do_softirq_post_smp_call_flush(was_pending) };
        }
    };

    // SAFETY: Functions that are called, and softirqs, leave interrupts off here, and no guards behind.
    unsafe { irq::with_interrupts_off(flush) };
}
