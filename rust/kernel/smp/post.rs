// SPDX-License-Identifier: GPL-2.0

//! Many calls without an answer, which are waited for together.

use super::{
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};
use core::cell::Cell;

/// What the functions that were posted use.
struct Shared<'a, T> {
    data: &'a T,
    /// How many have returned.
    done: Atomic<usize>,
}

/// Posts functions to CPUs. Made by [`Caller::scope`], which waits for all of them.
pub struct Posts<'a, T> {
    shared: Shared<'a, T>,
    /// How many were posted.
    sent: Cell<usize>,
}

/// # Safety
///
/// `info` is a `Shared<T>` that lives until this counts as done, interrupts are off, and there has been
/// an `F`.
#[inline]
unsafe extern "C" fn run<T, F>(info: *mut c_void)
where
    T: Sync,
    F: Fn(&CallContext, &T) + Copy + Send + 'static,
{
    // SAFETY: There has been an `F`, which can be copied, has no size, and does not end.
    let f = unsafe { core::ptr::NonNull::<F>::dangling().read() };
    // SAFETY: By the safety requirements.
    let shared = unsafe { &*info.cast_const().cast::<Shared<'_, T>>() };

    // SAFETY: Interrupts are off until this returns.
    f(unsafe { CallContext::assume() }, shared.data);

    // ORDERING: Pairs with the acquire in `Caller::scope()`. What is shared may be gone after this.
    shared.done.fetch_add(1, Release);
}

impl<T: Sync> Posts<'_, T> {
    /// Has `cpu` call `f` with the data of the scope, and does not wait for it.
    ///
    /// Nothing is allocated. If many such calls of this CPU are on their way, this waits until one
    /// of them is taken by its CPU; it never waits for an `f` to end if `CONFIG_SMP_RUST` is on.
    /// `f` captures nothing, which is checked when it is compiled: what it needs is in the data.
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` is not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::Cpumask, smp::{CallError, Caller}, sync::atomic::{Atomic, Relaxed}};
    ///
    /// let calls = Atomic::new(0u32);
    /// let posted = Caller::new()?.scope(&calls, |posts| {
    ///     let post = |cpu| posts.post(cpu, |_, calls| calls.add(1, Relaxed));
    ///     Cpumask::online().iter().filter(|cpu| post(*cpu).is_ok()).count()
    /// });
    /// assert_eq!(calls.load(Relaxed) as usize, posted);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn post<F>(&self, cpu: CpuId, f: F) -> Result<(), CallError>
    where
        F: Fn(&CallContext, &T) + Copy + Send + 'static,
    {
        const {
            assert!(
                size_of::<F>() == 0,
                "a function that is posted captures nothing"
            )
        };
        let _ = f;

        // SAFETY: `run()` gets what it asks for: `Caller::scope()` does not return before it is done.
        let ret = unsafe {
            bindings::smp_call_function_single(
                i32::from(cpu),
                Some(run::<T, F>),
                core::ptr::from_ref(&self.shared).cast_mut().cast(),
                false,
            )
        };
        if ret == 0 {
            self.sent.set(self.sent.get().wrapping_add(1));
            Ok(())
        } else {
            Err(CallError::not_called(cpu))
        }
    }
}

impl Caller {
    /// Calls `f`, which may post functions to CPUs, and waits until all of them have returned.
    ///
    /// The functions get `data`, which may be borrowed, and cannot outlive this: neither a leak nor an
    /// early return of `f` leaves one behind.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Caller, sync::atomic::{Atomic, Relaxed}};
    ///
    /// let posted = Atomic::new(0u32);
    /// Caller::new()?.scope(&posted, |posts| {
    ///     posts.post(CpuId::current(), |_, posted| posted.add(1, Relaxed))
    /// })?;
    /// assert_eq!(posted.load(Relaxed), 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_single")]
    pub fn scope<T: Sync, R>(&self, data: &T, f: impl FnOnce(&Posts<'_, T>) -> R) -> R {
        let posts = Posts {
            shared: Shared {
                data,
                done: Atomic::new(0),
            },
            sent: Cell::new(0),
        };

        let result = f(&posts);
        // ORDERING: Pairs with the release in `run()`: what the functions have written is seen.
        self.wait_until(
            || posts.shared.done.load(Acquire) == posts.sent.get(),
            // Where functions are left is not kept: after this one, all CPUs are called.
            CpuId::current,
        );
        result
    }
}
