// SPDX-License-Identifier: GPL-2.0

//! Telling a CPU something.

use super::{
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    cpu::CpuId,
    prelude::*, //
};

/// # Safety
///
/// `info` is a `&'static T`, interrupts are off, and there has been an `F`.
unsafe extern "C" fn run<T, F>(info: *mut c_void)
where
    T: Sync + 'static,
    F: Fn(&CallContext, &'static T) + Copy + Send + 'static,
{
    // SAFETY: There has been an `F`, which can be copied and has no size.
    let f = unsafe { core::ptr::NonNull::<F>::dangling().read() };
    // SAFETY: By the safety requirements.
    let data = unsafe { &*info.cast_const().cast::<T>() };

    // SAFETY: Interrupts are off until this returns.
    f(unsafe { CallContext::assume() }, data);
}

impl Caller {
    /// Has `cpu` call `f` with `data`, and does not wait for it.
    ///
    /// Nothing is allocated. If many such calls of this CPU are on their way, this waits until one
    /// of them is taken by its CPU; it never waits for an `f` to end if `CONFIG_SMP_RUST` is on.
    /// `f` captures nothing, which is checked when it is compiled: what it needs is in `data`.
    ///
    /// A module has to call [`Caller::settle`] before it goes.
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` is not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Caller, sync::atomic::{Atomic, Relaxed}};
    ///
    /// static POSTED: Atomic<u32> = Atomic::new(0);
    ///
    /// let caller = Caller::new()?;
    /// caller.post(CpuId::current(), &POSTED, |_, posted| posted.add(1, Relaxed))?;
    /// caller.settle();
    /// assert_eq!(POSTED.load(Relaxed), 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn post<T, F>(&self, cpu: CpuId, data: &'static T, f: F) -> Result<(), CallError>
    where
        T: Sync + 'static,
        F: Fn(&CallContext, &'static T) + Copy + Send + 'static,
    {
        const {
            assert!(
                size_of::<F>() == 0,
                "a function that is posted captures nothing"
            )
        };
        let _ = f;

        // SAFETY: `run()` gets what it asks for, which lives for ever.
        let ret = unsafe {
            bindings::smp_call_function_single(
                i32::from(cpu),
                Some(run::<T, F>),
                core::ptr::from_ref(data).cast_mut().cast(),
                false,
            )
        };
        if ret == 0 {
            Ok(())
        } else {
            Err(CallError::not_called(cpu))
        }
    }
}
