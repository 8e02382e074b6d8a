// SPDX-License-Identifier: GPL-2.0

//! Calling many CPUs, and waiting for all of them.

use super::{
    CallContext,
    Caller,
    Slots, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    interrupt::local_interrupt_disable,
    preempt::CpuPinned,
    prelude::*, //
};

/// # Safety
///
/// `info` is an `F` that lives until this returns, and interrupts are off.
unsafe extern "C" fn run<F: Fn(&CallContext) + Sync>(info: *mut c_void) {
    // SAFETY: By the safety requirements.
    let f = unsafe { &*info.cast_const().cast::<F>() };

    // SAFETY: Interrupts are off until this returns.
    f(unsafe { CallContext::assume() });
}

/// A function for many CPUs, and the condition that its caller looks at.
struct Conditional<'a, F, C> {
    f: &'a F,
    /// Only used by the CPU of the caller.
    condition: *mut C,
}

impl<F, C> Conditional<'_, F, C>
where
    F: Fn(&CallContext) + Sync,
    C: FnMut(CpuId) -> bool + Send,
{
    /// # Safety
    ///
    /// `info` is a `Self` that lives until this returns, and interrupts are off.
    unsafe extern "C" fn run(info: *mut c_void) {
        // SAFETY: By the safety requirements.
        let this = unsafe { &*info.cast_const().cast::<Self>() };

        // SAFETY: Interrupts are off until this returns.
        (this.f)(unsafe { CallContext::assume() });
    }

    /// # Safety
    ///
    /// `info` is a `Self` that lives until this returns, with a condition that nobody else uses
    /// meanwhile. `cpu` is the number of a CPU.
    unsafe extern "C" fn applies(cpu: c_int, info: *mut c_void) -> bool {
        // SAFETY: By the safety requirements.
        let this = unsafe { &*info.cast_const().cast::<Self>() };
        // SAFETY: By the safety requirements.
        let condition = unsafe { &mut *this.condition };
        // SAFETY: By the safety requirements.
        let cpu = unsafe { CpuId::from_i32_unchecked(cpu) };

        // A call that waits, made by the condition, would change the set that this call waits for.
        // With interrupts off there is no new `Caller`, and what is `Send` has brought none.
        let _irq = local_interrupt_disable();

        condition(cpu)
    }
}

/// A value for each CPU, in the hands of the CPUs.
struct SharedSlots<T>(*mut T);

// SAFETY: A CPU touches only the value that is for it.
unsafe impl<T: Send> Sync for SharedSlots<T> {}

impl<T> SharedSlots<T> {
    /// Returns where the value of `cpu` is.
    ///
    /// # Safety
    ///
    /// There is a value for each CPU.
    unsafe fn of(&self, cpu: CpuId) -> *mut T {
        // SAFETY: By the safety requirements.
        unsafe { self.0.add(cpu.as_u32() as usize) }
    }
}

impl Caller {
    /// Calls `f` on all CPUs that are online, this one too, and waits for them.
    ///
    /// `f` runs on all of them at once, with interrupts off. It must be short and must not sleep. It
    /// may borrow from the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{smp::Caller, sync::atomic::{Atomic, Relaxed}};
    ///
    /// let calls = Atomic::new(0u32);
    /// Caller::new()?.call_all(|_| calls.add(1, Relaxed));
    /// assert!(calls.load(Relaxed) >= 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "on_each_cpu")]
    #[inline]
    pub fn call_all<F: Fn(&CallContext) + Sync>(&self, f: F) {
        self.call_all_in(Cpumask::online(), f);
    }

    /// Calls `f` on all CPUs of `mask` that are online, this one too if it is in, and waits for them.
    ///
    /// A set without a CPU that is online is no error. The rest is as for [`Caller::call_all`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, cpumask::CpumaskVar, smp::Caller};
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// mask.set(CpuId::current());
    /// let calls = Atomic::new(0u32);
    /// Caller::new()?.call_all_in(&mask, |_| calls.add(1, Relaxed));
    /// assert_eq!(calls.load(Relaxed), 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "on_each_cpu_mask")]
    #[inline]
    pub fn call_all_in<F: Fn(&CallContext) + Sync>(&self, mask: &Cpumask, f: F) {
        // SAFETY: `run()` gets what it asks for, and all CPUs are done when this returns. The mask is
        // valid meanwhile.
        unsafe {
            bindings::on_each_cpu_cond_mask(
                None,
                Some(run::<F>),
                core::ptr::from_ref(&f).cast_mut().cast(),
                true,
                mask.as_raw(),
            )
        };
    }

    /// Calls `f` on those CPUs of `mask` that are online and to which `condition` applies.
    ///
    /// `condition` is asked here, with interrupts off, for one CPU after the other. It cannot wait for
    /// other CPUs itself: it is [`Send`], which a [`Caller`] is not. The rest is as for
    /// [`Caller::call_all_in`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, cpumask::Cpumask, smp::Caller};
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    ///
    /// let calls = Atomic::new(0u32);
    /// let mut first = true;
    /// Caller::new()?.call_all_if(
    ///     Cpumask::online(),
    ///     |_cpu| core::mem::take(&mut first),
    ///     |_| calls.add(1, Relaxed),
    /// );
    /// assert_eq!(calls.load(Relaxed), 1);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "on_each_cpu_cond_mask")]
    #[inline]
    pub fn call_all_if<F, C>(&self, mask: &Cpumask, mut condition: C, f: F)
    where
        F: Fn(&CallContext) + Sync,
        C: FnMut(CpuId) -> bool + Send,
    {
        let this = Conditional {
            f: &f,
            condition: &raw mut condition,
        };

        // SAFETY: As in `call_all_in()`; the condition is asked by this CPU.
        unsafe {
            bindings::on_each_cpu_cond_mask(
                Some(Conditional::<F, C>::applies),
                Some(Conditional::<F, C>::run),
                core::ptr::from_ref(&this).cast_mut().cast(),
                true,
                mask.as_raw(),
            )
        };
    }

    /// Calls `f` on all CPUs that are online but this one, and waits for them.
    ///
    /// "This one" is the CPU that the task is on as the call begins. The rest is as for
    /// [`Caller::call_all`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{preempt::{CpuGuard, CpuPinned}, smp::Caller};
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    ///
    /// let guard = CpuGuard::new();
    /// let here = guard.cpu();
    /// let met_here = Atomic::new(false);
    /// Caller::new()?.call_others(|ctx| {
    ///     if ctx.cpu() == here {
    ///         met_here.store(true, Relaxed);
    ///     }
    /// });
    /// assert!(!met_here.load(Relaxed));
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function")]
    #[inline]
    pub fn call_others<F: Fn(&CallContext) + Sync>(&self, f: F) {
        self.call_others_in(Cpumask::online(), f);
    }

    /// Calls `f` on all CPUs of `mask` that are online but this one, and waits for them.
    ///
    /// The rest is as for [`Caller::call_others`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::CpumaskVar, smp::Caller, sync::atomic::{Atomic, Relaxed}};
    ///
    /// let nobody = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// let calls = Atomic::new(0u32);
    /// Caller::new()?.call_others_in(&nobody, |_| calls.add(1, Relaxed));
    /// assert_eq!(calls.load(Relaxed), 0);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "smp_call_function_many")]
    #[inline]
    pub fn call_others_in<F: Fn(&CallContext) + Sync>(&self, mask: &Cpumask, f: F) {
        // SAFETY: As in `call_all_in()`.
        unsafe {
            bindings::smp_call_function_many(
                mask.as_raw(),
                Some(run::<F>),
                core::ptr::from_ref(&f).cast_mut().cast(),
                true,
            )
        };
    }

    /// Calls `f` on all CPUs of `mask` that are online, each with a slot of its own, and waits.
    ///
    /// The rest is as for [`Caller::call_all_in`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::Cpumask, preempt::CpuPinned, smp::{Caller, Slots}};
    ///
    /// let mut answers = Slots::new(|_cpu| None, GFP_KERNEL)?;
    /// Caller::new()?.call_all_with(Cpumask::online(), &mut answers, |ctx, answer| {
    ///     *answer = Some(ctx.cpu());
    /// });
    /// for (cpu, answer) in answers.iter() {
    ///     assert!(answer.is_none_or(|answer| answer == cpu));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn call_all_with<T, F>(&self, mask: &Cpumask, slots: &mut Slots<T>, f: F)
    where
        T: Send,
        F: Fn(&CallContext, &mut T) + Sync,
    {
        let slots = SharedSlots(slots.as_mut_ptr());

        self.call_all_in(mask, |context| {
            // SAFETY: There is a slot for each CPU.
            let slot = unsafe { slots.of(context.cpu()) };
            // SAFETY: This CPU is called once, and only it uses the slot.
            f(context, unsafe { &mut *slot });
        });
    }
}
