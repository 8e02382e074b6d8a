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
    fault,
    flush,
    ipi,
    irq,
    mask,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    pool,
    queue,
    serve::{
        self,
        Waiting, //
    },
    stall,
    stats::{
        self,
        Counter, //
    },
    testpoint::{
        self,
        Point, //
    },
    trace::{
        self,
        Callsite, //
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
    prelude::*, //
};

/// Runs `func` on `cpu`; with `wait`, returns when it has run.
///
/// Behind `smp_call_function_single()`. From a task with interrupts on.
///
/// # Errors
///
/// - `-ENXIO`: `cpu` is not online, or is the number of no CPU.
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

    // SAFETY: By the safety requirements.
    unsafe { send(guard, cpu, call, wait, Callsite(callsite)) }
}

/// Runs `func` on a CPU of `mask`: this one if it is in it, else the nearest that is online.
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

    // SAFETY: `mask` is valid, by the safety requirements.
    let cpu = mask::nearest(unsafe { Cpumask::from_raw(mask) }, guard.cpu());

    // SAFETY: By the safety requirements.
    unsafe { send(guard, cpu, call, wait, Callsite(callsite)) }
}

/// Sends the caller's own `csd` to `cpu` and returns.
///
/// Behind `smp_call_function_single_async()`. In any context. The caller makes sure that one csd is
/// not sent by two CPUs at once: the check for one that is in use is no claim.
///
/// # Errors
///
/// - `-EBUSY`: `csd` is in use: its function has not been started yet.
/// - `-ENXIO`: `cpu` is not online, or is the number of no CPU. The csd may be used again at once.
///
/// # Safety
///
/// `csd` is valid until its function has been started, and the function may be called.
#[export]
pub(crate) unsafe extern "C" fn smp_single_async(
    cpu: c_int,
    csd: *mut bindings::call_single_data_t,
    callsite: usize,
) -> c_int {
    let guard = CpuGuard::new();

    // SAFETY: `csd` is valid, by the safety requirements.
    let csd = unsafe { Csd::from_raw(csd) };
    if !csd.lock_owned() {
        return EBUSY.to_errno();
    }

    if cpu == i32::from(guard.cpu()) {
        let call = csd.call();

        csd.unlock();
        // SAFETY: By the safety requirements.
        unsafe { flush::run_here(call) };
        return 0;
    }

    // With preemption off the CPU stays online: the stopper that takes it down runs on all.
    let Some(cpu) = mask::online(cpu) else {
        csd.unlock();
        return ENXIO.to_errno();
    };

    // SAFETY: The request is locked and filled in by its owner, and `cpu` is online.
    unsafe { push(cpu, csd.node(), Callsite(callsite)) };
    0
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
    unsafe { push(cpu, node, Callsite(callsite)) };
}

/// Pushes an entry on the queue of `cpu`. If the queue was empty, sends an IPI and returns true: else
/// somebody's IPI is on its way.
///
/// # Safety
///
/// As for [`smp_single_queue`].
#[inline(always)]
unsafe fn push(cpu: CpuId, node: *mut Node, callsite: Callsite) -> bool {
    if trace::sending_is_traced() {
        // SAFETY: By the safety requirements.
        unsafe { push_traced(cpu, node, callsite) }
    } else {
        // SAFETY: As above.
        unsafe { push_and_kick(cpu, node, None) }
    }
}

/// As [`push`], with the trace points. By itself, so that nobody who sends has to keep in registers
/// what only they are told.
///
/// # Safety
///
/// As for [`push`].
#[cold]
#[inline(never)]
unsafe fn push_traced(cpu: CpuId, node: *mut Node, callsite: Callsite) -> bool {
    // SAFETY: The entry is valid until it is pushed.
    let csd = unsafe { Csd::from_node(node) };
    let func = if csd.is(Kind::Ttwu) {
        Some(bindings::sched_ttwu_pending as unsafe extern "C" fn(*mut c_void))
    } else {
        csd.call().func
    };

    // Before the push: the target may be through with the entry right after.
    trace::csd_queue(cpu, callsite, func, csd);
    // SAFETY: By the safety requirements.
    unsafe { push_and_kick(cpu, node, Some(callsite)) }
}

/// # Safety
///
/// As for [`push`].
#[inline(always)]
unsafe fn push_and_kick(cpu: CpuId, node: *mut Node, traced: Option<Callsite>) -> bool {
    // SAFETY: `cpu` is possible, by the safety requirements.
    let queue = unsafe { queue::of(cpu) };
    // SAFETY: By the safety requirements.
    let due = unsafe { queue.push(node) };

    stats::count(Counter::Requests);
    if due {
        testpoint::reach(Point::Pushed);
        ipi::send(cpu, traced);
    } else {
        stats::count(Counter::Batched);
    }
    due
}

/// Out of line, and not seen through, so that a call to a CPU that is online does not prepare its error.
#[cold]
#[inline(never)]
fn not_online() -> c_int {
    black_box(ENXIO.to_errno())
}

/// Runs `call` on `cpu`, which may be any number. Returns 0, or a negative error number.
///
/// # Safety
///
/// The call may be made on `cpu`, with interrupts off.
#[inline(always)]
unsafe fn send(guard: CpuGuard, cpu: i32, call: Call, wait: bool, callsite: Callsite) -> c_int {
    let this_cpu = guard.cpu();
    let waiting = Waiting::of_caller(this_cpu, || irq::warn_single(|| this_cpu.is_online()));

    if cpu == i32::from(this_cpu) {
        // SAFETY: By the safety requirements.
        unsafe { flush::run_here(call) };
        return 0;
    }

    // With preemption off the CPU stays online: the stopper that takes it down runs on all.
    let Some(cpu) = mask::online(cpu) else {
        return not_online();
    };

    if wait {
        // SAFETY: By the safety requirements, and `cpu` is online.
        unsafe { send_and_wait(guard, cpu, call, waiting, callsite) };
    } else {
        // SAFETY: As above.
        unsafe { send_and_forget(guard, cpu, call, waiting, callsite) };
    }
    0
}

/// Sends a request that lives on this CPU until its target has taken it.
///
/// # Safety
///
/// The call may be made on `cpu`, which is online, with interrupts off.
#[inline(always)]
unsafe fn send_and_forget(
    guard: CpuGuard,
    cpu: CpuId,
    call: Call,
    waiting: Waiting,
    callsite: Callsite,
) {
    let pool_is_empty = fault::pool_is_empty(&guard);

    if !pool_is_empty && !stall::enabled() {
        if let Some(csd) = pool::claim_next(&guard) {
            testpoint::reach(Point::Claimed);
            // SAFETY: By the safety requirements, and the request is locked.
            unsafe { fill_and_push(&guard, csd, cpu, call, callsite) };
            return;
        }
    }
    // SAFETY: By the safety requirements.
    unsafe { send_in_any(guard, cpu, call, waiting, callsite, pool_is_empty) };
}

/// Sends a request that lives on this CPU, in whatever csd is free; with `pool_is_empty`, in none of
/// the pool.
///
/// # Safety
///
/// As for [`send_and_forget`].
#[cold]
#[inline(never)]
#[export_name = "generic_exec_single"]
pub(crate) unsafe fn send_in_any(
    guard: CpuGuard,
    cpu: CpuId,
    call: Call,
    waiting: Waiting,
    callsite: Callsite,
    pool_is_empty: bool,
) {
    pool::claim_any(&guard, pool_is_empty, waiting, callsite, |csd| {
        // SAFETY: By the safety requirements, and the request is locked.
        unsafe { fill_and_push(&guard, csd, cpu, call, callsite) };
    });
}

/// Sends a request that is locked. Returns whether with an IPI, as [`push`] does.
///
/// # Safety
///
/// As for [`send_and_forget`]. `csd` stays valid until its target is through with it.
#[inline(always)]
unsafe fn fill_and_push(
    guard: &CpuGuard,
    csd: Csd,
    cpu: CpuId,
    call: Call,
    callsite: Callsite,
) -> bool {
    csd.fill(call, guard.cpu(), i32::from(cpu));
    // SAFETY: The request is locked and filled in, and `cpu` is online, by the safety requirements.
    unsafe { push(cpu, csd.node(), callsite) }
}

/// A csd on a stack, aligned so that it lies in one cache line.
#[repr(C, align(32))]
struct StackCsd(MaybeUninit<bindings::__call_single_data>);

const _: () = kernel::build_assert::const_assert!(
    align_of::<StackCsd>() >= size_of::<bindings::__call_single_data>()
);

/// Sends a request that lives on this stack, and waits until it has run. The stack of a waiter shows its
/// name, which is that of C's.
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
    // SAFETY: The request is over when this function returns: it waits.
    let csd = unsafe { Csd::from_raw(stack.0.as_mut_ptr()) };

    let lock = csd.lock_new(Kind::Sync);
    // SAFETY: By the safety requirements, and the request is locked; this function waits for it.
    let sent = unsafe { fill_and_push(&guard, csd, cpu, call, callsite) };
    if serve::ON && !sent && irq::in_interrupt() {
        // It may have come between a push on this queue and the IPI that is due.
        ipi::send(cpu, Some(callsite));
    }

    // The request is on its way, and only its own end is waited for: from here on the task may be
    // preempted, and may go on on another CPU.
    drop(guard);
    csd.wait(lock, waiting);
}
