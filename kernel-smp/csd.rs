// SPDX-License-Identifier: GPL-2.0

//! The request: layout, lock, unlock, wait.
//!
//! Only this file knows the fields of `call_single_data_t`. The flag word is shared by sender and
//! target; all other fields belong to the sender until it pushes the csd, locked, and to the target
//! from when it has taken the csd off its queue until it unlocks it.
//!
//! C header: [`include/linux/smp_types.h`](srctree/include/linux/smp_types.h)

use crate::{
    serve::Waiting,
    stall,
    stats,
    trace::Callsite, //
};
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

/// What a request runs.
pub(crate) type Func = bindings::smp_call_func_t;

/// The link by which requests, of whatever kind, sit in a queue.
pub(crate) type Node = bindings::llist_node;

/// The request is in use.
const LOCK: u32 = bindings::CSD_FLAG_LOCK;

/// The bit that these two kinds have in common and no other kind has.
const SYNC_OR_TTWU: u32 = bindings::CSD_TYPE_SYNC & bindings::CSD_TYPE_TTWU;

const _: () = kernel::build_assert::const_assert!(
    SYNC_OR_TTWU & (bindings::CSD_TYPE_ASYNC | bindings::CSD_TYPE_IRQ_WORK) == 0
);

/// What kind of request a queue entry is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// Unlocked before its function runs.
    Async = bindings::CSD_TYPE_ASYNC,
    /// Somebody waits: unlocked after its function has run.
    Sync = bindings::CSD_TYPE_SYNC,
    /// A `struct irq_work`.
    IrqWork = bindings::CSD_TYPE_IRQ_WORK,
    /// A task to wake up.
    Ttwu = bindings::CSD_TYPE_TTWU,
    /// No kind that is known: the flag word was overwritten.
    Unknown = u32::MAX,
}

/// The flag word of one use of a request, from its lock to its unlock.
///
/// A request of a pair of CPUs can be in use again before who waited for the last use has looked.
/// The uses that somebody waits for are therefore numbered, in bits that no other user of a flag
/// word touches; a word that is not the same any more says that the use is over. When the numbers
/// wrap around, a wait may take too long, but never ends too early.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock(u32);

impl Lock {
    /// Where the number begins.
    const NUMBER_SHIFT: u32 = 8;

    #[inline(always)]
    const fn of(kind: Kind) -> Self {
        Self(LOCK | kind as u32)
    }

    /// The use of a csd of this folder, of a pool or of a pair of CPUs, that nobody waits for.
    const STORED: Self = Self(Self::of(Kind::Async).0 | (1 << Self::NUMBER_SHIFT));

    /// Use number `number` that somebody waits for.
    #[inline(always)]
    pub(crate) const fn waited(number: u32) -> Self {
        Self(Self::of(Kind::Sync).0 | (number << Self::NUMBER_SHIFT))
    }
}

/// The function of a request and its argument.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// What to run.
    pub(crate) func: Func,
    /// What to give to it.
    pub(crate) info: *mut c_void,
}

impl Call {
    /// Runs the function. A null function is warned about, with `csd`, and does nothing.
    ///
    /// # Safety
    ///
    /// Interrupts are off, and `func` may be called with `info`.
    #[inline(always)]
    pub(crate) unsafe fn run(self, csd: Option<Csd>) {
        match self.func {
            // SAFETY: By the safety requirements.
            Some(func) => unsafe { func(self.info) },
            None => warn_no_function(None, csd),
        }
    }
}

/// Warns about a call without a function: once, where its caller is known if it has one.
#[cold]
#[inline(never)]
pub(crate) fn warn_no_function(callsite: Option<Callsite>, csd: Option<Csd>) {
    let callsite = callsite.map_or(0, |callsite| callsite.0);
    let csd = csd.map_or(ptr::null_mut(), Csd::as_ptr);

    // SAFETY: The addresses are only printed.
    unsafe { bindings::smp_warn_no_function(callsite, csd) };
}

/// The address of a function, or null.
pub(crate) fn func_ptr(func: Func) -> *mut c_void {
    func.map_or(ptr::null_mut(), |func| func as *mut c_void)
}

/// What a csd is used for, as a CPU sees it to which it does not belong.
#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) func: *mut c_void,
    pub(crate) info: *mut c_void,
    target: Option<u16>,
}

#[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
impl Snapshot {
    /// Returns the CPU that the csd was sent to, or -1 if its kind does not record it.
    pub(crate) fn target(self) -> i32 {
        self.target.map_or(-1, i32::from)
    }
}

/// A request, or any other entry of a queue.
///
/// This is an address and no reference: a request ends, and its memory may be gone, at the instant
/// at which it is unlocked.
///
/// # Invariants
///
/// The address is that of a `call_single_data_t`, or of what shares its beginning with one (see
/// `struct __call_single_node`). It is valid until the request ends.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Csd(NonNull<bindings::__call_single_data>);

impl Csd {
    /// Takes the address of a request.
    ///
    /// # Safety
    ///
    /// `ptr` must be as the type invariants say, for as long as the value is used.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::__call_single_data) -> Self {
        // INVARIANT: By the safety requirements.
        // SAFETY: A valid address is not null.
        Self(unsafe { NonNull::new_unchecked(ptr) })
    }

    /// Takes the address of the request whose link is `node`.
    ///
    /// # Safety
    ///
    /// `node` must be the link of a queue entry, which has to be valid for as long as the value is
    /// used.
    #[inline(always)]
    pub(crate) unsafe fn from_node(node: *mut Node) -> Self {
        // CAST: The link is the first field of the first field of the request.
        // SAFETY: By the safety requirements.
        unsafe { Self::from_raw(node.cast()) }
    }

    /// Returns the address.
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut bindings::__call_single_data {
        self.0.as_ptr()
    }

    /// Returns the link by which the request is queued.
    #[inline(always)]
    pub(crate) fn node(self) -> *mut Node {
        self.as_ptr().cast()
    }

    /// The flag word.
    #[inline(always)]
    fn flags<'a>(self) -> &'a Atomic<u32> {
        // SAFETY: The request is valid, by the type invariants; this only computes an address.
        let flags = unsafe { &raw mut (*self.as_ptr()).node.__bindgen_anon_1.u_flags };

        // SAFETY: The flag word is aligned, and whoever shares it uses it as an atomic.
        unsafe { Atomic::from_ptr(flags) }
    }

    /// Returns whether the request is in use.
    #[inline(always)]
    pub(crate) fn is_locked(self) -> bool {
        self.flags().load(Relaxed) & LOCK != 0
    }

    /// Returns what kind of entry this is.
    #[inline(always)]
    pub(crate) fn kind(self) -> Kind {
        let bits = self.type_bits();

        // One test puts most entries of a queue in their list.
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
    #[inline(always)]
    pub(crate) fn is(self, kind: Kind) -> bool {
        self.type_bits() == kind as u32
    }

    /// Returns the bits of the flag word that say which kind of entry this is.
    #[inline(always)]
    pub(crate) fn type_bits(self) -> u32 {
        self.flags().load(Relaxed) & bindings::CSD_FLAG_TYPE_MASK
    }

    /// Returns whether this is a request in a csd of this folder that nobody waits for.
    ///
    /// Its next sender may wait for the csd.
    #[inline(always)]
    pub(crate) fn is_stored(self) -> bool {
        self.flags().load(Relaxed) == Lock::STORED.0
    }

    /// Returns what the request runs. For the CPU that the request belongs to.
    #[inline(always)]
    pub(crate) fn call(self) -> Call {
        let csd = self.as_ptr();

        Call {
            // SAFETY: The request is valid, by the type invariants.
            func: unsafe { (*csd).func },
            // SAFETY: As above.
            info: unsafe { (*csd).info },
        }
    }

    /// Returns what the csd is used for. It may be filled in for another use meanwhile.
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

    /// Fills in a request that the caller has locked.
    ///
    /// A waiter for its last use may look at the fields meanwhile. The stores come after that of the
    /// lock, which x86-64 sees to: a waiter that sees one of them sees that its use is over.
    #[inline(always)]
    pub(crate) fn fill(self, call: Call, source: CpuId, target: i32) {
        let csd = self.as_ptr();

        // SAFETY: The request is valid, and nothing else writes to it before it is queued.
        unsafe { (&raw mut (*csd).func).write_volatile(call.func) };
        // SAFETY: As above.
        unsafe { (&raw mut (*csd).info).write_volatile(call.info) };

        #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
        {
            // SAFETY: As above.
            unsafe { (&raw mut (*csd).node.src).write_volatile(source.as_u32() as u16) };
            // SAFETY: As above.
            unsafe { (&raw mut (*csd).node.dst).write_volatile(target as u16) };
        }
        #[cfg(not(CONFIG_CSD_LOCK_WAIT_DEBUG))]
        let _ = (source, target);
    }

    /// Locks a request that is new and that nobody else knows.
    #[inline(always)]
    pub(crate) fn lock_new(self, kind: Kind) -> Lock {
        let lock = Lock::of(kind);

        self.flags().store(lock.0, Relaxed);
        lock
    }

    /// Locks a request of which the caller is the only user, as `async`, if it is unlocked.
    ///
    /// This is a check and no claim: the caller makes sure that no two CPUs do it at once.
    #[inline(always)]
    pub(crate) fn lock_owned(self) -> bool {
        let unlocked = !self.is_locked();

        if unlocked {
            self.lock_new(Kind::Async);
        }
        unlocked
    }

    /// Locks a request of a pool if it is unlocked. Returns whether it was.
    ///
    /// An interrupt may claim the same one at any time: one of the two gets it.
    #[inline(always)]
    pub(crate) fn claim(self) -> bool {
        // ORDERING: The acquire pairs with the release in `unlock()`: the target has read the
        // fields before they are written again.
        // LITMUS: csd-claim-reuse
        self.flags().cmpxchg(0, Lock::STORED.0, Acquire).is_ok()
    }

    /// Locks a request of a pair of CPUs after its last use has ended: for use number `number`, or,
    /// without one, for a use that nobody waits for.
    ///
    /// The caller is a task that is pinned to its CPU, so no other sender is at the same csd.
    #[inline(always)]
    pub(crate) fn lock(self, number: Option<u32>) -> Lock {
        let lock = number.map_or(Lock::STORED, Lock::waited);

        self.wait_until_unlocked(Waiting::Spin);
        // ORDERING: `wait_until_unlocked()` was an acquire that pairs with the release in
        // `unlock()`: the last use has ended before the fields are written again. The release
        // pairs with the acquire in `wait()`: who waits for the last use and finds this one sees
        // what the last one did.
        // LITMUS: csd-exact-wait
        self.flags().store(lock.0, Release);
        lock
    }

    /// Waits until nobody uses the request.
    #[inline(always)]
    pub(crate) fn wait_until_unlocked(self, waiting: Waiting) {
        if stall::enabled() || waiting.serves() {
            waiting.until_over(self, None, None);
        } else {
            // ORDERING: The acquire pairs with the release in `unlock()`.
            self.flags().wait_until_clear(LOCK);
        }
    }

    /// Waits until the use that `lock` began has ended, whoever uses the request by then.
    #[inline(always)]
    pub(crate) fn wait(self, lock: Lock, waiting: Waiting) {
        if stall::enabled() || stats::enabled() || waiting.serves() {
            waiting.until_over(self, Some(lock), None);
        } else {
            // ORDERING: The acquire pairs with the release in `unlock()`, or with that in `lock()`
            // if the request is in use again: what the function did is seen by who waited for it.
            // LITMUS: csd-unlock-effects, csd-exact-wait
            self.flags().wait_until_not(lock.0);
        }
    }

    /// Returns whether the use that `lock` began has ended; without one, whether all have.
    ///
    /// If so, what the function did is seen.
    pub(crate) fn is_over(self, lock: Option<Lock>) -> bool {
        // ORDERING: As in `wait()` and `wait_until_unlocked()`.
        let flags = self.flags().load(Acquire);

        match lock {
            Some(lock) => flags != lock.0,
            None => flags & LOCK == 0,
        }
    }

    /// Ends the request: the target has run it, or will not touch it again.
    ///
    /// From here on the memory belongs to the sender, who may have reused or left it already.
    #[inline(always)]
    pub(crate) fn unlock(self) {
        warn_on!(!self.is_locked());

        // ORDERING: The release pairs with the acquires in `wait()`, `wait_until_unlocked()` and
        // `claim()`: all that the target did with the request comes before the sender goes on.
        // LITMUS: csd-unlock-effects, csd-unlock-reuse, csd-claim-reuse
        self.flags().store(0, Release);
    }
}
