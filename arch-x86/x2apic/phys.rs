// SPDX-License-Identifier: GPL-2.0

//! Physical mode: the destination is one CPU.

use crate::{
    hw,
    icr::{
        Destination,
        Icr,
        Vector, //
    }, //
};
use kernel::{
    cpu::CpuId,
    prelude::*, //
};

/// Sends an IPI to `cpu`. In any context. The write of the register is the last operation.
///
/// # Safety
///
/// The physical driver is in use, `cpu` has been up at least once, and `vector` is 0 to 255
/// and one that it can take.
#[export]
pub(crate) unsafe extern "C" fn x2apic_phys_send_ipi(cpu: c_int, vector: c_int) {
    // SAFETY: `cpu` is a CPU, by the safety requirements.
    let cpu = unsafe { CpuId::from_i32_unchecked(cpu) };
    // SAFETY: `cpu` is possible.
    let id = unsafe { hw::apic_id(cpu) };
    // SAFETY: This is a vector, by the safety requirements.
    let vector = unsafe { Vector::from_c(vector) };
    let icr = Icr::send(Destination::Physical(id), vector);

    // SAFETY: The driver is used in x2APIC mode only, and the CPU was up.
    unsafe { hw::send_fenced(icr) };
}
