// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of cross-CPU function calls.
//!
//! A callback in an IPI only records; the test's own thread compares. What is shared with callbacks
//! is never freed, since a test that fails may leave a csd in a queue. Each wait has a bound, so that
//! a bug makes a test fail and not hang.
//!
//! A failed `assert!` ends the thread on the spot and runs no destructors: a test first tidies up, then
//! asserts.
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
