// SPDX-License-Identifier: GPL-2.0

//! Calls to many CPUs.

use crate::{
    cfd::CallFunctionData,
    csd::{
        Call,
        Flags,
        Func, //
    },
    ipi,
    irq,
    mask,
    pool,
    queue,
    run,
    single,
    task_mask,
    trace::{
        self,
        Callsite, //
    },
    wait::{
        self,
        Waiting, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        Cursor, //
    },
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*, //
};

/// Arguments of a multi-CPU call.
struct MultiCall {
    call: Call,
    cond: bindings::smp_cond_func_t,
    wait: bool,
    callsite: Callsite,
}

impl MultiCall {
    /// Returns whether to call `cpu`.
    #[inline]
    fn wants(&self, cpu: CpuId) -> bool {
        match self.cond {
            // SAFETY: The caller of the entry point allows this call, with preemption off.
            Some(cond) => unsafe { cond(i32::from(cpu), self.call.info) },
            None => true,
        }
    }

    /// Sends the call to all CPUs of `targets`, and takes those out for which the condition is
    /// false.
    ///
    /// If the call is synchronous, returns the flag word that the csd of each CPU in `targets` now
    /// has.
    #[inline]
    fn send(
        &self,
        guard: &CpuGuard,
        cfd: &CallFunctionData,
        targets: &mut Cpumask,
    ) -> Option<Flags> {
        let seq = self.wait.then(|| cfd.next_seq(guard));
        let mut due = 0u32;
        let mut last_due = guard.cpu();
        // The CPUs to send an IPI to, if these are not all of `targets`.
        let mut ipi_mask: Option<&mut Cpumask> = None;

        let mut cursor = Cursor::new(targets);
        while let Some(cpu) = cursor.next(targets) {
            if self.wants(cpu) {
                // SAFETY: This CPU is up, and `cpu` was seen online.
                let csd = unsafe { cfd.csd(cpu) };

                // ORDERING: The acquire of the wait pairs with the release in `Csd::unlock()`: the
                // last use is over before the fields are written again.
                // LITMUS: csd-unlock-reuse, csd-exact-wait
                wait::until_over(csd, None, Waiting::Spin);
                csd.lock_pair(seq);
                csd.fill(self.call, guard.cpu(), cpu);
                trace::csd_queue(cpu, self.callsite, self.call.func, csd.as_ptr());

                // SAFETY: `cpu` was seen online with preemption off, so it is possible.
                let queue = unsafe { queue::of(cpu) };
                // SAFETY: The csd is locked and filled in, and is never freed.
                let was_empty = unsafe { queue.push(csd.node()) };

                queue::count_push(was_empty);
                if was_empty {
                    due = due.wrapping_add(1);
                    last_due = cpu;
                } else {
                    ipi_mask
                        // SAFETY: `cfd` is that of this CPU, and preemption is off.
                        .get_or_insert_with(|| unsafe { cfd.ipi_mask_like(targets) })
                        .clear(cpu);
                }
            } else {
                targets.clear(cpu);
                if let Some(ipi_mask) = &mut ipi_mask {
                    ipi_mask.clear(cpu);
                }
            }
        }

        match due {
            0 => {}
            1 => ipi::send(last_due, Some(self.callsite)),
            _ => ipi::send_mask(ipi_mask.unwrap_or(targets), self.callsite),
        }

        seq.map(Flags::sync)
    }

    /// Calls the other CPUs of `mask` one by one.
    ///
    /// For callers that may run inside another multi-CPU call of this CPU, in an interrupt or in
    /// its function: the per-pair csds and the mask of the task may be in use.
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
                // SAFETY: As above, and it is another CPU.
                unsafe { pool::send(guard, cpu, self.call, waiting, self.callsite) };
            }
        }
    }
}

/// Runs `func` on the online CPUs of `mask`; with `cond_func`, on those for which it returns true.
///
/// Behind all entry points for many CPUs. `mask` may change meanwhile: the call waits for the CPUs
/// that it was sent to. A CPU that comes online meanwhile is not called, and a target cannot go
/// offline before it has run the csd.
///
/// From a task with interrupts on. With `SCF_WAIT`, waits with preemption on.
///
/// # Safety
///
/// `mask` is valid. `cond_func`, with preemption off, and `func`, with interrupts off, may be
/// called with `info`.
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
    let args = MultiCall {
        call: Call { func, info },
        cond: cond_func,
        wait: scf_flags & bindings::SCF_WAIT != 0,
        callsite: Callsite(callsite),
    };

    let guard = CpuGuard::new();
    let this_cpu = guard.cpu();
    let cfd = CallFunctionData::this_cpu(&guard);
    let targets = task_mask::of_current();
    let waiting = Waiting::of_caller(this_cpu, || irq::warn_many(|| this_cpu.is_online()));
    let mut sent = None;

    if waiting.polls() || (wait::POLLING && irq::in_interrupt()) {
        // SAFETY: By the safety requirements.
        unsafe { args.send_one_by_one(mask, waiting) };
    } else if mask::online_others(mask, Cpumask::online(), this_cpu, targets) {
        sent = args.send(&guard, cfd, targets);
    }

    if scf_flags & bindings::SCF_RUN_LOCAL != 0 && mask.test(this_cpu) && args.wants(this_cpu) {
        // SAFETY: By the safety requirements.
        unsafe { run::here(args.call) };
    }

    // The set belongs to the task, and per-pair csds are never freed: the wait may be preempted,
    // and continue on another CPU.
    drop(guard);

    if sent.is_some() {
        // LITMUS: many-waits-for-what-was-sent
        for cpu in targets.iter() {
            // SAFETY: The source CPU was up, and `cpu` was online, when the call was sent.
            wait::until_over(unsafe { cfd.csd(cpu) }, sent, Waiting::Spin);
        }
    }
}
