// SPDX-License-Identifier: GPL-2.0

//! A CPU that is held in a callback, so that csds stay in its queue.

use super::{
    calls::{
        single_async,
        Callback, //
    },
    fixture::{
        csd_for,
        leak, //
    }, //
};
use kernel::{
    cpu::CpuId,
    error::to_result,
    prelude::*,
    smp::testing::becomes_true,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// The callback that does not return while the gate is shut.
pub(crate) struct Gate {
    entered: Atomic<bool>,
    open: Atomic<bool>,
    left: Atomic<bool>,
}

impl Gate {
    /// Makes a gate that is shut.
    pub(crate) fn new() -> Self {
        Self {
            entered: Atomic::new(false),
            open: Atomic::new(false),
            left: Atomic::new(false),
        }
    }
}

impl Callback for Gate {
    fn call(&'static self) {
        self.entered.store(true, Release);
        // ORDERING: Pairs with the release in `Held::release()`: the callback sees the earlier
        // stores of the test. If the test has ended early, the gate is not opened, and the wait
        // ends by its bound.
        let _ = becomes_true(|| self.open.load(Acquire));
        self.left.store(true, Release);
    }
}

/// A CPU that is in a callback, with interrupts off, until this is released or dropped.
///
/// Steps that need that CPU come before: starting threads, registering probes.
pub(crate) struct Held(&'static Gate);

impl Held {
    /// Holds `cpu`, which is not the caller's.
    pub(crate) fn new(cpu: CpuId) -> Result<Self> {
        Self::new_by(|gate| to_result(single_async(i32::from(cpu), csd_for(gate)?)))
    }

    /// Holds the CPU to which `send` sends the callback asynchronously.
    pub(crate) fn new_by(send: impl FnOnce(&'static Gate) -> Result) -> Result<Self> {
        let gate = leak(Gate::new())?;

        send(gate)?;
        Self::assume(gate)
    }

    /// Holds a CPU that is about to enter `gate`.
    pub(crate) fn assume(gate: &'static Gate) -> Result<Self> {
        let held = Self(gate);

        if becomes_true(|| held.0.entered.load(Acquire)) {
            Ok(held)
        } else {
            pr_err!("a CPU takes no calls\n");
            Err(ETIMEDOUT)
        }
    }

    /// Whether the CPU is still held. False if the bound of the wait has passed.
    pub(crate) fn holds(&self) -> bool {
        !self.0.left.load(Relaxed)
    }

    /// Releases the CPU. Returns whether it was held until now.
    pub(crate) fn release(self) -> bool {
        self.holds()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // ORDERING: Pairs with the acquire in `Gate::call()`.
        self.0.open.store(true, Release);
        let _ = becomes_true(|| !self.0.entered.load(Acquire) || self.0.left.load(Acquire));
    }
}
