// SPDX-License-Identifier: GPL-2.0

//! IRQ work, which shares the queue with csds.

use super::{
    calls::Callback,
    fixture::leak, //
};
use crate::csd::Csd;
use core::cell::UnsafeCell;
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*, //
};

/// An IRQ work that runs a callback, in a hard interrupt.
#[repr(C)]
pub(crate) struct Work<T: 'static> {
    work: UnsafeCell<bindings::irq_work>,
    callback: &'static T,
}

// SAFETY: The IRQ work is handed to functions of C only, which may be used by any CPU, and all CPUs
// may use the callback.
unsafe impl<T: Sync> Sync for Work<T> {}

impl<T: Callback> Work<T> {
    /// Makes an IRQ work, which is never freed.
    pub(crate) fn new(callback: &'static T) -> Result<&'static Self> {
        let mut work = bindings::irq_work {
            func: Some(run::<T>),
            ..Default::default()
        };
        work.node.__bindgen_anon_1.u_flags = bindings::IRQ_WORK_HARD_IRQ;

        leak(Self {
            work: UnsafeCell::new(work),
            callback,
        })
    }

    /// Returns the callback.
    pub(crate) fn callback(&self) -> &'static T {
        self.callback
    }

    /// Queues it on `cpu`. Returns false if it is queued already.
    pub(crate) fn queue_on(&'static self, cpu: CpuId) -> bool {
        // SAFETY: The IRQ work is never freed, and the CPU is online.
        unsafe { bindings::irq_work_queue_on(self.work.get(), i32::from(cpu)) }
    }

    /// Claims it, as `irq_work_queue_on()` does, and returns its entry for the queue of a CPU.
    pub(crate) fn claim(&'static self) -> Csd {
        // SAFETY: The IRQ work is in no queue, so only the test uses it.
        unsafe {
            (*self.work.get()).node.__bindgen_anon_1.u_flags = bindings::IRQ_WORK_HARD_IRQ
                | bindings::IRQ_WORK_CLAIMED
                | bindings::CSD_TYPE_IRQ_WORK
        };

        // SAFETY: An IRQ work begins as a csd does, and this one is never freed.
        unsafe { Csd::from_raw(self.work.get().cast()) }
    }
}

/// # Safety
///
/// `work` is that of a [`Work<T>`].
unsafe extern "C" fn run<T: Callback>(work: *mut bindings::irq_work) {
    // CAST: It is the first field.
    // SAFETY: By the safety requirements; a `Work` is never freed.
    let work = unsafe { &*work.cast_const().cast::<Work<T>>() };

    work.callback.call();
}
