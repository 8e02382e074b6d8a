// SPDX-License-Identifier: GPL-2.0

//! Threads that make synchronous calls.

use super::{
    fixture::leak,
    thread::Thread,
    ways::{
        Target,
        Way,
        WAYS, //
    }, //
};
use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::testing::becomes_true,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// A thread that makes a synchronous call.
pub(crate) struct Caller {
    pub(crate) target: Target,
    way: &'static Way,
    go: Atomic<bool>,
    error: Atomic<c_int>,
}

impl Caller {
    /// Starts the thread on `source`; it waits for [`Caller::go`].
    pub(crate) fn start(
        source: CpuId,
        target: CpuId,
        way: &'static Way,
    ) -> Result<(&'static Self, Thread)> {
        let caller = leak(Self {
            target: Target::new(target)?,
            way,
            go: Atomic::new(false),
            error: Atomic::new(-1),
        })?;
        let thread = Thread::start(
            source,
            |caller: &Self| {
                let _ = becomes_true(|| caller.go.load(Acquire));
                let error = (caller.way.call)(&caller.target);
                caller.error.store(error, Release);
            },
            caller,
        )?;

        Ok((caller, thread))
    }

    /// Lets the thread call.
    pub(crate) fn go(&self) {
        self.go.store(true, Release);
    }

    /// Whether the call succeeded, once the thread is done.
    pub(crate) fn succeeded(&self) -> bool {
        self.error.load(Acquire) == 0 && self.target.seen.runs() == 1
    }
}

/// The ways to make a synchronous call.
pub(crate) fn synchronous() -> impl Iterator<Item = &'static Way> {
    WAYS.iter().filter(|way| way.is_sync)
}
