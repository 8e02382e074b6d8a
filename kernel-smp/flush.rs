// SPDX-License-Identifier: GPL-2.0

//! What a CPU does with its queue.
//!
//! First all `Sync` requests, because somebody waits for them; then `Async` ones and IRQ work; then
//! the tasks to wake up, all at once. Inside each class the order is that of arrival.

use crate::{
    csd::{
        Call,
        Csd,
        Kind,
        Node, //
    },
    irq,
    percpu::CpuPinned,
    queue,
    stall,
    trace, //
};
use core::ptr;
use kernel::{
    bindings,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    print::OnceLite,
    warn, //
};

/// Entries that were taken off a queue and belong to this CPU.
///
/// # Invariants
///
/// `first` leads to valid entries which nobody else reaches, or is null.
struct Batch {
    first: *mut Node,
}

impl Batch {
    /// Takes over all of `newest`, in the order of arrival.
    ///
    /// # Safety
    ///
    /// `newest` is what `Queue::take_all()` returned.
    #[inline(always)]
    unsafe fn in_order(mut newest: *mut Node) -> Self {
        let mut first: *mut Node = ptr::null_mut();

        while !newest.is_null() {
            // SAFETY: The node is valid and nobody else's, by the safety requirements.
            let older = unsafe { (*newest).next };

            // SAFETY: As above.
            unsafe { (*newest).next = first };
            first = newest;
            newest = older;
        }

        // INVARIANT: What was taken off is nobody else's.
        Self { first }
    }

    /// Takes out, in order, each entry of the kinds that `wanted` names, and hands it to `run`.
    ///
    /// An entry is out before it is run: it can be sent again, or be gone, right after.
    #[inline(always)]
    fn run_each(&mut self, wanted: impl Fn(Kind) -> bool, run: impl Fn(Csd, Kind)) {
        let mut link: *mut *mut Node = &raw mut self.first;

        loop {
            // SAFETY: This is `first`, or the link of an entry that stays, by the type invariants.
            let node = unsafe { *link };
            if node.is_null() {
                return;
            }

            // SAFETY: The entry is valid, by the type invariants.
            let csd = unsafe { Csd::from_node(node) };
            let kind = csd.kind();
            // SAFETY: As above; this only computes an address.
            let next = unsafe { &raw mut (*node).next };

            if wanted(kind) {
                // SAFETY: `next` is read while the entry is still ours.
                let after = unsafe { *next };
                // INVARIANT: The entry that leaves is not reached any more.
                // SAFETY: As for the read of `link` above.
                unsafe { *link = after };
                run(csd, kind);
            } else {
                link = next;
            }
        }
    }

    /// Writes what is in the batch to the log.
    #[cold]
    fn report(&self) {
        let mut node = self.first;

        while !node.is_null() {
            // SAFETY: The entry is valid, by the type invariants.
            stall::report_on_offline_cpu(unsafe { Csd::from_node(node) });
            // SAFETY: As above.
            node = unsafe { (*node).next };
        }
    }
}

/// Runs the function of a request with the trace points around it.
///
/// # Safety
///
/// Interrupts are off, and the call may be made. `csd` is only told to the trace points.
#[inline(always)]
pub(crate) unsafe fn run_traced(call: Call, csd: Option<Csd>) {
    trace::csd_function_entry(call.func, csd);
    // SAFETY: By the safety requirements.
    unsafe { call.run() };
    trace::csd_function_exit(call.func, csd);
}

/// What a flush means if this CPU is offline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offline {
    /// There should be nothing left to do: warn.
    Unexpected,
    /// The CPU is on its way down, and this is the flush that leaves nothing.
    Dying,
}

/// Takes all requests off the queue of this CPU and runs them.
///
/// Interrupts are off.
#[inline]
pub(crate) fn run(irq: &LocalInterruptDisabled, offline: Offline) {
    stall::flush_begins(irq);

    let newest = queue::this_cpu(irq).take_all();

    // SAFETY: `newest` has just been taken.
    let mut batch = unsafe { Batch::in_order(newest) };

    if offline == Offline::Unexpected && !batch.first.is_null() && !irq.cpu().is_online() {
        report_once(irq, &batch);
    }

    batch.run_each(
        |kind| kind == Kind::Sync,
        |csd, _| {
            let call = csd.call();

            stall::record(Some(csd));
            // SAFETY: Interrupts are off, and the sender asked for this call.
            unsafe { run_traced(call, Some(csd)) };
            csd.unlock();
            stall::record(None);
        },
    );

    batch.run_each(
        |kind| kind != Kind::Ttwu,
        |csd, kind| match kind {
            Kind::Async => {
                let call = csd.call();

                stall::record(Some(csd));
                csd.unlock();
                // SAFETY: Interrupts are off, and the sender asked for this call.
                unsafe { run_traced(call, Some(csd)) };
                stall::record(None);
            }
            Kind::IrqWork => {
                // SAFETY: An entry of this kind is the beginning of a `struct irq_work`.
                unsafe { bindings::irq_work_single(csd.as_ptr().cast()) };
            }
            _ => {}
        },
    );

    if !batch.first.is_null() {
        let call = Call {
            func: Some(bindings::sched_ttwu_pending),
            info: batch.first.cast(),
        };
        // SAFETY: The entry is valid, by the type invariants.
        let csd = unsafe { Csd::from_node(batch.first) };

        // SAFETY: Interrupts are off, and only entries of the scheduler are left.
        unsafe { run_traced(call, Some(csd)) };
    }
}

/// Warns that a CPU which is offline has requests, the first time that it happens.
#[cold]
fn report_once(irq: &LocalInterruptDisabled, batch: &Batch) {
    static WARNED: OnceLite = OnceLite::new();

    WARNED.call_once(|| {
        warn!("IPI on offline CPU {}\n", irq.cpu().as_u32());
        batch.report();
    });
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
    let _flags = {
        let _guard = crate::percpu::CpuGuard::new();

        if queue::this_cpu(&_guard).is_empty() {
            return;
        }
        irq::disable()
    };

    // SAFETY: Reading this CPU's softirq state is allowed with interrupts off.
    let was_pending = unsafe { bindings::local_softirq_pending() };

    // SAFETY: `_flags` keeps interrupts off until the end of this function.
    run(
        unsafe { LocalInterruptDisabled::assume_disabled() },
        Offline::Unexpected,
    );

    // SAFETY: As above.
    if unsafe { bindings::local_softirq_pending() } != 0 {
        // SAFETY: Interrupts are off, in a task.
        unsafe { bindings::do_softirq_post_smp_call_flush(was_pending) };
    }
}
