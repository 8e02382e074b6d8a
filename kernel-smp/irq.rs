// SPDX-License-Identifier: GPL-2.0

//! Seam: the context that the caller is in.

use kernel::{
    bindings,
    helpers,
    interrupt::LocalInterruptDisabled,
    lockdep,
    percpu::CpuGuard,
    preempt,
    warn_on_once, //
};

pub(crate) use kernel::irqflags::with_interrupts_off;

/// Returns whether an oops is in progress. Calls may then come from any context.
#[inline]
fn oops_in_progress() -> bool {
    // SAFETY: The variable is an `int` of C, which other CPUs may write: a stale value is fine.
    unsafe { (&raw const bindings::oops_in_progress).read_volatile() != 0 }
}

/// Returns whether the boot CPU has not yet turned interrupts on for the first time.
#[inline]
fn early_boot_irqs_disabled() -> bool {
    // SAFETY: The variable is a `bool` of C, written by the boot CPU before others are up.
    unsafe { (&raw const bindings::early_boot_irqs_disabled).read_volatile() }
}

/// Warns about a context in which a call to one CPU can deadlock.
///
/// With interrupts off, two CPUs that call each other deadlock. An offline CPU is exempt, since no
/// CPU can call it; so is a kernel with an oops in progress. A call from an interrupt can come
/// between the push of another call and its IPI, and wait for the csd of that call.
#[inline]
pub(crate) fn warn_single(this_cpu_online: impl FnOnce() -> bool) {
    // SAFETY: Reading the interrupt state is always allowed.
    let off = unsafe { helpers::irqflags::irqs_disabled() };

    warn_on_once!(off && this_cpu_online() && !oops_in_progress());
    warn_on_once!(!preempt::in_task());
}

/// Warns about a context in which a call to many CPUs can deadlock.
///
/// As [`warn_single`], but interrupts are checked by lockdep, and early boot is exempt too.
#[inline]
pub(crate) fn warn_many(this_cpu_online: impl FnOnce() -> bool) {
    if cfg!(CONFIG_PROVE_LOCKING)
        && this_cpu_online()
        && !oops_in_progress()
        && !early_boot_irqs_disabled()
    {
        lockdep::assert_irqs_enabled();
    }

    warn_on_once!(!preempt::in_task());
}

/// Whether this CPU can take IPIs while the caller waits.
pub(crate) enum CanTakeIpi {
    /// Interrupts are on.
    Yes,
    /// No, but the caller is exempt as in C: its CPU is offline, this is early boot, or an oops is
    /// in progress.
    NotNeeded,
    /// No, and other CPUs may wait for this one meanwhile.
    No,
    /// No, and the caller must not run functions: it is in an NMI, or in the stopper thread.
    Never,
}

/// Returns whether this CPU can take IPIs while the caller waits.
#[inline]
pub(crate) fn can_take_ipi(this_cpu_online: impl FnOnce() -> bool) -> CanTakeIpi {
    // SAFETY: Reading the interrupt state is always allowed.
    if !unsafe { helpers::irqflags::irqs_disabled() } {
        return CanTakeIpi::Yes;
    }
    interrupts_are_off(this_cpu_online())
}

#[cold]
fn interrupts_are_off(this_cpu_online: bool) -> CanTakeIpi {
    if !this_cpu_online || oops_in_progress() || early_boot_irqs_disabled() {
        CanTakeIpi::NotNeeded
    } else if preempt::in_nmi() || is_stopper() {
        CanTakeIpi::Never
    } else {
        CanTakeIpi::No
    }
}

/// Returns whether this is the stopper thread. The stopper threads of several CPUs may run in step.
fn is_stopper() -> bool {
    // SAFETY: There is always a current task, and it has a class.
    let class = unsafe { (*helpers::percpu::get_current()).sched_class };

    core::ptr::eq(class, &raw const bindings::stop_sched_class)
}

/// Returns whether the caller is in an interrupt, and so may have interrupted another caller.
#[inline]
pub(crate) fn in_interrupt() -> bool {
    !preempt::in_task()
}

/// Marks the context as an interrupt in the waiter, until this is dropped.
///
/// A function that runs in a polling wait may look at its context: `rcu_exp_handler()` finds that
/// the CPU has no RCU reader if preemption is on, or if this is the first interrupt from idle. But
/// the waiter has interrupts off, which makes it an RCU reader.
///
/// # Invariants
///
/// RCU counts one level of interrupts on behalf of this value.
pub(crate) struct Nested<'a> {
    _preemption_off: CpuGuard,
    _irq: &'a LocalInterruptDisabled,
}

impl<'a> Nested<'a> {
    #[inline]
    pub(crate) fn new(irq: &'a LocalInterruptDisabled) -> Self {
        let guard = CpuGuard::new();

        // From idle, the interrupt that waits has nesting level 1, and this one has level 3. In the
        // idle task where RCU does not watch, this one has level 1: there is no reader.
        // SAFETY: Interrupts are off, and no wait polls in an NMI.
        unsafe { bindings::ct_irq_enter() };

        // INVARIANT: RCU has just counted one.
        Self {
            _preemption_off: guard,
            _irq: irq,
        }
    }
}

impl Drop for Nested<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this undoes the `ct_irq_enter()` of `new()`. Interrupts
        // are still off.
        unsafe { bindings::ct_irq_exit() };

        // The guard enables preemption after this, but does not schedule, since interrupts are off.
        // A reschedule that is due happens with the IPI of the entries that have run here.
    }
}
