// SPDX-License-Identifier: GPL-2.0

//! Ports: what drivers and tests of the tree do in C, written with this API.
//!
//! Each names the C that it follows, and has no `unsafe`. A port is as much of its model as calls
//! other CPUs: the device is a variable.

mod acpi_cpufreq;
mod blk_mq;
mod dell_smm_hwmon;
#[cfg(CONFIG_IRQ_WORK)]
mod dma_fence_array;
#[cfg(all(CONFIG_X86, CONFIG_IRQ_WORK))]
mod igen6_edac;
mod mvneta;
mod scftorture;
