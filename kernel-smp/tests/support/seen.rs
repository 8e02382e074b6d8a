// SPDX-License-Identifier: GPL-2.0

//! A callback that records where it runs.

use super::{
    calls::Callback,
    fixture::leak, //
};
use kernel::{
    cpu::CpuId,
    helpers,
    preempt,
    prelude::*,
    smp::testing::{
        becomes_true,
        interrupts_are_off, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// The context that code runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// A hard interrupt, with interrupts off.
    HardIrq,
    /// A task that is not the idle task, with interrupts off.
    TaskIrqsOff,
    /// The idle task, with interrupts off.
    IdleIrqsOff,
    /// A task with interrupts on.
    Task,
    /// A softirq, or a hard interrupt that has turned interrupts on.
    Other,
}

impl Context {
    /// Returns the context of the caller.
    pub(crate) fn current() -> Self {
        // SAFETY: There is always a current task, and its number does not change.
        let pid = unsafe { (*helpers::percpu::get_current()).pid };

        match (
            preempt::in_hardirq(),
            preempt::in_task(),
            interrupts_are_off(),
        ) {
            (true, _, true) => Self::HardIrq,
            (_, true, true) if pid == 0 => Self::IdleIrqsOff,
            (_, true, true) => Self::TaskIrqsOff,
            (_, true, false) => Self::Task,
            _ => Self::Other,
        }
    }

    fn number(self) -> u32 {
        self as u32
    }
}

/// A record of the calls that were made.
pub(crate) struct Seen {
    runs: Atomic<u32>,
    cpu: Atomic<u32>,
    context: Atomic<u32>,
}

impl Seen {
    /// Makes an empty record, which is never freed.
    pub(crate) fn new() -> Result<&'static Self> {
        leak(Self {
            runs: Atomic::new(0),
            cpu: Atomic::new(u32::MAX),
            context: Atomic::new(u32::MAX),
        })
    }

    /// How often it was called.
    pub(crate) fn runs(&self) -> u32 {
        // ORDERING: Pairs with the count in `record()`: the rest of a record is there with it.
        self.runs.load(Acquire)
    }

    /// Waits until it was called `count` times, or for a long time. Returns how often it was.
    pub(crate) fn runs_after(&self, count: u32) -> u32 {
        let _ = becomes_true(|| self.runs() == count);

        self.runs()
    }

    /// The number of the CPU of the last call.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu.load(Relaxed)
    }

    /// Whether the last call was in `context`.
    pub(crate) fn was_in(&self, context: Context) -> bool {
        self.context.load(Relaxed) == context.number()
    }

    /// Whether there was one call, on `cpu` and in `context`. Prints the record if not.
    pub(crate) fn ran_once(&self, cpu: CpuId, context: Context) -> bool {
        let right = self.runs() == 1 && self.cpu() == cpu.as_u32() && self.was_in(context);

        if !right {
            pr_err!(
                "ran {} times, last on CPU {} in context {}; expected CPU {}, context {}\n",
                self.runs(),
                self.cpu(),
                self.context.load(Relaxed),
                cpu.as_u32(),
                context.number()
            );
        }
        right
    }

    /// Records a call.
    pub(crate) fn record(&self) {
        self.cpu.store(CpuId::current().as_u32(), Relaxed);
        self.context.store(Context::current().number(), Relaxed);
        // ORDERING: Pairs with the load in `runs()`.
        self.runs.fetch_add(1, Full);
    }
}

impl Callback for Seen {
    fn call(&'static self) {
        self.record();
    }
}
