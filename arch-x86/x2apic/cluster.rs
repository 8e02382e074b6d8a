// SPDX-License-Identifier: GPL-2.0

//! Logical mode: the destination is a set of CPUs of one cluster.

use crate::{
    hw::{
        self,
        Clusters,
        Machine, //
    },
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
    preempt,
    prelude::*, //
};

/// Calls `send` once for each cluster with CPUs in `left`, with the IDs of these CPUs combined.
///
/// CPUs that are not online are skipped. The CPUs that an IPI is sent to are taken out of `left`.
///
/// # Safety
///
/// The CPUs of `left` have been up at least once.
#[inline]
pub(crate) unsafe fn each_destination(
    left: &mut Cpumask,
    clusters: &impl Clusters,
    mut send: impl FnMut(u32),
) {
    let mut last = None;

    while let Some(cpu) = left.next(last) {
        // SAFETY: By the safety requirements.
        let members = unsafe { clusters.members(cpu) };
        let mut ids = 0;
        let mut member = None;

        while let Some(cpu) = hw::next_in_both(left, members, member) {
            // SAFETY: As above.
            ids |= unsafe { clusters.id(cpu) };
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
/// The mask may change meanwhile: an NMI handler, for one, clears the bit of its CPU. The IPIs go
/// to the CPUs that the mask holds at the start. An NMI sends to one CPU after the other, since it
/// may have interrupted a sender that uses the scratch mask.
///
/// # Safety
///
/// As for [`x2apic_cluster_send_ipi_mask`], but for what `machine` stands for.
#[inline(never)]
unsafe fn send_mask(
    machine: &Machine,
    mask: *const bindings::cpumask,
    vector: c_int,
    to_self: bool,
) {
    // SAFETY: The mask is valid, by the safety requirements.
    let mask = unsafe { Cpumask::from_raw(mask) };
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };
    let send = |ids: u32| {
        let icr = Icr::send(Destination::Logical(ids), vector);

        // SAFETY: The driver is used in x2APIC mode only, and the CPUs are online.
        unsafe { hw::write_icr(icr) };
    };

    hw::fence();
    if preempt::in_nmi() {
        let this_cpu = CpuId::current();

        for cpu in mask.iter() {
            if cpu.is_online() && (to_self || cpu != this_cpu) {
                // SAFETY: By the safety requirements.
                send(unsafe { machine.id(cpu) });
            }
        }
        return;
    }

    let send_all = |left: &mut Cpumask| {
        mask.copy(left);
        if !to_self {
            left.clear(CpuId::current());
        }
        // SAFETY: By the safety requirements.
        unsafe { each_destination(left, machine, send) };
    };

    // SAFETY: This is no NMI, and `send_all` has the mask from here only.
    unsafe { machine.with_scratch_mask(send_all) };
}

/// Sends an IPI to the CPU with the logical APIC ID `dest`. In any context; the write of the
/// register is the last thing that happens.
///
/// # Safety
///
/// The cluster driver is in use, the CPU has been up at least once, and `vector` is 0 to 255 and
/// one that it can take.
#[export]
pub(crate) unsafe extern "C" fn x2apic_cluster_send_ipi(dest: u32, vector: c_int) {
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };
    let icr = Icr::send(Destination::Logical(dest), vector);

    // SAFETY: The driver is used in x2APIC mode only, and the CPU was up.
    unsafe { hw::send_fenced(icr) };
}

/// Sends an IPI to each CPU of `mask` that is online. In any context.
///
/// # Safety
///
/// The cluster driver is in use, `mask` is valid for the whole call, its CPUs have been up at least
/// once, `vector` is 0 to 255 and one that they can take, and the other arguments are as the
/// invariants of [`Machine`] say.
#[export]
pub(crate) unsafe extern "C" fn x2apic_cluster_send_ipi_mask(
    mask: *const bindings::cpumask,
    vector: c_int,
    scratch: *mut bindings::cpumask_var_t,
    clusters: *mut *mut bindings::cpumask,
    logical_ids: *mut u32,
) {
    // SAFETY: By the safety requirements.
    let machine = unsafe { Machine::from_c(scratch, clusters, logical_ids) };

    // SAFETY: By the safety requirements.
    unsafe { send_mask(&machine, mask, vector, true) };
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
    scratch: *mut bindings::cpumask_var_t,
    clusters: *mut *mut bindings::cpumask,
    logical_ids: *mut u32,
) {
    // SAFETY: By the safety requirements.
    let machine = unsafe { Machine::from_c(scratch, clusters, logical_ids) };

    // SAFETY: By the safety requirements.
    unsafe { send_mask(&machine, mask, vector, false) };
}
