// SPDX-License-Identifier: GPL-2.0

//! Per-CPU variables that are allocated.

use super::{
    CpuPinned,
    StaticPerCpu, //
};
use crate::{
    alloc::{
        AllocError,
        Flags, //
    },
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*, //
};
use core::mem::needs_drop;

/// A per-CPU variable that is allocated, one for each possible CPU.
///
/// As with [`StaticPerCpu`], other CPUs and interrupts may access a variable at any time: the
/// methods return a shared reference.
///
/// # Invariants
///
/// `variable` was allocated for this, and is initialized for each possible CPU.
///
/// # Examples
///
/// ```
/// use kernel::{
///     percpu::{CpuGuard, CpuPinned, DynamicPerCpu},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// let seen = DynamicPerCpu::new_with(|_cpu| Atomic::new(0u64), GFP_KERNEL)?;
/// let guard = CpuGuard::new();
///
/// seen.this_cpu(&guard).add(1, Relaxed);
/// assert_eq!(seen.get(guard.cpu()).map(|seen| seen.load(Relaxed)), Some(1));
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "alloc_percpu")]
#[doc(alias = "free_percpu")]
pub struct DynamicPerCpu<T> {
    pub(super) variable: StaticPerCpu<T>,
}

// SAFETY: Any task may drop the variables, which are `Send`.
unsafe impl<T: Send> Send for DynamicPerCpu<T> {}
// SAFETY: A shared reference gives access to the variables by shared reference only.
unsafe impl<T: Sync> Sync for DynamicPerCpu<T> {}

impl<T> DynamicPerCpu<T> {
    /// Allocates a variable for each possible CPU: the one that `init` returns for it.
    ///
    /// # Errors
    ///
    /// - [`AllocError`]: there is no memory, or a `T` is larger than 32 KiB, of which the kernel then
    ///   warns. `init` was not called.
    ///
    /// # Examples
    ///
    /// See [`DynamicPerCpu`].
    #[doc(alias = "alloc_percpu_gfp")]
    pub fn new_with(mut init: impl FnMut(CpuId) -> T, flags: Flags) -> Result<Self, AllocError> {
        // A variable without a size has an address, too.
        let size = size_of::<T>().max(1);
        // SAFETY: It is an allocation function.
        let base = unsafe { bindings::alloc_percpu_gfp(size, align_of::<T>(), flags.as_raw()) };
        if base.is_null() {
            return Err(AllocError);
        }

        // SAFETY: An allocated variable is accessed as one in a per-CPU section is.
        let variable = unsafe { StaticPerCpu::<T>::new(base.cast()) };
        for cpu in Cpumask::possible() {
            // SAFETY: The CPU is possible.
            let place = unsafe { variable.per_cpu_ptr(cpu) };
            // SAFETY: It was allocated for a `T`, and is used nowhere else.
            unsafe { place.write(init(cpu)) };
        }
        // INVARIANT: Just done.
        Ok(Self { variable })
    }

    /// Allocates a variable for each possible CPU, whose bytes are all zero.
    ///
    /// # Errors
    ///
    /// - [`AllocError`]: as for [`new_with`](Self::new_with).
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, percpu::DynamicPerCpu};
    ///
    /// let sizes = DynamicPerCpu::<[u32; 4]>::new_zero(GFP_KERNEL)?;
    /// assert_eq!(sizes.get(CpuId::current()), Some(&[0; 4]));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new_zero(flags: Flags) -> Result<Self, AllocError>
    where
        T: Zeroable,
    {
        Self::new_with(|_| pin_init::zeroed(), flags)
    }
}

impl<T: Sync> DynamicPerCpu<T> {
    /// Returns the variable of the CPU that the caller stays on.
    ///
    /// # Examples
    ///
    /// See [`DynamicPerCpu`].
    #[inline]
    #[doc(alias = "this_cpu_ptr")]
    pub fn this_cpu<'a, P: CpuPinned + ?Sized>(&'a self, pinned: &'a P) -> &'a T {
        self.variable.this_cpu(pinned)
    }

    /// Returns the variable of `cpu`, or [`None`] if the CPU is not possible.
    ///
    /// # Examples
    ///
    /// See [`DynamicPerCpu`].
    #[inline]
    #[doc(alias = "per_cpu_ptr")]
    pub fn get(&self, cpu: CpuId) -> Option<&T> {
        // SAFETY: The CPU is possible.
        let variable = |cpu| unsafe { &*self.variable.per_cpu_ptr(cpu) };

        Cpumask::possible().test(cpu).then(|| variable(cpu))
    }
}

impl<T> Drop for DynamicPerCpu<T> {
    fn drop(&mut self) {
        if needs_drop::<T>() {
            for cpu in Cpumask::possible() {
                // SAFETY: The CPU is possible.
                let place = unsafe { self.variable.per_cpu_ptr(cpu) };
                // SAFETY: It is initialized, by the type invariants, and not used again.
                unsafe { place.drop_in_place() };
            }
        }
        // SAFETY: It was allocated for this, by the type invariants.
        unsafe { bindings::free_percpu(self.variable.symbol.cast()) };
    }
}
