// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls that a scope waits for.

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

/// The data that the posted functions use.
struct Shared<'a, T> {
    data: &'a T,
    /// How many functions have returned.
    done: Atomic<usize>,
}

/// Posts functions to CPUs. Created by [`Caller::scope`], which waits for all of them.
///
/// # Examples
///
/// See [`Caller::scope`].
pub struct Posts<'a, T> {
    shared: Shared<'a, T>,
    /// How many functions were posted.
    sent: Cell<usize>,
}

/// # Safety
///
/// `info` is a `Shared<T>` that lives until this has incremented `done`, interrupts are off, and a
/// value of `F` has existed.
#[inline]
unsafe extern "C" fn run_post<T, F>(info: *mut c_void)
where
    T: Sync,
    F: Fn(&CallContext, &T) + Copy + Send + 'static,
{
    // SAFETY: A value of `F` has existed. `F` is `Copy` and `'static`, and has size zero.
    let f = unsafe { core::ptr::NonNull::<F>::dangling().read() };
    // SAFETY: By the safety requirements.
    let shared = unsafe { &*info.cast_const().cast::<Shared<'_, T>>() };

    // SAFETY: Interrupts are off until this returns.
    f(unsafe { CallContext::assume() }, shared.data);

    // ORDERING: Pairs with the acquire in `Caller::scope()`. The shared data may be freed after
    // this.
    shared.done.fetch_add(1, Release);
}

impl<T: Sync> Posts<'_, T> {
    /// Calls `f` on `cpu` asynchronously, with the data of the scope.
    ///
    /// Nothing is allocated. If this CPU has no free csd for the call, this waits until a target
    /// has begun to run an earlier asynchronous call of this CPU. Without `CONFIG_SMP_RUST` there
    /// is one csd. `f` captures nothing, which is checked at compile time: what it needs is in the
    /// data.
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

        // SAFETY: `Caller::scope()` returns after `run_post()` has incremented `done`, and `f` is a
        // value of `F`.
        let ret = unsafe {
            bindings::smp_call_function_single(
                i32::from(cpu),
                Some(run_post::<T, F>),
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
    /// The functions get `data`, which may be borrowed. They cannot outlive this call, since it
    /// waits after `f` in any case, also if `f` returns early.
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
        // ORDERING: Pairs with the release in `run_post()`: the caller sees what the functions have
        // written.
        self.wait_until(
            || posts.shared.done.load(Acquire) == posts.sent.get(),
            // The targets are not recorded: a long wait calls this CPU, and then all CPUs.
            CpuId::current,
        );
        result
    }
}
