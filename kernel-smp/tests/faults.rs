// SPDX-License-Identifier: GPL-2.0

//! Faults that a test asks for.

use kernel::bindings;

pub(crate) use kernel::bindings::{
    smp_fault_kind_SMP_FAULT_BURST as BURST,
    smp_fault_kind_SMP_FAULT_DELAY as DELAY,
    smp_fault_kind_SMP_FAULT_DROP as DROP,
    smp_fault_kind_SMP_FAULT_DUPLICATE as DUPLICATE,
    smp_fault_kind_SMP_FAULT_POOL_EMPTY as POOL_EMPTY,
    smp_fault_kind_SMP_FAULT_REORDER as REORDER, //
};

/// A fault is made until this is dropped.
pub(crate) struct Fault {
    settings: *mut bindings::smp_fault,
}

impl Fault {
    /// Makes the fault each time.
    pub(crate) fn always(kind: bindings::smp_fault_kind) -> Self {
        Self::new(kind, 100, -1)
    }

    /// Makes the fault the next `times` times.
    pub(crate) fn times(kind: bindings::smp_fault_kind, times: i32) -> Self {
        Self::new(kind, 100, times)
    }

    /// Makes the fault in so many of a hundred cases.
    pub(crate) fn sometimes(kind: bindings::smp_fault_kind, percent: usize) -> Self {
        Self::new(kind, percent, -1)
    }

    fn new(kind: bindings::smp_fault_kind, percent: usize, times: i32) -> Self {
        let settings = (&raw mut bindings::smp_faults).cast::<bindings::smp_fault>();
        // SAFETY: There are settings for each kind.
        let settings = unsafe { settings.add(kind as usize) };

        // SAFETY: The settings may change at any time.
        unsafe { (&raw mut (*settings).attr.times.counter).write_volatile(times) };
        // SAFETY: As above.
        unsafe { (&raw mut (*settings).attr.probability).write_volatile(percent) };
        Self { settings }
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        // SAFETY: The settings may change at any time.
        unsafe { (&raw mut (*self.settings).attr.probability).write_volatile(0) };
    }
}
