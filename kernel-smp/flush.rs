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
use core::{
    cell::Cell,
    mem,
    ptr, //
};
use kernel::{
    bindings,
    interrupt::LocalInterruptDisabled,
    irqflags::with_interrupts_off,
    prelude::*, //
};

/// Entries of one class that were taken off a queue, in the order of arrival.
///
/// # Invariants
///
/// `first` leads to valid entries which nobody else reaches, or is null.
pub(crate) struct List {
    first: Cell<*mut Node>,
}

impl List {
    const fn new() -> Self {
        // INVARIANT: There are no entries.
        Self {
            first: Cell::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    fn copy(&self) -> Self {
        Self {
            first: Cell::new(self.first.get()),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Adds the entries that `first` leads to.
    ///
    /// # Safety
    ///
    /// `first` is as the type invariants say.
    #[inline(always)]
    unsafe fn append(&self, first: *mut Node) {
        if self.is_empty() {
            // INVARIANT: By the safety requirements.
            self.first.set(first);
            return;
        }

        let mut last = self.first.get();
        loop {
            // SAFETY: The entry is valid, by the type invariants.
            let next = unsafe { (*last).next };
            if next.is_null() {
                break;
            }
            last = next;
        }
        // INVARIANT: By the safety requirements.
        // SAFETY: The entry is valid, and nobody else's, by the type invariants.
        unsafe { (*last).next = first };
    }

    /// Takes the first entry out: it can be sent again, or be gone, as soon as it is run.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<Csd> {
        let node = self.first.get();
        if node.is_null() {
            return None;
        }

        // INVARIANT: The entry that leaves is not reached any more.
        // SAFETY: The entry is valid, by the type invariants.
        self.first.set(unsafe { (*node).next });
        // SAFETY: As above.
        Some(unsafe { Csd::from_node(node) })
    }

    /// Takes the first entry out that `wanted` names, wherever it is.
    pub(crate) fn pop_if(&self, wanted: impl Fn(Csd) -> bool) -> Option<Csd> {
        let mut link: *mut *mut Node = self.first.as_ptr();

        loop {
            // SAFETY: This is `first`, or the link of an entry that stays, by the type invariants.
            let node = unsafe { *link };
            if node.is_null() {
                return None;
            }

            // SAFETY: The entry is valid, by the type invariants.
            let csd = unsafe { Csd::from_node(node) };
            // SAFETY: As above; this only computes an address.
            let next = unsafe { &raw mut (*node).next };
            if wanted(csd) {
                // SAFETY: As above.
                let after = unsafe { *next };
                // INVARIANT: The entry that leaves is not reached any more.
                // SAFETY: As for the read of `link`.
                unsafe { *link = after };
                return Some(csd);
            }
            link = next;
        }
    }

    /// Calls `look` with each entry.
    pub(crate) fn for_each(&self, look: impl Fn(Csd)) {
        let mut node = self.first.get();

        while !node.is_null() {
            // SAFETY: The entry is valid, by the type invariants.
            look(unsafe { Csd::from_node(node) });
            // SAFETY: As above.
            node = unsafe { (*node).next };
        }
    }
}

/// Entries that were taken off a queue and are not yet run, by class.
pub(crate) struct Batch {
    pub(crate) sync: List,
    /// `Async` requests and IRQ work.
    pub(crate) other: List,
    pub(crate) wake_ups: List,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self {
            sync: List::new(),
            other: List::new(),
            wake_ups: List::new(),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.sync.is_empty() && self.other.is_empty() && self.wake_ups.is_empty()
    }

    /// Adds all entries of `newest` to the list of their class, in the order of arrival.
    ///
    /// # Safety
    ///
    /// `newest` is what `Queue::take_all()` returned.
    #[inline(always)]
    pub(crate) unsafe fn add(&self, mut newest: *mut Node) {
        let mut sync: *mut Node = ptr::null_mut();
        let mut other: *mut Node = ptr::null_mut();
        let mut wake_ups: *mut Node = ptr::null_mut();

        while !newest.is_null() {
            let node = newest;
            // SAFETY: The entry is valid, by the safety requirements.
            newest = unsafe { (*node).next };
            // SAFETY: As above.
            let next = match unsafe { Csd::from_node(node) }.kind() {
                Kind::Sync => mem::replace(&mut sync, node),
                Kind::Ttwu => mem::replace(&mut wake_ups, node),
                Kind::Async | Kind::IrqWork | Kind::Unknown => mem::replace(&mut other, node),
            };
            // SAFETY: The entry is valid and nobody else's, by the safety requirements.
            unsafe { (*node).next = next };
        }

        // SAFETY: What was taken off is nobody else's.
        unsafe { self.sync.append(sync) };
        // SAFETY: As above.
        unsafe { self.other.append(other) };
        // SAFETY: As above.
        unsafe { self.wake_ups.append(wake_ups) };
    }

    /// Another way to look at the same entries, so that this one can stay in registers.
    #[inline(always)]
    fn copy(&self) -> Self {
        Self {
            sync: self.sync.copy(),
            other: self.other.copy(),
            wake_ups: self.wake_ups.copy(),
        }
    }

    /// How many entries there are.
    fn len(&self) -> u64 {
        let number = Cell::new(0u64);

        self.for_each(|_| number.set(number.get().wrapping_add(1)));
        number.get()
    }

    /// Calls `look` with each entry, in the order in which they are run.
    pub(crate) fn for_each(&self, look: impl Fn(Csd)) {
        for list in [&self.sync, &self.other, &self.wake_ups] {
            list.for_each(&look);
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
#[inline]
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
            // SAFETY: An entry of this kind is the beginning of a `struct irq_work`.
            unsafe { bindings::irq_work_single(csd.as_ptr().cast()) };
        }
    }

    if !batch.wake_ups.is_empty() {
        let first = batch.wake_ups.first.replace(ptr::null_mut());
        let call = Call {
            func: Some(bindings::sched_ttwu_pending),
            info: first.cast(),
        };
        // SAFETY: The entry is valid, by the type invariants.
        let csd = unsafe { Csd::from_node(first) };

        // SAFETY: Interrupts are off, and these are entries of the scheduler.
        unsafe { run_traced(call, Some(csd)) };
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
    with_interrupts_off(|irq| {
        // SAFETY: Reading this CPU's softirq state is allowed with interrupts off.
        let was_pending = unsafe { bindings::local_softirq_pending() };

        run(irq, Offline::Unexpected);

        // SAFETY: As above.
        if unsafe { bindings::local_softirq_pending() } != 0 {
            // SAFETY: Interrupts are off, in a task.
            unsafe { bindings::do_softirq_post_smp_call_flush(was_pending) };
        }
    });
}
