// SPDX-License-Identifier: GPL-2.0

//! x2APIC IPIs in Rust.
//!
//! A local APIC in x2APIC mode sends an IPI when its interrupt command register (ICR), an MSR, is
//! written. The destination is part of the value, and the write returns at once. There is no second
//! register and no wait, so interrupts need not be off around it.
//!
//! In *physical* mode the destination is the APIC ID of one CPU. In *logical* mode, which the
//! cluster driver uses, it is a cluster in the upper 16 bits and a set of its CPUs in the lower 16:
//! one write reaches all of them.
//!
//! # Map
//!
//! From top to bottom. A file imports only from files below it.
//!
//! - [`cluster`]: the entry points of the driver for logical mode
//! - [`phys`]: the entry point of the driver for physical mode
//! - [`hw`]: the seam to functions and variables of C
//! - [`icr`]: the bits of the register
//!
//! The drivers are `x2apic_phys.c` and `x2apic_cluster.c` in the directory above. The callbacks of
//! their `struct apic` call the entry points.
//!
//! C header: `arch/x86/kernel/apic/x2apic/x2apic_send.h`

mod cluster;
mod hw;
mod icr;
mod phys;

#[cfg(CONFIG_X2APIC_RUST_KUNIT_TEST)]
mod tests;
