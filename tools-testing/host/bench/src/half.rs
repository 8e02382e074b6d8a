// SPDX-License-Identifier: GPL-2.0

//! Csds as `kernel/smp/` queues and runs them: the files are those of the kernel.

use crate::{
    batch::Batch,
    csd::{Call, Csd, Func, Kind},
    queue::Queue,
};
use bindings::{__call_single_data, c_void};
use kernel::cpu::CpuId;

/// # Safety
///
/// The call may be made.
unsafe fn run(call: Call) {
    if let Some(func) = call.func {
        // SAFETY: By the safety requirements.
        unsafe { func(call.info) };
    }
}

/// The CPU that all csds come from and go to.
fn one_cpu() -> CpuId {
    // SAFETY: The first CPU has this number.
    unsafe { CpuId::from_u32_unchecked(0) }
}

/// # Safety
///
/// `queue` and `csd` are valid, and `csd` is in no queue.
pub unsafe extern "C" fn send(
    queue: *mut c_void,
    csd: *mut __call_single_data,
    func: Func,
    info: *mut c_void,
    wait: bool,
) -> bool {
    // SAFETY: By the safety requirements.
    let csd = unsafe { Csd::from_raw(csd) };

    csd.lock_new(if wait { Kind::Sync } else { Kind::Async });
    csd.fill(Call { func, info }, one_cpu(), one_cpu());
    // SAFETY: As above.
    let queue = unsafe { &*queue.cast::<Queue>() };

    // SAFETY: The csd is locked and filled in, and is in no queue.
    unsafe { queue.push(csd.node()) }
}

/// # Safety
///
/// `queue` and all that is in it is valid.
pub unsafe extern "C" fn drain(queue: *mut c_void) -> bool {
    // SAFETY: By the safety requirements.
    let newest = unsafe { (*queue.cast::<Queue>()).take_all() };

    if newest.is_null() {
        return false;
    }
    // SAFETY: It was just taken.
    let batch = unsafe { Batch::of(newest) };
    while let Some(csd) = batch.sync.pop() {
        // SAFETY: The sender asked for it.
        unsafe { run(csd.call()) };
        csd.unlock();
    }
    while let Some(csd) = batch.other.pop() {
        let call = csd.call();

        csd.unlock();
        // SAFETY: As above.
        unsafe { run(call) };
    }
    true
}

/// # Safety
///
/// `csd` is valid.
pub unsafe extern "C" fn wait(csd: *mut __call_single_data) {
    // SAFETY: By the safety requirements.
    let csd = unsafe { Csd::from_raw(csd) };

    csd.spin_until_over(None);
}
