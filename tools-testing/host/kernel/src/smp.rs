// SPDX-License-Identifier: GPL-2.0

//! The csd of `kernel::smp` that several CPUs may post.

use crate::cpu::CpuId;
use bindings::c_void;

#[path = "../../../../rust/kernel/smp/error.rs"]
mod error;
#[path = "../../../../rust/kernel/smp/raw.rs"]
#[expect(dead_code, reason = "the checks do not ask for the code")]
mod raw;

pub use error::CallError;

/// A csd that several CPUs may post.
pub struct SharedCsd(raw::SharedCsd);

impl SharedCsd {
    /// Makes one that calls `func`.
    pub const fn new(func: unsafe extern "C" fn(*mut c_void)) -> Self {
        Self(raw::SharedCsd::new(func))
    }

    /// Accesses all of it, while no other CPU does.
    pub fn access(&self) {
        // SAFETY: It is not queued, so that this changes nothing.
        unsafe { self.0.begin() };
        self.0.target();
    }

    /// Posts it to `cpu`, which calls the function with `info`.
    ///
    /// # Errors
    ///
    /// - As in the kernel.
    pub fn post(&self, cpu: u32, info: *mut c_void) -> Result<(), CallError> {
        let cpu = CpuId::from_u32(cpu).expect("there is such a CPU");

        // SAFETY: The checks keep it until all is over, and their functions call `begin()`.
        unsafe { raw::SharedCsd::post(&raw const self.0, cpu, || Ok(info), |_| ()) }
    }

    /// Lets it be posted again.
    ///
    /// # Safety
    ///
    /// To be called by the function, once.
    pub unsafe fn begin(&self) {
        // SAFETY: By the safety requirements.
        unsafe { self.0.begin() };
    }
}
