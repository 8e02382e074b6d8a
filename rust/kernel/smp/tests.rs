// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the calls that Rust code makes.
//!
//! A function that runs in an IPI only records; the test compares. Each wait has a bound. A value
//! that is shared with a function that may be in flight when the test ends is in an `Arc`, not
//! borrowed.
//!
//! A check that fails marks the test as failed, and the test goes on, and tidies up.

mod batch;
mod csd;
pub(crate) mod fixture;
mod many;
#[cfg(CONFIG_X86)]
pub(crate) mod nmi;
mod one;
mod owned;
mod pending;
mod ports;
mod static_csd;
mod task;
