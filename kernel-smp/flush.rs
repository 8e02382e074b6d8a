// SPDX-License-Identifier: GPL-2.0

//! Flushing the queue of a CPU.

use crate::{
    batch::Batch,
    csd::Kind,
    irq,
    offline,
    queue,
    run,
    stall,
    stats::{
        self,
        Counter, //
    },
    wait, //
};
use kernel::{
    bindings,
    helpers,
    interrupt::LocalInterruptDisabled,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*, //
};

/// What a flush means if this CPU is offline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offline {
    /// The queue should be empty: report its entries.
    Unexpected,
    /// The CPU is on its way down, and this is its last flush.
    Dying,
}

/// Takes all entries off the queue of this CPU and runs them.
#[inline(never)]
#[export_name = "__flush_smp_call_function_queue"]
pub(crate) fn flush(irq: &LocalInterruptDisabled, offline: Offline) {
    let newest = stall::flush(irq, || queue::this_cpu(irq).take_all());
    // SAFETY: `newest` was just taken.
    let new = unsafe { Batch::of(newest) };
    let batch = match wait::unfinished(irq) {
        Some(unfinished) => {
            unfinished.add(new);
            unfinished
        }
        None => &new,
    };

    if offline == Offline::Dying {
        // SAFETY: The batch does not change meanwhile.
        stats::count_all(Counter::Dying, || unsafe { batch.iter() }.count() as u64);
    } else if !irq.cpu().is_online() && !batch.is_empty() {
        // SAFETY: As above.
        offline::report(irq.cpu(), unsafe { batch.iter() });
    }

    while let Some(csd) = batch.sync.pop() {
        // SAFETY: The list is that of `Sync` csds.
        unsafe { run::sync(irq, csd) };
    }

    while let Some(csd) = batch.other.pop() {
        if csd.is(Kind::Async) {
            // SAFETY: The csd is an `Async` one.
            unsafe { run::r#async(irq, csd) };
        } else if csd.is(Kind::IrqWork) {
            // SAFETY: The entry is an `IrqWork` one.
            unsafe { run::irq_work(irq, csd) };
        }
    }

    if let Some(csd) = batch.wake_ups.take() {
        // SAFETY: These are the `Ttwu` entries that were taken off.
        unsafe { run::wake_ups(irq, csd) };
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

    flush(irq, Offline::Unexpected);
}

/// Flushes the queue from a task: the idle task when it stops polling, or the stopper thread before
/// it moves a task.
///
/// Softirqs that a function raises run before this returns, on PREEMPT_RT in ksoftirqd.
///
/// # Safety
///
/// The caller is a task that stays on its CPU.
#[export]
pub(crate) unsafe extern "C" fn flush_smp_call_function_queue() {
    if !wait::POLLING && queue::this_cpu(&CpuGuard::new()).is_empty() {
        return;
    }
    let flush_it = |irq: &LocalInterruptDisabled| {
        if wait::POLLING && queue::this_cpu(irq).is_empty() && !wait::is_unfinished(irq) {
            return;
        }
        // SAFETY: Reading this CPU's softirq state is allowed with interrupts off.
        let was_pending = unsafe { helpers::percpu::local_softirq_pending() };

        flush(irq, Offline::Unexpected);

        // SAFETY: As above.
        if unsafe { helpers::percpu::local_softirq_pending() } != 0 {
            // SAFETY: Interrupts are off, in a task.
            unsafe { bindings::do_softirq_post_smp_call_flush(was_pending) };
        }
    };

    // SAFETY: The functions and the softirqs that run here return with interrupts off, and with the
    // guards that they began with.
    unsafe { irq::with_interrupts_off(flush_it) };
}
