// SPDX-License-Identifier: GPL-2.0

//! Logical mode: the destination is a set of CPUs of one cluster.

use crate::{
    hw,
    icr::{
        Destination,
        Icr,
        Vector, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*, //
};

/// Which CPUs one write of the register can reach.
pub(crate) trait Clusters {
    /// Returns the CPUs of the cluster of `cpu` that are online; they may change meanwhile.
    fn members(&self, cpu: CpuId) -> &Cpumask;

    /// Returns the logical APIC ID of `cpu`. Those of one cluster have the upper 16 bits in common.
    fn id(&self, cpu: CpuId) -> u32;
}

/// Calls `send` once for each cluster that has CPUs in `left`, with the IDs of these CPUs together.
///
/// CPUs that are not online are passed over. What is served leaves `left`.
#[inline(always)]
pub(crate) fn each_destination(
    left: &mut Cpumask,
    clusters: &impl Clusters,
    mut send: impl FnMut(u32),
) {
    let mut last = None;

    while let Some(cpu) = left.next(last) {
        let members = clusters.members(cpu);
        let mut ids = 0;
        let mut member = None;

        while let Some(cpu) = hw::next_in_both(left, members, member) {
            ids |= clusters.id(cpu);
            member = Some(cpu);
        }
        if ids != 0 {
            send(ids);
            left.andnot_assign(members);
        }
        last = Some(cpu);
    }
}

/// Sends an IPI to each CPU of `mask`, or to each but this one.
///
/// The mask may change meanwhile, an NMI handler clears its bit for one: what is sent is what it
/// holds at the start.
///
/// # Safety
///
/// As for [`x2apic_cluster_send_ipi_mask`].
#[inline(never)]
unsafe fn send_mask(mask: &Cpumask, vector: Vector, to_self: bool) {
    hw::fence();

    // SAFETY: The cluster driver is in use, by the safety requirements, and the CPUs of the mask
    // have been up.
    let clusters = unsafe { hw::Machine::new() };
    let send = |left: &mut Cpumask| {
        mask.copy(left);
        if !to_self {
            left.clear(CpuId::current());
        }
        each_destination(left, &clusters, |ids| {
            let icr = Icr::send(Destination::Logical(ids), vector);

            // SAFETY: The driver is used in x2APIC mode only, and the CPUs are online.
            unsafe { hw::write_icr(icr) };
        });
    };

    // SAFETY: As above; `send` has the mask from here only.
    unsafe { hw::with_scratch_mask(send) };
}

/// Sends an IPI to `cpu`. In any context; the write of the register is the last thing that happens.
///
/// # Safety
///
/// The cluster driver is in use, `cpu` has been up at least once, and `vector` is 0 to 255
/// and one that it can take.
#[export]
pub(crate) unsafe extern "C" fn x2apic_cluster_send_ipi(cpu: c_int, vector: c_int) {
    // SAFETY: `cpu` is a CPU, by the safety requirements.
    let cpu = unsafe { CpuId::from_i32_unchecked(cpu) };
    // SAFETY: The cluster driver is in use, by the safety requirements.
    let id = unsafe { hw::logical_id(cpu) };
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };
    let icr = Icr::send(Destination::Logical(id), vector);

    hw::fence();
    // SAFETY: The driver is used in x2APIC mode only, and the CPU was up.
    unsafe { hw::write_icr(icr) };
}

/// Sends an IPI to each CPU of `mask` that is online. In any context.
///
/// # Safety
///
/// The cluster driver is in use, `mask` is valid for the whole call, its CPUs have been up at least
/// once, and `vector` is 0 to 255 and one that they can take.
#[export]
pub(crate) unsafe extern "C" fn x2apic_cluster_send_ipi_mask(
    mask: *const bindings::cpumask,
    vector: c_int,
) {
    // SAFETY: The mask is valid, by the safety requirements.
    let mask = unsafe { Cpumask::from_raw(mask) };
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };

    // SAFETY: The safety requirements are the same.
    unsafe { send_mask(mask, vector, true) };
}

/// Sends an IPI to each CPU of `mask` that is online, but not to this one. In any context in which
/// the task cannot move to another CPU.
///
/// # Safety
///
/// As for [`x2apic_cluster_send_ipi_mask`].
#[export]
pub(crate) unsafe extern "C" fn x2apic_cluster_send_ipi_mask_allbutself(
    mask: *const bindings::cpumask,
    vector: c_int,
) {
    // SAFETY: The mask is valid, by the safety requirements.
    let mask = unsafe { Cpumask::from_raw(mask) };
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };

    // SAFETY: The safety requirements are the same.
    unsafe { send_mask(mask, vector, false) };
}
