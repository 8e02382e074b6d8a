// SPDX-License-Identifier: GPL-2.0

//! Seam: per-CPU variables.

pub(crate) use kernel::percpu::{
    define_per_cpu,
    CpuGuard,
    CpuPinned,
    StaticPerCpu, //
};
