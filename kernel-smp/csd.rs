// SPDX-License-Identifier: GPL-2.0

//! The csd: layout, lock, unlock.
//!
//! Only this file knows the fields of `call_single_data_t`. The flag word is shared by source and
//! target. All other fields are written by the source only, before it pushes the csd, and read by
//! the target from when it has taken the csd off its queue until it unlocks it. With
//! `csdlock_debug=1` a waiter may read them at any time.
//!
//! # Operations
//!
//! | operation | by | on a csd | ordering |
//! |---|---|---|---|
//! | [`lock_new`](Csd::lock_new) | the source | that no other CPU can access | relaxed: the push publishes it |
//! | [`lock_if_unlocked`](Csd::lock_if_unlocked) | the source, from one CPU at a time | of a caller | relaxed; reuse after `unlock` relies on the control dependency |
//! | [`try_lock`](Csd::try_lock) | the source, or an interrupt on that CPU | of a pool | acquire of `unlock` |
//! | [`lock_pair`](Csd::lock_pair) | the source, pinned | per-pair, seen unlocked | release to the waits below |
//! | [`fill`](Csd::fill) | the source | locked, not yet pushed | after the lock by `smp_wmb()`, for `smp_mb()` in `Watch::facts()` |
//! | [`call`](Csd::call) | source or target | that belongs to it | plain |
//! | [`unlock`](Csd::unlock) | the target; the source before a push; another CPU if the target is offline | locked | release to all acquires here |
//! | [`is_over`](Csd::is_over), [`spin_until_over`](Csd::spin_until_over) | a waiter | any | acquire of `unlock` and `lock_pair` |
//! | [`is_locked`](Csd::is_locked), [`kind`](Csd::kind), [`is_internal_async`](Csd::is_internal_async) | any CPU | any | relaxed |
//!
//! C header: [`include/linux/smp_types.h`](srctree/include/linux/smp_types.h)

use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    warn_on, //
};

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
use kernel::sync::barrier::{
    smp_mb,
    Write, //
};

/// The function that a csd runs.
pub(crate) type Func = bindings::smp_call_func_t;

/// The link by which entries, of whatever kind, sit in a queue.
pub(crate) type Node = bindings::llist_node;

/// The csd is in use.
const LOCK: u32 = bindings::CSD_FLAG_LOCK;

/// The bit that these two kinds have in common and no other kind has.
const SYNC_OR_TTWU: u32 = bindings::CSD_TYPE_SYNC & bindings::CSD_TYPE_TTWU;

const _: () = kernel::build_assert::const_assert!(
    SYNC_OR_TTWU & (bindings::CSD_TYPE_ASYNC | bindings::CSD_TYPE_IRQ_WORK) == 0
);

/// The kind of a queue entry.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// Asynchronous: unlocked before its function runs.
    Async = bindings::CSD_TYPE_ASYNC,
    /// Synchronous: unlocked after its function has run.
    Sync = bindings::CSD_TYPE_SYNC,
    /// A `struct irq_work`.
    IrqWork = bindings::CSD_TYPE_IRQ_WORK,
    /// A task to wake up.
    Ttwu = bindings::CSD_TYPE_TTWU,
    /// An unknown kind: the flag word was overwritten.
    Unknown = u32::MAX,
}

/// The flag word of a locked csd.
///
/// A per-pair csd can be in use again before the waiter for its last use has read the flag word.
/// Synchronous uses therefore have a sequence number, in bits that no other user of a flag word
/// writes: if the word has changed, the use is over. When the numbers wrap around, a wait may take
/// too long, but never ends too early.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    /// Where the sequence number begins.
    const SEQ_SHIFT: u32 = 8;

    /// An asynchronous use of a csd that belongs to `kernel/smp/`: of a pool or per-pair.
    const INTERNAL_ASYNC: Self = Self(Self::of(Kind::Async).0 | (1 << Self::SEQ_SHIFT));

    #[inline]
    const fn of(kind: Kind) -> Self {
        Self(LOCK | kind as u32)
    }

    /// The synchronous use of a per-pair csd with sequence number `seq`.
    #[inline]
    pub(crate) const fn sync(seq: u32) -> Self {
        Self(Self::of(Kind::Sync).0 | (seq << Self::SEQ_SHIFT))
    }
}

/// A function and its argument.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) func: Func,
    pub(crate) info: *mut c_void,
}

/// Returns the address of a function, or null.
pub(crate) fn func_ptr(func: Func) -> *mut c_void {
    func.map_or(ptr::null_mut(), |func| func as *mut c_void)
}

/// The fields of a csd, read by a CPU to which they do not belong.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) func: *mut c_void,
    pub(crate) info: *mut c_void,
    target: Option<u16>,
}

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
impl Snapshot {
    /// Returns the target CPU, or -1 if entries of that kind do not record it.
    pub(crate) fn target(self) -> i32 {
        self.target.map_or(-1, i32::from)
    }
}

/// A csd, or any other entry of a queue.
///
/// This is an address, not a reference: the memory of a csd may be freed as soon as it is unlocked.
///
/// # Invariants
///
/// The address is that of a `call_single_data_t`, or of what shares its beginning with one (see
/// `struct __call_single_node`). It is valid until the csd is unlocked.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Csd(NonNull<bindings::__call_single_data>);

impl Csd {
    /// Takes the address of a csd.
    ///
    /// # Safety
    ///
    /// `ptr` must be as the type invariants say, for as long as the value is used.
    #[inline]
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::__call_single_data) -> Self {
        // INVARIANT: By the safety requirements.
        // SAFETY: A valid address is not null.
        Self(unsafe { NonNull::new_unchecked(ptr) })
    }

    /// Takes the address of the csd whose link is `node`.
    ///
    /// # Safety
    ///
    /// `node` must be the link of a queue entry, which has to be valid for as long as the value is
    /// used.
    #[inline]
    pub(crate) unsafe fn from_node(node: *mut Node) -> Self {
        // CAST: The link is the first field of the first field of a csd.
        // SAFETY: By the safety requirements.
        unsafe { Self::from_raw(node.cast()) }
    }

    /// Returns the address.
    #[inline]
    pub(crate) fn as_ptr(self) -> *mut bindings::__call_single_data {
        self.0.as_ptr()
    }

    /// Returns the link by which the csd is queued.
    #[inline]
    pub(crate) fn node(self) -> *mut Node {
        self.as_ptr().cast()
    }

    /// Returns the flag word.
    #[inline]
    fn flags<'a>(self) -> &'a Atomic<u32> {
        // SAFETY: The csd is valid, by the type invariants; this only computes an address.
        let flags = unsafe { &raw mut (*self.as_ptr()).node.__bindgen_anon_1.u_flags };

        // SAFETY: The flag word is aligned, and all users of it use it as an atomic.
        unsafe { Atomic::from_ptr(flags) }
    }

    /// Returns whether the csd is in use.
    #[inline]
    pub(crate) fn is_locked(self) -> bool {
        self.flags().load(Relaxed) & LOCK != 0
    }

    /// Returns the kind of this entry.
    #[inline]
    pub(crate) fn kind(self) -> Kind {
        let bits = self.type_bits();

        // One test tells asynchronous csds and IRQ work from the other kinds.
        if bits & SYNC_OR_TTWU == 0 {
            match bits {
                bindings::CSD_TYPE_ASYNC => Kind::Async,
                bindings::CSD_TYPE_IRQ_WORK => Kind::IrqWork,
                _ => Kind::Unknown,
            }
        } else {
            match bits {
                bindings::CSD_TYPE_SYNC => Kind::Sync,
                bindings::CSD_TYPE_TTWU => Kind::Ttwu,
                _ => Kind::Unknown,
            }
        }
    }

    /// Returns whether this is an entry of kind `kind`.
    #[inline]
    pub(crate) fn is(self, kind: Kind) -> bool {
        self.type_bits() == kind as u32
    }

    /// Returns the bits of the flag word that hold the kind of the entry.
    #[inline]
    pub(crate) fn type_bits(self) -> u32 {
        self.flags().load(Relaxed) & bindings::CSD_FLAG_TYPE_MASK
    }

    /// Returns whether this is an asynchronous call in a csd of a pool or a per-pair csd.
    ///
    /// The next sender may wait for such a csd.
    #[inline]
    pub(crate) fn is_internal_async(self) -> bool {
        self.flags().load(Relaxed) == Flags::INTERNAL_ASYNC.0
    }

    /// Returns the function and its argument. For the CPU to which the csd belongs.
    #[inline]
    pub(crate) fn call(self) -> Call {
        let csd = self.as_ptr();

        Call {
            // SAFETY: The csd is valid, by the type invariants.
            func: unsafe { (*csd).func },
            // SAFETY: As above.
            info: unsafe { (*csd).info },
        }
    }

    /// Returns the fields of the csd, which may be filled in for another use meanwhile.
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    pub(crate) fn snapshot(self) -> Snapshot {
        let csd = self.as_ptr();
        let target = match self.kind() {
            Kind::Async | Kind::Sync => {
                // SAFETY: The csd is valid, by the type invariants.
                Some(unsafe { (&raw const (*csd).node.dst).read_volatile() })
            }
            _ => None,
        };

        Snapshot {
            // SAFETY: As above.
            func: func_ptr(unsafe { (&raw const (*csd).func).read_volatile() }),
            // SAFETY: As above.
            info: unsafe { (&raw const (*csd).info).read_volatile() },
            target,
        }
    }

    /// Fills in a csd that the caller has locked and not yet pushed.
    ///
    /// A waiter for its last use may look at the fields meanwhile.
    #[inline]
    pub(crate) fn fill(self, call: Call, source: CpuId, target: CpuId) {
        let csd = self.as_ptr();

        // ORDERING: The lock comes before the fields, so that a waiter that sees one of them sees
        // that its use is over. It pairs with the barrier in `Watch::facts()`.
        // LITMUS: csd-lock-fill
        #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
        smp_mb(Write);

        // SAFETY: The csd is valid, and nothing else writes to it before it is queued.
        unsafe { (&raw mut (*csd).func).write_volatile(call.func) };
        // SAFETY: As above.
        unsafe { (&raw mut (*csd).info).write_volatile(call.info) };

        #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
        {
            // SAFETY: As above.
            unsafe { (&raw mut (*csd).node.src).write_volatile(source.as_u32() as u16) };
            // SAFETY: As above.
            unsafe { (&raw mut (*csd).node.dst).write_volatile(target.as_u32() as u16) };
        }
        #[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
        let _ = (source, target);
    }

    /// Locks a csd that is new and that no other CPU can access.
    #[inline]
    pub(crate) fn lock_new(self, kind: Kind) -> Flags {
        let flags = Flags::of(kind);

        self.flags().store(flags.0, Relaxed);
        flags
    }

    /// Locks a csd of a caller for an asynchronous call, if it is unlocked. Returns whether it was.
    ///
    /// The check and the lock are two steps: the caller makes sure that no two CPUs do this at
    /// once.
    #[inline]
    pub(crate) fn lock_if_unlocked(self) -> bool {
        // ORDERING: The stores of the next use depend on this load. It pairs with the release in
        // `unlock()`: the target has read the fields before they are written again.
        let unlocked = !self.is_locked();

        if unlocked {
            self.lock_new(Kind::Async);
        }
        unlocked
    }

    /// Locks a csd of a pool, if it is unlocked. Returns whether it was.
    ///
    /// An interrupt may try the same one at any time: one of the two gets it.
    #[inline]
    pub(crate) fn try_lock(self) -> bool {
        // ORDERING: The acquire pairs with the release in `unlock()`: the target has read the
        // fields before they are written again.
        // LITMUS: csd-claim-reuse
        self.flags()
            .cmpxchg(0, Flags::INTERNAL_ASYNC.0, Acquire)
            .is_ok()
    }

    /// Locks a per-pair csd that the caller has seen unlocked: for the synchronous call with
    /// sequence number `seq`, or, without one, for an asynchronous call.
    ///
    /// The caller is a task that is pinned to its CPU, so no other sender is at the same csd.
    #[inline]
    pub(crate) fn lock_pair(self, seq: Option<u32>) {
        let flags = seq.map_or(Flags::INTERNAL_ASYNC, Flags::sync);

        // ORDERING: The release pairs with the acquire in `is_over()` and `spin_until_over()`: a
        // waiter for the last use that finds this one sees what the last one did.
        // LITMUS: csd-exact-wait
        self.flags().store(flags.0, Release);
    }

    /// Returns whether the use that `flags` stands for is over; without it, whether the csd is
    /// unlocked.
    ///
    /// If so, what the function did is seen.
    #[inline]
    pub(crate) fn is_over(self, flags: Option<Flags>) -> bool {
        // ORDERING: The acquire pairs with the release in `unlock()`, or with that in `lock_pair()`
        // if the csd is in use again: a waiter sees what the function did.
        // LITMUS: csd-unlock-effects, csd-exact-wait
        let now = self.flags().load(Acquire);

        match flags {
            Some(flags) => now != flags.0,
            None => now & LOCK == 0,
        }
    }

    /// Spins until [`is_over`](Self::is_over).
    #[inline]
    pub(crate) fn spin_until_over(self, flags: Option<Flags>) {
        // ORDERING: As in `is_over()`.
        match flags {
            Some(flags) => self.flags().cond_load(|now| now != flags.0, Acquire),
            None => self.flags().cond_load(|now| now & LOCK == 0, Acquire),
        };
    }

    /// Unlocks the csd: the target has run it, or will not touch it again.
    ///
    /// From here on the memory belongs to the source, which may reuse or free it at once.
    #[inline]
    pub(crate) fn unlock(self) {
        warn_on!(!self.is_locked());

        // ORDERING: The release pairs with the acquires in `is_over()`, `spin_until_over()` and
        // `try_lock()`: all that the target did with the csd comes before the source continues.
        // LITMUS: csd-unlock-effects, csd-unlock-reuse, csd-claim-reuse
        self.flags().store(0, Release);
    }
}
