// SPDX-License-Identifier: GPL-2.0

//! Injected faults.

use kernel::{
    bindings,
    cpu::CpuId, //
};

pub(crate) use kernel::bindings::{
    smp_fault_kind_SMP_FAULT_BURST as BURST,
    smp_fault_kind_SMP_FAULT_DELAY as DELAY,
    smp_fault_kind_SMP_FAULT_DROP as DROP,
    smp_fault_kind_SMP_FAULT_DUPLICATE as DUPLICATE,
    smp_fault_kind_SMP_FAULT_NO_FREE_SLOT as NO_FREE_SLOT,
    smp_fault_kind_SMP_FAULT_REORDER as REORDER, //
};

/// A fault is injected until this is dropped.
pub(crate) struct Fault {
    settings: *mut bindings::smp_fault,
}

impl Fault {
    /// Injects the fault each time.
    pub(crate) fn always(kind: bindings::smp_fault_kind) -> Self {
        Self::new(kind, 100, -1)
    }

    /// Injects the fault in `percent` of the cases.
    pub(crate) fn sometimes(kind: bindings::smp_fault_kind, percent: usize) -> Self {
        Self::new(kind, percent, -1)
    }

    /// Injects the fault into each IPI from `from` to `to`, up to `times` times.
    pub(crate) fn between(
        kind: bindings::smp_fault_kind,
        from: CpuId,
        to: CpuId,
        times: i32,
    ) -> Self {
        let this = Self::new(kind, 0, times);

        this.set_pair(from.into(), to.into());
        this.set_percent(100);
        this
    }

    fn new(kind: bindings::smp_fault_kind, percent: usize, times: i32) -> Self {
        let settings = (&raw mut bindings::smp_faults).cast::<bindings::smp_fault>();
        // SAFETY: The array has an element for each kind.
        let settings = unsafe { settings.add(kind as usize) };

        // SAFETY: The settings may change at any time.
        unsafe { (&raw mut (*settings).attr.times.counter).write_volatile(times) };
        let this = Self { settings };

        this.set_percent(percent);
        this
    }

    fn set_percent(&self, percent: usize) {
        // SAFETY: The settings may change at any time.
        unsafe { (&raw mut (*self.settings).attr.probability).write_volatile(percent) };
    }

    /// -1 stands for any CPU.
    fn set_pair(&self, from: i32, to: i32) {
        // SAFETY: The settings may change at any time.
        unsafe { (&raw mut (*self.settings).from).write_volatile(from) };
        // SAFETY: As above.
        unsafe { (&raw mut (*self.settings).to).write_volatile(to) };
    }

    /// Returns how often it will still be injected.
    pub(crate) fn times_left(&self) -> i32 {
        // SAFETY: The settings may change at any time.
        unsafe { (&raw const (*self.settings).attr.times.counter).read_volatile() }
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.set_percent(0);
        self.set_pair(-1, -1);
    }
}
