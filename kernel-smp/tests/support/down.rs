// SPDX-License-Identifier: GPL-2.0

//! Taking CPUs offline, and bringing them back.

use kernel::{
    bindings,
    cpu::CpuId,
    error::to_result,
    prelude::*, //
};

/// Takes a CPU offline. Returns an error number.
pub(crate) fn take_offline(cpu: CpuId) -> c_int {
    // SAFETY: The caller is a task that may sleep.
    unsafe { bindings::remove_cpu(cpu.as_u32()) }
}

/// A CPU that is offline until this is dropped.
pub(crate) struct Down(CpuId);

impl Down {
    /// Takes `cpu` offline.
    pub(crate) fn new(cpu: CpuId) -> Result<Self> {
        to_result(take_offline(cpu))?;
        Ok(Self(cpu))
    }

    /// Takes over a CPU that is offline already.
    pub(crate) fn assume(cpu: CpuId) -> Self {
        Self(cpu)
    }
}

impl Drop for Down {
    fn drop(&mut self) {
        // SAFETY: The test is a task that may sleep.
        if unsafe { bindings::add_cpu(self.0.as_u32()) } != 0 {
            pr_err!("CPU {} does not come online again\n", self.0.as_u32());
        }
    }
}
