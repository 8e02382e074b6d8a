// SPDX-License-Identifier: GPL-2.0

//! Asynchronous calls to many CPUs.

use super::{
    pending::Head,
    CallContext,
    CallError,
    Caller,
    Pending, //
};
use crate::{
    alloc::Flags,
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    detach::{
        Owner,
        Use, //
    },
    preempt::CpuGuard,
    prelude::*, //
};
use core::convert::Infallible;

/// A function that was sent to CPUs.
struct Inner<F> {
    head: Head<()>,
    f: F,
}

/// # Safety
///
/// `info` is a use of an `Inner<F>` that was sent to this CPU, and interrupts are off.
unsafe extern "C" fn run_async<F>(info: *mut c_void)
where
    F: Fn(&CallContext) + Sync + 'static,
{
    // SAFETY: By the safety requirements.
    let inner = unsafe { Use::<Inner<F>>::from_raw(info.cast()) };

    // SAFETY: Interrupts are off until this returns.
    (inner.f)(unsafe { CallContext::assume() });
}

impl Caller {
    /// Calls `f` asynchronously on the online CPUs of `mask`, including this one if it is in `mask`.
    /// The returned [`Pending`] tells when all of them have returned.
    ///
    /// `f` may run on all of them at the same time, with interrupts off. It must be short and must
    /// not sleep. It borrows nothing, since the caller may have returned when it runs. This waits
    /// until earlier calls of this kind from this CPU have begun on the CPUs of `mask`, but not for
    /// `f`.
    ///
    /// # Errors
    ///
    /// - [`CallError::NoMemory`]: there is no memory.
    /// - [`CallError::Unloading`]: the module of `f` is being unloaded.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::Cpumask, smp::Caller};
    ///
    /// let caller = Caller::new()?;
    /// let pending = caller.call_all_async(Cpumask::online(), |_| (), GFP_KERNEL)?;
    /// // Other work can be done here.
    /// caller.wait(pending);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_many")]
    #[doc(alias = "on_each_cpu_mask")]
    pub fn call_all_async<F>(
        &self,
        mask: &Cpumask,
        f: F,
        flags: Flags,
    ) -> Result<Pending<()>, CallError>
    where
        F: Fn(&CallContext) + Send + Sync + 'static,
    {
        let mut targets = CpumaskVar::new_zero(flags).map_err(|_| CallError::NoMemory)?;
        let inner = Inner {
            head: Head::nothing(mask.next(None).unwrap_or(CpuId::current())),
            f,
        };
        let owner = Owner::new::<Infallible>(inner, run_async::<F> as *const (), flags)
            .map_err(|_| CallError::NoMemory)?;

        // The CPUs that are online now stay so, and all of them are called.
        let _guard = CpuGuard::new();

        if targets.and(mask, Cpumask::online()) {
            let uses = owner
                .start_uses(targets.weight())
                .map_err(|_| CallError::Unloading)?;

            // SAFETY: There is a use for each CPU of `targets`, of which `run_async()` takes one back.
            unsafe {
                bindings::on_each_cpu_cond_mask(
                    None,
                    Some(run_async::<F>),
                    uses.cast(),
                    false,
                    targets.as_raw(),
                )
            };
        }
        Ok(Pending::new(owner, |inner| &inner.head))
    }
}
