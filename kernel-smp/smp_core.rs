// SPDX-License-Identifier: GPL-2.0

//! Cross-CPU function calls: `kernel/smp.c` in Rust.
//!
//! # Principles
//!
//! - One atomic exchange publishes a csd, one store of its flag word ends it. All other fields are
//!   written before the one and read between the two.
//! - The CPU whose push finds the queue empty sends the IPI. All others rely on it.
//! - Storage belongs to the sender: its stack, a csd of its own, or one of its CPU. An asynchronous
//!   call waits for a free csd at most, never for its own function.
//! - The wait for a call depends only on the csds that were sent. It does not depend on what may
//!   change meanwhile: the caller's mask, the set of online CPUs, or the CPU that it runs on.
//! - Each ordering names its partner, and each failure mode has a test.
//!
//! # Glossary
//!
//! - *csd*: a `call_single_data_t`: a function, its argument, and a flag word. It is *locked* while
//!   it is in use.
//! - *entry*: an element of a queue: a csd, an IRQ work, or a task to wake up.
//! - *source*, *target*: the CPU that a call comes from, and the one it goes to.
//! - *synchronous*: the caller waits until the function has run. The target unlocks the csd after
//!   that.
//! - *asynchronous*: the caller does not wait. The target unlocks the csd before it runs the
//!   function, so that the function can send the csd again.
//! - *queue*: the entries of a target that it has not taken yet, `call_single_queue`.
//! - *flush*: to take all entries off the queue of this CPU, and to run them.
//! - *pool*: the csds of a source for asynchronous calls, one in each *slot*.
//! - *fallback csd*: the csd that a source uses when no slot is free.
//! - *per-pair csd*: the csd for multi-CPU calls from one source to one target.
//! - *internal csd*: one of a pool, or a per-pair csd: any sender on its CPU may wait for it.
//! - *sequence number*: distinguishes one synchronous use of a per-pair csd from the next.
//! - *waiter*: a caller that waits until a csd is unlocked, to return or to use that csd again.
//! - *polling wait*: a wait with interrupts off that takes the queue of its own CPU meanwhile, and
//!   runs the csds that others may wait for.
//! - *offline CPU*: a CPU that is not online. What is found in its queue is reported.
//!
//! # Life of a call
//!
//! The source locks a csd, fills it, and pushes it on the queue of the target. If the queue was
//! empty, it also sends an IPI, unless the target polls in its idle loop; else one was sent. The
//! target takes the whole queue at once, and runs the synchronous csds, then the asynchronous ones
//! and IRQ work, then the tasks to wake up.
//!
//! # Map
//!
//! From top to bottom. A file imports only from files below it; `make test T=lint` checks that. The
//! tests import from all, and [`testpoint`] from them.
//!
//! Entry points:
//!
//! - [`boot`]: the start of the system
//! - [`hotplug`]: steps of CPU hotplug
//! - [`on_cpu`]: calls that run in a task
//! - [`kick`]: waking idle CPUs
//! - [`many`]: calls to many CPUs
//! - [`single`]: calls to one CPU
//!
//! Storage, and running the queue:
//!
//! - [`pool`]: csds for asynchronous calls
//! - [`cfd`]: per-pair csds
//! - [`flush`]: flushing the queue
//! - [`offline`]: entries in the queue of an offline CPU
//!
//! Waiting:
//!
//! - [`wait`]: waiting for a csd
//!
//! The queue:
//!
//! - [`queue`]: push, take, and the IPI that is due
//! - [`batch`]: what was taken and not yet run
//! - [`run`]: running one entry
//! - [`stall`]: reports of csds that are locked for too long
//!
//! The csd:
//!
//! - [`csd`]: layout, lock, unlock
//!
//! Seams to the architecture and to the rest of the kernel, for what several files need. A function
//! that only one file needs is called there.
//!
//! - [`task_mask`]: the mask of a task that waits for many CPUs
//! - [`ipi`]: sending the IPI
//! - [`fault`]: injected faults
//! - [`irq`]: the context of the caller
//! - [`mask`]: sets of CPUs
//! - [`trace`]: trace points
//! - [`stats`]: counters for debugfs
//! - [`static_key`]: static keys
//! - [`testpoint`]: points at which a test steps in
//! - [`log`]: log lines
//! - [`clock`]: the time
//!
//! C companions: `entry.c` (entry points that pass on the address of their caller; exports),
//! `data.c` (variables that debuggers look up), `params.c` (parameters and static keys),
//! `trace.c` (trace points), `stall.c` (the NMI handler; the worker that looks for asynchronous
//! csds that are locked for too long). Entry points that need no address of their caller are
//! `#[export]` functions in the file of their subject. `boot_params.c`, `fault.c` (injected
//! faults), `stats.c` (counters) and the C files of `tests/` serve `kernel/smp.c`, too.
//!
//! # Contexts
//!
//! A called function runs with interrupts off on its target, mostly in a hard interrupt. A flush by
//! the idle task, by the stopper thread or while a CPU goes down runs it in that task, and so does
//! a call of a CPU to itself. A polling wait runs it in the context of the waiter.
//!
//! C header: [`include/linux/smp.h`](srctree/include/linux/smp.h)

// With `CONFIG_RUST_INLINE_HELPERS` C inline functions are inlined; nothing here depends on that.
// What a call takes often is Rust: `kernel::helpers`.

mod batch;
mod boot;
mod cfd;
mod clock;
mod csd;
mod fault;
mod flush;
mod hotplug;
mod ipi;
mod irq;
mod kick;
mod log;
mod many;
mod mask;
mod offline;
mod on_cpu;
mod pool;
mod queue;
mod run;
mod single;
mod stall;
mod static_key;
mod stats;
mod task_mask;
mod testpoint;
mod trace;
mod wait;

#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
mod tests;

/// Prefix of all log lines, as `pr_fmt()` gives it in C.
const __LOG_PREFIX: &[u8] = b"smp\0";
