// SPDX-License-Identifier: GPL-2.0

//! The csd of C, and one that several CPUs may post.

use super::CallError;
use crate::{
    bindings,
    cpu::CpuId,
    preempt::CpuGuard,
    prelude::*,
    sync::atomic::{
        Atomic,
        AtomicFlag,
        Full,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};

/// A function that C calls for a csd.
pub(super) type Func = unsafe extern "C" fn(*mut c_void);

/// The csd of C. `call_single_data_t` is aligned to its size.
#[repr(C, align(32))]
pub(super) struct RawCsd(Opaque<bindings::__call_single_data>);

static_assert!(align_of::<RawCsd>() >= size_of::<bindings::__call_single_data>());

impl RawCsd {
    pub(super) const fn new() -> Self {
        Self(Opaque::zeroed())
    }

    /// Sends the csd to `cpu`, which calls `func` with `info`. Returns false if `cpu` is offline.
    ///
    /// # Safety
    ///
    /// `this` is valid, and not in use: it was never sent, or `func` was called each time. It stays
    /// valid until `func` is called, and `func` may be called with `info`.
    #[inline]
    pub(super) unsafe fn send(
        this: *const Self,
        cpu: CpuId,
        func: Func,
        info: *mut c_void,
    ) -> bool {
        // SAFETY: It is valid; this only computes an address.
        let csd = unsafe { Opaque::cast_into(&raw const (*this).0) };

        // SAFETY: The csd is not in use.
        unsafe { (*csd).func = Some(func) };
        // SAFETY: As above.
        unsafe { (*csd).info = info };
        // SAFETY: By the safety requirements.
        unsafe { bindings::smp_call_function_single_async(i32::from(cpu), csd.cast()) == 0 }
    }
}

/// A csd that any CPU may post, and that is queued once at a time.
///
/// # Invariants
///
/// `csd` belongs to the CPU that sets `queued`, until the function clears it.
pub(super) struct SharedCsd {
    csd: RawCsd,
    /// Code of the module that has made this: another one that posts it may be unloaded first.
    func: Func,
    queued: AtomicFlag,
    /// The last target.
    target: Atomic<u32>,
}

// SAFETY: One CPU at a time uses `csd`, by the type invariants.
unsafe impl Sync for SharedCsd {}

// SAFETY: Any task may free the csd.
unsafe impl Send for SharedCsd {}

impl SharedCsd {
    /// Makes a csd that is not queued, and for which `func` is called.
    pub(super) const fn new(func: Func) -> Self {
        Self {
            csd: RawCsd::new(),
            func,
            // INVARIANT: It was never sent.
            queued: AtomicFlag::new(false),
            target: Atomic::new(0),
        }
    }

    /// Returns the code that is called.
    #[inline]
    pub(super) fn code(&self) -> *const () {
        self.func as *const ()
    }

    /// Sends the csd to `cpu`, which calls the function with what `start` returns. If it is not
    /// sent, that is given to `end`. When it is sent, the function may free it before this returns.
    ///
    /// # Errors
    ///
    /// - [`CallError::Busy`]: the csd is queued. The function has not begun, and will see what the
    ///   caller has written before.
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: the csd was not sent.
    /// - [`CallError::Unloading`]: `start` has failed.
    ///
    /// # Safety
    ///
    /// `this` is valid. The function may be called with what `start` returns. It calls
    /// [`begin`](Self::begin), and the csd stays valid until then.
    #[inline]
    pub(super) unsafe fn post(
        this: *const Self,
        cpu: CpuId,
        start: impl FnOnce() -> Result<*mut c_void>,
        end: impl FnOnce(*mut c_void),
    ) -> Result<(), CallError> {
        let _guard = CpuGuard::new();

        // This comes before `queued` is set, so that the function is called after each `Busy`.
        if !cpu.is_online() {
            return Err(CallError::not_called(cpu));
        }
        let info = start().map_err(|_| CallError::Unloading)?;

        // ORDERING: Full. As a release it pairs with the exchange in `begin()`, also if `queued`
        // was set: that function sees what the caller has written. As an acquire it pairs with the
        // same one: C does not use the csd any more.
        // LITMUS: posted-busy
        // SAFETY: It is valid, and not sent by the caller.
        if unsafe { (*this).queued.xchg(true, Full) } {
            end(info);
            return Err(CallError::Busy);
        }
        // SAFETY: As above.
        unsafe { (*this).target.store(cpu.as_u32(), Relaxed) };
        // SAFETY: As above; this only computes an address.
        let csd = unsafe { &raw const (*this).csd };
        // SAFETY: As above.
        let func = unsafe { (*this).func };

        // INVARIANT: `queued` has just been set. SAFETY: The csd is not in use, by the type
        // invariants. It stays valid, by the safety requirements.
        if !unsafe { RawCsd::send(csd, cpu, func, info) } {
            // The CPU was online with preemption off, so this is unexpected.
            crate::warn_on_once!(true);
            // INVARIANT: C has not queued the csd, and does not call the function.
            // ORDERING: Pairs with the exchange above: the csd is not in use.
            // SAFETY: It is valid: it was not sent.
            unsafe { (*this).queued.store(false, Release) };
            end(info);
            return Err(CallError::Offline);
        }
        Ok(())
    }

    /// Lets the csd be posted again.
    ///
    /// # Safety
    ///
    /// To be called once for each time that the csd was sent, by the function that C calls for it.
    #[inline]
    pub(super) unsafe fn begin(&self) {
        // INVARIANT: C has unlocked the csd before it called the function, and does not use it any
        // more.
        // ORDERING: Full. As an acquire it pairs with the exchange in `post()`: the function sees
        // what each caller has written that got `Busy`. As a release it pairs with the same one:
        // the csd is not in use.
        // LITMUS: posted-busy
        self.queued.xchg(false, Full);
    }

    /// Returns the last target, or CPU 0.
    pub(super) fn target(&self) -> CpuId {
        // SAFETY: This is the number of a CPU that was online, or 0.
        unsafe { CpuId::from_u32_unchecked(self.target.load(Relaxed)) }
    }
}
