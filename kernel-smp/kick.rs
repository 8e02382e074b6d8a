// SPDX-License-Identifier: GPL-2.0

//! Waking idle CPUs.

use kernel::{
    bindings,
    cpumask::Cpumask,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*, //
};

/// Makes each idle CPU, polling or not, leave its idle loop once. CPUs that are not idle are not
/// interrupted.
///
/// Behind `wake_up_all_idle_cpus()`. Does not wait.
///
/// # Safety
///
/// None.
#[export]
pub(crate) unsafe extern "C" fn __wake_up_all_idle_cpus() {
    for cpu in Cpumask::possible() {
        let guard = CpuGuard::new();

        if cpu != guard.cpu() && cpu.is_online() {
            // SAFETY: The CPU is online and stays so while preemption is off.
            unsafe { bindings::wake_up_if_idle(i32::from(cpu)) };
        }
    }
}
