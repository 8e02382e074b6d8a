// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: values of the register, and which CPUs are reached by one write.
//!
//! No IPI is sent, so that they run in any APIC mode. That the drivers use these functions is
//! checked from outside, in the text of a running kernel.

mod cluster;
mod icr;
