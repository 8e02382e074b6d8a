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

/// Sends the IPI that `icr` describes, after a [`fence`]. In any context. The write of the register
/// is the last operation.
///
/// One helper does both: where C is not inlined, a call of each would double the instructions.
///
/// # Safety
///
/// As for [`write_icr`].
#[inline]
pub(crate) unsafe fn send_fenced(icr: Icr) {
    let raw = icr.into_raw();

    // LITMUS: x2apic-fence
    // SAFETY: The register exists, by the safety requirements.
    unsafe { bindings::x2apic_send_fenced(raw as u32, (raw >> 32) as u32) };
}

/// Sends the IPI that `icr` describes. In any context.
///
/// A sender whose target must see earlier writes calls [`fence`] first, once for many IPIs.
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

/// The CPUs that one write of the register can reach.
pub(crate) trait Clusters {
    /// Returns the CPUs of the cluster of `cpu` that are online; they may change meanwhile.
    ///
    /// # Safety
    ///
    /// `cpu` has been up at least once.
    unsafe fn members(&self, cpu: CpuId) -> &Cpumask;

    /// Returns the logical APIC ID of `cpu`. Those of one cluster have the upper 16 bits in common.
    ///
    /// # Safety
    ///
    /// As for [`members`](Self::members).
    unsafe fn id(&self, cpu: CpuId) -> u32;
}

/// The variables of the cluster driver.
///
/// # Invariants
///
/// - `scratch` is a per-CPU variable. The mask of a CPU is allocated while that CPU is up.
/// - `clusters` is a per-CPU variable. The mask of a CPU that has been up is never freed.
/// - `logical_ids` has an entry for each possible CPU.
pub(crate) struct Machine {
    scratch: *mut bindings::cpumask_var_t,
    clusters: *mut *mut bindings::cpumask,
    logical_ids: *mut u32,
}

impl Machine {
    /// Takes what the driver passes.
    ///
    /// # Safety
    ///
    /// The arguments are as the type invariants say.
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

    /// Runs `f` with interrupts off, on this CPU's own mask for work on a set of CPUs. The content
    /// of the mask is that of an earlier use.
    ///
    /// # Safety
    ///
    /// Not in an NMI, which can come while the mask is in use. `f` sends IPIs only, and does not
    /// use the mask in another way.
    #[inline]
    pub(crate) unsafe fn with_scratch_mask(&self, f: impl FnOnce(&mut Cpumask)) {
        let with_mask = |_: &LocalInterruptDisabled| {
            // SAFETY: By the type invariants.
            let scratch = unsafe { StaticPerCpu::new(self.scratch) };

            // SAFETY: This CPU is up, so the mask is allocated, by the type invariants. It has no
            // other user, since interrupts are off, and by the safety requirements.
            f(unsafe { CpumaskVar::from_raw_mut(scratch.this_cpu_ptr()) })
        };

        // SAFETY: `f` makes no guards and takes no locks.
        unsafe { with_interrupts_off(with_mask) }
    }
}

impl Clusters for Machine {
    #[inline]
    unsafe fn members(&self, cpu: CpuId) -> &Cpumask {
        // SAFETY: By the type invariants.
        let clusters = unsafe { StaticPerCpu::new(self.clusters) };
        // SAFETY: `cpu` is possible, by the safety requirements.
        let mask = unsafe { clusters.per_cpu_ptr(cpu) };
        // SAFETY: The driver has set it when the CPU was prepared, and does not change it.
        let mask = unsafe { *mask };

        // SAFETY: The mask is there and never freed, by the type invariants.
        unsafe { Cpumask::from_raw(mask) }
    }

    #[inline]
    unsafe fn id(&self, cpu: CpuId) -> u32 {
        // SAFETY: The array has an entry for each CPU, by the type invariants.
        let id = unsafe { self.logical_ids.add(cpu.as_u32() as usize) };

        // SAFETY: The pointer is valid and aligned, and writes are single stores.
        unsafe { atomic_load(id, Relaxed) }
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
