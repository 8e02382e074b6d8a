// SPDX-License-Identifier: GPL-2.0

//! A value for each CPU, owned by the caller.

use crate::{
    alloc::{
        AllocError,
        Flags, //
    },
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    percpu::CacheAligned,
    prelude::*, //
};

/// A value for each CPU number, in a cache line of its own.
/// [`Caller::call_all_with`](super::Caller::call_all_with) passes it to the function on that CPU.
///
/// # Invariants
///
/// There are as many values as CPU numbers.
///
/// # Examples
///
/// ```
/// use kernel::{cpu::CpuId, smp::Slots};
///
/// let slots = Slots::new(|cpu| cpu.as_u32() * 2, GFP_KERNEL)?;
/// let here = CpuId::current();
/// assert_eq!(*slots.get(here), here.as_u32() * 2);
/// # Ok::<(), Error>(())
/// ```
pub struct Slots<T>(KVec<CacheAligned<T>>);

impl<T> Slots<T> {
    /// Makes slots with the values that `make` returns for each CPU number, in ascending order.
    ///
    /// In any context where memory may be allocated with `flags`.
    ///
    /// # Errors
    ///
    /// - [`AllocError`]: there is no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::nr_cpu_ids, smp::Slots};
    ///
    /// let slots = Slots::new(|_cpu| 0u64, GFP_KERNEL)?;
    /// assert_eq!(slots.iter().count(), nr_cpu_ids() as usize);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(mut make: impl FnMut(CpuId) -> T, flags: Flags) -> Result<Self, AllocError> {
        let mut values = KVec::with_capacity(nr_cpu_ids() as usize, flags)?;

        for cpu in numbers() {
            values.push(CacheAligned::new(make(cpu)), flags)?;
        }
        // INVARIANT: There is one value for each CPU number.
        Ok(Self(values))
    }

    /// Returns the value of `cpu`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Slots};
    ///
    /// let slots = Slots::new(|cpu| Some(cpu), GFP_KERNEL)?;
    /// assert!(*slots.get(CpuId::current()) != None);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn get(&self, cpu: CpuId) -> &T {
        // SAFETY: There is a value for each CPU number, by the type invariants.
        let slot = unsafe { self.0.get_unchecked(cpu.as_u32() as usize) };

        slot.get()
    }

    /// Returns a mutable reference to the value of `cpu`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Slots};
    ///
    /// let mut slots = Slots::new(|_cpu| 1, GFP_KERNEL)?;
    /// let here = CpuId::current();
    /// *slots.get_mut(here) = 2;
    /// assert_eq!(*slots.get(here), 2);
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn get_mut(&mut self, cpu: CpuId) -> &mut T {
        // SAFETY: There is a value for each CPU number, by the type invariants.
        let slot = unsafe { self.0.get_unchecked_mut(cpu.as_u32() as usize) };

        slot.get_mut()
    }

    /// Returns an iterator over the CPU numbers and their values.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::smp::Slots;
    ///
    /// let slots = Slots::new(|cpu| cpu, GFP_KERNEL)?;
    /// assert!(slots.iter().all(|(cpu, value)| *value == cpu));
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (CpuId, &T)> {
        numbers().zip(self.0.iter().map(CacheAligned::get))
    }

    /// Returns an iterator over the CPU numbers and mutable references to their values.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::smp::Slots;
    ///
    /// let mut slots = Slots::new(|_cpu| 1, GFP_KERNEL)?;
    /// slots.iter_mut().for_each(|(_, value)| *value = 0);
    /// assert!(slots.iter().all(|(_, value)| *value == 0));
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (CpuId, &mut T)> {
        numbers().zip(self.0.iter_mut().map(CacheAligned::get_mut))
    }

    /// Returns the address of the values.
    #[inline]
    pub(super) fn as_mut_ptr(&mut self) -> *mut CacheAligned<T> {
        self.0.as_mut_ptr()
    }
}

fn numbers() -> impl Iterator<Item = CpuId> {
    // SAFETY: Each number is in range.
    (0..nr_cpu_ids()).map(|cpu| unsafe { CpuId::from_u32_unchecked(cpu) })
}
