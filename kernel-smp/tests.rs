// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of cross-CPU function calls.
//!
//! A callback in an IPI only records; the test's own thread compares. What is shared with callbacks
//! is never freed, since a test that fails may leave a csd in a queue. Each wait has a bound, so
//! that a bug makes a test fail and not hang.
//!
//! A check that fails in `check!` or `check_eq!` marks the test as failed, and prints file, line
//! and values; the test goes on, and tidies up. `require!` and `require_eq!` return from the
//! function, so that drops tidy up. `assert!` of KUnit is not used: it ends the thread and runs no
//! destructors.
//!
//! The tests need two CPUs online at least, and say so if they are missing.
//!
//! A suite has the name of its file, with `smp_` before it.

pub(crate) mod support;

mod calls;
mod debug;
mod hotplug;
mod queue;
mod wait;
