// SPDX-License-Identifier: GPL-2.0

//! Numbers of CPUs.

/// Returns one above the last CPU.
pub fn nr_cpu_ids() -> u32 {
    // SAFETY: It does not change while CPUs run.
    unsafe { bindings::nr_cpu_ids }
}

/// The number of a CPU, which is below [`nr_cpu_ids`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuId(u32);

impl CpuId {
    /// Returns the CPU with that number, if there is one.
    pub fn from_u32(cpu: u32) -> Option<Self> {
        (cpu < nr_cpu_ids()).then_some(Self(cpu))
    }

    /// # Safety
    ///
    /// `cpu` is below [`nr_cpu_ids`].
    pub const unsafe fn from_u32_unchecked(cpu: u32) -> Self {
        Self(cpu)
    }

    /// # Safety
    ///
    /// As for [`CpuId::from_u32_unchecked`].
    pub const unsafe fn from_i32_unchecked(cpu: i32) -> Self {
        Self(cpu as u32)
    }

    /// Returns the number.
    pub fn as_u32(self) -> u32 {
        assert!(self.0 < nr_cpu_ids());
        self.0
    }

    /// Returns the CPU that runs this.
    pub fn current() -> Self {
        Self(bindings::raw_smp_processor_id())
    }
}

impl From<CpuId> for i32 {
    fn from(cpu: CpuId) -> Self {
        cpu.as_u32() as Self
    }
}

impl From<CpuId> for u32 {
    fn from(cpu: CpuId) -> Self {
        cpu.as_u32()
    }
}
