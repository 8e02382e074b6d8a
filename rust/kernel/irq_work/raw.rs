// SPDX-License-Identifier: GPL-2.0

//! The work of C.

use crate::{
    bindings,
    cpu::CpuId,
    preempt::CpuGuard,
    prelude::*,
    processor::cpu_relax,
    task::might_sleep,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

/// Makes a work that is not queued.
pub(super) const fn new(
    func: unsafe extern "C" fn(*mut bindings::irq_work),
    u_flags: c_uint,
) -> Opaque<bindings::irq_work> {
    Opaque::new(bindings::irq_work {
        node: bindings::__call_single_node {
            __bindgen_anon_1: bindings::__call_single_node__bindgen_ty_1 { u_flags },
            ..pin_init::zeroed()
        },
        func: Some(func),
        ..pin_init::zeroed()
    })
}

/// Keeps `cpu` online until the guard is dropped. In any context.
///
/// # Errors
///
/// - [`ENXIO`]: `cpu` is not online.
#[inline]
pub(super) fn stays_online(cpu: CpuId) -> Result<CpuGuard> {
    // A CPU leaves `cpu_online_mask` in `stop_machine()`, which preempts the task on each CPU. So
    // `cpu` runs the work on its way down at the latest.
    let guard = CpuGuard::new();

    if cpu.is_online() {
        Ok(guard)
    } else {
        Err(ENXIO)
    }
}

/// Queues a work on `cpu`.
///
/// # Safety
///
/// `work` must be initialized, and stay valid until C does not use it any more. `cpu` must be
/// online.
// A module cannot call `irq_work_queue_on()` itself, since it is not exported.
#[inline(never)]
pub(super) unsafe fn queue_on(work: *mut bindings::irq_work, cpu: CpuId) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { bindings::irq_work_queue_on(work, i32::from(cpu)) }
}

/// Waits while a work is used. May sleep.
pub(super) fn wait_while(is_used: impl Fn() -> bool) {
    /// How often this checks before it sleeps.
    const CHECKS: u32 = 1000;

    might_sleep();
    loop {
        for _ in 0..CHECKS {
            if !is_used() {
                return;
            }
            cpu_relax();
        }
        fsleep(Delta::from_micros(50));
    }
}
