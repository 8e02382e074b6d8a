// SPDX-License-Identifier: GPL-2.0

//! Stepping in at a point of a call.

use super::fixture::leak;
use crate::testpoint::Point;
use core::ptr;
use kernel::{
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// What is done at a point, once, by the CPU that comes there first.
struct Step {
    point: Point,
    cpu: CpuId,
    action: fn(),
}

/// The step that is to be made, a `&'static Step`, or null.
static NEXT: Atomic<*mut c_void> = Atomic::new(ptr::null_mut());

/// Is called at each point. Does nothing if no test has asked for it.
#[inline]
pub(crate) fn reach(point: Point) {
    let next = NEXT.load(Acquire);

    if !next.is_null() {
        make(next, point);
    }
}

#[cold]
fn make(next: *mut c_void, point: Point) {
    // SAFETY: A step lives for ever.
    let step = unsafe { &*next.cast_const().cast::<Step>() };

    // ORDERING: The exchange lets one caller do it.
    if step.point == point
        && step.cpu == CpuId::current()
        && NEXT.cmpxchg(next, ptr::null_mut(), Acquire).is_ok()
    {
        (step.action)();
    }
}

/// Does `action` when `cpu` next comes to `point`, in a task or in an interrupt.
pub(crate) fn step_in(point: Point, cpu: CpuId, action: fn()) -> Result {
    let step = leak(Step { point, cpu, action })?;

    // ORDERING: Pairs with the acquire in `reach()`.
    NEXT.store(ptr::from_ref(step).cast_mut().cast(), Release);
    Ok(())
}

/// Returns whether the last step was made, and takes it back if not.
pub(crate) fn stepped_in() -> bool {
    NEXT.xchg(ptr::null_mut(), Acquire).is_null()
}
