// SPDX-License-Identifier: GPL-2.0

//! Calling one CPU, and waiting for its answer.

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

/// A function on its way to another CPU, and its answer.
pub(super) struct Call<F, R> {
    pub(super) f: F,
    pub(super) answer: Option<R>,
}

impl<F, R> Call<F, R> {
    #[inline(always)]
    pub(super) fn new(f: F) -> Self {
        Self { f, answer: None }
    }

    #[inline(always)]
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
    /// `info` is a `Self` that nobody else uses meanwhile, and interrupts are off.
    unsafe extern "C" fn run(info: *mut c_void) {
        // SAFETY: By the safety requirements.
        let call = unsafe { &mut *info.cast::<Self>() };
        // SAFETY: Interrupts are off until this returns.
        let context = unsafe { CallContext::assume() };

        call.answer = Some((call.f)(context));
    }
}

impl Caller {
    /// Calls `f` on `cpu`, waits for it, and returns what it returned.
    ///
    /// `f` is called once at most. It runs with interrupts off, must be short and must not sleep.
    /// It may borrow from the caller, and so may what it returns. It is an [`FnMut`] and no
    /// [`FnOnce`] for the sake of what it has captured: that is dropped by the caller and not in the
    /// interrupt, as the answer is.
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

        // SAFETY: `run()` gets what it asks for. With the last argument the C side is done with it
        // when it returns.
        unsafe {
            bindings::smp_call_function_single(
                i32::from(cpu),
                Some(Call::<F, R>::run),
                call.info(),
                true,
            )
        };
        call.answer.ok_or_else(|| CallError::not_called(cpu))
    }

    /// Calls `f` on one CPU of `mask`, waits for it, and returns what it returned.
    ///
    /// This CPU is taken if it is in `mask`, else one that is near. The rest is as for
    /// [`Caller::call`].
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
    /// let nobody = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(caller.call_any(&nobody, |_| ()) == Err(CallError::Offline));
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

        // Without SMP the function of C does not look at the set.
        if cfg!(not(CONFIG_SMP)) && mask.empty() {
            return Err(CallError::Offline);
        }
        // SAFETY: As in `call()`; the mask is valid during the call.
        unsafe {
            bindings::smp_call_function_any(
                mask.as_raw(),
                Some(Call::<F, R>::run),
                call.info(),
                c_int::from(true),
            )
        };
        call.answer.ok_or(CallError::Offline)
    }
}
