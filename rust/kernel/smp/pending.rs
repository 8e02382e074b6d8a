// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls with a result.

use super::{
    raw::RawCsd,
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    alloc::Flags,
    cpu::CpuId,
    detach::{
        Owner,
        Part,
        Use, //
    },
    prelude::*,
    processor::cpu_relax,
    time::{
        Delta,
        Instant,
        Monotonic, //
    }, //
};
use core::{
    cell::UnsafeCell,
    convert::Infallible, //
};

/// The part that depends on the type of the result only.
///
/// # Invariants
///
/// The result belongs to the targets while there is a [`Use`], and then to the [`Pending`]. It is
/// present from then on, until it is taken.
pub(super) struct Head<R> {
    /// The target, or one of them.
    cpu: CpuId,
    result: UnsafeCell<Option<R>>,
}

// SAFETY: One CPU at a time uses the result, by the type invariants, and it is `Send`.
unsafe impl<R: Send> Sync for Head<R> {}
// SAFETY: Any task may drop the result, which is `Send`.
unsafe impl<R: Send> Send for Head<R> {}

impl Head<()> {
    /// Makes the head of a call whose functions return nothing.
    pub(super) fn nothing(cpu: CpuId) -> Self {
        // INVARIANT: The result is present, and no target uses it.
        Self {
            cpu,
            result: UnsafeCell::new(Some(())),
        }
    }
}

/// A function that was sent to a CPU, and its result.
///
/// # Invariants
///
/// While there is a [`Use`], `f` belongs to the target.
struct Inner<F, R> {
    csd: RawCsd,
    head: Head<R>,
    f: UnsafeCell<F>,
}

// SAFETY: One CPU at a time uses the function, by the type invariants, and it is `Send`.
unsafe impl<F: Send, R: Send> Sync for Inner<F, R> {}
// SAFETY: Any task may free the csd, and drop the function and the result, which are `Send`.
unsafe impl<F: Send, R: Send> Send for Inner<F, R> {}

/// # Safety
///
/// `info` is a use of an `Inner<F, R>` that was sent to this CPU, and interrupts are off.
#[inline]
unsafe extern "C" fn run_async<F, R>(info: *mut c_void)
where
    F: FnMut(&CallContext) -> R + 'static,
    R: 'static,
{
    // SAFETY: By the safety requirements.
    let inner = unsafe { Use::<Inner<F, R>>::from_raw(info.cast()) };

    // SAFETY: The function belongs to this CPU, by the type invariants.
    let f = unsafe { &mut *inner.f.get() };
    // SAFETY: Interrupts are off until this returns.
    let result = f(unsafe { CallContext::assume() });
    // INVARIANT: The result is present when the use ends.
    // SAFETY: It belongs to this CPU, by the type invariants. There was none, so nothing is dropped
    // here.
    unsafe { *inner.head.result.get() = Some(result) };
}

/// The result of an asynchronous call.
///
/// A drop never waits, and may happen in any context but an NMI. If the call is in flight, it is
/// detached: the function still runs, and a worker drops the function and its result later. A
/// module with a call in flight cannot be unloaded.
///
/// # Examples
///
/// See [`call_async`].
#[must_use = "the result is lost when this is dropped"]
pub struct Pending<R>(Part<Head<R>>);

/// Calls `f` on `cpu` asynchronously. The returned [`Pending`] gives the result.
///
/// In any context but an NMI where memory may be allocated with `flags`. `f` is called once, with
/// interrupts off. It must be short and must not sleep. It borrows nothing, since the caller may
/// have returned when it runs.
///
/// # Errors
///
/// - [`CallError::NoMemory`]: there is no memory.
/// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` is not called.
/// - [`CallError::Unloading`]: the module of `f` is being unloaded.
///
/// # Examples
///
/// ```
/// use kernel::{cpumask::Cpumask, preempt::CpuPinned, smp::{call_async, Caller}};
///
/// let caller = Caller::new()?;
/// let mut answers = KVec::new();
/// for cpu in Cpumask::online() {
///     if let Ok(pending) = call_async(cpu, |ctx| ctx.cpu(), GFP_KERNEL) {
///         answers.push((cpu, pending), GFP_KERNEL)?;
///     }
/// }
/// for (cpu, pending) in answers {
///     assert!(caller.wait(pending) == cpu);
/// }
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "smp_call_function_single_async")]
pub fn call_async<F, R>(cpu: CpuId, f: F, flags: Flags) -> Result<Pending<R>, CallError>
where
    F: FnMut(&CallContext) -> R + Send + 'static,
    R: Send + 'static,
{
    let inner = Inner {
        csd: RawCsd::new(),
        head: Head {
            cpu,
            result: UnsafeCell::new(None),
        },
        f: UnsafeCell::new(f),
    };
    let owner = Owner::new::<Infallible>(inner, run_async::<F, R> as *const (), flags)
        .map_err(|_| CallError::NoMemory)?;
    let started = owner.start_use().map_err(|_| CallError::Unloading)?;
    let info = started.into_raw();

    // SAFETY: The csd was never sent. It stays valid until `run_async()` takes the use back and
    // drops it.
    if !unsafe { RawCsd::send(&raw const owner.csd, cpu, run_async::<F, R>, info.cast()) } {
        // SAFETY: The csd was not sent.
        drop(unsafe { Use::from_raw(info) });
        return Err(CallError::not_called(cpu));
    }
    Ok(Pending::new(owner, |inner| &inner.head))
}

impl<R> Pending<R> {
    pub(super) fn new<T: Send + Sync>(owner: Owner<T>, head: impl FnOnce(&T) -> &Head<R>) -> Self {
        Self(owner.into_part(head))
    }

    /// Returns whether the function has returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::call_async};
    ///
    /// let pending = call_async(CpuId::current(), |_| (), GFP_KERNEL)?;
    /// while !pending.is_done() {
    ///     // Other work can be done here.
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn is_done(&self) -> bool {
        !self.0.is_used()
    }

    /// Returns the result if the function has returned.
    ///
    /// # Errors
    ///
    /// - `self`: the function has not returned yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::call_async};
    ///
    /// let mut pending = call_async(CpuId::current(), |_| 3, GFP_KERNEL)?;
    /// let answer = loop {
    ///     match pending.poll() {
    ///         Ok(answer) => break answer,
    ///         Err(not_yet) => pending = not_yet,
    ///     }
    /// };
    /// assert_eq!(answer, 3);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn poll(self) -> Result<R, Self> {
        if !self.is_done() {
            return Err(self);
        }
        // SAFETY: There is no `Use` any more, so the result belongs to this.
        let result = unsafe { &mut *self.0.result.get() };

        // SAFETY: The result is present until it is taken. Only this takes it, and consumes `self`.
        Ok(unsafe { result.take().unwrap_unchecked() })
    }
}

impl Caller {
    fn wait_until_done<R>(&self, pending: &Pending<R>) {
        self.wait_until(|| pending.is_done(), || pending.0.cpu);
    }

    /// Waits for the result of `pending`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}};
    ///
    /// let pending = call_async(CpuId::current(), |_| "later", GFP_KERNEL)?;
    /// assert_eq!(Caller::new()?.wait(pending), "later");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait<R>(&self, mut pending: Pending<R>) -> R {
        loop {
            self.wait_until_done(&pending);
            match pending.poll() {
                Ok(result) => return result,
                Err(not_yet) => pending = not_yet,
            }
        }
    }

    /// Waits for the result of `pending`, for a limited time.
    ///
    /// # Errors
    ///
    /// - `pending`: the function has not returned yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}, time::Delta};
    ///
    /// let caller = Caller::new()?;
    /// let pending = call_async(CpuId::current(), |_| "soon", GFP_KERNEL)?;
    /// match caller.wait_timeout(pending, Delta::from_millis(100)) {
    ///     Ok(answer) => assert_eq!(answer, "soon"),
    ///     Err(pending) => assert_eq!(caller.wait(pending), "soon"),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait_timeout<R>(&self, pending: Pending<R>, timeout: Delta) -> Result<R, Pending<R>> {
        // `poll()` shows whether the wait has timed out.
        let _ = self.join_timeout(core::slice::from_ref(&pending), timeout);
        pending.poll()
    }

    /// Waits until all functions have returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}};
    ///
    /// let here = CpuId::current();
    /// let pending = [
    ///     call_async(here, |_| 1, GFP_KERNEL)?,
    ///     call_async(here, |_| 2, GFP_KERNEL)?,
    /// ];
    /// Caller::new()?.join(&pending);
    /// assert!(pending.map(|pending| pending.poll().ok()) == [Some(1), Some(2)]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join<R>(&self, pending: &[Pending<R>]) {
        pending
            .iter()
            .for_each(|pending| self.wait_until_done(pending));
    }

    /// Waits until all functions have returned, for a limited time.
    ///
    /// A long wait is not reported, since it has a bound.
    ///
    /// # Errors
    ///
    /// - [`CallError::TimedOut`]: not all functions have returned yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, CallError, Caller}, time::Delta};
    ///
    /// let pending = [call_async(CpuId::current(), |_| (), GFP_KERNEL)?];
    /// match Caller::new()?.join_timeout(&pending, Delta::from_millis(100)) {
    ///     Ok(()) => assert!(pending[0].is_done()),
    ///     Err(error) => assert!(error == CallError::TimedOut),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join_timeout<R>(&self, pending: &[Pending<R>], timeout: Delta) -> Result<(), CallError> {
        let start = Instant::<Monotonic>::now();

        self.assert_may_wait();
        for one in pending {
            while !one.is_done() {
                if start.elapsed() >= timeout {
                    return Err(CallError::TimedOut);
                }
                cpu_relax();
            }
        }
        Ok(())
    }
}
