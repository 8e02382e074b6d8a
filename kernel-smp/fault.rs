// SPDX-License-Identifier: GPL-2.0

//! Faults that are made on purpose: `CONFIG_SMP_RUST_FAULT`.
//!
//! IPIs of cross-CPU calls are lost, delayed, swapped, doubled or sent in bursts, and the pool of a
//! CPU is empty, where `fault.c` says so. IPIs of the scheduler and of others are left alone.

use crate::percpu::CpuGuard;
#[cfg(CONFIG_SMP_RUST_FAULT)]
use crate::percpu::CpuPinned as _;
use kernel::interrupt::LocalInterruptDisabled;

/// Returns whether this CPU is to find its pool empty.
#[inline(always)]
pub(crate) fn pool_is_empty(guard: &CpuGuard) -> bool {
    #[cfg(CONFIG_SMP_RUST_FAULT)]
    return ipi::hits(
        kernel::bindings::smp_fault_kind_SMP_FAULT_POOL_EMPTY,
        guard.cpu(),
        guard.cpu(),
    );
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    {
        let _ = guard;
        false
    }
}

/// Sends the IPIs that this CPU has held back for long enough: it waits with interrupts off, and its
/// timer cannot do so.
#[inline(always)]
pub(crate) fn release_due(irq: &LocalInterruptDisabled) {
    #[cfg(CONFIG_SMP_RUST_FAULT)]
    ipi::release_due(irq);
    #[cfg(not(CONFIG_SMP_RUST_FAULT))]
    let _ = irq;
}

#[cfg(CONFIG_SMP_RUST_FAULT)]
mod ipi;

#[cfg(CONFIG_SMP_RUST_FAULT)]
pub(crate) use ipi::send;
