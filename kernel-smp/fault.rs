// SPDX-License-Identifier: GPL-2.0

//! Injected faults: `CONFIG_FAIL_SMP`.
//!
//! As its settings say, `fault.c` drops, delays, reorders, duplicates or multiplies the IPIs of
//! cross-CPU calls, with either implementation. That includes the IPIs for wake-ups and IRQ work of
//! another CPU, which use the same queue. Reschedule IPIs and the IPI of a CPU to itself are not
//! affected. With this implementation there is one fault more: the pool of a CPU has no free slot.

#[cfg(CONFIG_FAIL_SMP)]
use kernel::{
    bindings,
    percpu::CpuPinned as _, //
};
use kernel::{
    interrupt::LocalInterruptDisabled,
    percpu::CpuGuard, //
};

/// Returns whether the pool of this CPU is treated as one without a free slot.
#[inline]
pub(crate) fn no_free_slot(guard: &CpuGuard) -> bool {
    #[cfg(CONFIG_FAIL_SMP)]
    {
        let cpu = i32::from(guard.cpu());

        // SAFETY: May be called in any context.
        unsafe {
            bindings::smp_fault_hits(bindings::smp_fault_kind_SMP_FAULT_NO_FREE_SLOT, cpu, cpu)
        }
    }
    #[cfg(not(CONFIG_FAIL_SMP))]
    {
        let _ = guard;
        false
    }
}

/// Sends the IPIs of this CPU whose delay is over. For a polling wait: with interrupts off, the
/// timer that ends the delay does not run.
#[inline]
pub(crate) fn send_due(irq: &LocalInterruptDisabled) {
    let _ = irq;
    // SAFETY: Interrupts are off.
    #[cfg(CONFIG_FAIL_SMP)]
    unsafe {
        bindings::smp_fault_send_due()
    };
}
