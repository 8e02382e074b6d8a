// SPDX-License-Identifier: GPL-2.0

//! A CPU that is held in a callback, so that requests pile up in its queue.

use super::{
    calls::{
        single_async,
        Callback, //
    },
    fixture::{
        becomes_true,
        csd_for,
        leak, //
    }, //
};
use kernel::{
    cpu::CpuId,
    error::to_result,
    prelude::*,
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
        // ORDERING: Pairs with the release in `Held::release()`: what the test did before is seen.
        // A test that died does not open the gate; then time does.
        let _ = becomes_true(|| self.open.load(Acquire));
        self.left.store(true, Release);
    }
}

/// A CPU that is in a callback, with interrupts off, until this is released or dropped.
///
/// Nothing that needs that CPU can be done meanwhile: threads and probes are made before.
pub(crate) struct Held(&'static Gate);

impl Held {
    /// Holds `cpu`, which is not the caller's.
    pub(crate) fn new(cpu: CpuId) -> Result<Self> {
        Self::new_by(|gate| to_result(single_async(i32::from(cpu), csd_for(gate)?)))
    }

    /// Holds the CPU to which `send` sends the callback without waiting.
    pub(crate) fn new_by(send: impl FnOnce(&'static Gate) -> Result) -> Result<Self> {
        let gate = leak(Gate::new())?;

        send(gate)?;
        Self::assume(gate)
    }

    /// Takes over a CPU that comes to `gate`.
    pub(crate) fn assume(gate: &'static Gate) -> Result<Self> {
        let held = Self(gate);

        if becomes_true(|| held.0.entered.load(Acquire)) {
            Ok(held)
        } else {
            pr_err!("a CPU takes no calls\n");
            Err(ETIMEDOUT)
        }
    }

    /// Whether the CPU is still there. False if the test took so long that it was let go.
    pub(crate) fn holds(&self) -> bool {
        !self.0.left.load(Relaxed)
    }

    /// Lets the CPU go on. Returns whether it was held until now.
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
