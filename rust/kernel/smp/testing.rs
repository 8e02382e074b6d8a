// SPDX-License-Identifier: GPL-2.0

//! What KUnit tests of cross-CPU calls share.
//!
//! Two CPUs, waiting with a bound, CPUs that are offline for a while, and checks after which a test
//! goes on. The tests of this crate use it, and those of `kernel/smp/`.
//!
//! "For a task that may sleep" and "for the thread of a test" say where a function may be called.
//! Where neither is said, any context will do.

use crate::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    error::to_result,
    helpers,
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

#[doc(hidden)]
pub mod checks;

#[doc(inline)]
pub use crate::{
    smp_check as check,
    smp_check_eq as check_eq,
    smp_require as require,
    smp_require_eq as require_eq, //
};

/// How often a condition is looked at, with a pause in between: ten seconds.
const LOOKS: u32 = 1_000_000;

/// The pause between two looks.
const PAUSE: Delta = Delta::from_micros(10);

/// Waits until `condition` holds. Returns false if it does not in a long time.
///
/// The bound is counted in delays and not read from a clock: clocks may stand still while the CPU
/// that keeps them is in a callback.
#[must_use]
pub fn becomes_true(mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..LOOKS {
        if condition() {
            return true;
        }
        udelay(PAUSE);
    }
    condition()
}

/// Returns whether interrupts are off on this CPU.
pub fn interrupts_are_off() -> bool {
    // SAFETY: Reading the interrupt state is always allowed.
    unsafe { helpers::irqflags::irqs_disabled() }
}

/// Makes a set of CPUs. For a task that may sleep.
///
/// # Errors
///
/// `ENOMEM`, if there is no memory.
pub fn mask_of(cpus: impl IntoIterator<Item = CpuId>) -> Result<CpumaskVar> {
    let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

    for cpu in cpus {
        mask.set(cpu);
    }
    Ok(mask)
}

/// Moves the current task to `cpu`, where it stays. For a task that may sleep.
///
/// The thread of a test ends with the test, so there is nothing to undo.
///
/// # Errors
///
/// `EINVAL`, if the CPU is offline or the task may not be moved. `ENOMEM`, if there is no memory.
pub fn bind(cpu: CpuId) -> Result {
    // SAFETY: There is always a current task.
    let task = unsafe { helpers::percpu::get_current() };

    // SAFETY: The current task is valid as long as it runs.
    unsafe { move_task(task, cpu) }
}

/// Moves `task` to `cpu`, where it stays. For a task that may sleep.
///
/// # Errors
///
/// As [`bind`].
///
/// # Safety
///
/// `task` must be valid during the call.
pub unsafe fn move_task(task: *mut bindings::task_struct, cpu: CpuId) -> Result {
    let mask = mask_of([cpu])?;

    // SAFETY: The task is valid by the safety requirements, and so is the mask.
    to_result(unsafe { bindings::set_cpus_allowed_ptr(task, mask.as_raw()) })
}

/// Waits, once, until the system has selected its final clocksource, or for a long time.
///
/// At the switch, some two seconds after boot, all CPUs are stopped by `stop_machine()`. A CPU that
/// a test holds does not stop, and the test, which is stopped, does not release it.
fn wait_for_clocksource() {
    static WAITED: Atomic<bool> = Atomic::new(false);
    let is_final = || {
        let mut now = bindings::system_time_snapshot::default();
        let clock = bindings::CLOCK_MONOTONIC as bindings::clockid_t;

        // SAFETY: `CLOCK_MONOTONIC` is supported, and the snapshot is a valid local variable.
        unsafe { bindings::ktime_get_snapshot_id(clock, &raw mut now) };
        now.cs_id != bindings::clocksource_ids_CSID_X86_TSC_EARLY
    };

    if !WAITED.xchg(true, Relaxed) && !becomes_true(is_final) {
        pr_info!("the early clocksource is still in use; tests may fail when it is replaced\n");
    }
}

/// A CPU on which the test runs, and another.
pub struct Cpus {
    /// The CPU on which the test runs.
    pub here: CpuId,
    /// Another CPU, which was online.
    pub there: CpuId,
}

/// Binds the test to a CPU, and names another that is online. For the thread of a test.
///
/// # Errors
///
/// `ENODEV`, if only one CPU is online. Otherwise as [`bind`].
pub fn two_cpus() -> Result<Cpus> {
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
    /// Returns both, the CPU of the test first.
    pub fn both(&self) -> [CpuId; 2] {
        [self.here, self.there]
    }

    /// Returns an online CPU that is none of the two, or skips the test. For the thread of a test.
    ///
    /// Must be called before the test changes anything: the end of a skipped test runs no
    /// destructors.
    pub fn third(&self) -> CpuId {
        let third = Cpumask::online()
            .iter()
            .find(|cpu| *cpu != self.here && *cpu != self.there);

        third.unwrap_or_else(|| skip("needs three CPUs online"))
    }
}

/// Ends the test, which counts as skipped. For the thread of a test.
///
/// # Panics
///
/// If this is not the thread of a test.
pub fn skip(reason: &str) -> ! {
    // SAFETY: May be called in any task.
    let test = unsafe { bindings::kunit_get_current_test() };

    if test.is_null() {
        panic!("not the thread of a test\n");
    }
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

/// Takes a CPU offline. One that is offline already stays so. For a task that may sleep.
///
/// # Errors
///
/// `ENODEV`, if there is no such CPU, and the error with which the kernel refuses: that of a
/// hotplug callback, for example.
#[cfg(CONFIG_HOTPLUG_CPU)]
pub fn take_offline(cpu: CpuId) -> Result {
    check_present(cpu)?;

    // SAFETY: A CPU that is present has a device.
    to_result(unsafe { bindings::remove_cpu(cpu.as_u32()) })
}

/// Brings a CPU online. One that is online already stays so. For a task that may sleep.
///
/// # Errors
///
/// As [`take_offline`].
#[cfg(CONFIG_HOTPLUG_CPU)]
pub fn bring_online(cpu: CpuId) -> Result {
    check_present(cpu)?;

    // SAFETY: A CPU that is present has a device.
    to_result(unsafe { bindings::add_cpu(cpu.as_u32()) })
}

/// Returns an error if `cpu` has no device.
#[cfg(CONFIG_HOTPLUG_CPU)]
fn check_present(cpu: CpuId) -> Result {
    // SAFETY: The number is below `nr_cpu_ids`, and the device is only compared with null.
    if unsafe { bindings::get_cpu_device(cpu.as_u32()) }.is_null() {
        return Err(ENODEV);
    }
    Ok(())
}

/// A CPU that is offline until this is dropped. To be dropped by a task that may sleep.
#[cfg(CONFIG_HOTPLUG_CPU)]
pub struct Down(CpuId);

#[cfg(CONFIG_HOTPLUG_CPU)]
impl Down {
    /// Takes `cpu` offline. For a task that may sleep.
    ///
    /// # Errors
    ///
    /// As [`take_offline`].
    pub fn new(cpu: CpuId) -> Result<Self> {
        take_offline(cpu)?;
        Ok(Self(cpu))
    }

    /// Takes over a CPU that is offline already.
    pub fn assume(cpu: CpuId) -> Self {
        Self(cpu)
    }
}

#[cfg(CONFIG_HOTPLUG_CPU)]
impl Drop for Down {
    fn drop(&mut self) {
        if bring_online(self.0).is_err() {
            pr_err!("CPU {} does not come online again\n", self.0.as_u32());
        }
    }
}
