// SPDX-License-Identifier: GPL-2.0

//! All ways to call a CPU, for tests of common properties.

use super::{
    calls::{
        any,
        many,
        on_each,
        peek,
        queue,
        single_async,
        single_on, //
    },
    fixture::{
        csd_for,
        locked_csd, //
    },
    seen::Seen, //
};
use crate::csd::{
    Csd,
    Kind, //
};
use kernel::{
    cpu::CpuId,
    cpumask::CpumaskVar,
    prelude::*,
    smp::testing::{
        becomes_true,
        mask_of, //
    }, //
};

/// A CPU, and what is needed to call it once, in any way and in any context.
pub(crate) struct Target {
    pub(crate) cpu: CpuId,
    pub(crate) seen: &'static Seen,
    mask: CpumaskVar,
    csd: Csd,
    locked_csd: Csd,
}

// SAFETY: The csds are never freed, and a test lets one task at a time use them.
unsafe impl Sync for Target {}

impl Target {
    pub(crate) fn new(cpu: CpuId) -> Result<Self> {
        let seen = Seen::new()?;

        Ok(Self {
            cpu,
            seen,
            mask: mask_of([cpu])?,
            csd: csd_for(seen)?,
            locked_csd: locked_csd(seen, Kind::Sync, cpu)?,
        })
    }

    /// Waits until the call is in the queue of the CPU, which is held. Returns false if it is not.
    #[must_use]
    pub(crate) fn is_queued(&self) -> bool {
        becomes_true(|| peek(&self.mask))
    }

    /// Waits until the call has run. Returns false if it does not.
    #[must_use]
    pub(crate) fn is_called(&self) -> bool {
        becomes_true(|| self.seen.runs() == 1)
    }
}

/// The entry point whose rules a way to call follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `smp_call_function_single()`, `smp_call_function_any()`
    Single,
    /// `smp_call_function_many()`, which leaves out the CPU of the caller
    Many,
    /// `on_each_cpu_cond_mask()`
    Each,
    /// `smp_call_function_single_async()`, for any context
    Async,
    /// `__smp_call_single_queue()`, for any context; sends an IPI even to the CPU of the caller
    Queue,
}

/// A way to call a CPU.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) is_sync: bool,
    /// Returns an error number, or 0.
    pub(crate) call: fn(&Target) -> c_int,
}

/// All ways.
pub(crate) static WAYS: [Way; 10] = [
    Way {
        name: "smp_call_function_single(), synchronous",
        family: Family::Single,
        is_sync: true,
        call: |to| single_on(to.cpu, to.seen, true),
    },
    Way {
        name: "smp_call_function_single(), asynchronous",
        family: Family::Single,
        is_sync: false,
        call: |to| single_on(to.cpu, to.seen, false),
    },
    Way {
        name: "smp_call_function_any(), synchronous",
        family: Family::Single,
        is_sync: true,
        call: |to| any(&to.mask, to.seen, true),
    },
    Way {
        name: "smp_call_function_any(), asynchronous",
        family: Family::Single,
        is_sync: false,
        call: |to| any(&to.mask, to.seen, false),
    },
    Way {
        name: "smp_call_function_many(), synchronous",
        family: Family::Many,
        is_sync: true,
        call: |to| {
            many(&to.mask, to.seen, true);
            0
        },
    },
    Way {
        name: "smp_call_function_many(), asynchronous",
        family: Family::Many,
        is_sync: false,
        call: |to| {
            many(&to.mask, to.seen, false);
            0
        },
    },
    Way {
        name: "on_each_cpu_cond_mask(), synchronous",
        family: Family::Each,
        is_sync: true,
        call: |to| {
            on_each(&to.mask, to.seen, true);
            0
        },
    },
    Way {
        name: "on_each_cpu_cond_mask(), asynchronous",
        family: Family::Each,
        is_sync: false,
        call: |to| {
            on_each(&to.mask, to.seen, false);
            0
        },
    },
    Way {
        name: "smp_call_function_single_async()",
        family: Family::Async,
        is_sync: false,
        call: |to| single_async(i32::from(to.cpu), to.csd),
    },
    Way {
        name: "__smp_call_single_queue()",
        family: Family::Queue,
        is_sync: false,
        call: |to| {
            queue(to.cpu, to.locked_csd);
            0
        },
    },
];
