// SPDX-License-Identifier: GPL-2.0

//! Stepping in at a point of a call.

use super::fixture::leak;
use crate::testpoint::Point;
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// What is done at a point, once, by the CPU that comes there first.
struct Step {
    point: Point,
    cpu: CpuId,
    action: &'static Action,
}

/// What a test does at a point.
pub(crate) type Action = dyn Fn() + Sync;

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
    // SAFETY: Reading the interrupt state is always allowed.
    let interrupts_off = unsafe { bindings::irqs_disabled() };

    // ORDERING: The exchange lets one caller do it.
    if step.point == point
        && step.cpu == CpuId::current()
        && !interrupts_off
        && NEXT.cmpxchg(next, ptr::null_mut(), Acquire).is_ok()
    {
        (step.action)();
    }
}

/// How often a call is made that does not come to its point.
const TRIES: u32 = 1000;

/// Does `action` once, when `cpu`, the CPU of the caller, comes to `point` with interrupts on: only
/// there could an interrupt come in between. `call` makes a call that comes there. Returns how often
/// it had to be made, or [`None`] if none came there.
///
/// A call behind another request has its IPI from that, and does not come to [`Point::Pushed`]; one
/// that finds the pool empty comes there with interrupts off.
pub(crate) fn step_in(
    point: Point,
    cpu: CpuId,
    action: &'static Action,
    mut call: impl FnMut(),
) -> Result<Option<u32>> {
    let step = leak(Step { point, cpu, action })?;
    let step = ptr::from_ref(step).cast_mut().cast();

    for calls in 1..=TRIES {
        // ORDERING: Pairs with the acquire in `reach()`.
        NEXT.store(step, Release);
        call();
        // `make()` runs on this CPU or not at all, before `call` returns: nothing to order.
        if NEXT.xchg(ptr::null_mut(), Relaxed).is_null() {
            return Ok(Some(calls));
        }
    }
    Ok(None)
}
