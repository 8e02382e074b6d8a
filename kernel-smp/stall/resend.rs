// SPDX-License-Identifier: GPL-2.0

//! Backtraces of a target, and the IPI sent again. The target notes each flush of its queue, so
//! that a waiter sees whether there was one since.

use super::enabled;
use crate::{
    clock::now,
    ipi, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    percpu::{
        define_per_cpu,
        StaticPerCpu, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    }, //
};

/// The IPIs that were sent again to a CPU. Their numbers wrap around.
struct ResentIpis {
    /// The number of the last IPI.
    sent: Atomic<u32>,
    /// The number that the last flush has found in `sent` before it took the queue.
    seen: Atomic<u32>,
    /// When the queue was first taken after that number was found, in ns.
    seen_at: Atomic<u64>,
}

impl ResentIpis {
    /// Notes that the queue was taken by a flush that has found `number`.
    #[cold]
    fn note(&self, number: u32) {
        self.seen_at.store(now(), Relaxed);
        // ORDERING: The release pairs with the acquire in `Resent::flushed_after()`: the queue was
        // taken before a waiter sees the number, and the waiter sees when.
        // LITMUS: stall-flush-taken
        self.seen.store(number, Release);
    }
}

define_per_cpu! {
    static RESENT_IPIS: ResentIpis = ResentIpis {
        sent: Atomic::new(0),
        seen: Atomic::new(0),
        seen_at: Atomic::new(0),
    };
}

/// 1 if a backtrace of the CPU may be asked for: at most one between two flushes.
const TRIGGER_BACKTRACE: StaticPerCpu<Atomic<i32>> =
    // SAFETY: This is a per-CPU variable of `data.c`, an `atomic_t`; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::trigger_backtrace) };

/// Begins a flush: has `take` take the queue of this CPU, and notes it. A backtrace of the CPU may
/// be asked for again.
#[inline]
pub(crate) fn flush<T>(irq: &LocalInterruptDisabled, take: impl FnOnce() -> T) -> T {
    if !enabled() {
        return take();
    }
    // ORDERING: The release pairs with the acquire in `take_trigger()`: a backtrace that is
    // triggered after this shows the CPU in this flush or later.
    TRIGGER_BACKTRACE.this_cpu(irq).store(1, Release);

    let ipis = RESENT_IPIS.this_cpu(irq);
    let number = ipis.sent.load(Relaxed);
    let taken = take();
    if number != ipis.seen.load(Relaxed) {
        ipis.note(number);
    }
    taken
}

/// Takes the right to ask for a backtrace of `cpu`. Returns false if it was taken since the last
/// flush of that CPU, or if that is not a possible CPU.
pub(super) fn take_trigger(cpu: CpuId) -> bool {
    // ORDERING: The acquire pairs with the release in `flush()`.
    TRIGGER_BACKTRACE
        .get(cpu)
        .is_some_and(|trigger| trigger.cmpxchg(1, 0, Acquire).is_ok())
}

/// An IPI that was sent again.
#[derive(Clone, Copy)]
pub(super) struct Resent {
    /// Its number.
    number: u32,
    /// When it was sent, in ns.
    pub(super) at: u64,
}

impl Resent {
    /// Sends an IPI again to `cpu`, if it is a possible CPU.
    pub(super) fn send(cpu: CpuId) -> Option<Self> {
        let ipis = RESENT_IPIS.get(cpu)?;
        let at = now();
        // ORDERING: Full, so before the IPI. It pairs with the interrupt: the flush that it starts
        // finds this number, or a later one, when it reads `sent` in `flush()`.
        let number = ipis.sent.fetch_add(1, Full).wrapping_add(1);

        ipi::resend(cpu);
        Some(Self { number, at })
    }

    /// Returns after how many ns, at most, `cpu` has taken its queue; [`None`] if it has not.
    pub(super) fn flushed_after(self, cpu: CpuId) -> Option<u64> {
        let ipis = RESENT_IPIS.get(cpu)?;
        // ORDERING: The acquire pairs with the release in `ResentIpis::note()`.
        // LITMUS: stall-flush-taken
        let seen = ipis.seen.load(Acquire);
        let is_seen = seen.wrapping_sub(self.number) as i32 >= 0;

        is_seen.then(|| ipis.seen_at.load(Relaxed).saturating_sub(self.at))
    }
}
