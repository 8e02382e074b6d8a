// SPDX-License-Identifier: GPL-2.0

//! Seam: the local APIC and the IDs of the CPUs.

use crate::{
    cluster::Clusters,
    icr::Icr, //
};
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::Cpumask,
    interrupt::LocalInterruptDisabled,
    irqflags::with_interrupts_off,
    percpu::StaticPerCpu,
    sync::atomic::{
        atomic_load,
        Relaxed, //
    }, //
};

/// Makes what this CPU wrote visible before an IPI that it sends next.
///
/// Writing an x2APIC register orders nothing by itself. On CPUs where it does, the instructions are
/// patched out at boot.
#[inline(always)]
pub(crate) fn fence() {
    // LITMUS: x2apic-fence
    // SAFETY: A fence may be anywhere.
    unsafe { bindings::weak_wrmsr_fence() };
}

/// Sends the IPI that `icr` describes. In any context.
///
/// Whoever wants the target to see earlier writes calls [`fence`] first.
///
/// # Safety
///
/// The local APIC is in x2APIC mode, and the destination is a CPU that can take an interrupt.
#[inline(always)]
pub(crate) unsafe fn write_icr(icr: Icr) {
    let raw = icr.into_raw();

    // SAFETY: The register exists, by the safety requirements.
    unsafe { bindings::native_x2apic_icr_write(raw as u32, (raw >> 32) as u32) };
}

/// Returns the APIC ID of `cpu`.
///
/// # Safety
///
/// `cpu` is possible.
#[inline(always)]
pub(crate) unsafe fn apic_id(cpu: CpuId) -> u32 {
    // SAFETY: The variable is a per-CPU one of C.
    let ids = unsafe { StaticPerCpu::<u32>::new(&raw mut bindings::x86_cpu_to_apicid) };
    // SAFETY: `cpu` is possible, by the safety requirements.
    let id = unsafe { ids.per_cpu_ptr(cpu) };

    // SAFETY: The pointer is valid and aligned, and writes are single stores.
    unsafe { atomic_load(id, Relaxed) }
}

/// Returns the logical APIC ID of `cpu`.
///
/// # Safety
///
/// The cluster driver is in use, and `cpu` is possible.
#[inline(always)]
pub(crate) unsafe fn logical_id(cpu: CpuId) -> u32 {
    // SAFETY: The cluster driver sets this once, before it is installed.
    let ids = unsafe { (&raw const bindings::x86_cpu_to_logical_apicid).read() };
    // SAFETY: The array has an entry for each CPU.
    let id = unsafe { ids.add(cpu.as_u32() as usize) };

    // SAFETY: The pointer is valid and aligned, and writes are single stores.
    unsafe { atomic_load(id, Relaxed) }
}

/// The clusters of the machine.
pub(crate) struct Machine(());

impl Machine {
    /// Returns the clusters of the machine.
    ///
    /// # Safety
    ///
    /// The cluster driver is in use, and CPUs that are asked for have been prepared for going up.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

impl Clusters for Machine {
    #[inline(always)]
    fn members(&self, cpu: CpuId) -> &Cpumask {
        // SAFETY: `cpu` is possible.
        let mask = unsafe { bindings::x2apic_cluster_mask(cpu.as_u32()) };

        // SAFETY: The mask was allocated when the CPU was prepared, and is never freed.
        unsafe { Cpumask::from_raw(mask) }
    }

    #[inline(always)]
    fn id(&self, cpu: CpuId) -> u32 {
        // SAFETY: The cluster driver is in use, by the requirements of `new()`.
        unsafe { logical_id(cpu) }
    }
}

/// Returns the lowest CPU above `last`, or the lowest of all for [`None`], that is in both masks.
#[inline(always)]
pub(crate) fn next_in_both(a: &Cpumask, b: &Cpumask, last: Option<CpuId>) -> Option<CpuId> {
    let last = last.map_or(-1, i32::from);

    // SAFETY: Both masks are valid.
    let next = unsafe { bindings::x2apic_next_and(last, a.as_raw(), b.as_raw()) };
    if next < nr_cpu_ids() {
        // SAFETY: `next` has just been checked.
        Some(unsafe { CpuId::from_u32_unchecked(next) })
    } else {
        None
    }
}

/// Runs `f` with interrupts off, on this CPU's own mask for work on a set of CPUs. What the mask
/// holds is of an earlier use.
///
/// An NMI that sends to a set of CPUs uses the same mask, and an interrupted sender finds it
/// changed. That is so in C as well.
///
/// # Safety
///
/// The cluster driver is in use, and `f` does not use the mask in another way.
#[inline(always)]
pub(crate) unsafe fn with_scratch_mask<R>(f: impl FnOnce(&mut Cpumask) -> R) -> R {
    let with_mask = |_: &LocalInterruptDisabled| {
        // SAFETY: This CPU stays the same while interrupts are off.
        let mask = unsafe { bindings::x2apic_scratch_mask() };

        // SAFETY: The mask was allocated when this CPU was prepared. It is used nowhere else, since
        // interrupts are off, and by the safety requirements.
        f(unsafe { Cpumask::from_raw_mut(mask) })
    };

    // SAFETY: `f` sends IPIs: it makes no guards and takes no locks.
    unsafe { with_interrupts_off(with_mask) }
}
