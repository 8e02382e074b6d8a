// SPDX-License-Identifier: GPL-2.0

//! The queue of each CPU, `call_single_queue`: many CPUs push, one takes all.
//!
//! It is a lock-free list, newest first. The push that finds the queue empty is the one that has to
//! send an IPI; all others rely on that IPI. The layout is that of C's `struct llist_head`.
//!
//! C header: [`include/linux/llist.h`](srctree/include/linux/llist.h)

use crate::{
    csd::{
        Csd,
        Kind,
        Node, //
    },
    ipi,
    stats::{
        self,
        Counter, //
    },
    testpoint::{
        self,
        Point, //
    },
    trace::{
        self,
        Callsite, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::{
        CpuPinned,
        StaticPerCpu, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// A queue of csds and other entries.
///
/// # Invariants
///
/// Every node that can be reached from `first` is the link of an entry that stays valid until it
/// has been taken off and run.
#[repr(transparent)]
pub(crate) struct Queue {
    first: Atomic<*mut Node>,
}

impl Queue {
    /// Makes an empty queue. For tests.
    #[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
    pub(crate) const fn new() -> Self {
        Self {
            first: Atomic::new(ptr::null_mut()),
        }
    }

    /// Adds `node` as the newest. Returns whether the queue was empty, so that an IPI is due.
    ///
    /// # Safety
    ///
    /// `node` is the link of an entry that is in no queue and, as the type invariants say, stays
    /// valid.
    #[inline]
    pub(crate) unsafe fn push(&self, node: *mut Node) -> bool {
        // A queue is most likely empty, and the exchange then takes its cache line at once: a read
        // would bring it here, and the exchange take it from the target once more.
        let mut first = ptr::null_mut();

        loop {
            // SAFETY: The entry is valid, and the caller's alone until the exchange succeeds.
            unsafe { (*node).next = first };

            // ORDERING: Full. As a release it pairs with the exchange in `take_all()`: the target
            // sees the csd that it takes. It also comes before the IPI, which the architecture
            // orders after it, so that the target finds the entry when the IPI arrives.
            // LITMUS: queue-push-take, queue-no-lost-ipi
            match self.first.cmpxchg(first, node, Full) {
                Ok(_) => return first.is_null(),
                Err(newer) => {
                    try_again();
                    first = newer
                }
            }
        }
    }

    /// Takes all entries off, newest first. Null if there are none.
    #[inline]
    pub(crate) fn take_all(&self) -> *mut Node {
        // ORDERING: Full. As an acquire it pairs with `push()`. A push that comes later finds the
        // queue empty, and so sends an IPI of its own.
        // LITMUS: queue-take-push, queue-no-lost-ipi
        self.first.xchg(ptr::null_mut(), Full)
    }

    /// Returns whether the queue is empty. The result may be out of date at once.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.load(Relaxed).is_null()
    }
}

/// Tells the compiler that a queue is rarely not empty.
#[cold]
fn try_again() {}

/// The queue of each CPU, which starts empty.
const CALL_SINGLE_QUEUE: StaticPerCpu<Queue> =
    // SAFETY: This is a per-CPU variable of `data.c`, with the layout of a `Queue`; C does not use
    // it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::call_single_queue) };

/// Returns the queue of the CPU that the caller stays on.
#[inline]
pub(crate) fn this_cpu<P: CpuPinned>(pinned: &P) -> &Queue {
    CALL_SINGLE_QUEUE.this_cpu(pinned)
}

/// Returns the queue of `cpu`.
///
/// # Safety
///
/// `cpu` is a possible CPU.
#[inline]
pub(crate) unsafe fn of(cpu: CpuId) -> &'static Queue {
    // SAFETY: By the safety requirements.
    unsafe { CALL_SINGLE_QUEUE.per_cpu(cpu) }
}

/// Queues an entry on `cpu`, and sends an IPI if the queue was empty. Returns whether it was.
///
/// In any context.
///
/// # Safety
///
/// `node` is the link of an entry that is in no queue, is filled in, and stays valid until it has
/// run. `cpu` is a possible CPU that does not go offline meanwhile.
// Always: a call, and the registers that it saves, show in each send of "make bench".
#[inline(always)]
pub(crate) unsafe fn send(cpu: CpuId, node: *mut Node, callsite: Callsite) -> bool {
    if trace::sending_is_traced() {
        // SAFETY: By the safety requirements.
        return unsafe { send_traced(cpu, node, callsite) };
    }
    // SAFETY: `cpu` is possible, by the safety requirements.
    let queue = unsafe { of(cpu) };
    // SAFETY: By the safety requirements.
    let was_empty = unsafe { queue.push(node) };

    count_push(was_empty);
    if was_empty {
        testpoint::reach(Point::Pushed);
        ipi::send(cpu, None);
    }
    was_empty
}

/// Does what [`send`] does, with the trace points. Out of line, so that the untraced path keeps its
/// registers.
///
/// # Safety
///
/// As for [`send`].
#[cold]
#[inline(never)]
unsafe fn send_traced(cpu: CpuId, node: *mut Node, callsite: Callsite) -> bool {
    // SAFETY: The entry is valid until it is pushed.
    let csd = unsafe { Csd::from_node(node) };
    let func = if csd.is(Kind::Ttwu) {
        Some(bindings::sched_ttwu_pending as unsafe extern "C" fn(*mut c_void))
    } else {
        csd.call().func
    };

    // Before the push: the target may run the entry at once, and its memory may be reused.
    trace::csd_queue(cpu, callsite, func, csd.as_ptr());
    // SAFETY: `cpu` is possible, by the safety requirements.
    let queue = unsafe { of(cpu) };
    // SAFETY: By the safety requirements.
    let was_empty = unsafe { queue.push(node) };

    count_push(was_empty);
    if was_empty {
        testpoint::reach(Point::Pushed);
        ipi::send(cpu, Some(callsite));
    }
    was_empty
}

/// Counts a push. An IPI is due if the queue `was_empty`.
#[inline]
pub(crate) fn count_push(was_empty: bool) {
    stats::count(Counter::Csds);
    if !was_empty {
        stats::count(Counter::Batched);
    }
}

/// Sends an IPI to each CPU with an entry in its queue. For an interrupt that is about to wait: the
/// interrupted code may have queued the entry, and not yet sent the IPI.
///
/// The trace point shows the caller of the entry point that is about to wait, which causes these
/// IPIs. The interrupted code sends its IPIs later, with its own caller.
#[cold]
pub(crate) fn send_overdue_ipis(callsite: Callsite) {
    for cpu in Cpumask::online() {
        // SAFETY: A CPU that is online is possible.
        if !unsafe { of(cpu) }.is_empty() {
            ipi::send(cpu, Some(callsite));
        }
    }
}

/// Returns whether a CPU of `mask` has an entry in its queue.
///
/// The result may be out of date when this returns. May be called in any context.
///
/// # Safety
///
/// `mask` must point to a valid `struct cpumask` whose CPUs are possible.
#[export]
pub(crate) unsafe extern "C" fn cpus_peek_for_pending_ipi(mask: *const bindings::cpumask) -> bool {
    // SAFETY: By the safety requirements.
    let mask = unsafe { Cpumask::from_raw(mask) };

    mask.iter().any(|cpu| {
        // SAFETY: The CPUs of the mask are possible, by the safety requirements.
        let queue = unsafe { of(cpu) };
        !queue.is_empty()
    })
}
