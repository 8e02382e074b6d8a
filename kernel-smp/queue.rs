// SPDX-License-Identifier: GPL-2.0

//! The queue of each CPU: many CPUs push, one takes all.
//!
//! It is a list without a lock, newest first. Whoever pushes on an empty queue has to see to it
//! that the owner looks; everybody else relies on that one. The layout is that of C's
//! `struct llist_head`.
//!
//! C header: [`include/linux/llist.h`](srctree/include/linux/llist.h)

use crate::{
    csd::Node,
    percpu::{
        CpuPinned,
        StaticPerCpu, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// A queue of requests.
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
    #[inline(always)]
    pub(crate) unsafe fn push(&self, node: *mut Node) -> bool {
        let mut first = self.first.load(Relaxed);

        loop {
            // SAFETY: The entry is valid, and the caller's alone until the exchange succeeds.
            unsafe { (*node).next = first };

            // ORDERING: Full. As a release it pairs with the exchange in `take_all()`: the target
            // sees the request that it takes. It also comes before the IPI, which the architecture
            // orders after it, so that the target finds the entry when the IPI arrives.
            // LITMUS: queue-push-take, queue-no-lost-ipi
            match self.first.cmpxchg(first, node, Full) {
                Ok(_) => return first.is_null(),
                Err(newer) => first = newer,
            }
        }
    }

    /// Takes all entries off, newest first. Null if there are none.
    #[inline(always)]
    pub(crate) fn take_all(&self) -> *mut Node {
        // ORDERING: Full. As an acquire it pairs with `push()`. A push that comes later finds the
        // queue empty, and so sends an IPI of its own.
        // LITMUS: queue-take-push, queue-no-lost-ipi
        self.first.xchg(ptr::null_mut(), Full)
    }

    /// Returns whether there is nothing in the queue. The answer may be out of date at once.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.load(Relaxed).is_null()
    }
}

/// The queue of each CPU, which starts empty.
const CALL_SINGLE_QUEUE: StaticPerCpu<Queue> =
    // SAFETY: This is a per-CPU variable of `data.c`, with the layout of a `Queue`; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::call_single_queue) };

/// Returns the queue of the CPU that the caller stays on.
#[inline(always)]
pub(crate) fn this_cpu<P: CpuPinned>(pinned: &P) -> &Queue {
    CALL_SINGLE_QUEUE.this_cpu(pinned)
}

/// Returns the queue of `cpu`.
///
/// # Safety
///
/// `cpu` is a possible CPU.
#[inline(always)]
pub(crate) unsafe fn of(cpu: CpuId) -> &'static Queue {
    // SAFETY: By the safety requirements.
    unsafe { CALL_SINGLE_QUEUE.per_cpu(cpu) }
}

/// Returns whether a CPU of `mask` has a request that it has not taken yet.
///
/// The answer may be out of date when this returns. May be called in any context.
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
