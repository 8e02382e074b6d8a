// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the calls that Rust code makes.
//!
//! A function that runs in an IPI only records; the test compares. Waiting has a bound, and what is
//! shared with a function that may still be on its way is counted, not borrowed.

mod batch;
mod csd;
pub(crate) mod fixture;
mod many;
mod one;
mod pending;
mod task;
