// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the calls that Rust code makes.
