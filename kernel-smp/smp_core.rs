// SPDX-License-Identifier: GPL-2.0

//! Cross-CPU function calls: `kernel/smp.c` in Rust.
//!
//! # The way of one call
//!
//! A request is a *csd* (`call_single_data_t`): a function, its argument, and a flag word that says
//! whether the request is in use and of which kind it is. The sender locks a csd, fills it, and
//! pushes it on the queue of the target CPU. If the queue was empty, the sender also sends an IPI;
//! if not, somebody else's IPI is on its way and will serve this request too. The target takes the
//! whole queue at once and runs it in three phases. For a request that somebody waits for, it
//! clears the lock after the function has run, and the waiter, who spins on the lock, goes on; for
//! all others it clears the lock first, so that the function can send its own csd again.
//!
//! # Which file knows what
//!
//! - [`csd`]: the layout of a csd; lock, unlock, wait.
//! - [`queue`]: the queue of each CPU; whether an IPI is due.
//! - [`batch`], [`flush`]: what the target has taken off its queue; how it runs that.
//! - [`single`], [`many`], [`on_cpu`]: the families of calls.
//! - [`pool`]: where a request lives that nobody waits for.
//! - [`serve`]: waiting with interrupts off.
//! - [`kick`]: waking idle CPUs.
//! - [`hotplug`], [`boot`]: CPUs that come and go; the start of the system.
//! - [`late`]: requests for a CPU that is offline.
//! - [`task_mask`]: the set of CPUs that a task waits for.
//! - [`stall`]: reports about requests that take too long.
//! - [`stats`]: counters of requests, IPIs and waits.
//! - [`fault`], [`testpoint`]: faults that are made on purpose; where tests step in.
//! - [`percpu`], [`irq`], [`ipi`], [`mask`], [`clock`], [`trace`]: the seams, for what several files
//!   need of the architecture and of the rest of the kernel. What one file alone needs of it, that
//!   file calls itself.
//!
//! C companions: `entry.c` (entry points that hand on their caller's address; exports), `data.c`
//! (variables that debuggers look up), `params.c` (parameters, the variables they set), `trace.c` (trace points), `stats.c` and `fault.c` (files of
//! debugfs), `stall.c` (what an NMI finds; the worker that looks for asynchronous calls that
//! are late). Entry points that need no caller are `#[export]` functions in the file of their
//! subject.
//!
//! # Contexts
//!
//! A function that is called runs with interrupts off on the CPU that was asked for. Mostly that is
//! a hard interrupt, but a flush from the idle task, from the stopper thread or while a CPU goes
//! down, and a call of a CPU to itself, run in that task.
//!
//! C header: [`include/linux/smp.h`](srctree/include/linux/smp.h)

// What C inline functions give is inlined if `CONFIG_RUST_INLINE_HELPERS` is on; nothing here
// depends on it.

mod batch;
mod boot;
mod clock;
mod csd;
mod fault;
mod flush;
mod hotplug;
mod ipi;
mod irq;
mod kick;
mod late;
mod many;
mod mask;
mod on_cpu;
mod percpu;
mod pool;
mod queue;
mod serve;
mod single;
mod stall;
mod stats;
mod task_mask;
mod testpoint;
mod trace;

#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
mod tests;

/// Prefix of all log lines, as `pr_fmt()` gives it in C.
const __LOG_PREFIX: &[u8] = b"smp\0";
