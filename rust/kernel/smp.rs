// SPDX-License-Identifier: GPL-2.0

//! Cross-CPU function calls.
//!
//! The source queues a function and sends an inter-processor interrupt (IPI) to the target. The
//! function runs there as soon as interrupts are on, and interrupts any task. So it must be short
//! and must not sleep. Use this for what only the target can access: its registers, its per-CPU
//! variables, its caches. For other work use a workqueue.
//!
//! # Which call to use
//!
//! | task | call |
//! |---|---|
//! | run on one CPU, and get the result | [`Caller::call`] |
//! | run on any CPU of a set, a near one if possible, and get the result | [`Caller::call_any`] |
//! | run on all CPUs, including this one | [`Caller::call_all`], [`Caller::call_all_in`], [`Caller::call_all_if`] |
//! | run on all CPUs but this one | [`Caller::call_others`], [`Caller::call_others_in`] |
//! | run on all CPUs, and get a result from each | [`Caller::call_all_with`] |
//! | run on all CPUs asynchronously | [`Caller::call_all_async`] |
//! | run several functions on several CPUs, with few IPIs | [`Caller::run`] of a [`Batch`] |
//! | run asynchronously, and get the result later | [`call_async`] |
//! | run many functions asynchronously, and wait once | [`Caller::scope`] |
//! | run from an interrupt, repeatedly | [`Csd`], or [`StaticCsd`] in a `static` |
//! | send an object that the handler then owns | [`send`], with an [`OwnedHandler`] |
//! | run in a task that may sleep | [`Caller::call_in_task`] |
//!
//! "All" includes the CPU of the caller, "others" does not. Only online CPUs are called.
//!
//! # Where it runs
//!
//! The function runs on the target with interrupts off: in a hard interrupt, in a task if a CPU
//! calls itself, is idle or goes offline, or in a polling wait. It gets a [`CallContext`], which is
//! the proof of this, also for [per-CPU variables](crate::percpu). On PREEMPT_RT interrupts are
//! off, too: the function must not take a lock that sleeps there.
//!
//! # What is checked at compile time, and at run time
//!
//! The types ensure that data which several CPUs use at once is [`Sync`], that data which another
//! CPU uses is [`Send`], that data outlives its use, and that a function does not wait for other
//! CPUs: that needs a [`Caller`], which cannot be sent to the function, nor made in it. At run
//! time, lockdep checks that a function takes no lock that is held with interrupts on elsewhere,
//! and `CONFIG_DEBUG_ATOMIC_SLEEP` that it does not sleep. Nothing checks that it is short.
//!
//! # Memory
//!
//! The function sees what the caller has written before the call. A caller that has waited for the
//! function sees what the function has written.
//!
//! # Drops and modules
//!
//! A drop never waits: only methods of [`Caller`] wait, or take one. A value that is dropped while
//! another CPU uses it is detached, and a worker frees it later. A module cannot be unloaded while
//! one of its functions is in flight, not even after a leak: see [`detach`](crate::detach) for the
//! rule.
//!
//! This works with `CONFIG_SMP_RUST` and with `kernel/smp.c`. Without `CONFIG_SMP` the only CPU
//! calls itself.
//!
//! C header: [`include/linux/smp.h`](srctree/include/linux/smp.h)

// # Map
//
// From top to bottom. A file imports only from files below it; `make test T=lint` checks that.
//
// - `batch`: several functions on several CPUs
// - `post`: asynchronous calls that a scope waits for
// - `task`: calls that run in a task
// - `many`: calls to many CPUs
// - `many_async`: the same, asynchronously
// - `one`: calls to one CPU
// - `pending`: asynchronous calls with a result
// - `owned`: a csd in an object that the handler gets
// - `static_csd`: a csd that is a static
// - `csd`: a csd that belongs to the caller
// - `slots`: a value for each CPU
// - `caller`: the "may wait" token
// - `raw`: the csd of C, and one that several CPUs may post
// - `context`: the context of a function that runs
// - `error`: the errors of a call
// - `testing`: what the tests share

mod batch;
mod caller;
mod context;
mod csd;
mod error;
mod many;
mod many_async;
mod one;
mod owned;
mod pending;
mod post;
mod raw;
mod slots;
mod static_csd;
mod task;

#[cfg(any(CONFIG_RUST_SMP_KUNIT_TEST, CONFIG_SMP_RUST_KUNIT_TEST))]
pub mod testing;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
pub(crate) mod tests;

pub use crate::detach::sent::{
    Sent,
    SentPointer, //
};

pub use self::{
    batch::Batch,
    caller::Caller,
    context::CallContext,
    csd::{
        Csd,
        Handler,
        InFlight, //
    },
    error::CallError,
    owned::{
        impl_has_csd,
        send,
        HasCsd,
        OwnedCsd,
        OwnedHandler, //
    },
    pending::{
        call_async,
        Pending, //
    },
    post::Posts,
    slots::Slots,
    static_csd::StaticCsd, //
};
