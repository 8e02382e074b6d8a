// SPDX-License-Identifier: GPL-2.0

//! Waiting for a csd.
//!
//! A waiter spins until the csd is unlocked or, if it is a per-pair csd that is locked again, until
//! its sequence number is another one.
//!
//! # The polling wait: `CONFIG_SMP_RUST_POLLING_WAIT`
//!
//! Two CPUs that call each other with interrupts off, or from interrupts, would deadlock: neither
//! takes the IPI of the other. A waiter that cannot be interrupted therefore takes its own queue
//! and runs the csds that other CPUs may wait for: synchronous csds, and asynchronous ones of a
//! pool or a pair, for which the next sender may wait. IRQ work, tasks to wake up and asynchronous
//! csds of callers are not run. The IPI of this CPU is still due, and runs them as soon as
//! interrupts are on.
//!
//! A function that is run so may call and wait itself, and so poll again, up to [`DEPTH_MAX`]
//! levels. The entries that were taken off the queue therefore stay where the inner level finds
//! them: else each of two CPUs could wait for a csd that the other has taken and not run.
//!
//! The caller must hold no spinning lock: a function that is run may take it, and a CPU that spins
//! for it with interrupts off does not poll. With lockdep each call that holds one is
//! reported.

use crate::{
    batch::Batch,
    csd::{
        Csd,
        Flags, //
    },
    fault,
    irq::{
        self,
        CanTakeIpi, //
    },
    queue,
    run,
    stall,
    stats, //
};
use kernel::{
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    lockdep,
    percpu::define_per_cpu,
    processor::cpu_relax,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    warn_on_once, //
};

/// How many levels deep a CPU polls. Deeper, it only spins.
pub(crate) const DEPTH_MAX: u32 = 4;

/// Whether there are polling waits.
pub(crate) const POLLING: bool = cfg!(CONFIG_SMP_RUST_POLLING_WAIT);

/// How a caller waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// It only spins: it can be interrupted, or a warning says that it may deadlock.
    Spin,
    /// It polls: it runs the csds that other CPUs may wait for.
    Poll,
}

impl Waiting {
    /// Decides how the caller of an entry point waits, and warns if it must not call at all.
    ///
    /// `warn` checks the context, as a kernel without polling waits does.
    #[inline]
    pub(crate) fn of_caller(this_cpu: CpuId, warn: impl FnOnce()) -> Self {
        if !POLLING {
            warn();
            return Self::Spin;
        }

        match irq::can_take_ipi(|| this_cpu.is_online()) {
            CanTakeIpi::Yes | CanTakeIpi::NotNeeded => Self::Spin,
            CanTakeIpi::No => {
                lockdep::assert_no_spinning_lock_held();
                Self::Poll
            }
            CanTakeIpi::Never => {
                warn();
                Self::Spin
            }
        }
    }

    #[inline]
    pub(crate) fn polls(self) -> bool {
        POLLING && self == Self::Poll
    }
}

/// Waits until the use of `csd` that `flags` stands for is over; without it, until `csd` is
/// unlocked.
#[inline]
pub(crate) fn until_over(csd: Csd, flags: Option<Flags>, waiting: Waiting) {
    if stall::enabled() || (flags.is_some() && stats::enabled()) || waiting.polls() {
        until_over_or(csd, flags, waiting, None);
    } else {
        csd.spin_until_over(flags);
    }
}

/// Waits as [`until_over`] does, or until `other` is true.
#[cold]
#[export_name = "__csd_lock_wait"]
pub(crate) fn until_over_or(
    csd: Csd,
    flags: Option<Flags>,
    waiting: Waiting,
    other: Option<&dyn Fn() -> bool>,
) {
    if csd.is_over(flags) {
        return;
    }

    let mut watch = stall::Watch::begin(csd, flags).or_until(other);
    let start = stats::now();

    while !watch.is_over() {
        if waiting.polls() {
            // SAFETY: The functions return with interrupts off, and with the guards that they began
            // with.
            unsafe { irq::with_interrupts_off(poll) };
        }
        cpu_relax();
    }
    stats::waited_since(start);
}

/// The entries that a CPU has taken off its queue and not yet run.
struct Unfinished {
    batch: Batch,
    depth: Atomic<u32>,
}

// SAFETY: Only its CPU uses it, and with interrupts off.
unsafe impl Sync for Unfinished {}

define_per_cpu! {
    static UNFINISHED: Unfinished = Unfinished {
        batch: Batch::new(),
        depth: Atomic::new(0),
    };
}

/// Returns the batch for the entries that this CPU takes off its queue, if there are polling waits.
#[inline]
pub(crate) fn unfinished(irq: &LocalInterruptDisabled) -> Option<&Batch> {
    POLLING.then(|| &UNFINISHED.this_cpu(irq).batch)
}

/// Returns whether an entry was taken off the queue of this CPU and not yet run.
#[inline]
pub(crate) fn is_unfinished(irq: &LocalInterruptDisabled) -> bool {
    POLLING && !UNFINISHED.this_cpu(irq).batch.is_empty()
}

/// Runs the csds in the queue of this CPU that other CPUs may wait for.
///
/// The functions run as an interrupt in the waiter, see [`irq::Nested`].
fn poll(irq: &LocalInterruptDisabled) {
    let Unfinished { batch, depth } = UNFINISHED.this_cpu(irq);
    let level = depth.load(Relaxed);

    fault::send_due(irq);
    if !queue::this_cpu(irq).is_empty() {
        let newest = stall::flush(irq, || queue::this_cpu(irq).take_all());
        // SAFETY: `newest` was just taken.
        batch.add(unsafe { Batch::of(newest) });
    }
    // SAFETY: The batch does not change meanwhile.
    if batch.sync.is_empty() && !unsafe { batch.other.iter() }.any(Csd::is_internal_async) {
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
        // SAFETY: The list is that of `Sync` csds.
        unsafe { run::sync(irq, csd) };
        stall::resume(irq, record);
    }
    while let Some(csd) = batch.other.pop_if(Csd::is_internal_async) {
        // SAFETY: The csd is an `Async` one.
        unsafe { run::r#async(irq, csd) };
        stall::resume(irq, record);
    }
    depth.store(level, Relaxed);
}

/// For the tests.
#[cfg(all(CONFIG_SMP_RUST_POLLING_WAIT, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) mod state {
    use super::*;

    /// Polls as a wait does that is `level` levels deep.
    pub(crate) fn poll_at(irq: &LocalInterruptDisabled, level: u32) {
        let depth = &UNFINISHED.this_cpu(irq).depth;
        let before = depth.load(Relaxed);

        depth.store(level, Relaxed);
        poll(irq);
        depth.store(before, Relaxed);
    }
}
