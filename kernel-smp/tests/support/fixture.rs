// SPDX-License-Identifier: GPL-2.0

//! Two CPUs, waiting with a bound, and values that are never freed.

use super::calls::{
    enter,
    Callback, //
};
use crate::{
    csd::{
        Call,
        Csd,
        Kind, //
    },
    irq,
    pool,
    queue, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    error::to_result,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

/// Runs `f` with interrupts off on this CPU. Afterwards they are as they were before.
pub(crate) fn with_interrupts_off<R>(f: impl FnOnce(&LocalInterruptDisabled) -> R) -> R {
    // SAFETY: No test makes or drops a guard in it, sleeps, or turns interrupts on.
    unsafe { irq::with_interrupts_off(f) }
}

/// How often a condition is looked at, with a pause in between: ten seconds.
const LOOKS: u32 = 1_000_000;

/// The pause between two looks.
const PAUSE: Delta = Delta::from_micros(10);

/// Waits until `condition` holds. Returns false if it does not in a long time.
///
/// In any context. The bound is counted in delays and not read from a clock: clocks may stand still
/// while the CPU that keeps them is in a callback.
#[must_use]
pub(crate) fn becomes_true(mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..LOOKS {
        if condition() {
            return true;
        }
        udelay(PAUSE);
    }
    condition()
}

/// Moves the current task to `cpu`, where it stays.
pub(crate) fn bind(cpu: CpuId) -> Result {
    // SAFETY: There is always a current task.
    move_task(unsafe { bindings::get_current() }, cpu)
}

/// Moves `task` to `cpu`, where it stays.
pub(crate) fn move_task(task: *mut bindings::task_struct, cpu: CpuId) -> Result {
    let mask = mask_of([cpu])?;

    // SAFETY: The caller has a task, and the mask is valid.
    to_result(unsafe { bindings::set_cpus_allowed_ptr(task, mask.as_raw()) })
}

/// Waits, once, until the system has selected its final clocksource, or for a long time.
///
/// At the switch, some two seconds after boot, all CPUs are stopped by `stop_machine()`. A CPU that a
/// test holds does not stop, and the test, which is stopped, does not release it.
fn wait_for_clocksource() {
    static WAITED: Atomic<bool> = Atomic::new(false);
    let is_final = || {
        let mut now = bindings::system_time_snapshot::default();

        // SAFETY: `CLOCK_MONOTONIC` is supported, and the snapshot is a valid local variable.
        unsafe { bindings::ktime_get_snapshot_id(bindings::CLOCK_MONOTONIC as _, &raw mut now) };
        now.cs_id != bindings::clocksource_ids_CSID_X86_TSC_EARLY
    };

    if !WAITED.xchg(true, Relaxed) && !becomes_true(is_final) {
        pr_info!("the early clocksource is still in use; tests may fail when it is replaced\n");
    }
}

/// A CPU on which the test runs, and another.
pub(crate) struct Cpus {
    pub(crate) here: CpuId,
    pub(crate) there: CpuId,
}

/// Binds the test to a CPU, and names another that is online.
///
/// The thread of a test ends with the test, so there is nothing to undo.
pub(crate) fn two_cpus() -> Result<Cpus> {
    let mut online = Cpumask::online().iter();

    let (Some(here), Some(there)) = (online.next(), online.last()) else {
        pr_err!("this test needs two CPUs online\n");
        return Err(ENODEV);
    };

    wait_for_clocksource();
    bind(here)?;
    Ok(Cpus { here, there })
}

impl Cpus {
    /// Returns an online CPU that is none of the two, or ends the test.
    ///
    /// Must be called before the test changes anything: the end of a skipped test runs no destructors.
    pub(crate) fn third(&self) -> Result<CpuId> {
        let third = Cpumask::online()
            .iter()
            .find(|cpu| *cpu != self.here && *cpu != self.there);

        third.map_or_else(|| skip("needs three CPUs online"), Ok)
    }
}

/// Ends the test, which counts as skipped.
pub(crate) fn skip(reason: &str) -> ! {
    // SAFETY: May be called in any task.
    let test = unsafe { bindings::kunit_get_current_test() };
    // SAFETY: This is the thread of a test, which lives until after its end.
    let comment = unsafe { &mut (*test).status_comment };

    for (to, from) in comment.iter_mut().zip(Iterator::chain(reason.bytes(), [0])) {
        *to = from as c_char;
    }
    // SAFETY: As above.
    unsafe { (*test).status = bindings::kunit_status_KUNIT_SKIPPED };
    // SAFETY: As above.
    unsafe { bindings::kunit_try_catch_throw(&raw mut (*test).try_catch) }
}

/// Makes a set of CPUs.
pub(crate) fn mask_of(cpus: impl IntoIterator<Item = CpuId>) -> Result<CpumaskVar> {
    let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

    for cpu in cpus {
        mask.set(cpu);
    }
    Ok(mask)
}

/// Invalid CPU numbers.
pub(crate) fn invalid_cpus() -> [i32; 6] {
    [
        -1,
        i32::MIN,
        i32::MAX,
        nr_cpu_ids() as i32,
        bindings::NR_CPUS as i32,
        -(nr_cpu_ids() as i32),
    ]
}

/// Allocates a value that is never freed.
pub(crate) fn leak<T: 'static>(value: T) -> Result<&'static T> {
    Ok(KBox::leak(KBox::new(value, GFP_KERNEL)?))
}

/// Returns whether interrupts are off.
pub(crate) fn interrupts_are_off() -> bool {
    // SAFETY: Reading the interrupt state is always allowed.
    unsafe { bindings::irqs_disabled() }
}

/// Returns how often preemption and interrupts are disabled, as the kernel counts it.
pub(crate) fn preempt_count() -> usize {
    // SAFETY: This is a per-CPU variable of the kernel.
    let count = unsafe { bindings::this_cpu_ptr((&raw mut bindings::__preempt_count).cast()) };

    // SAFETY: As above. Whichever CPU's it is, it may be read.
    let count = unsafe { count.cast::<usize>().read_volatile() };

    // The highest bit is `PREEMPT_NEED_RESCHED`, which is no part of the count.
    count & 0x7fff_ffff
}

/// The memory of a csd.
#[repr(C, align(32))]
struct Slot(UnsafeCell<MaybeUninit<bindings::__call_single_data>>);

/// Makes a csd of zeroes, which is never freed.
pub(crate) fn blank_csd() -> Result<Csd> {
    let slot = leak(Slot(UnsafeCell::new(MaybeUninit::zeroed())))?;

    // SAFETY: The slot is large enough for a csd and is never freed.
    Ok(unsafe { Csd::from_raw(slot.0.get().cast()) })
}

/// Makes an unlocked csd that calls `info`.
pub(crate) fn csd_for<T: Callback>(info: &'static T) -> Result<Csd> {
    let csd = blank_csd()?;

    csd.fill(call_of(info), CpuId::current(), CpuId::current());
    Ok(csd)
}

/// Makes a csd that is locked as `kind` and filled in, ready to be pushed on the queue of `cpu`.
pub(crate) fn locked_csd<T: Callback>(info: &'static T, kind: Kind, cpu: CpuId) -> Result<Csd> {
    let csd = blank_csd()?;

    csd.lock_new(kind);
    csd.fill(call_of(info), CpuId::current(), cpu);
    Ok(csd)
}

/// Waits until no csd of this CPU's pool is in use. Returns false if one stays in use: a refused call
/// must not leave a csd locked.
pub(crate) fn pool_is_free() -> bool {
    // Another task on this CPU may use one just now.
    becomes_true(|| pool::state::in_use(CpuId::current()) == 0)
}

/// Makes a call of `info`.
pub(crate) fn call_of<T: Callback>(info: &'static T) -> Call {
    Call {
        func: Some(enter::<T>),
        info: core::ptr::from_ref(info).cast_mut().cast(),
    }
}

/// Pushes an entry on this CPU's queue, with no IPI.
pub(crate) fn push_here(irq: &LocalInterruptDisabled, csd: Csd) {
    // SAFETY: The entry is never freed, is in no queue, and is filled in.
    unsafe { queue::this_cpu(irq).push(csd.node()) };
}

/// `flush_smp_call_function_queue()`
pub(crate) fn flush_from_task() {
    // SAFETY: The test is a task, and bound to its CPU.
    unsafe { bindings::flush_smp_call_function_queue() };
}
