// SPDX-License-Identifier: GPL-2.0

//! Per-pair csds, and the other data of a CPU for multi-CPU calls: `cfd_data`.
//!
//! There is one csd for each pair of CPUs. It is allocated when the source first comes up, and
//! never freed: a waiter may look at it after the source went down.

use crate::csd::Csd;
use core::{
    cell::UnsafeCell,
    mem::{
        offset_of,
        MaybeUninit, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    helpers,
    percpu::{
        CpuGuard,
        StaticPerCpu, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The data of a CPU for multi-CPU calls. The layout is that of C's `struct call_function_data`.
///
/// # Invariants
///
/// - `csd` is null until the CPU is first prepared, and from then on a per-CPU allocation of csds.
/// - `ipi_mask` is allocated while the CPU is up. Only that CPU uses it, with preemption off.
#[repr(C)]
pub(crate) struct CallFunctionData {
    csd: Atomic<*mut c_void>,
    /// The sequence number of the last synchronous call.
    seq: Atomic<u32>,
    ipi_mask: UnsafeCell<MaybeUninit<bindings::cpumask_var_t>>,
}

// SAFETY: `csd` is atomic, and `ipi_mask` is used by one CPU, by the type invariants.
unsafe impl Sync for CallFunctionData {}

const CFD_DATA: StaticPerCpu<CallFunctionData> =
    // INVARIANT: All zeroes: nothing is allocated, and no CPU but the boot CPU is up.
    // SAFETY: This is a per-CPU variable of `data.c`, with the layout of the type; C does not use
    // it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cfd_data) };

const _: () = {
    type C = bindings::call_function_data;
    type Rust = CallFunctionData;

    kernel::build_assert::const_assert!(offset_of!(Rust, csd) == offset_of!(C, csd));
    kernel::build_assert::const_assert!(offset_of!(Rust, seq) == offset_of!(C, seq));
    kernel::build_assert::const_assert!(offset_of!(Rust, ipi_mask) == offset_of!(C, cpumask_ipi));
};

impl CallFunctionData {
    /// Returns the data of the CPU that the caller stays on.
    #[inline]
    pub(crate) fn this_cpu(_guard: &CpuGuard) -> &'static Self {
        // SAFETY: The variable is never freed, and the type is `Sync`.
        unsafe { &*CFD_DATA.this_cpu_ptr() }
    }

    /// Allocates the data of `cpu`.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: nothing was allocated.
    ///
    /// # Safety
    ///
    /// `cpu` is possible; it is not up, or is the boot CPU and has sent no call.
    pub(crate) unsafe fn prepare(cpu: CpuId) -> Result {
        // SAFETY: `cpu` is possible, by the safety requirements.
        let cfd = unsafe { CFD_DATA.per_cpu(cpu) };
        let ipi_mask = cfd.ipi_mask.get().cast();

        // SAFETY: A CPU does not use its mask before its first call.
        if !unsafe { bindings::zalloc_cpumask_var_node(ipi_mask, i32::from(cpu)) } {
            return Err(ENOMEM);
        }

        if cfd.csd.load(Relaxed).is_null() {
            // SAFETY: Allocating has no requirements.
            let csd = unsafe {
                bindings::alloc_percpu_gfp(
                    size_of::<bindings::__call_single_data>(),
                    size_of::<bindings::__call_single_data>(),
                    bindings::GFP_KERNEL,
                )
            };
            if csd.is_null() {
                // SAFETY: As above.
                unsafe { Self::dead(cpu) };
                return Err(ENOMEM);
            }
            // INVARIANT: This is a per-CPU allocation.
            // ORDERING: Relaxed. The CPU that uses it is brought up after this.
            cfd.csd.store(csd, Relaxed);
        }

        Ok(())
    }

    /// Frees the data that `cpu` needs only while it is up.
    ///
    /// # Safety
    ///
    /// `cpu` is possible and not up, and was prepared.
    pub(crate) unsafe fn dead(cpu: CpuId) {
        // SAFETY: `cpu` is possible, by the safety requirements.
        let cfd = unsafe { CFD_DATA.per_cpu(cpu) };
        let ipi_mask: *mut bindings::cpumask_var_t = cfd.ipi_mask.get().cast();

        #[cfg(CONFIG_CPUMASK_OFFSTACK)]
        // SAFETY: A CPU that is not up does not use its mask, which was allocated.
        unsafe {
            bindings::free_cpumask_var(*ipi_mask)
        };
        #[cfg(not(CONFIG_CPUMASK_OFFSTACK))]
        let _ = ipi_mask;
    }

    /// Returns the csd for calls to `target`.
    ///
    /// # Safety
    ///
    /// The source CPU has been up, and `target` is possible.
    #[inline]
    pub(crate) unsafe fn csd(&self, target: CpuId) -> Csd {
        let base = self.csd.load(Relaxed);

        // SAFETY: `base` is a per-CPU allocation, by the type invariants and the safety
        // requirements, and `target` is possible.
        let csd = unsafe { helpers::percpu::per_cpu_ptr(base, target.as_u32()) };

        // SAFETY: The csds are never freed.
        unsafe { Csd::from_raw(csd.cast()) }
    }

    /// Returns the sequence number of a new synchronous call.
    #[inline]
    pub(crate) fn next_seq(&self, _guard: &CpuGuard) -> u32 {
        let seq = self.seq.load(Relaxed).wrapping_add(1);

        self.seq.store(seq, Relaxed);
        seq
    }

    /// Returns the mask of CPUs to send an IPI to, made equal to `targets`.
    ///
    /// # Safety
    ///
    /// The caller runs on the CPU of `self` with preemption off, and uses the mask in this way
    /// only.
    #[cold]
    #[expect(clippy::mut_from_ref)]
    pub(crate) unsafe fn ipi_mask_like(&self, targets: &Cpumask) -> &mut Cpumask {
        // SAFETY: The mask is allocated, and used by this CPU alone, by the type invariants and the
        // safety requirements.
        let ipi_mask = unsafe { CpumaskVar::from_raw_mut(self.ipi_mask.get().cast()) };

        targets.copy(ipi_mask);
        ipi_mask
    }
}

/// For the tests.
#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
pub(crate) mod state {
    use super::*;

    /// Returns whether the per-pair csd from `source` to `target` is in use. Both are possible, and
    /// have been up.
    pub(crate) fn is_locked(source: CpuId, target: CpuId) -> bool {
        // SAFETY: The CPU is possible.
        let cfd = unsafe { CFD_DATA.per_cpu(source) };

        // SAFETY: Both CPUs have been up.
        unsafe { cfd.csd(target) }.is_locked()
    }

    /// Returns where the per-pair csds of `source`, which is possible, are.
    #[cfg(CONFIG_FAIL_SMP)]
    pub(crate) fn csds(source: CpuId) -> *mut c_void {
        // SAFETY: The CPU is possible.
        unsafe { CFD_DATA.per_cpu(source) }.csd.load(Relaxed)
    }
}
