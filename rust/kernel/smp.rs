// SPDX-License-Identifier: GPL-2.0

//! Running functions on other CPUs.
//!
//! A function is sent to a CPU by an inter-processor interrupt (IPI), and runs there as soon as
//! interrupts are on, whatever the CPU does at that moment. So it must be short and must not sleep.
//! Use this for what only that CPU can do or say: registers, its per-CPU variables, what it has
//! cached. For anything else there are work queues.
//!
//! # Which call to use
//!
//! | I want | call |
//! |---|---|
//! | an answer of one CPU | [`Caller::call`] |
//! | an answer of any CPU of a set, a near one if possible | [`Caller::call_any`] |
//! | to run on all CPUs, this one too | [`Caller::call_all`], [`Caller::call_all_in`], [`Caller::call_all_if`] |
//! | to run on all CPUs but this one | [`Caller::call_others`], [`Caller::call_others_in`] |
//! | an answer of each CPU | [`Caller::call_all_with`] |
//! | several functions on several CPUs, with few IPIs | [`Caller::run`] of a [`Batch`] |
//! | to go on meanwhile, and have the answer later | [`call_async`] |
//! | to tell CPUs something, many times, and wait once | [`Caller::scope`] |
//! | to send from an interrupt, again and again | [`Csd`] |
//! | to sleep over there | [`Caller::call_in_task`] |
//!
//! "All" is with the CPU of the caller, "others" is without. Only CPUs that are online are called.
//!
//! # Where it runs
//!
//! With interrupts off, on the CPU that was named: in a hard interrupt, or in a task when a CPU calls
//! itself, is idle or goes offline. The function gets a [`CallContext`] that says so, and that is a
//! proof for [per-CPU variables](crate::percpu). On PREEMPT_RT too it is a real interrupt: a lock
//! that sleeps there must not be taken.
//!
//! # What does not compile, and what is found at run time
//!
//! The types see to it that what several CPUs use at once is [`Sync`], that what another CPU uses
//! is [`Send`], that data outlives its use, and that a function which runs in an IPI does not wait
//! for other CPUs: the [`Caller`] that waiting needs cannot be sent there, and none can be made
//! there. They do not see what a function does otherwise: that it is short, that it takes no lock
//! that the caller holds with interrupts on, and that it does not sleep, lockdep and
//! `CONFIG_DEBUG_ATOMIC_SLEEP` tell.
//!
//! # Memory
//!
//! All that the caller has written before the call is seen by the function, and all that the
//! function has written is seen by a caller that has waited for it.
//!
//! # Drops and modules
//!
//! A drop never waits: waiting is a method of [`Caller`]. What is dropped while another CPU uses it is
//! detached, and freed by a worker later. What is under way keeps its module from being unloaded, so
//! that nothing runs code that is gone, not even after a leak: [`detach`](crate::detach) has the rule.
//!
//! Works with `CONFIG_SMP_RUST` and on the C implementation, and without `CONFIG_SMP`, where the
//! only CPU calls itself.
//!
//! C header: [`include/linux/smp.h`](srctree/include/linux/smp.h)

// # Map
//
// From top to bottom. A file imports only from files below it; `make test T=lint` checks that.
//
// - `batch`: several functions on several CPUs
// - `post`: functions that run before a scope ends
// - `task`: calls that run in a task
// - `many`: calls to many CPUs
// - `one`: calls to one CPU
// - `pending`: asynchronous calls with an answer
// - `csd`: a csd of the caller's own
// - `slots`: an answer of each CPU
// - `caller`: the right to wait
// - `context`: the context of a function that runs
// - `error`: the errors of a call

mod batch;
mod caller;
mod context;
mod csd;
mod error;
mod many;
mod one;
mod pending;
mod post;
mod slots;
mod task;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
pub(crate) mod tests;

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
    pending::{
        call_async,
        Pending, //
    },
    post::Posts,
    slots::Slots, //
};
