// SPDX-License-Identifier: GPL-2.0

//! Injected faults of IPIs.

use crate::{
    clock,
    irq, //
};
use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    bindings,
    container_of,
    cpu::CpuId,
    cpumask::Cpumask,
    interrupt::LocalInterruptDisabled,
    percpu::{
        define_per_cpu,
        CpuPinned, //
    },
    preempt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The number of IPIs in a burst.
const BURST: u32 = 8;

/// The number of IPIs that a CPU can delay at a time. Others are sent at once.
const HELD_MAX: usize = 8;

/// No CPU.
const NONE: i32 = -1;

/// Returns whether to inject `fault` on the way from one CPU to another.
pub(super) fn hits(fault: bindings::smp_fault_kind, from: CpuId, to: CpuId) -> bool {
    // SAFETY: May be called in any context.
    unsafe { bindings::smp_fault_hits(fault, i32::from(from), i32::from(to)) }
}

/// The IPIs that a CPU delays.
///
/// The IRQ work starts the timer, since the sender of an IPI may hold the locks of timers.
#[repr(C)]
struct Held {
    work: UnsafeCell<bindings::irq_work>,
    timer: UnsafeCell<MaybeUninit<bindings::hrtimer>>,
    /// The CPUs to which IPIs are due, in the order of sending, or [`NONE`].
    cpus: [Atomic<i32>; HELD_MAX],
    /// Whether they are sent in reverse order.
    swapped: Atomic<bool>,
    /// When they are sent, in ns; never, if there are none.
    due: Atomic<u64>,
}

// SAFETY: The work and the timer are used by functions of C only, the rest is atomic.
unsafe impl Sync for Held {}

define_per_cpu! {
    static HELD: Held = Held {
        work: UnsafeCell::new(bindings::irq_work {
            func: Some(start_timer),
            node: bindings::__call_single_node {
                llist: bindings::llist_node {
                    next: core::ptr::null_mut(),
                },
                __bindgen_anon_1: bindings::__call_single_node__bindgen_ty_1 {
                    u_flags: bindings::IRQ_WORK_HARD_IRQ,
                },
                src: 0,
                dst: 0,
            },
            irqwait: bindings::rcuwait {
                task: core::ptr::null_mut(),
            },
        }),
        timer: UnsafeCell::new(MaybeUninit::zeroed()),
        cpus: [const { Atomic::new(NONE) }; HELD_MAX],
        swapped: Atomic::new(false),
        due: Atomic::new(u64::MAX),
    };

    /// Whether this CPU is injecting a fault.
    static BUSY: Atomic<bool> = Atomic::new(false);
}

/// Sets up the timers. No fault is asked for before.
///
/// # Safety
///
/// Called once, at boot.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn smp_fault_init_timers() {
    for cpu in Cpumask::possible() {
        // SAFETY: The CPU is possible.
        let held = unsafe { HELD.per_cpu(cpu) };

        // SAFETY: The timer is not in use yet.
        unsafe {
            bindings::hrtimer_setup(
                held.timer.get().cast(),
                Some(release),
                bindings::CLOCK_MONOTONIC as i32,
                bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_HARD,
            )
        };
    }
}

/// Sends an IPI to `cpu`, or injects the fault that the settings ask for.
///
/// In any context. A CPU that is not online injects no faults, and neither does an NMI.
///
/// # Safety
///
/// `cpu` is a CPU.
pub(crate) unsafe fn arch_send_call_function_single_ipi(cpu: c_int) {
    // SAFETY: By the safety requirements.
    let cpu = unsafe { CpuId::from_i32_unchecked(cpu) };

    // SAFETY: Neither an IPI nor a timer makes a guard, or turns interrupts on.
    unsafe { irq::with_interrupts_off(|irq| send_or_inject(irq, cpu)) };
}

/// Sends an IPI to each CPU of `mask`, or injects the faults that the settings ask for.
///
/// # Safety
///
/// `mask` is valid, and its CPUs are possible.
pub(crate) unsafe fn arch_send_call_function_ipi_mask(mask: *const bindings::cpumask) {
    // SAFETY: By the safety requirements.
    for cpu in unsafe { Cpumask::from_raw(mask) } {
        // SAFETY: This is a CPU.
        unsafe { arch_send_call_function_single_ipi(i32::from(cpu)) };
    }
}

/// Sends an IPI to `cpu`, without faults.
fn send_now(cpu: CpuId) {
    // SAFETY: The number is that of a CPU.
    unsafe { bindings::arch_send_call_function_single_ipi(i32::from(cpu)) };
}

fn send_or_inject(irq: &LocalInterruptDisabled, cpu: CpuId) {
    let this_cpu = irq.cpu();
    let busy = BUSY.this_cpu(irq);

    if busy.load(Relaxed) || preempt::in_nmi() || !this_cpu.is_online() {
        return send_now(cpu);
    }

    busy.store(true, Relaxed);
    let hit = |fault| hits(fault, this_cpu, cpu);
    if hit(bindings::smp_fault_kind_SMP_FAULT_DROP) {
        // Nothing is sent.
    } else if hit(bindings::smp_fault_kind_SMP_FAULT_DELAY) {
        hold(irq, cpu, false);
    } else if hit(bindings::smp_fault_kind_SMP_FAULT_REORDER) {
        hold(irq, cpu, true);
    } else if hit(bindings::smp_fault_kind_SMP_FAULT_DUPLICATE) {
        send_now(cpu);
        send_now(cpu);
    } else if hit(bindings::smp_fault_kind_SMP_FAULT_BURST) {
        for _ in 0..BURST {
            send_now(cpu);
        }
    } else {
        send_now(cpu);
    }
    busy.store(false, Relaxed);
}

/// Delays the IPI to `cpu`.
fn hold(irq: &LocalInterruptDisabled, cpu: CpuId, swap: bool) {
    let held = HELD.this_cpu(irq);
    let Some(place) = held.cpus.iter().find(|held| held.load(Relaxed) == NONE) else {
        return send_now(cpu);
    };

    place.store(i32::from(cpu), Relaxed);
    held.swapped.store(swap, Relaxed);
    held.due.store(clock::now().wrapping_add(delay()), Relaxed);
    // SAFETY: The work is never freed.
    unsafe { bindings::irq_work_queue(held.work.get()) };
}

/// Returns how long an IPI is delayed, in ns.
fn delay() -> u64 {
    // SAFETY: The setting may change at any time; each value is fine.
    unsafe { (&raw const bindings::smp_fault_delay).read_volatile() }
}

/// Sends the IPIs of this CPU whose delay is over.
#[inline]
pub(super) fn release_due(irq: &LocalInterruptDisabled) {
    let held = HELD.this_cpu(irq);

    if clock::now() >= held.due.load(Relaxed) {
        held.send_all();
    }
}

/// Starts the timer that ends the delay.
///
/// # Safety
///
/// `work` is that of a [`Held`], and interrupts are off.
unsafe extern "C" fn start_timer(work: *mut bindings::irq_work) {
    // CAST: It is the first field.
    let held: *const Held = work.cast_const().cast();
    // SAFETY: By the safety requirements; per-CPU variables are never freed.
    let held = unsafe { &*held };

    // The timers of a CPU on its way down have moved to another one.
    if !CpuId::current().is_online() {
        return held.send_all();
    }

    // SAFETY: The timer was set up before the first fault was asked for.
    unsafe {
        bindings::hrtimer_start_range_ns(
            held.timer.get().cast(),
            delay() as i64,
            0,
            bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_HARD,
        )
    };
}

/// Sends the delayed IPIs.
///
/// # Safety
///
/// `timer` is that of a [`Held`], and interrupts are off.
unsafe extern "C" fn release(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
    // SAFETY: By the safety requirements.
    let held: *mut Held = unsafe {
        container_of!(
            timer.cast::<UnsafeCell<MaybeUninit<bindings::hrtimer>>>(),
            Held,
            timer
        )
    };

    // SAFETY: Per-CPU variables are never freed.
    unsafe { &*held }.send_all();
    bindings::hrtimer_restart::HRTIMER_NORESTART
}

impl Held {
    fn send_all(&self) {
        let send = |place: &Atomic<i32>| {
            let cpu = place.xchg(NONE, Relaxed);

            if cpu != NONE {
                // SAFETY: The number is that of a CPU.
                send_now(unsafe { CpuId::from_i32_unchecked(cpu) });
            }
        };

        self.due.store(u64::MAX, Relaxed);
        if self.swapped.load(Relaxed) {
            self.cpus.iter().rev().for_each(send);
        } else {
            self.cpus.iter().for_each(send);
        }
    }
}
