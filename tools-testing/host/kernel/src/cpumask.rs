// SPDX-License-Identifier: GPL-2.0

//! Sets of CPUs.

use crate::cpu::CpuId;
use core::cell::UnsafeCell;

#[path = "../../../../rust/kernel/cpumask/iter.rs"]
mod iter;
#[path = "../../../../rust/kernel/cpumask/sets.rs"]
mod sets;

pub use iter::{Cursor, Iter};

/// A set of CPUs.
#[repr(transparent)]
pub struct Cpumask(UnsafeCell<bindings::cpumask>);

impl Cpumask {
    /// # Safety
    ///
    /// `mask` is valid as long as the reference is.
    pub unsafe fn from_raw<'a>(mask: *const bindings::cpumask) -> &'a Self {
        // SAFETY: By the safety requirements.
        unsafe { &*mask.cast() }
    }

    /// # Safety
    ///
    /// As for [`Cpumask::from_raw`], and only the caller uses it.
    pub unsafe fn from_raw_mut<'a>(mask: *mut bindings::cpumask) -> &'a mut Self {
        // SAFETY: By the safety requirements.
        unsafe { &mut *mask.cast() }
    }

    /// Returns the set of C.
    pub fn as_raw(&self) -> *mut bindings::cpumask {
        self.0.get()
    }

    /// Puts `cpu` in.
    pub fn set(&mut self, cpu: CpuId) {
        bindings::cpumask_set_cpu(cpu.as_u32(), self.as_raw());
    }

    /// Takes `cpu` out.
    pub fn clear(&mut self, cpu: CpuId) {
        bindings::cpumask_clear_cpu(cpu.as_u32(), self.as_raw());
    }

    /// Returns whether `cpu` is in.
    pub fn test(&self, cpu: CpuId) -> bool {
        bindings::cpumask_test_cpu(cpu.as_u32(), self.as_raw())
    }

    /// Returns whether no CPU is in.
    pub fn empty(&self) -> bool {
        bindings::cpumask_empty(self.as_raw())
    }

    /// Returns how many CPUs are in.
    pub fn weight(&self) -> u32 {
        bindings::cpumask_weight(self.as_raw())
    }

    /// Makes `to` the same set.
    pub fn copy(&self, to: &mut Self) {
        bindings::cpumask_copy(to.as_raw(), self.as_raw());
    }
}

/// A set of CPUs that may be allocated.
pub struct CpumaskVar(());

impl CpumaskVar {
    /// # Safety
    ///
    /// `mask` was allocated, and only the caller uses it as long as the reference is valid.
    pub unsafe fn from_raw_mut<'a>(mask: *mut bindings::cpumask_var_t) -> &'a mut Cpumask {
        // SAFETY: By the safety requirements.
        unsafe { Cpumask::from_raw_mut(mask.cast()) }
    }
}
