// SPDX-License-Identifier: GPL-2.0

//! Masks of the kernel, set operations, and use by several CPUs.

use super::{
    Cpumask,
    CpumaskVar, //
};
use crate::{
    cpu::CpuId,
    helpers, //
};

// SAFETY: A mask belongs to no task and to no CPU.
unsafe impl Send for Cpumask {}

// SAFETY: A shared reference only allows reads. C reads a mask word by word, also while other CPUs
// change it, as they do with the online mask. All methods that write take `&mut self`.
unsafe impl Sync for Cpumask {}

// SAFETY: It owns its mask, which is `Send`: in line, or in memory that any task may free.
unsafe impl Send for CpumaskVar {}

// SAFETY: A shared reference gives access to the mask by shared reference only, which is `Sync`.
unsafe impl Sync for CpumaskVar {}

impl Cpumask {
    /// Returns the mask of the CPUs that are online.
    ///
    /// The mask may change while it is read. A CPU that is seen online stays online while
    /// preemption is disabled.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::Cpumask;
    ///
    /// assert!(!Cpumask::online().empty());
    /// ```
    #[inline]
    #[doc(alias = "cpu_online_mask")]
    pub fn online() -> &'static Self {
        // SAFETY: The mask is a global of the kernel.
        unsafe { Self::from_raw(&raw const bindings::__cpu_online_mask) }
    }

    /// Returns the mask of the CPUs that can ever be online. It does not change after boot.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::Cpumask;
    ///
    /// assert!(Cpumask::possible().weight() >= Cpumask::online().weight());
    /// ```
    #[inline]
    #[doc(alias = "cpu_possible_mask")]
    pub fn possible() -> &'static Self {
        // SAFETY: The mask is a global of the kernel.
        unsafe { Self::from_raw(&raw const bindings::__cpu_possible_mask) }
    }

    /// Removes all CPUs from the mask.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::try_clone(Cpumask::online())?;
    /// mask.clear_all();
    /// assert!(mask.empty());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_clear")]
    pub fn clear_all(&mut self) {
        // SAFETY: By the type invariant, `self.as_raw` is a valid argument to `cpumask_clear`.
        unsafe { bindings::cpumask_clear(self.as_raw()) };
    }

    /// Sets the mask to the CPUs that are in both `a` and `b`. Returns false if it is then empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(mask.and(Cpumask::online(), Cpumask::possible()));
    /// assert_eq!(mask.weight(), Cpumask::online().weight());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_and")]
    pub fn and(&mut self, a: &Cpumask, b: &Cpumask) -> bool {
        // SAFETY: By the type invariants, all three are valid arguments to `cpumask_and`.
        unsafe { bindings::cpumask_and(self.as_raw(), a.as_raw(), b.as_raw()) }
    }

    /// Removes the CPUs that are not in `other` from the mask. Returns false if it is then empty.
    ///
    /// This is [`and`](Self::and) in place.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// mask.setall();
    /// assert!(mask.and_assign(Cpumask::online()));
    /// assert_eq!(mask.weight(), Cpumask::online().weight());
    ///
    /// let empty = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(!mask.and_assign(&empty));
    /// assert!(mask.empty());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_and")]
    pub fn and_assign(&mut self, other: &Cpumask) -> bool {
        let this = self.as_raw();

        // SAFETY: By the type invariants, both are valid arguments to `cpumask_and`, which allows
        // the result to be one of the two masks.
        unsafe { bindings::cpumask_and(this, this, other.as_raw()) }
    }

    /// Sets the mask to the CPUs that are in `a` or in `b`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// mask.or(Cpumask::online(), Cpumask::possible());
    /// assert_eq!(mask.weight(), Cpumask::possible().weight());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_or")]
    pub fn or(&mut self, a: &Cpumask, b: &Cpumask) {
        // SAFETY: By the type invariants, all three are valid arguments to `cpumask_or`.
        unsafe { bindings::cpumask_or(self.as_raw(), a.as_raw(), b.as_raw()) };
    }

    /// Adds the CPUs that are in `other` to the mask.
    ///
    /// This is [`or`](Self::or) in place.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, cpumask::{Cpumask, CpumaskVar}};
    ///
    /// let cpu = CpuId::current();
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// mask.set(cpu);
    ///
    /// let empty = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// mask.or_assign(&empty);
    /// assert!(mask.test(cpu));
    ///
    /// mask.or_assign(Cpumask::possible());
    /// assert_eq!(mask.weight(), Cpumask::possible().weight());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_or")]
    pub fn or_assign(&mut self, other: &Cpumask) {
        let this = self.as_raw();

        // SAFETY: By the type invariants, both are valid arguments to `cpumask_or`, which allows
        // the result to be one of the two masks.
        unsafe { bindings::cpumask_or(this, this, other.as_raw()) };
    }

    /// Sets the mask to the CPUs that are in `a` and not in `b`. Returns false if it is then empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::{Cpumask, CpumaskVar};
    ///
    /// let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// assert!(!mask.andnot(Cpumask::online(), Cpumask::possible()));
    /// assert!(mask.empty());
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_andnot")]
    pub fn andnot(&mut self, a: &Cpumask, b: &Cpumask) -> bool {
        // SAFETY: By the type invariants, all three are valid arguments to `cpumask_andnot`.
        unsafe { bindings::cpumask_andnot(self.as_raw(), a.as_raw(), b.as_raw()) }
    }

    /// Removes the CPUs that are in `other` from the mask. Returns false if it is then empty.
    ///
    /// This is [`andnot`](Self::andnot) in place.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, cpumask::{Cpumask, CpumaskVar}};
    ///
    /// let cpu = CpuId::current();
    /// let mut this_cpu = CpumaskVar::new_zero(GFP_KERNEL)?;
    /// this_cpu.set(cpu);
    ///
    /// let mut mask = CpumaskVar::try_clone(Cpumask::possible())?;
    /// let others = mask.andnot_assign(&this_cpu);
    /// assert_eq!(others, Cpumask::possible().weight() > 1);
    /// assert_eq!(mask.weight(), Cpumask::possible().weight() - 1);
    /// assert!(!mask.test(cpu));
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    #[doc(alias = "cpumask_andnot")]
    pub fn andnot_assign(&mut self, other: &Cpumask) -> bool {
        let this = self.as_raw();

        // SAFETY: By the type invariants, both are valid arguments to `cpumask_andnot`, which
        // allows the result to be one of the two masks.
        unsafe { bindings::cpumask_andnot(this, this, other.as_raw()) }
    }
}

impl CpuId {
    /// Returns whether the CPU is online.
    ///
    /// A CPU that is online stays so while preemption is disabled. Otherwise the result may be out of
    /// date at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpu::CpuId;
    ///
    /// assert!(CpuId::current().is_online());
    /// ```
    #[inline]
    #[doc(alias = "cpu_online")]
    pub fn is_online(self) -> bool {
        // SAFETY: The CPU is below `nr_cpu_ids`, by the type invariants.
        unsafe { helpers::cpumask::cpu_online(self.as_u32()) }
    }
}

/// Checked at compile time, with and without `CONFIG_CPUMASK_OFFSTACK`.
const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}

    is_send_and_sync::<Cpumask>();
    is_send_and_sync::<CpumaskVar>();
};
