// SPDX-License-Identifier: GPL-2.0

//! Waiting with interrupts off: `CONFIG_SMP_RUST_SERVING_WAIT`.
//!
//! Two CPUs that call each other with interrupts off, or from interrupts, would wait for ever: no
//! IPI gets through to either. A waiter that cannot be interrupted therefore looks at its own queue
//! and runs what others may wait for: `Sync` requests, and requests in storage of this folder, whose
//! next sender may wait for it. IRQ work, tasks to wake up and the callers' own csds stay; the own
//! IPI is still due, and runs them as soon as interrupts are on.
//!
//! A function that is served may call and wait itself, and so serve again, up to [`DEPTH_MAX`]
//! levels. What a flush has taken off the queue is therefore kept where the inner level finds it:
//! else two CPUs could wait for requests that sit in each other's hands.
//!
//! The caller must hold no lock that is spun for: a function that is served may take it, and a CPU
//! that waits for it cannot answer. With lockdep each call that holds one is reported.

use crate::{
    batch::Batch,
    csd::{
        Csd,
        Lock, //
    },
    fault,
    flush,
    irq::{
        self,
        Answerable, //
    },
    percpu::{
        define_per_cpu,
        CpuPinned, //
    },
    queue,
    stall,
    stats::{
        self,
        Counter, //
    }, //
};
use kernel::{
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    lockdep,
    processor::cpu_relax,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    warn_on_once, //
};

/// How deep a CPU serves in what it serves. Deeper, it only waits.
pub(crate) const DEPTH_MAX: u32 = 4;

/// Whether waits serve at all.
pub(crate) const ON: bool = cfg!(CONFIG_SMP_RUST_SERVING_WAIT);

/// How a caller waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Only waits: it can be interrupted, or was warned that it may hang.
    Spin,
    /// Runs what others wait for meanwhile.
    Serve,
}

impl Waiting {
    /// Decides how the caller of an entry point waits, and warns if it must not call at all.
    ///
    /// `warn` gives the warnings of a kernel whose waits do not serve.
    #[inline(always)]
    pub(crate) fn of_caller(this_cpu: CpuId, warn: impl FnOnce()) -> Self {
        if !ON {
            warn();
            return Self::Spin;
        }

        match irq::answerable(|| this_cpu.is_online()) {
            Answerable::Yes | Answerable::NobodyAsks => Self::Spin,
            Answerable::No => {
                lockdep::assert_no_spinning_lock_held();
                Self::Serve
            }
            Answerable::Never => {
                warn();
                Self::Spin
            }
        }
    }

    #[inline(always)]
    pub(crate) fn serves(self) -> bool {
        ON && self == Self::Serve
    }

    /// Waits until the use of `csd` that `lock` began is over; without one, until nobody uses it. Or
    /// until `other` is true.
    #[cold]
    #[export_name = "__csd_lock_wait"]
    pub(crate) fn until_over(self, csd: Csd, lock: Option<Lock>, other: Option<&dyn Fn() -> bool>) {
        if csd.is_over(lock) {
            return;
        }

        let mut watch = stall::Watch::begin(csd, lock).or_until(other);
        let start = stats::now();

        while !watch.is_over() {
            if self.serves() {
                // SAFETY: A function that is called leaves interrupts off, and no guards behind.
                unsafe { irq::with_interrupts_off(serve) };
            }
            cpu_relax();
        }
        stats::most(Counter::LongestWait, || stats::now().wrapping_sub(start));
    }
}

/// What the tests do.
#[cfg(all(CONFIG_SMP_RUST_SERVING_WAIT, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) mod state {
    use super::*;

    /// Does what a wait does that is `level` levels deep.
    pub(crate) fn serve_at(irq: &LocalInterruptDisabled, level: u32) {
        let depth = &UNFINISHED.this_cpu(irq).depth;
        let before = depth.load(Relaxed);

        depth.store(level, Relaxed);
        serve(irq);
        depth.store(before, Relaxed);
    }
}

/// What a CPU has taken off its queue and not yet run.
struct Unfinished {
    batch: Batch,
    depth: Atomic<u32>,
}

// SAFETY: Only the CPU itself uses it, with interrupts off.
unsafe impl Sync for Unfinished {}

define_per_cpu! {
    static UNFINISHED: Unfinished = Unfinished {
        batch: Batch::new(),
        depth: Atomic::new(0),
    };
}

/// Returns where this CPU keeps what it has taken off its queue, if waits serve.
#[inline(always)]
pub(crate) fn unfinished(irq: &LocalInterruptDisabled) -> Option<&Batch> {
    ON.then(|| &UNFINISHED.this_cpu(irq).batch)
}

/// Returns whether something was taken off the queue of this CPU and not run.
#[inline(always)]
pub(crate) fn is_unfinished<P: CpuPinned>(pinned: &P) -> bool {
    ON && !UNFINISHED.this_cpu(pinned).batch.is_empty()
}

/// Runs the requests of this CPU that others may wait for.
///
/// A function that is run must not take this CPU for one that could have been interrupted.
fn serve(irq: &LocalInterruptDisabled) {
    let Unfinished { batch, depth } = UNFINISHED.this_cpu(irq);
    let level = depth.load(Relaxed);

    fault::release_due(irq);
    if !queue::this_cpu(irq).is_empty() {
        stall::flush_begins(irq);
        // SAFETY: What is added has just been taken.
        unsafe { batch.add(queue::this_cpu(irq).take_all()) };
    }
    if batch.sync.is_empty() && !batch.other.has(Csd::is_stored) {
        return;
    }
    if level == DEPTH_MAX {
        warn_on_once!(true);
        return;
    }

    let _nested = irq::Nested::new(irq);
    depth.store(level.wrapping_add(1), Relaxed);
    let record = stall::current(irq);
    while let Some(csd) = batch.sync.pop() {
        // SAFETY: The list is that of `Sync` requests.
        unsafe { flush::run_sync(irq, csd) };
        stall::resume(irq, record);
    }
    while let Some(csd) = batch.other.pop_if(Csd::is_stored) {
        // SAFETY: A stored request is `Async`.
        unsafe { flush::run_async(irq, csd) };
        stall::resume(irq, record);
    }
    depth.store(level, Relaxed);
}
