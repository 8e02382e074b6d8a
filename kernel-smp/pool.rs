// SPDX-License-Identifier: GPL-2.0

//! Where a request lives that nobody waits for.
//!
//! Storage belongs to the sender: each CPU has a pool of [`SLOTS`] csds, and one more to fall back
//! on. So up to `SLOTS + 1` requests of a CPU can be queued behind a function that runs on their
//! target, and each of their senders goes on at once, even if that function waits for it. The next
//! request waits until the target has *taken* one; it never waits for a function to end.
//!
//! A slot of the pool is claimed by an exchange, so that an interrupt can claim another one at any
//! time. The fallback is claimed, queued and announced by an IPI with interrupts off: no interrupt
//! can find it locked and wait for something that only the interrupted code would do. What else is
//! in a queue may wait for an IPI of the interrupted code: an interrupt that has to wait sends it.
//!
//! A CPU on its way down must not wait, and has two csds more. It makes two asynchronous calls then, in
//! `hrtimers_cpu_dying()` and `cpuhp_report_idle_dead()`. A CPU on its way up uses them too, and may
//! wait when it has used up all.
//!
//! With `csdlock_debug=1` each slot has the time when its csd was locked, and a csd whose target does
//! not take it for longer than `smp.csd_lock_timeout` is reported, though nothing waits for it.
//!
//! All zeroes is a csd that is not in use, from before `call_function_init()` on. No csd is ever
//! reset or freed; it may still be in a queue when its CPU comes or goes.

use crate::{
    clock::now,
    csd::Csd,
    ipi,
    irq,
    mask,
    percpu::{
        define_per_cpu,
        CpuGuard,
        CpuPinned, //
    },
    serve::Waiting,
    stall,
    stats::{
        self,
        Counter, //
    },
    trace::Callsite, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        barrier::{
            smp_mb,
            Full, //
        }, //
    },
    warn_on_once, //
};

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
use kernel::prelude::{
    c_uint,
    export, //
};

/// How many csds a CPU has beside the one to fall back on.
pub(crate) const SLOTS: usize = bindings::CONFIG_SMP_RUST_POOL_SLOTS as usize;

/// A csd in a cache line of its own.
#[repr(C, align(64))]
struct Slot {
    csd: UnsafeCell<MaybeUninit<bindings::__call_single_data>>,
    /// When it was claimed, in ns, or some time before; if waits are watched.
    since: Atomic<u64>,
    /// When this was last reported.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    reported: Atomic<u64>,
}

// SAFETY: Only the address is taken of `csd`, and `Csd` has the rules for what is behind that.
unsafe impl Sync for Slot {}

impl Slot {
    const fn new() -> Self {
        Self {
            csd: UnsafeCell::new(MaybeUninit::zeroed()),
            since: Atomic::new(0),
            #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
            reported: Atomic::new(0),
        }
    }

    #[inline(always)]
    fn csd(&'static self) -> Csd {
        // SAFETY: The slot has a csd, and is never freed.
        unsafe { Csd::from_raw(self.csd.get().cast()) }
    }

    /// Claims the csd, if it is unlocked, and notes the time if waits are watched. It comes locked.
    fn claim(&'static self) -> Option<Csd> {
        let csd = self.csd();

        if csd.is_locked() {
            return None;
        }
        if stall::enabled() {
            self.since.store(now(), Relaxed);
            // ORDERING: The claim comes after it: a CPU that finds the csd locked finds the time of
            // this use, or of a later one. It pairs with the acquire in `report_late()`.
            smp_mb(Full);
        }
        csd.claim().then_some(csd)
    }

    /// Reports the csd if its use began while waits were watched, and its target has not taken it in
    /// time. Returns whether it was reported.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    fn report_late(&'static self, source: CpuId) -> bool {
        let csd = self.csd();
        // ORDERING: The acquire pairs with the barrier in `claim()`.
        let locked = !csd.is_over(None);
        let since = self.since.load(Relaxed);
        let is_over = || self.since.load(Relaxed) != since;
        let last = self.reported.load(Relaxed).max(since);

        let reported =
            locked && since != 0 && stall::report_if_late(csd, source, since, last, &is_over);
        if reported {
            self.reported.store(now(), Relaxed);
        }
        reported
    }
}

/// What a CPU sends without waiting.
///
/// # Invariants
///
/// `last` is less than [`SLOTS`].
struct Pool {
    slots: [Slot; SLOTS],
    fallback: Slot,
    offline: [Slot; 2],
    /// The slot that was tried last: the one after it is most likely free again.
    last: Atomic<u32>,
}

impl Pool {
    #[inline(always)]
    fn slot_after(at: u32) -> u32 {
        at.wrapping_add(1) % SLOTS as u32
    }

    /// Calls `wanted` with each slot, beginning after the one that was tried last, until it returns
    /// something. Returns that, and the number of the slot.
    #[inline(always)]
    fn find<T>(&'static self, wanted: impl Fn(&'static Slot) -> Option<T>) -> Option<(u32, T)> {
        let last = self.last.load(Relaxed);
        let mut at = last;

        loop {
            at = Self::slot_after(at);
            if let Some(found) = wanted(self.slots.get(at as usize)?) {
                return Some((at, found));
            }
            if at == last {
                return None;
            }
        }
    }

    /// Claims a slot, wherever one is free.
    #[inline(always)]
    fn claim_slot(&'static self) -> Option<Csd> {
        let (at, csd) = self.find(Slot::claim)?;

        // INVARIANT: This is the number of a slot.
        self.last.store(at, Relaxed);
        stats::most(Counter::SlotsMost, || self.slots_in_use());
        Some(csd)
    }

    /// Claims a csd that is kept for when no slot is free.
    #[inline(always)]
    fn claim_kept(&'static self, guard: &CpuGuard) -> Option<Csd> {
        if !guard.cpu().is_online() {
            let reserved = self.offline.iter().find_map(Slot::claim);

            if reserved.is_some() {
                return reserved;
            }
            warn_on_once!(mask::is_dying(guard.cpu()));
        }

        let fallback = self.fallback.claim()?;
        stats::count(Counter::Last);
        Some(fallback)
    }

    fn has_free_slot(&'static self) -> bool {
        self.find(|slot| (!slot.csd().is_locked()).then_some(()))
            .is_some()
    }

    fn slots_in_use(&'static self) -> u64 {
        let used = self.slots.iter().filter(|slot| slot.csd().is_locked());

        used.count() as u64
    }
}

define_per_cpu! {
    #[shared_aligned]
    static POOL: Pool = Pool {
        slots: [const { Slot::new() }; SLOTS],
        fallback: Slot::new(),
        offline: [const { Slot::new() }; 2],
        // INVARIANT: There is a slot 0.
        last: Atomic::new(0),
    };
}

/// The pool of this CPU.
#[inline(always)]
fn this_cpu(_guard: &CpuGuard) -> &'static Pool {
    // SAFETY: This CPU is possible, and per-CPU variables live for ever.
    unsafe { &*POOL.this_cpu_ptr() }
}

/// Claims the csd of this CPU's pool that is most likely free, if it is. It comes locked. For calls that
/// are not watched.
///
/// In any context.
#[inline(always)]
pub(crate) fn claim_next(guard: &CpuGuard) -> Option<Csd> {
    let pool = this_cpu(guard);
    let at = Pool::slot_after(pool.last.load(Relaxed));

    // INVARIANT: This is the number of a slot.
    pool.last.store(at, Relaxed);
    let csd = pool.slots.get(at as usize)?.csd();
    if !csd.claim() {
        return None;
    }
    stats::most(Counter::SlotsMost, || pool.slots_in_use());
    Some(csd)
}

/// Claims any csd of this CPU, and hands it to `send`, locked: one of the pool, unless that is to be
/// `empty`; else, with interrupts off, one that is kept for then. If all are in use, waits until the
/// target of any of them has taken it. `callsite` is for the trace points.
#[inline(always)]
pub(crate) fn claim_any(
    guard: &CpuGuard,
    empty: bool,
    waiting: Waiting,
    callsite: Callsite,
    send: impl Fn(Csd),
) {
    let pool = this_cpu(guard);

    loop {
        let slot = if empty { None } else { pool.claim_slot() };
        if let Some(csd) = slot {
            return send(csd);
        }
        // SAFETY: Neither a claim nor a send makes a guard, or turns interrupts on.
        if unsafe { irq::with_interrupts_off(|_| pool.claim_kept(guard).map(&send).is_some()) } {
            return;
        }

        stats::count(Counter::StorageWaits);
        if irq::in_interrupt() {
            ipi::send_overdue(callsite);
        }
        waiting.until_over(
            pool.fallback.csd(),
            None,
            Some(&|| !empty && pool.has_free_slot()),
        );
    }
}

/// Reports the first csd of `cpu` that its target has not taken in time, and sends the IPI again, which
/// serves the others too.
///
/// # Safety
///
/// `cpu` is a possible CPU. Called by one task at a time, with interrupts on.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
#[export]
pub(crate) unsafe extern "C" fn smp_report_late(cpu: c_uint) {
    // SAFETY: By the safety requirements.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };
    // SAFETY: As above.
    let pool = unsafe { POOL.per_cpu(cpu) };

    pool.slots
        .iter()
        .chain([&pool.fallback])
        .chain(&pool.offline)
        .any(|slot| slot.report_late(cpu));
}

/// What the tests look at.
#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
pub(crate) mod state {
    use super::*;

    /// Returns how many csds of the pool of `cpu` are in use, the last one among them.
    ///
    /// `cpu` is a possible CPU.
    pub(crate) fn in_use(cpu: CpuId) -> usize {
        // SAFETY: The CPU is possible.
        let pool = unsafe { POOL.per_cpu(cpu) };

        pool.slots
            .iter()
            .chain([&pool.fallback])
            .chain(&pool.offline)
            .filter(|slot| slot.csd().is_locked())
            .count()
    }
}
