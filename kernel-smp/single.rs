// SPDX-License-Identifier: GPL-2.0

//! Calls to one CPU.

use crate::{
    csd::{
        Call,
        Csd,
        Func,
        Kind,
        Node, //
    },
    ipi,
    irq,
    mask,
    pool,
    queue,
    run,
    trace::Callsite,
    wait::{
        self,
        Waiting, //
    }, //
};
use core::{
    hint::black_box,
    mem::MaybeUninit, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*, //
};

/// Runs `func` on `cpu`; with `wait`, returns when it has run.
///
/// Behind `smp_call_function_single()`. From a task with interrupts on.
///
/// # Errors
///
/// - `-ENXIO`: `cpu` is not online, or is not the number of a CPU.
///
/// # Safety
///
/// `func` may be called with `info` on `cpu`, with interrupts off.
#[export]
pub(crate) unsafe extern "C" fn smp_single(
    cpu: c_int,
    func: Func,
    info: *mut c_void,
    wait: bool,
    callsite: usize,
) -> c_int {
    let guard = CpuGuard::new();
    let call = Call { func, info };
    let here = cpu == i32::from(guard.cpu());
    let online = || mask::online(cpu);

    // SAFETY: By the safety requirements.
    unsafe { call_one(guard, here, online, call, wait, Callsite(callsite)) }
}

/// Runs `func` on a CPU of `mask`: this one if it is in the mask, else the nearest that is online.
///
/// Behind `smp_call_function_any()`. Otherwise as [`smp_single`].
///
/// # Errors
///
/// - `-ENXIO`: no CPU of `mask` is online.
///
/// # Safety
///
/// `mask` is valid. `func` may be called with `info` on each CPU of it, with interrupts off.
#[export]
pub(crate) unsafe extern "C" fn smp_single_any(
    mask: *const bindings::cpumask,
    func: Func,
    info: *mut c_void,
    wait: bool,
    callsite: usize,
) -> c_int {
    let guard = CpuGuard::new();
    let call = Call { func, info };

    let this_cpu = guard.cpu();
    // SAFETY: `mask` is valid, by the safety requirements.
    let target = mask::nearest(unsafe { Cpumask::from_raw(mask) }, this_cpu);
    let here = target == Some(this_cpu);

    // SAFETY: By the safety requirements.
    unsafe { call_one(guard, here, || target, call, wait, Callsite(callsite)) }
}

/// Sends the caller's own `csd` to `cpu` and returns.
///
/// Behind `smp_call_function_single_async()`. In any context. The caller makes sure that no two
/// CPUs send one csd at once: the check whether it is in use, and the lock, are two steps.
///
/// # Errors
///
/// - `-EBUSY`: `csd` is in use: its function has not begun yet.
/// - `-ENXIO`: `cpu` is not online, or is not the number of a CPU. The csd may be used again at
///   once.
///
/// # Safety
///
/// `csd` is valid until its function has begun, and the function may be called.
#[export]
pub(crate) unsafe extern "C" fn smp_single_async(
    cpu: c_int,
    csd: *mut bindings::call_single_data_t,
    callsite: usize,
) -> c_int {
    let guard = CpuGuard::new();

    // SAFETY: `csd` is valid, by the safety requirements.
    let csd = unsafe { Csd::from_raw(csd) };
    if !csd.lock_if_unlocked() {
        return busy(guard);
    }

    if cpu == i32::from(guard.cpu()) {
        // SAFETY: By the safety requirements.
        unsafe { run_async_here(csd) };
        return 0;
    }

    // With preemption off the CPU stays online: the stopper that takes it down runs on all.
    let Some(cpu) = mask::online(cpu) else {
        csd.unlock();
        return failed(ENXIO);
    };

    // SAFETY: The csd is locked, was filled in by the caller, and `cpu` is online.
    unsafe { queue::send(cpu, csd.node(), Callsite(callsite)) };
    0
}

/// Runs the function of a locked asynchronous csd on this CPU. Senders of such csds mostly choose
/// another one, so the way to that is the straight one.
///
/// # Safety
///
/// As for [`run::here`].
#[cold]
unsafe fn run_async_here(csd: Csd) {
    let call = csd.call();

    csd.unlock();
    // SAFETY: By the safety requirements.
    unsafe { run::here(call) };
}

/// Queues an entry of any kind on `cpu`, and sends an IPI if one is due.
///
/// Behind `__smp_call_single_queue()`, for the scheduler and for IRQ work. In any context.
///
/// # Safety
///
/// `node` is the link of an entry that is in no queue and is filled in, and `cpu` is a possible CPU
/// that does not go offline meanwhile.
#[export]
pub(crate) unsafe extern "C" fn smp_single_queue(cpu: c_int, node: *mut Node, callsite: usize) {
    // SAFETY: `cpu` is a CPU, by the safety requirements.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu as u32) };

    // SAFETY: By the safety requirements.
    unsafe { queue::send(cpu, node, Callsite(callsite)) };
}

/// Out of line and opaque to the compiler, so that a call that succeeds does not compute the error.
#[cold]
#[inline(never)]
fn failed(error: Error) -> c_int {
    black_box(error.to_errno())
}

/// Out of line, for the same reason, and short: callers try again until the csd is unlocked.
#[cold]
#[inline(never)]
fn busy(guard: CpuGuard) -> c_int {
    drop(guard);
    EBUSY.to_errno()
}

/// Runs `call` on this CPU if `here`, else on the CPU that `online` returns. Returns 0, or a
/// negative error number.
///
/// # Safety
///
/// The call may be made on that CPU, with interrupts off. `online` returns an online CPU, or
/// [`None`].
// Always: as for `queue::send()`.
#[inline(always)]
unsafe fn call_one(
    guard: CpuGuard,
    here: bool,
    online: impl FnOnce() -> Option<CpuId>,
    call: Call,
    wait: bool,
    callsite: Callsite,
) -> c_int {
    let this_cpu = guard.cpu();
    let waiting = Waiting::of_caller(this_cpu, || irq::warn_single(|| this_cpu.is_online()));

    if here {
        // SAFETY: By the safety requirements.
        unsafe { run::here(call) };
        return 0;
    }

    // With preemption off the CPU stays online: the stopper that takes it down runs on all.
    let Some(cpu) = online() else {
        return failed(ENXIO);
    };

    if wait {
        // SAFETY: By the safety requirements, and `cpu` is online.
        unsafe { send_and_wait(guard, cpu, call, waiting, callsite) };
    } else {
        // SAFETY: As above, and it is another CPU, since the call is not made `here`.
        unsafe { pool::send(guard, cpu, call, waiting, callsite) };
    }
    0
}

/// A csd on a stack, aligned so that it lies in one cache line.
#[repr(C, align(32))]
struct StackCsd(MaybeUninit<bindings::__call_single_data>);

const _: () = kernel::build_assert::const_assert!(
    align_of::<StackCsd>() >= size_of::<bindings::__call_single_data>()
);

/// Sends a synchronous call in a csd on this stack, and waits until it has run. The symbol is that
/// of C, for backtraces of waiters.
///
/// # Safety
///
/// The call may be made on `cpu`, which is online, with interrupts off.
#[inline(never)]
#[export_name = "__smp_call_function_single"]
pub(crate) unsafe fn send_and_wait(
    guard: CpuGuard,
    cpu: CpuId,
    call: Call,
    waiting: Waiting,
    callsite: Callsite,
) {
    let mut stack = StackCsd(MaybeUninit::uninit());
    // SAFETY: The csd is unlocked when this function returns: it waits.
    let csd = unsafe { Csd::from_raw(stack.0.as_mut_ptr()) };

    let flags = csd.lock_new(Kind::Sync);
    csd.fill(call, guard.cpu(), cpu);
    // SAFETY: By the safety requirements. The csd is locked and filled in; this function waits for
    // it.
    let was_empty = unsafe { queue::send(cpu, csd.node(), callsite) };
    if wait::POLLING && !was_empty && irq::in_interrupt() {
        // This interrupt may have come between a push on that queue and the IPI of that push.
        ipi::send(cpu, Some(callsite));
    }

    // The wait depends on this csd only: from here on the task may be preempted, and continue on
    // another CPU.
    drop(guard);
    wait::until_over(csd, Some(flags), waiting);
}
