// SPDX-License-Identifier: GPL-2.0

//! Synchronous calls to many CPUs.

use super::{
    CallContext,
    Caller,
    Slots, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    interrupt::local_interrupt_disable,
    percpu::CacheAligned,
    preempt::CpuPinned,
    prelude::*, //
};

/// # Safety
///
/// `info` is an `F` that lives until this returns, and interrupts are off.
unsafe extern "C" fn run_on_each<F: Fn(&CallContext) + Sync>(info: *mut c_void) {
    // SAFETY: By the safety requirements.
    let f = unsafe { &*info.cast_const().cast::<F>() };

    // SAFETY: Interrupts are off until this returns.
    f(unsafe { CallContext::assume() });
}

/// A function for many CPUs, and the condition that selects the CPUs.
struct Conditional<'a, F, C> {
    f: &'a F,
    /// Used on the CPU of the caller only.
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
    unsafe extern "C" fn run_on_some(info: *mut c_void) {
        // SAFETY: By the safety requirements.
        let this = unsafe { &*info.cast_const().cast::<Self>() };

        // SAFETY: Interrupts are off until this returns.
        (this.f)(unsafe { CallContext::assume() });
    }

    /// # Safety
    ///
    /// `info` is a `Self` that lives until this returns. Its condition has no other user meanwhile.
    /// `cpu` is the number of a CPU.
    unsafe extern "C" fn applies(cpu: c_int, info: *mut c_void) -> bool {
        // SAFETY: By the safety requirements.
        let this = unsafe { &*info.cast_const().cast::<Self>() };
        // SAFETY: By the safety requirements.
        let condition = unsafe { &mut *this.condition };
        // SAFETY: By the safety requirements.
        let cpu = unsafe { CpuId::from_i32_unchecked(cpu) };

        // A synchronous call by the condition would change the set that this call waits for. With
        // interrupts off no `Caller` can be made, and a condition that is `Send` has captured none.
        let _irq = local_interrupt_disable();

        condition(cpu)
    }
}

/// A value for each CPU, shared by the CPUs.
struct SharedSlots<T>(*mut CacheAligned<T>);

// SAFETY: A CPU uses only the value that is for it.
unsafe impl<T: Send> Sync for SharedSlots<T> {}

impl<T> SharedSlots<T> {
    /// Returns the address of the value of `cpu`.
    ///
    /// # Safety
    ///
    /// There is a value for each CPU.
    unsafe fn of(&self, cpu: CpuId) -> *mut CacheAligned<T> {
        // SAFETY: By the safety requirements.
        unsafe { self.0.add(cpu.as_u32() as usize) }
    }
}

impl Caller {
    /// Calls `f` on all online CPUs, including this one, and waits for them.
    ///
    /// `f` may run on all of them at the same time, with interrupts off. It must be short and must
    /// not sleep. It may borrow from the caller.
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

    /// Calls `f` on all online CPUs of `mask`, including this one if it is in `mask`, and waits for
    /// them.
    ///
    /// A set without an online CPU is not an error. Otherwise as [`Caller::call_all`].
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
        // SAFETY: `f` lives until this returns: all CPUs have run it then. The mask is valid
        // meanwhile.
        unsafe {
            bindings::on_each_cpu_cond_mask(
                None,
                Some(run_on_each::<F>),
                core::ptr::from_ref(&f).cast_mut().cast(),
                true,
                mask.as_raw(),
            )
        };
    }

    /// Calls `f` on the online CPUs of `mask` for which `condition` returns true, and waits for
    /// them.
    ///
    /// `condition` runs on this CPU, with interrupts off, for one CPU after the other. It cannot
    /// wait for other CPUs itself: it is [`Send`], and a [`Caller`] is not. Otherwise as
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

        // SAFETY: As in `call_all_in()`. The condition runs on this CPU only.
        unsafe {
            bindings::on_each_cpu_cond_mask(
                Some(Conditional::<F, C>::applies),
                Some(Conditional::<F, C>::run_on_some),
                core::ptr::from_ref(&this).cast_mut().cast(),
                true,
                mask.as_raw(),
            )
        };
    }

    /// Calls `f` on all online CPUs but this one, and waits for them.
    ///
    /// "This one" is the CPU that the task runs on when the call begins. Otherwise as
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

    /// Calls `f` on all online CPUs of `mask` but this one, and waits for them.
    ///
    /// Otherwise as [`Caller::call_others`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::CpumaskVar, smp::Caller, sync::atomic::{Atomic, Relaxed}};
    ///
    /// let empty = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// let calls = Atomic::new(0u32);
    /// Caller::new()?.call_others_in(&empty, |_| calls.add(1, Relaxed));
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
                Some(run_on_each::<F>),
                core::ptr::from_ref(&f).cast_mut().cast(),
                true,
            )
        };
    }

    /// Calls `f` on all online CPUs of `mask`, each with its own slot, and waits for them.
    ///
    /// Otherwise as [`Caller::call_all_in`].
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
            let slot = unsafe { &mut *slot };

            f(context, slot.get_mut());
        });
    }
}
