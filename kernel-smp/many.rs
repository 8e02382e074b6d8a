// SPDX-License-Identifier: GPL-2.0

//! Calls to many CPUs.
//!
//! There is one csd for each pair of CPUs, allocated when the source CPU first comes up and never
//! freed: a waiter may look at it after its source CPU went down.

use crate::{
    csd::{
        Call,
        Csd,
        Func,
        Lock, //
    },
    fault,
    flush,
    ipi,
    irq,
    mask,
    percpu::{
        CpuGuard,
        CpuPinned,
        StaticPerCpu, //
    },
    queue,
    serve::{
        self,
        Waiting, //
    },
    single,
    stats::{
        self,
        Counter, //
    },
    task_mask,
    trace::{
        self,
        Callsite, //
    }, //
};
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
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// What a CPU needs to send calls to many. The layout is that of C's `struct call_function_data`.
///
/// # Invariants
///
/// - `csd` is null until the CPU first comes up, and from then on a per-CPU allocation of csds.
/// - `ipi_mask` is allocated while the CPU is up. Only that CPU uses it, with preemption off.
#[repr(C)]
pub(crate) struct CallFunctionData {
    csd: Atomic<*mut c_void>,
    /// The number of the last call that was waited for.
    number: Atomic<u32>,
    ipi_mask: UnsafeCell<MaybeUninit<bindings::cpumask_var_t>>,
}

// SAFETY: `csd` is atomic, and `ipi_mask` is used by one CPU, by the type invariants.
unsafe impl Sync for CallFunctionData {}

const CFD_DATA: StaticPerCpu<CallFunctionData> =
    // INVARIANT: All zeroes: nothing is allocated, and no CPU but the boot CPU is up.
    // SAFETY: This is a per-CPU variable of `data.c`, with the layout of the type; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cfd_data) };

const _: () = {
    type C = bindings::call_function_data;
    type Rust = CallFunctionData;

    kernel::build_assert::const_assert!(offset_of!(Rust, csd) == offset_of!(C, csd));
    kernel::build_assert::const_assert!(offset_of!(Rust, number) == offset_of!(C, seq));
    kernel::build_assert::const_assert!(offset_of!(Rust, ipi_mask) == offset_of!(C, cpumask_ipi));
};

impl CallFunctionData {
    /// Allocates what `cpu` needs.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: nothing is allocated that was not before.
    ///
    /// # Safety
    ///
    /// `cpu` is possible and not up.
    pub(crate) unsafe fn prepare(cpu: CpuId) -> Result {
        // SAFETY: `cpu` is possible, by the safety requirements.
        let cfd = unsafe { CFD_DATA.per_cpu(cpu) };
        let ipi_mask = cfd.ipi_mask.get().cast();

        // SAFETY: A CPU that is not up does not use its mask, by the type invariants.
        if !unsafe { bindings::zalloc_cpumask_var_node(ipi_mask, i32::from(cpu)) } {
            return Err(ENOMEM);
        }

        if cfd.csd.load(Relaxed).is_null() {
            // SAFETY: Allocating has no requirements.
            let csd = unsafe {
                bindings::alloc_percpu(
                    size_of::<bindings::__call_single_data>(),
                    size_of::<bindings::__call_single_data>(),
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

    /// Frees what `cpu` needs only while it is up.
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
    #[inline(always)]
    fn csd(&self, target: CpuId) -> Csd {
        let base = self.csd.load(Relaxed);

        // SAFETY: `base` is a per-CPU allocation, by the type invariants, and `target` was online
        // when it was put in the mask.
        let csd = unsafe { bindings::per_cpu_ptr(base, target.as_u32()) };

        // SAFETY: The csds are never freed.
        unsafe { Csd::from_raw(csd.cast()) }
    }

    /// Returns the number of a new call.
    #[inline(always)]
    fn next_number(&self, _guard: &CpuGuard) -> u32 {
        let number = self.number.load(Relaxed).wrapping_add(1);

        self.number.store(number, Relaxed);
        number
    }

    /// Returns the set of CPUs to send an IPI to, made equal to `targets`.
    #[cold]
    #[expect(clippy::mut_from_ref)]
    fn ipi_mask_like(&self, targets: &Cpumask, _guard: &CpuGuard) -> &mut Cpumask {
        // SAFETY: The mask is allocated, and used by this CPU alone, by the type invariants.
        let ipi_mask = unsafe { CpumaskVar::from_raw_mut(self.ipi_mask.get().cast()) };

        targets.copy(ipi_mask);
        ipi_mask
    }
}

/// Returns whether the csd for calls from one CPU to many is in use for another. For tests.
#[cfg(CONFIG_SMP_RUST_KUNIT_TEST)]
pub(crate) fn pair_is_locked(from: CpuId, to: CpuId) -> bool {
    // SAFETY: The tests name CPUs that are possible, and have been up.
    let cfd = unsafe { CFD_DATA.per_cpu(from) };

    cfd.csd(to).is_locked()
}

/// Whom to call, and how.
struct Request {
    call: Call,
    cond: bindings::smp_cond_func_t,
    wait: bool,
    callsite: Callsite,
}

impl Request {
    /// Asks whether `cpu` is to be called.
    #[inline(always)]
    fn wants(&self, cpu: CpuId) -> bool {
        match self.cond {
            // SAFETY: The caller of the entry point allows this call, with preemption off.
            Some(cond) => unsafe { cond(i32::from(cpu), self.call.info) },
            None => true,
        }
    }

    /// Sends the call to all CPUs of `targets`, and takes those out that are not wanted.
    ///
    /// Returns what to wait for on each of those that are left, if it was asked for.
    #[inline(always)]
    fn send(
        &self,
        guard: &CpuGuard,
        cfd: &CallFunctionData,
        targets: &mut Cpumask,
    ) -> Option<Lock> {
        let number = self.wait.then(|| cfd.next_number(guard));
        let mut due = 0u32;
        let mut last_due = guard.cpu();
        // Whom to send an IPI, once that is not all of `targets`.
        let mut ipi_mask: Option<&mut Cpumask> = None;

        let mut next = targets.next(None);
        while let Some(cpu) = next {
            if self.wants(cpu) {
                let csd = cfd.csd(cpu);

                csd.lock(number);
                csd.fill(self.call, guard.cpu(), i32::from(cpu));
                trace::csd_queue(cpu, self.callsite, self.call.func, csd);

                // SAFETY: `cpu` was seen online with preemption off, so it is possible.
                let queue = unsafe { queue::of(cpu) };
                // SAFETY: The csd is locked and filled in, and is never freed.
                if unsafe { queue.push(csd.node()) } {
                    due = due.wrapping_add(1);
                    last_due = cpu;
                } else {
                    ipi_mask
                        .get_or_insert_with(|| cfd.ipi_mask_like(targets, guard))
                        .clear(cpu);
                    stats::count(Counter::Batched);
                }
                stats::count(Counter::Requests);
            } else {
                targets.clear(cpu);
                if let Some(ipi_mask) = &mut ipi_mask {
                    ipi_mask.clear(cpu);
                }
            }
            next = targets.next(Some(cpu));
        }

        match due {
            0 => {}
            1 => ipi::send(last_due, Some(self.callsite)),
            _ => ipi::send_mask(ipi_mask.unwrap_or(targets), self.callsite),
        }

        number.map(Lock::waited)
    }

    /// Calls the other CPUs of `mask` one by one.
    ///
    /// For callers who may have interrupted another call to many on this CPU, or be called by one:
    /// they find the csds of the pairs and the set of the task in use.
    ///
    /// # Safety
    ///
    /// As for [`smp_call_function_many_cond`].
    #[cold]
    unsafe fn send_one_by_one(&self, mask: &Cpumask, waiting: Waiting) {
        for cpu in mask.iter() {
            let guard = CpuGuard::new();

            if cpu == guard.cpu() || !cpu.is_online() || !self.wants(cpu) {
                continue;
            }
            if self.wait {
                // SAFETY: By the safety requirements, and `cpu` is online.
                unsafe { single::send_and_wait(guard, cpu, self.call, waiting, self.callsite) };
            } else {
                let pool_is_empty = fault::pool_is_empty(&guard);

                // SAFETY: As above.
                unsafe {
                    single::send_in_any(
                        guard,
                        cpu,
                        self.call,
                        waiting,
                        self.callsite,
                        pool_is_empty,
                    )
                };
            }
        }
    }
}

/// Runs `func` on the online CPUs of `mask` for which `cond_func` says yes, if there is one.
///
/// Behind all entry points for many CPUs. `mask` may change meanwhile: the set of CPUs that are
/// waited for is the set that the call was sent to. Which CPUs come online meanwhile makes no
/// difference; those that are called cannot go offline before they have run it.
///
/// From a task with interrupts on. With `SCF_WAIT`, waits with preemption on.
///
/// # Safety
///
/// `mask` is valid. `cond_func`, with preemption off, and `func`, with interrupts off, may be called
/// with `info`.
#[export]
pub(crate) unsafe extern "C" fn smp_call_function_many_cond(
    mask: *const bindings::cpumask,
    func: Func,
    info: *mut c_void,
    scf_flags: c_uint,
    cond_func: bindings::smp_cond_func_t,
    callsite: usize,
) {
    // SAFETY: `mask` is valid, by the safety requirements.
    let mask = unsafe { Cpumask::from_raw(mask) };
    let request = Request {
        call: Call { func, info },
        cond: cond_func,
        wait: scf_flags & bindings::SCF_WAIT != 0,
        callsite: Callsite(callsite),
    };

    let guard = CpuGuard::new();
    let this_cpu = guard.cpu();
    // SAFETY: This CPU is possible.
    let cfd = unsafe { CFD_DATA.per_cpu(this_cpu) };
    let targets = task_mask::of_current();
    let waiting = Waiting::of_caller(this_cpu, || irq::warn_many(|| this_cpu.is_online()));
    let mut sent = None;

    if waiting.serves() || (serve::ON && irq::in_interrupt()) {
        // SAFETY: By the safety requirements.
        unsafe { request.send_one_by_one(mask, waiting) };
    } else if mask::online_others(mask, Cpumask::online(), this_cpu, targets) {
        sent = request.send(&guard, cfd, targets);
    }

    if scf_flags & bindings::SCF_RUN_LOCAL != 0 && mask.test(this_cpu) && request.wants(this_cpu) {
        // SAFETY: By the safety requirements.
        unsafe { flush::run_here(request.call) };
    }

    // The set belongs to the task, and the csds stay: the wait can be preempted, and go on on
    // another CPU.
    drop(guard);

    if let Some(lock) = sent {
        // LITMUS: many-waits-for-what-was-sent
        for cpu in targets.iter() {
            cfd.csd(cpu).wait(lock, Waiting::Spin);
        }
    }
}

/// What the tests look at.
#[cfg(all(CONFIG_SMP_RUST_FAULT, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) mod state {
    use super::*;

    /// Returns where the csds for calls of `cpu`, which is possible, are.
    pub(crate) fn csds(cpu: CpuId) -> *mut c_void {
        // SAFETY: The CPU is possible.
        unsafe { CFD_DATA.per_cpu(cpu) }.csd.load(Relaxed)
    }
}
