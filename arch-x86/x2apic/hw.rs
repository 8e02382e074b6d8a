// SPDX-License-Identifier: GPL-2.0

//! Seam: the local APIC and the IDs of the CPUs.

use crate::icr::Icr;
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    interrupt::LocalInterruptDisabled,
    irqflags::with_interrupts_off,
    percpu::StaticPerCpu,
    sync::atomic::{
        atomic_load,
        Relaxed, //
    }, //
};

/// Makes the writes of this CPU visible before the IPI that it sends next.
///
/// A write of an x2APIC register is not serializing. On CPUs where it is, the instructions are
/// patched out at boot.
#[inline]
pub(crate) fn fence() {
    // LITMUS: x2apic-fence
    // SAFETY: A fence has no requirements.
    unsafe { bindings::weak_wrmsr_fence() };
}

/// Sends the IPI that `icr` describes. In any context.
///
/// A sender whose target must see earlier writes calls [`fence`] first.
///
/// # Safety
///
/// The local APIC is in x2APIC mode, and the destination is a CPU that can take an interrupt.
#[inline]
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
#[inline]
pub(crate) unsafe fn apic_id(cpu: CpuId) -> u32 {
    // SAFETY: The variable is a per-CPU one of C.
    let ids = unsafe { StaticPerCpu::<u32>::new(&raw mut bindings::x86_cpu_to_apicid) };
    // SAFETY: `cpu` is possible, by the safety requirements.
    let id = unsafe { ids.per_cpu_ptr(cpu) };

    // SAFETY: The pointer is valid and aligned, and writes are single stores.
    unsafe { atomic_load(id, Relaxed) }
}

/// The variables of the cluster driver.
///
/// # Invariants
///
/// - `scratch` and `clusters` are per-CPU variables. Their masks are allocated for each CPU that
///   was prepared to come up, and are never freed.
/// - `logical_ids` has an entry for each CPU.
pub(crate) struct Machine {
    scratch: *mut bindings::cpumask_var_t,
    clusters: *mut *mut bindings::cpumask,
    logical_ids: *mut u32,
}

impl Machine {
    /// Takes the variables from the driver.
    ///
    /// # Safety
    ///
    /// The arguments are as the type invariants say. The methods are called only for CPUs that were
    /// prepared to come up.
    #[inline]
    pub(crate) unsafe fn from_c(
        scratch: *mut bindings::cpumask_var_t,
        clusters: *mut *mut bindings::cpumask,
        logical_ids: *mut u32,
    ) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            scratch,
            clusters,
            logical_ids,
        }
    }

    /// Returns the online CPUs of the cluster of `cpu`. The set may change meanwhile.
    #[inline]
    pub(crate) fn members(&self, cpu: CpuId) -> &Cpumask {
        // SAFETY: By the type invariants.
        let clusters = unsafe { StaticPerCpu::new(self.clusters) };
        // SAFETY: `cpu` is possible.
        let mask = unsafe { *clusters.per_cpu_ptr(cpu) };

        // SAFETY: The mask was allocated when the CPU was prepared, and is never freed.
        unsafe { Cpumask::from_raw(mask) }
    }

    /// Returns the logical APIC ID of `cpu`.
    #[inline]
    pub(crate) fn logical_id(&self, cpu: CpuId) -> u32 {
        // SAFETY: The array has an entry for each CPU, by the type invariants.
        let id = unsafe { self.logical_ids.add(cpu.as_u32() as usize) };

        // SAFETY: The pointer is valid and aligned, and writes are single stores.
        unsafe { atomic_load(id, Relaxed) }
    }

    /// Runs `f` with interrupts off, on the scratch mask of this CPU. Its content is that of an
    /// earlier use.
    ///
    /// An NMI that sends to a set of CPUs uses the same mask, and the interrupted sender then sees
    /// it change. This is the same in C.
    ///
    /// # Safety
    ///
    /// `f` only sends IPIs, and uses the mask only by its argument.
    #[inline]
    pub(crate) unsafe fn with_scratch_mask<R>(&self, f: impl FnOnce(&mut Cpumask) -> R) -> R {
        let with_mask = |_: &LocalInterruptDisabled| {
            // SAFETY: By the type invariants.
            let scratch = unsafe { StaticPerCpu::new(self.scratch) };

            // SAFETY: The mask was allocated when this CPU was prepared. It has no other user,
            // since interrupts are off, and by the safety requirements.
            f(unsafe { CpumaskVar::from_raw_mut(scratch.this_cpu_ptr()) })
        };

        // SAFETY: `f` makes no guards and takes no locks.
        unsafe { with_interrupts_off(with_mask) }
    }
}

/// Returns the lowest CPU above `last`, or the lowest of all for [`None`], that is in both masks.
#[inline]
pub(crate) fn next_in_both(a: &Cpumask, b: &Cpumask, last: Option<CpuId>) -> Option<CpuId> {
    let last = last.map_or(-1, i32::from);

    // SAFETY: Both masks are valid.
    let next = unsafe { bindings::x2apic_next_and(last, a.as_raw(), b.as_raw()) };
    if next < nr_cpu_ids() {
        // SAFETY: `next` was just checked.
        Some(unsafe { CpuId::from_u32_unchecked(next) })
    } else {
        None
    }
}
