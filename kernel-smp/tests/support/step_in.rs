// SPDX-License-Identifier: GPL-2.0

//! Running code of a test at a point of a call.

use super::fixture::leak;
use crate::testpoint::Point;
use core::ptr;
use kernel::{
    cpu::CpuId,
    helpers,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// An action at a point, once, by the CPU that reaches the point first.
struct Step {
    point: Point,
    cpu: CpuId,
    action: &'static Action,
}

/// The action of a test at a point.
pub(crate) type Action = dyn Fn() + Sync;

/// The next step, a `&'static Step`, or null.
static NEXT: Atomic<*mut c_void> = Atomic::new(ptr::null_mut());

/// Is called at each point. Does nothing if no test has set a step.
#[inline]
pub(crate) fn reach(point: Point) {
    let next = NEXT.load(Acquire);

    if !next.is_null() {
        make(next, point);
    }
}

#[cold]
fn make(next: *mut c_void, point: Point) {
    // SAFETY: A step is never freed.
    let step = unsafe { &*next.cast_const().cast::<Step>() };
    // SAFETY: Reading the interrupt state is always allowed.
    let interrupts_off = unsafe { helpers::irqflags::irqs_disabled() };

    // ORDERING: Only one caller succeeds in the exchange.
    if step.point == point
        && step.cpu == CpuId::current()
        && !interrupts_off
        && NEXT.cmpxchg(next, ptr::null_mut(), Acquire).is_ok()
    {
        (step.action)();
    }
}

/// How often a call is made that does not reach the point.
const TRIES: u32 = 1000;

/// Runs `action` once, when `cpu`, the CPU of the caller, reaches `point` with interrupts on: only
/// then could an interrupt run there. `call` makes a call that reaches the point. Returns how often
/// it had to be called, or [`None`] if no call reached the point.
///
/// A call that finds a csd in the queue relies on the IPI of that one, and does not reach
/// [`Point::Pushed`]; one that finds no free slot reaches it with interrupts off.
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
