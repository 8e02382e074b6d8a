// SPDX-License-Identifier: GPL-2.0

//! Arithmetic on the variable of the CPU that the caller runs on.

use super::{
    DynamicPerCpu,
    StaticPerCpu, //
};
use crate::{
    bindings,
    sync::atomic::{
        Atomic,
        AtomicType, //
    }, //
};
use core::marker::PhantomData;

/// A number to which a CPU can add in one step.
///
/// `i32`, `u32`, `isize` and `usize`; with `CONFIG_64BIT` `i64` and `u64`, too.
///
/// # Examples
///
/// See [`StaticPerCpu::num`].
pub trait Number: AtomicType + private::Sealed {
    /// Adds `value` to the variable of the CPU that the caller runs on. The sum wraps around.
    ///
    /// # Safety
    ///
    /// `variable` is the address of a per-CPU variable.
    #[doc(hidden)]
    unsafe fn add_to_this_cpu(variable: *mut Self, value: Self);

    /// Returns the number that adds up to 0 with this one.
    #[doc(hidden)]
    fn negated(self) -> Self;
}

mod private {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($ty:ident = $add:ident($word:ident);)*) => {$(
        impl private::Sealed for $ty {}

        impl Number for $ty {
            #[inline]
            unsafe fn add_to_this_cpu(variable: *mut Self, value: Self) {
                // SAFETY: By the safety requirements.
                unsafe { bindings::$add(variable.cast(), value as $word) };
            }

            #[inline]
            fn negated(self) -> Self {
                self.wrapping_neg()
            }
        }
    )*};
}

numbers! {
    i32 = this_cpu_add_u32(u32);
    u32 = this_cpu_add_u32(u32);
}

// A CPU of 32 bits stores a number of 64 bits in two steps, and others would load half of it.
#[cfg(CONFIG_64BIT)]
numbers! {
    i64 = this_cpu_add_u64(u64);
    u64 = this_cpu_add_u64(u64);
    isize = this_cpu_add_u64(u64);
    usize = this_cpu_add_u64(u64);
}

#[cfg(not(CONFIG_64BIT))]
numbers! {
    isize = this_cpu_add_u32(u32);
    usize = this_cpu_add_u32(u32);
}

/// The operations on a per-CPU number.
///
/// Each is one step for the CPU: neither an interrupt nor a move of the task to another CPU comes in
/// between, and on x86 no NMI either, so the caller need not stay on a CPU. It is faster than an
/// operation of [`Atomic`]. It is not one step for other CPUs. They may load the variable of this
/// CPU, but what they store or add may be lost.
///
/// # Invariants
///
/// `variable` is the address of a per-CPU variable that lives for `'a`.
///
/// # Examples
///
/// See [`StaticPerCpu::num`].
pub struct PerCpuNumeric<'a, T: Number> {
    variable: StaticPerCpu<Atomic<T>>,
    _lifetime: PhantomData<&'a ()>,
}

impl<T: Number> PerCpuNumeric<'_, T> {
    /// Adds `value` to the variable of the CPU that the caller runs on. The sum wraps around.
    ///
    /// # Examples
    ///
    /// See [`StaticPerCpu::num`].
    #[inline]
    #[doc(alias = "this_cpu_add")]
    pub fn add(&self, value: T) {
        // SAFETY: By the type invariants.
        unsafe { T::add_to_this_cpu(self.variable.symbol.cast(), value) };
    }

    /// Subtracts `value` from the variable of the CPU that the caller runs on. The difference wraps
    /// around.
    ///
    /// # Examples
    ///
    /// See [`StaticPerCpu::num`].
    #[inline]
    #[doc(alias = "this_cpu_sub")]
    pub fn sub(&self, value: T) {
        self.add(value.negated());
    }
}

impl<T: Number> StaticPerCpu<Atomic<T>> {
    /// Returns the operations on a number.
    ///
    /// # Examples
    ///
    /// A counter, and its sum.
    ///
    /// ```
    /// use kernel::{
    ///     cpumask::Cpumask,
    ///     percpu::define_per_cpu,
    ///     sync::atomic::{Atomic, Relaxed},
    /// };
    ///
    /// define_per_cpu! {
    ///     static PACKETS: Atomic<usize> = Atomic::new(0);
    /// }
    ///
    /// PACKETS.num().add(5);
    /// PACKETS.num().sub(2);
    ///
    /// let each = Cpumask::possible().iter().filter_map(|cpu| PACKETS.get(cpu));
    /// assert_eq!(each.map(|packets| packets.load(Relaxed)).fold(0, usize::wrapping_add), 3);
    /// ```
    #[inline]
    pub fn num(self) -> PerCpuNumeric<'static, T> {
        // INVARIANT: It lives as long as the kernel or the module does.
        PerCpuNumeric {
            variable: self,
            _lifetime: PhantomData,
        }
    }
}

impl<T: Number> DynamicPerCpu<Atomic<T>> {
    /// Returns the operations on a number.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     percpu::DynamicPerCpu,
    ///     sync::atomic::Atomic,
    /// };
    ///
    /// let packets = DynamicPerCpu::new_with(|_cpu| Atomic::new(0u32), GFP_KERNEL)?;
    /// packets.num().add(1);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn num(&self) -> PerCpuNumeric<'_, T> {
        // INVARIANT: It lives as long as `self` is borrowed.
        PerCpuNumeric {
            variable: self.variable,
            _lifetime: PhantomData,
        }
    }
}
