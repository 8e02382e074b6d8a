// SPDX-License-Identifier: GPL-2.0

//! The pool: csds of a CPU for asynchronous calls.
//!
//! Storage belongs to the source: each CPU has slots with a csd each, and a fallback csd. There are
//! as many slots as CPUs were present when this one was prepared, rounded up to a power of two, but
//! [`SLOTS`] at least and [`SLOTS_MAX`] at most. That many calls and one more can be queued behind
//! functions that run on their targets, and none of their senders waits, even if such a function
//! waits for the sender. The next sender waits until a target unlocks one of these csds. The target
//! does so just before it runs the function of the csd, so the wait includes the functions that run
//! before it on that target.
//!
//! Slots are used in turn, so that the next one is most likely free. If it is not, a sender looks at
//! all of them once, and then at the fallback csd. While it waits it looks at a few more each time.
//!
//! A slot is locked by an exchange, so that an interrupt can lock another one at any time. The
//! fallback csd is locked, queued and announced by an IPI with interrupts off: no interrupt can
//! find it locked and wait for something that only the interrupted code would do. A csd in a slot
//! may depend on an IPI that the interrupted code has not sent yet: an interrupt that has to wait
//! sends it.
//!
//! An offline source has two csds more. A CPU on its way down must not wait, and makes two
//! asynchronous calls after it went offline, in `hrtimers_cpu_dying()` and
//! `cpuhp_report_idle_dead()`. A CPU on its way up makes one before it is online, in
//! `check_tsc_sync_target()`, and may wait.
//!
//! With `csdlock_debug=1` each slot has the time when its csd was locked. A csd that is locked for
//! longer than `smp.csd_lock_timeout` is reported, though it has no waiter.
//!
//! The slots are allocated when the CPU is first prepared. All zeroes is an unlocked csd. No csd is
//! ever reset or freed; it may still be in a queue when its CPU goes offline or comes online.

use crate::{
    clock::jiffies,
    csd::{
        Call,
        Csd, //
    },
    fault,
    irq,
    mask,
    queue,
    stall,
    stats::{
        self,
        Counter, //
    },
    testpoint::{
        self,
        Point, //
    },
    trace::Callsite,
    wait::{
        self,
        Waiting, //
    }, //
};
use core::{
    alloc::Layout,
    cell::{
        Cell,
        UnsafeCell, //
    },
    mem::MaybeUninit,
    ptr,
    slice, //
};
use kernel::{
    alloc::{
        allocator::Kmalloc,
        Allocator,
        NumaNode, //
    },
    bindings,
    cpu::CpuId,
    percpu::{
        define_per_cpu,
        CpuGuard,
        CpuPinned, //
    },
    prelude::{
        Result,
        __GFP_ZERO,
        ENOMEM,
        GFP_KERNEL, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Full, //
        }, //
    },
    warn_on_once, //
};

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
use {
    crate::clock::{
        now,
        time_of, //
    },
    kernel::prelude::{
        c_uint,
        export, //
    }, //
};

/// How many slots the pool of a CPU has at least.
const SLOTS: u32 = bindings::CONFIG_SMP_RUST_POOL_SLOTS;

/// How many it has at most. A target that is idle has unlocked its csd long before as many other
/// calls were sent.
const SLOTS_MAX: u32 = 256;

/// How many slots a sender that waits looks at, before it looks at other things.
const SEARCHED: u32 = 8;

/// A csd in a cache line of its own.
#[repr(C, align(64))]
struct Slot {
    csd: UnsafeCell<MaybeUninit<bindings::__call_single_data>>,
    /// When it was locked, in jiffies, or some time before; if waits are watched.
    since: Atomic<u64>,
    /// When this was last reported, in ns.
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

    #[inline]
    fn csd(&'static self) -> Csd {
        // SAFETY: The slot has a csd, and is never freed.
        unsafe { Csd::from_raw(self.csd.get().cast()) }
    }

    /// Locks the csd, if it is unlocked, and notes the time if waits are watched. Returns whether
    /// it was unlocked.
    #[inline]
    fn try_lock(&'static self) -> bool {
        (!stall::enabled() || self.note_time()) && self.csd().try_lock()
    }

    /// Locks the csd if it is unlocked. Looks first: an attempt takes the cache line from a target
    /// that is about to unlock it.
    #[inline]
    fn lock_if_unlocked(&'static self) -> Option<Csd> {
        (!self.csd().is_locked() && self.try_lock()).then(|| self.csd())
    }

    /// Notes the time, for a use that begins now. Returns false if the csd is in use.
    #[cold]
    fn note_time(&'static self) -> bool {
        if self.csd().is_locked() {
            return false;
        }

        self.since.store(jiffies(), Relaxed);
        // ORDERING: The lock comes after the store: a CPU that finds the csd locked finds the time
        // of this use, or of a later one. It pairs with the acquire in `used_since()`.
        smp_mb(Full);
        true
    }

    /// Returns when this use of the csd began, in jiffies, if that was while waits were watched.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    fn used_since(&'static self) -> Option<u64> {
        // ORDERING: The acquire pairs with the barrier in `note_time()`.
        let locked = !self.csd().is_over(None);
        let since = self.since.load(Relaxed);

        (locked && since != 0).then_some(since)
    }

    /// Returns when this use of the csd was last reported, or else when it began, in ns.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    #[cold]
    fn reported_at(&'static self) -> Option<u64> {
        let start = time_of(self.used_since()?);

        Some(self.reported.load(Relaxed).max(start))
    }

    /// Reports the csd if it is locked for too long.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    fn report_late(&'static self, source: CpuId) {
        let Some(since) = self.used_since() else {
            return;
        };
        let start = time_of(since);
        let last = self.reported.load(Relaxed).max(start);
        let is_over = || self.since.load(Relaxed) != since;

        if stall::report_if_late(self.csd(), source, start, last, &is_over) {
            self.reported.store(now(), Relaxed);
        }
    }
}

/// The csds of a CPU for asynchronous calls.
///
/// # Invariants
///
/// - `slots` is null until the CPU is first prepared, and from then on an array that is never freed.
/// - That array has `mask` + 1 slots, and `last` is at most `mask`.
struct Pool {
    slots: Atomic<*mut Slot>,
    mask: Atomic<u32>,
    /// The slot that was tried last: the one after it is most likely free again.
    last: Atomic<u32>,
    fallback: Slot,
    /// For an offline source, on its way down or up.
    offline: [Slot; 2],
}

impl Pool {
    /// Returns the pool of the CPU that the caller stays on.
    #[inline]
    fn this_cpu(_guard: &CpuGuard) -> &'static Self {
        // SAFETY: This CPU is possible, and per-CPU variables are never freed.
        unsafe { &*POOL.this_cpu_ptr() }
    }

    /// Allocates the slots, on the node of `cpu`.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: nothing was allocated.
    fn prepare(&self, cpu: CpuId) -> Result {
        if !self.slots.load(Relaxed).is_null() {
            return Ok(());
        }

        let count = mask::present_cpus()
            .clamp(SLOTS, SLOTS_MAX)
            .next_power_of_two();
        let layout = Layout::array::<Slot>(count as usize).map_err(|_| ENOMEM)?;
        // SAFETY: `cpu` is below `nr_cpu_ids`.
        let node = NumaNode::new(unsafe { bindings::cpu_to_node(i32::from(cpu)) })
            .unwrap_or(NumaNode::NO_NODE);
        let slots = Kmalloc::alloc(layout, GFP_KERNEL | __GFP_ZERO, node)?;

        // INVARIANT: All zeroes is a slot, and there are `count` of them.
        self.mask.store(count.wrapping_sub(1), Relaxed);
        // ORDERING: The release pairs with the acquire in `slots()`. The CPU that sends from this
        // pool is brought up after this.
        self.slots.store(slots.as_ptr().cast(), Release);
        Ok(())
    }

    /// Returns all slots: none, before the CPU is first prepared.
    fn slots(&'static self) -> &'static [Slot] {
        // ORDERING: The acquire pairs with the release in `prepare()`.
        let slots = self.slots.load(Acquire);

        if slots.is_null() {
            return &[];
        }
        let count = self.mask.load(Relaxed).wrapping_add(1);
        // SAFETY: By the type invariants.
        unsafe { slice::from_raw_parts(slots, count as usize) }
    }

    /// Returns the next slot in turn, which is most likely free.
    ///
    /// # Safety
    ///
    /// The CPU of the pool was prepared.
    #[inline]
    unsafe fn next_slot(&'static self) -> &'static Slot {
        let at = self.last.load(Relaxed).wrapping_add(1) & self.mask.load(Relaxed);

        // INVARIANT: This is the number of a slot.
        self.last.store(at, Relaxed);
        // SAFETY: There is a slot with that number, by the type invariants and the safety
        // requirements.
        unsafe { &*self.slots.load(Relaxed).add(at as usize) }
    }

    /// Locks the csd of a slot, if one of the next `most` is free.
    ///
    /// # Safety
    ///
    /// The CPU of the pool was prepared.
    #[inline]
    unsafe fn lock_slot(&'static self, most: u32) -> Option<Csd> {
        let count = most.min(self.mask.load(Relaxed).wrapping_add(1));
        // SAFETY: By the safety requirements.
        let csd = (0..count).find_map(|_| unsafe { self.next_slot() }.lock_if_unlocked())?;

        stats::most(Counter::SlotsMost, || self.slots_in_use());
        Some(csd)
    }

    /// Locks a csd when no slot is free: for an offline source one of the two more, else the
    /// fallback csd.
    #[cold]
    fn lock_fallback(&'static self, guard: &CpuGuard) -> Option<Csd> {
        if !guard.cpu().is_online() {
            let reserved = self.offline.iter().find_map(Slot::lock_if_unlocked);

            if reserved.is_some() {
                return reserved;
            }
            warn_on_once!(mask::is_dying(guard.cpu()));
        }

        let fallback = self.fallback.lock_if_unlocked()?;
        stats::count(Counter::Fallback);
        Some(fallback)
    }

    /// Returns all csds.
    #[cfg(any(CONFIG_CSD_LOCK_WAIT_DEBUG, CONFIG_SMP_RUST_KUNIT_TEST))]
    fn all(&'static self) -> impl Iterator<Item = &'static Slot> {
        [self.slots(), slice::from_ref(&self.fallback), &self.offline]
            .into_iter()
            .flatten()
    }

    fn slots_in_use(&'static self) -> u64 {
        let used = self.slots().iter().filter(|slot| slot.csd().is_locked());

        used.count() as u64
    }
}

define_per_cpu! {
    #[shared_aligned]
    static POOL: Pool = Pool {
        // INVARIANT: The CPU was not prepared.
        slots: Atomic::new(ptr::null_mut()),
        mask: Atomic::new(0),
        last: Atomic::new(0),
        fallback: Slot::new(),
        offline: [const { Slot::new() }; 2],
    };
}

/// Allocates the slots of `cpu`, unless it was prepared before.
///
/// # Errors
///
/// - `ENOMEM`: nothing was allocated.
///
/// # Safety
///
/// `cpu` is possible; it is not up, or is the boot CPU and has sent no call.
pub(crate) unsafe fn prepare(cpu: CpuId) -> Result {
    // SAFETY: `cpu` is possible, by the safety requirements.
    unsafe { POOL.per_cpu(cpu) }.prepare(cpu)
}

/// Sends an asynchronous call to `cpu`. If no csd is free, waits until a target unlocks one.
///
/// # Safety
///
/// The call may be made on `cpu`, with interrupts off. `cpu` is another CPU, and online: so this CPU
/// was prepared.
// Always: as for `queue::send()`.
#[inline(always)]
pub(crate) unsafe fn send(
    guard: CpuGuard,
    cpu: CpuId,
    call: Call,
    waiting: Waiting,
    callsite: Callsite,
) {
    let pool = Pool::this_cpu(&guard);
    let no_free_slot = fault::no_free_slot(&guard);

    if !no_free_slot {
        // SAFETY: By the safety requirements.
        let slot = unsafe { pool.next_slot() };

        if slot.try_lock() {
            let csd = slot.csd();

            stats::most(Counter::SlotsMost, || pool.slots_in_use());
            testpoint::reach(Point::Locked);
            csd.fill(call, guard.cpu(), cpu);
            // SAFETY: By the safety requirements. The csd is locked and filled in, and never
            // freed.
            unsafe { queue::send(cpu, csd.node(), callsite) };
            return;
        }
    }
    // SAFETY: By the safety requirements.
    unsafe { send_in_any(guard, cpu, call, waiting, callsite, no_free_slot) };
}

/// Sends an asynchronous call in any csd that is free; with `no_free_slot`, in none of the slots.
///
/// # Safety
///
/// As for [`send`].
#[cold]
#[inline(never)]
#[export_name = "generic_exec_single"]
unsafe fn send_in_any(
    guard: CpuGuard,
    cpu: CpuId,
    call: Call,
    waiting: Waiting,
    callsite: Callsite,
    no_free_slot: bool,
) {
    let pool = Pool::this_cpu(&guard);
    let send = |csd: Csd| {
        csd.fill(call, guard.cpu(), cpu);
        // SAFETY: By the safety requirements. The csd is locked and filled in, and never freed.
        unsafe { queue::send(cpu, csd.node(), callsite) };
    };

    let found = Cell::new(None);
    let lock_one_of = |most| {
        if !no_free_slot && found.get().is_none() {
            // SAFETY: By the safety requirements.
            found.set(unsafe { pool.lock_slot(most) });
        }
        found.get().is_some()
    };

    while !lock_one_of(SLOTS_MAX) {
        // SAFETY: Both return with interrupts off, and with the guards that they began with.
        if unsafe { irq::with_interrupts_off(|_| pool.lock_fallback(&guard).map(send).is_some()) } {
            return;
        }

        stats::count(Counter::StorageWaits);
        if irq::in_interrupt() {
            queue::send_overdue_ipis(callsite);
        }
        wait::until_over_or(
            pool.fallback.csd(),
            None,
            waiting,
            Some(&|| lock_one_of(SEARCHED)),
        );
    }
    found.get().map(send);
}

/// Reports one csd of `cpu` that is locked for too long, and sends the IPI again if its target is
/// online and runs no function. The IPI is for all csds with that target. A csd with another target
/// is reported when this is called next. Two tasks that call this at the same time may report the
/// same csd.
///
/// # Safety
///
/// `cpu` is a possible CPU. Called by a task, with interrupts on.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
#[export]
pub(crate) unsafe extern "C" fn smp_report_late(cpu: c_uint) {
    // SAFETY: By the safety requirements.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };
    // SAFETY: As above.
    let pool = unsafe { POOL.per_cpu(cpu) };

    // If that one is not late, none is. One that is never unlocked does not hide the others.
    let mut oldest: Option<(u64, &Slot)> = None;
    for slot in pool.all() {
        if let Some(at) = slot.reported_at() {
            if oldest.is_none_or(|(first, _)| at < first) {
                oldest = Some((at, slot));
            }
        }
    }
    if let Some((_, slot)) = oldest {
        slot.report_late(cpu);
    }
}

/// For the tests.
#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
pub(crate) mod state {
    use super::*;

    /// Returns how many slots `cpu` has.
    ///
    /// `cpu` is a possible CPU.
    pub(crate) fn slots(cpu: CpuId) -> u32 {
        // SAFETY: The CPU is possible.
        unsafe { POOL.per_cpu(cpu) }.slots().len() as u32
    }

    /// Returns when a csd of the pool of `source` was last reported as locked, in ns: one that was
    /// used for `target` last.
    ///
    /// `source` is a possible CPU.
    #[cfg(all(CONFIG_FAIL_SMP, CONFIG_CSD_LOCK_WAIT_DEBUG))]
    pub(crate) fn last_report(source: CpuId, target: CpuId) -> u64 {
        // SAFETY: The CPU is possible.
        let pool = unsafe { POOL.per_cpu(source) };
        let reports = pool
            .all()
            .filter(|slot| slot.csd().snapshot().target() == i32::from(target))
            .map(|slot| slot.reported.load(Relaxed));

        reports.max().unwrap_or(0)
    }

    /// Returns how many csds of the pool of `cpu` are in use, the fallback csd among them.
    ///
    /// `cpu` is a possible CPU.
    pub(crate) fn in_use(cpu: CpuId) -> usize {
        // SAFETY: The CPU is possible.
        let pool = unsafe { POOL.per_cpu(cpu) };

        pool.all().filter(|slot| slot.csd().is_locked()).count()
    }
}
