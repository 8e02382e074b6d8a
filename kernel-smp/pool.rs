// SPDX-License-Identifier: GPL-2.0

//! Where a request lives that nobody waits for.
//!
//! Each CPU has one csd for the requests that it sends to a single CPU without waiting. The next
//! such request waits until the target has taken the last one.
//!
//! With stall detection on, the csd is that of the target instead, so that a report can tell which
//! CPU does not answer.

use crate::{
    csd::Csd,
    mask,
    percpu::define_per_cpu,
    stall, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::bindings;

/// A csd by itself; all zeroes is one that is not in use.
#[repr(transparent)]
struct Slot(UnsafeCell<MaybeUninit<bindings::__call_single_data>>);

define_per_cpu! {
    /// The request that each CPU sends without waiting.
    #[shared_aligned]
    static CSD_DATA: Slot = Slot(UnsafeCell::new(MaybeUninit::zeroed()));
}

/// Returns the csd for a request to `target` that nobody waits for. It may be in use.
///
/// The caller stays on its CPU.
#[inline(always)]
pub(crate) fn csd_for(target: i32) -> Csd {
    let slot = match mask::online(target) {
        // SAFETY: A CPU that is online is possible.
        Some(cpu) if stall::enabled() => unsafe { CSD_DATA.per_cpu_ptr(cpu) },
        _ => CSD_DATA.this_cpu_ptr(),
    };

    // SAFETY: Per-CPU variables live for ever, and the slot is a csd.
    unsafe { Csd::from_raw(slot.cast()) }
}
