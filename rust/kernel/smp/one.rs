// SPDX-License-Identifier: GPL-2.0

//! Synchronous calls to one CPU.

use super::{
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*, //
};

/// A function that is sent to another CPU, and its result.
pub(super) struct Call<F, R> {
    pub(super) f: F,
    pub(super) result: Option<R>,
}

impl<F, R> Call<F, R> {
    #[inline]
    pub(super) fn new(f: F) -> Self {
        Self { f, result: None }
    }

    #[inline]
    pub(super) fn info(&mut self) -> *mut c_void {
        core::ptr::from_mut(self).cast()
    }
}

impl<F, R> Call<F, R>
where
    F: FnMut(&CallContext) -> R,
{
    /// # Safety
    ///
    /// `info` is a `Self` that has no other user meanwhile, and interrupts are off.
    unsafe extern "C" fn run_on_one(info: *mut c_void) {
        // SAFETY: By the safety requirements.
        let call = unsafe { &mut *info.cast::<Self>() };
        // SAFETY: Interrupts are off until this returns.
        let context = unsafe { CallContext::assume() };

        call.result = Some((call.f)(context));
    }
}

impl Caller {
    /// Calls `f` on `cpu`, waits for it, and returns what it returned.
    ///
    /// `f` is called once at most. It runs with interrupts off, must be short and must not sleep.
    /// `f` and its result may borrow from the caller. It is an [`FnMut`] and not an [`FnOnce`], so
    /// that the caller drops what `f` has captured, and not the interrupt. The caller also drops
    /// the result.
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` was not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Caller};
    ///
    /// let caller = Caller::new()?;
    /// let mut calls = 0;
    /// let answer = caller.call(CpuId::current(), |_| {
    ///     calls += 1;
    ///     "here"
    /// })?;
    /// assert_eq!(calls, 1);
    /// assert_eq!(answer, "here");
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_single")]
    #[inline]
    pub fn call<F, R>(&self, cpu: CpuId, f: F) -> Result<R, CallError>
    where
        F: FnMut(&CallContext) -> R + Send,
        R: Send,
    {
        let mut call = Call::new(f);

        // SAFETY: `call` has no other user meanwhile: with `wait` set, C does not use it any more
        // when it returns.
        unsafe {
            bindings::smp_call_function_single(
                i32::from(cpu),
                Some(Call::<F, R>::run_on_one),
                call.info(),
                true,
            )
        };
        call.result.ok_or_else(|| CallError::not_called(cpu))
    }

    /// Calls `f` on one CPU of `mask`, waits for it, and returns what it returned.
    ///
    /// This CPU is used if it is in `mask`, else the nearest online CPU of `mask`. The rest is as
    /// for [`Caller::call`].
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`]: no CPU of `mask` is online.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::{Cpumask, CpumaskVar}, preempt::CpuPinned, smp::{CallError, Caller}};
    ///
    /// let caller = Caller::new()?;
    /// let cpu = caller.call_any(Cpumask::online(), |ctx| ctx.cpu())?;
    /// assert!(Cpumask::possible().test(cpu));
    ///
    /// let empty = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(caller.call_any(&empty, |_| ()) == Err(CallError::Offline));
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_any")]
    #[inline]
    pub fn call_any<F, R>(&self, mask: &Cpumask, f: F) -> Result<R, CallError>
    where
        F: FnMut(&CallContext) -> R + Send,
        R: Send,
    {
        let mut call = Call::new(f);

        // Without SMP the function of C ignores the set.
        if cfg!(not(CONFIG_SMP)) && mask.empty() {
            return Err(CallError::Offline);
        }
        // SAFETY: As in `call()`; the mask is valid during the call.
        unsafe {
            bindings::smp_call_function_any(
                mask.as_raw(),
                Some(Call::<F, R>::run_on_one),
                call.info(),
                c_int::from(true),
            )
        };
        call.result.ok_or(CallError::Offline)
    }
}
