// SPDX-License-Identifier: GPL-2.0

//! The watch over requests, with `CONFIG_CSD_LOCK_WAIT_DEBUG`.

use super::{
    enabled,
    log, //
};
use crate::{
    csd::{
        Call,
        Csd, //
    },
    ipi,
    mask,
    percpu::{
        define_per_cpu,
        CpuGuard,
        CpuPinned, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    c_str,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    processor::cpu_relax,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::NSEC_PER_MSEC,
    warn, //
};

/// What a CPU runs.
struct Record {
    /// The request, or null. [`LOCAL`] for a call of the CPU to itself.
    csd: Atomic<*mut c_void>,
    func: Atomic<*mut c_void>,
    info: Atomic<*mut c_void>,
}

define_per_cpu! {
    static CUR_CSD: Record = Record {
        csd: Atomic::new(ptr::null_mut()),
        func: Atomic::new(ptr::null_mut()),
        info: Atomic::new(ptr::null_mut()),
    };

    /// 1 if a backtrace of the CPU may be asked for: at most one between two flushes.
    static TRIGGER_BACKTRACE: Atomic<i32> = Atomic::new(1);
}

/// How many requests were ever reported.
static CSD_BUG_COUNT: Atomic<i32> = Atomic::new(0);

/// How many of them are still waited for.
static N_CSD_LOCK_STUCK: Atomic<i32> = Atomic::new(0);

/// Stands for a call of a CPU to itself, which has no csd.
const LOCAL: *mut c_void = ptr::without_provenance_mut(1);

/// Returns whether a request is stuck for so long that it was reported.
///
/// RCU asks, to not report the same thing. May be called in any context.
#[export]
pub(crate) extern "C" fn csd_lock_is_stuck() -> bool {
    N_CSD_LOCK_STUCK.load(Relaxed) != 0
}

/// A flush shows that the CPU is alive: a backtrace of it may be asked for again.
#[inline(always)]
pub(crate) fn flush_begins(irq: &LocalInterruptDisabled) {
    if enabled() {
        // ORDERING: The release pairs with the acquire in `Wait::look_at()`: a backtrace that is
        // triggered after this shows the CPU in this flush or later.
        TRIGGER_BACKTRACE.this_cpu(irq).store(1, Release);
    }
}

/// Records that this CPU runs `csd` from now on, or nothing.
#[inline(always)]
pub(crate) fn record(csd: Option<Csd>) {
    if enabled() {
        match csd {
            Some(csd) => begin(csd.as_ptr().cast(), csd.call()),
            None => end(),
        }
    }
}

/// Records that this CPU runs a call to itself.
#[inline(always)]
pub(crate) fn record_local(call: Call) {
    if enabled() {
        begin(LOCAL, call);
    }
}

#[cold]
fn begin(csd: *mut c_void, call: Call) {
    let guard = CpuGuard::new();
    let record = CUR_CSD.this_cpu(&guard);

    record.func.store(func_ptr(call), Relaxed);
    record.info.store(call.info, Relaxed);
    // ORDERING: The release pairs with the acquire in `Wait::look_at()`: who sees the request sees
    // the function and argument that go with it.
    record.csd.store(csd, Release);
}

#[cold]
fn end() {
    let guard = CpuGuard::new();

    // ORDERING: The release pairs with the acquire in `Wait::look_at()`: who sees that nothing runs
    // sees what the last request did, its unlock among it.
    CUR_CSD.this_cpu(&guard).csd.store(ptr::null_mut(), Release);
}

fn func_ptr(call: Call) -> *mut c_void {
    call.func
        .map_or(ptr::null_mut(), |func| func as *mut c_void)
}

/// Waits until `csd` is unlocked, and reports it if that takes too long.
#[cold]
pub(crate) fn wait(csd: Csd) {
    let guard = CpuGuard::new();
    let now = now();
    let mut wait = Wait {
        start: now,
        last: now,
        bug_id: 0,
        messages: 0,
    };

    // SAFETY: `csd` is valid until it is unlocked, which is looked for first.
    while !unsafe { csd_lock_wait_toolong(csd.as_ptr(), &guard, &mut wait) } {
        cpu_relax();
    }

    // ORDERING: The acquire pairs with the release in `Csd::unlock()`.
    csd.acquire();
}

/// A wait that goes on.
struct Wait {
    /// When it began, in ns.
    start: u64,
    /// When it was last reported, in ns.
    last: u64,
    /// The number of the report, or 0.
    bug_id: i32,
    /// How often it was reported.
    messages: u64,
}

fn now() -> u64 {
    // SAFETY: The clock may be read in any context.
    unsafe { bindings::ktime_get_mono_fast_ns() }
}

/// Returns whether `csd` is unlocked, and complains if it is not and should be.
///
/// # Safety
///
/// `csd` is valid as long as it is locked.
#[no_mangle]
unsafe extern "C" fn csd_lock_wait_toolong(
    csd: *mut bindings::__call_single_data,
    guard: &CpuGuard,
    wait: &mut Wait,
) -> bool {
    // SAFETY: By the safety requirements.
    let csd = unsafe { Csd::from_raw(csd) };

    if !csd.is_locked() {
        if wait.bug_id != 0 {
            log!(
                "\x011",
                "csd: CSD lock (#%d) got unstuck on CPU#%02d, CPU#%02d released the lock.",
                wait.bug_id,
                guard.cpu().as_u32(),
                csd.target().map_or(-1, i32::from),
            );
            N_CSD_LOCK_STUCK.add(-1, Relaxed);
        }
        return true;
    }

    let now = now();
    if wait.is_due(now) {
        wait.look_at(csd, guard, now);
    }
    false
}

impl Wait {
    /// Returns whether a report is due: the more there were, and the more CPUs, the later.
    fn is_due(&self, now: u64) -> bool {
        // SAFETY: The parameter may change at any time; each value is fine.
        let timeout = unsafe { (&raw const bindings::smp_csd_lock_timeout).read_volatile() };
        let timeout = (timeout as u64).wrapping_mul(NSEC_PER_MSEC as u64);

        let backoff = if self.messages == 0 {
            1
        } else {
            // SAFETY: Counting CPUs has no requirements.
            let cpus = unsafe { bindings::num_online_cpus() };
            u64::from(cpus.checked_ilog2().unwrap_or(0) / 2).wrapping_add(1)
        };
        let limit = timeout
            .wrapping_mul(self.messages.wrapping_add(1))
            .wrapping_mul(backoff);

        timeout != 0 && now.wrapping_sub(self.last) > limit
    }

    /// Reports the request, and tries to get it going.
    fn look_at(&mut self, csd: Csd, guard: &CpuGuard, now: u64) {
        let this_cpu = guard.cpu().as_u32();

        if self.start > now {
            log!(
                "\x011",
                "sched_clock on CPU %d went backward by %llu ns",
                this_cpu,
                self.start.wrapping_sub(now),
            );
            self.last = now;
            return;
        }

        let first = self.bug_id == 0;
        if first {
            self.bug_id = CSD_BUG_COUNT.fetch_add(1, Relaxed).wrapping_add(1);
        }

        let number = csd.target().map_or(-1, i32::from);
        let target = mask::in_range(number);
        if target.is_none() {
            kernel::do_once_lite! {
                warn!("csd_lock_wait_toolong: cpu = {}\n", number);
            }
        }

        let waited = now.wrapping_sub(self.start) as i64;
        let call = csd.call();
        let record = record_of(target);
        // ORDERING: The acquire pairs with the releases in `begin()` and `end()`.
        let running = record.csd.load(Acquire);

        log!(
            "\x011",
            "csd: %s non-responsive CSD lock (#%d) on CPU#%d, waiting %lld ns for CPU#%02d %pS(%ps).",
            if first { c"Detected" } else { c"Continued" }.as_char_ptr(),
            self.bug_id,
            this_cpu,
            waited,
            number,
            func_ptr(call),
            call.info,
        );
        self.messages = self.messages.wrapping_add(1);
        if first {
            N_CSD_LOCK_STUCK.add(1, Relaxed);
        }

        self.panic_if_asked(waited);

        if !running.is_null() && running != csd.as_ptr().cast() {
            log!(
                "\x011",
                "\tcsd: CSD lock (#%d) handling prior %pS(%ps) request.",
                self.bug_id,
                record.func.load(Relaxed),
                record.info.load(Relaxed),
            );
        } else {
            log!(
                "\x011",
                "\tcsd: CSD lock (#%d) %s.",
                self.bug_id,
                if running.is_null() {
                    c"unresponsive"
                } else {
                    c"handling this request"
                }
                .as_char_ptr(),
            );
        }

        if let Some(cpu) = target {
            self.prod(cpu, running.is_null(), this_cpu);
        }

        if first {
            // SAFETY: May be called in any context.
            unsafe { bindings::dump_stack() };
        }
        self.last = now;
    }

    /// Panics if the wait is longer than `smp.panic_on_ipistall`.
    fn panic_if_asked(&self, waited: i64) {
        // SAFETY: The parameter may change at any time; each value is fine.
        let limit = unsafe { (&raw const bindings::smp_panic_on_ipistall).read_volatile() };

        if limit > 0 && waited > i64::from(limit).wrapping_mul(NSEC_PER_MSEC) {
            // SAFETY: Does not return.
            unsafe { bindings::BUG() };
        }
    }

    /// Shows what `cpu` does, and sends it the IPI again if it runs no request.
    fn prod(&self, cpu: CpuId, idle: bool, this_cpu: u32) {
        // SAFETY: A CPU that was called is possible.
        let trigger = unsafe { TRIGGER_BACKTRACE.per_cpu(cpu) };

        // ORDERING: The acquire pairs with the release in `flush_begins()`.
        if trigger.cmpxchg(1, 0, Acquire).is_ok() {
            // SAFETY: `cpu` is a CPU.
            unsafe { bindings::dump_cpu_task(i32::from(cpu)) };
        }

        if idle {
            log!(
                "\x011",
                "csd: Re-sending CSD lock (#%d) IPI from CPU#%02d to CPU#%02d",
                self.bug_id,
                this_cpu,
                cpu.as_u32(),
            );
            ipi::send_unconditionally(cpu);
        }
    }
}

/// Returns what `cpu` runs; if it is not known which CPU, what the first one does.
fn record_of(cpu: Option<CpuId>) -> &'static Record {
    // SAFETY: There is always a CPU 0 below `nr_cpu_ids`.
    let cpu = cpu.unwrap_or(unsafe { CpuId::from_u32_unchecked(0) });

    // SAFETY: A CPU that was called is possible, and the boot CPU is.
    unsafe { CUR_CSD.per_cpu(cpu) }
}
