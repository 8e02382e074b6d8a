// SPDX-License-Identifier: GPL-2.0

//! Injected faults: `CONFIG_SMP_RUST_FAULT`.
//!
//! As the settings of `fault.c` say, IPIs of cross-CPU calls are dropped, delayed, reordered,
//! duplicated or sent in bursts, and the pool of a CPU has no free slot. That includes the IPIs for
//! wake-ups and IRQ work of another CPU, which use the same queue. Reschedule IPIs and the IPI of a
//! CPU to itself are not affected.

#[cfg(CONFIG_SMP_RUST_FAULT)]
use kernel::percpu::CpuPinned as _;
use kernel::{
    interrupt::LocalInterruptDisabled,
    percpu::CpuGuard, //
};

#[cfg(CONFIG_SMP_RUST_FAULT)]
mod ipi;

#[cfg(CONFIG_SMP_RUST_FAULT)]
pub(crate) use ipi::{
    arch_send_call_function_ipi_mask,
    arch_send_call_function_single_ipi, //
};

/// Returns whether the pool of this CPU is treated as one without a free slot.
#[inline]
pub(crate) fn no_free_slot(guard: &CpuGuard) -> bool {
    #[cfg(CONFIG_SMP_RUST_FAULT)]
    return ipi::hits(
        kernel::bindings::smp_fault_kind_SMP_FAULT_NO_FREE_SLOT,
        guard.cpu(),
        guard.cpu(),
    );
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    {
        let _ = guard;
        false
    }
}

/// Sends the IPIs of this CPU whose delay is over. For a polling wait: with interrupts off, the
/// timer that ends the delay does not run.
#[inline]
pub(crate) fn release_due(irq: &LocalInterruptDisabled) {
    #[cfg(CONFIG_SMP_RUST_FAULT)]
    ipi::release_due(irq);
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    let _ = irq;
}
