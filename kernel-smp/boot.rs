// SPDX-License-Identifier: GPL-2.0

//! The start of the system: how many CPUs there are, and bringing them up.
//!
//! The boot parameters are in `boot_params.c`.

use crate::{
    hotplug,
    mask, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    helpers,
    prelude::*, //
};

/// Prepares the boot CPU. The queues of all CPUs start empty.
///
/// # Panics
///
/// There is no memory for the csds of the boot CPU.
///
/// # Safety
///
/// Called once, by the boot CPU, when memory can be allocated.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn call_function_init() {
    // SAFETY: The boot CPU is possible, and sends no calls yet.
    if unsafe { hotplug::smpcfd_prepare_cpu(CpuId::current().as_u32()) } != 0 {
        // SAFETY: The string ends with a NUL, and has no conversion.
        unsafe { bindings::panic(c"smp: No memory for the csds of the boot CPU\n".as_char_ptr()) };
    }
}

/// Sets `nr_cpu_ids` to one above the last possible CPU.
///
/// # Safety
///
/// Called by the boot CPU, when the possible CPUs are known.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn setup_nr_cpu_ids() {
    let nr = mask::last_possible().wrapping_add(1);

    // SAFETY: No other CPU is up.
    unsafe { bindings::set_nr_cpu_ids(nr) };

    // SAFETY: The size has no requirements.
    if unsafe { bindings::cpumask_size() } <= size_of::<usize>() {
        // SAFETY: No task has an IPI mask yet.
        unsafe { bindings::smp_enable_inlined_ipi_mask() };
    }
}

/// Brings up the other CPUs.
///
/// # Safety
///
/// Called once, by the boot CPU.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn smp_init() {
    // SAFETY: The boot CPU calls it once, here.
    unsafe { bindings::idle_threads_init() };
    // SAFETY: As above.
    unsafe { bindings::cpuhp_threads_init() };

    pr_info!("Bringing up secondary CPUs ...\n");

    // SAFETY: The variable is not written any more.
    let max_cpus = unsafe { bindings::setup_max_cpus };
    // SAFETY: The boot CPU calls it once, here.
    unsafe { bindings::bringup_nonboot_cpus(max_cpus) };

    // SAFETY: Counting nodes has no requirements.
    let nodes = unsafe { bindings::num_online_nodes() };
    // SAFETY: Counting CPUs has no requirements.
    let cpus = unsafe { helpers::cpumask::num_online_cpus() };
    let (nodes_s, cpus_s) = (plural(nodes == 1), plural(cpus == 1));
    pr_info!("Brought up {nodes} node{nodes_s}, {cpus} CPU{cpus_s}\n");

    // SAFETY: The boot CPU calls it once, here.
    unsafe { bindings::smp_cpus_done(max_cpus) };
}

fn plural(one: bool) -> &'static str {
    if one {
        ""
    } else {
        "s"
    }
}
