// SPDX-License-Identifier: GPL-2.0

//! Calls that run in a task.

use super::{
    one::Call,
    CallError,
    Caller, //
};
use crate::{
    cpu::CpuId,
    prelude::*, //
};

/// # Safety
///
/// `info` is a `Call<F, R>` that has no other user meanwhile.
unsafe extern "C" fn run_in_task<F, R>(info: *mut c_void) -> c_int
where
    F: FnMut() -> R,
{
    // SAFETY: By the safety requirements.
    let call = unsafe { &mut *info.cast::<Call<F, R>>() };

    call.result = Some((call.f)());
    0
}

impl Caller {
    /// Calls `f` in a task on `cpu`, waits for it, and returns what it returned.
    ///
    /// `f` runs in a worker thread of the CPU with interrupts on, and may sleep. It may borrow from
    /// the caller, which drops it. The caller must be able to sleep: preemption is enabled, and it
    /// holds no spinning lock. If the CPU goes offline meanwhile, `f` may run on another CPU.
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` was not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, cpumask::Cpumask, smp::Caller, task::might_sleep};
    ///
    /// let caller = Caller::new()?;
    /// for cpu in Cpumask::online() {
    ///     let answer = caller.call_in_task(cpu, || {
    ///         might_sleep();
    ///         CpuId::current()
    ///     });
    ///     assert!(answer.is_ok());
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_on_cpu")]
    pub fn call_in_task<F, R>(&self, cpu: CpuId, f: F) -> Result<R, CallError>
    where
        F: FnMut() -> R + Send,
        R: Send,
    {
        self.call_on(cpu, f, false)
    }

    /// As [`call_in_task`](Self::call_in_task), while the CPU is pinned to the physical CPU of the
    /// same number: for firmware that runs on one physical CPU only.
    ///
    /// A hypervisor that can pin it, such as Xen, does so. Elsewhere this is as
    /// [`call_in_task`](Self::call_in_task).
    ///
    /// # Errors
    ///
    /// As for [`call_in_task`](Self::call_in_task).
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Caller};
    ///
    /// let caller = Caller::new()?;
    /// if let Some(first) = CpuId::from_u32(0) {
    ///     assert_eq!(caller.call_in_task_phys(first, || 7)?, 7);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_on_cpu")]
    pub fn call_in_task_phys<F, R>(&self, cpu: CpuId, f: F) -> Result<R, CallError>
    where
        F: FnMut() -> R + Send,
        R: Send,
    {
        self.call_on(cpu, f, true)
    }

    fn call_on<F, R>(&self, cpu: CpuId, f: F, phys: bool) -> Result<R, CallError>
    where
        F: FnMut() -> R + Send,
        R: Send,
    {
        let mut call = Call::new(f);

        // SAFETY: `call` has no other user meanwhile: `run_in_task()` has returned when this
        // returns.
        unsafe {
            bindings::smp_call_on_cpu(cpu.as_u32(), Some(run_in_task::<F, R>), call.info(), phys)
        };
        call.result.ok_or_else(|| CallError::not_called(cpu))
    }
}
