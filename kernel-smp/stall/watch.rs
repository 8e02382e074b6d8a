// SPDX-License-Identifier: GPL-2.0

//! The watch over requests, with `CONFIG_CSD_LOCK_WAIT_DEBUG`.

use super::{
    enabled,
    log, //
};
use crate::{
    clock::now,
    csd::{
        Call,
        Csd,
        Lock, //
    },
    ipi,
    mask,
    percpu::define_per_cpu, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    prelude::*,
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

    /// How often the CPU has flushed its queue.
    static FLUSHES: Atomic<u32> = Atomic::new(0);

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
        // ORDERING: The release pairs with the acquire in `Watch::look_at()`: a backtrace that is
        // triggered after this shows the CPU in this flush or later.
        TRIGGER_BACKTRACE.this_cpu(irq).store(1, Release);

        let flushes = FLUSHES.this_cpu(irq);
        flushes.store(flushes.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// Records that this CPU runs `csd` from now on, or nothing.
#[inline(always)]
pub(crate) fn record(irq: &LocalInterruptDisabled, csd: Option<Csd>) {
    if enabled() {
        match csd {
            Some(csd) => begin(irq, csd.as_ptr().cast(), csd.call()),
            None => end(irq),
        }
    }
}

/// Records that this CPU runs a call to itself.
#[inline(always)]
pub(crate) fn record_local(irq: &LocalInterruptDisabled, call: Call) {
    if enabled() {
        begin(irq, LOCAL, call);
    }
}

/// Records that this CPU runs `call` for a queue entry that is no request: IRQ work, or wake-ups.
#[inline(always)]
pub(crate) fn record_other(irq: &LocalInterruptDisabled, entry: Csd, call: Call) {
    if enabled() {
        begin_other(irq, entry, call);
    }
}

#[cold]
fn begin_other(irq: &LocalInterruptDisabled, entry: Csd, call: Call) {
    begin(irq, entry.as_ptr().cast(), call);
}

#[inline(always)]
fn begin(irq: &LocalInterruptDisabled, csd: *mut c_void, call: Call) {
    let record = CUR_CSD.this_cpu(irq);

    record.func.store(func_ptr(call), Relaxed);
    record.info.store(call.info, Relaxed);
    // ORDERING: The release pairs with the acquire in `Watch::look_at()`: who sees the request sees
    // the function and argument that go with it.
    // LITMUS: stall-record-begin
    record.csd.store(csd, Release);
}

#[inline(always)]
fn end(irq: &LocalInterruptDisabled) {
    // ORDERING: The release pairs with the acquire in `Watch::look_at()`: who sees that nothing runs
    // sees what the last request did, its unlock among it.
    // LITMUS: stall-record-end
    CUR_CSD.this_cpu(irq).csd.store(ptr::null_mut(), Release);
}

/// What a CPU runs, or ran before it began with something inside that.
pub(crate) struct Running {
    csd: *mut c_void,
    func: *mut c_void,
    info: *mut c_void,
}

#[cfg(all(
    CONFIG_SMP_RUST_KUNIT_TEST,
    CONFIG_JUMP_LABEL,
    not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)
))]
impl Running {
    /// Returns the csd and the argument, both as addresses.
    pub(crate) fn entry(&self) -> (usize, usize) {
        (self.csd.addr(), self.info.addr())
    }
}

/// Returns what this CPU runs, if that is recorded.
#[inline(always)]
pub(crate) fn current(irq: &LocalInterruptDisabled) -> Option<Running> {
    enabled().then(|| {
        let record = CUR_CSD.this_cpu(irq);

        Running {
            csd: record.csd.load(Relaxed),
            func: record.func.load(Relaxed),
            info: record.info.load(Relaxed),
        }
    })
}

/// Records that this CPU goes on with what it ran before.
#[inline(always)]
pub(crate) fn resume(irq: &LocalInterruptDisabled, running: Option<Running>) {
    if let Some(running) = running {
        let record = CUR_CSD.this_cpu(irq);

        record.func.store(running.func, Relaxed);
        record.info.store(running.info, Relaxed);
        // ORDERING: As in `begin()`.
        record.csd.store(running.csd, Release);
    }
}

fn func_ptr(call: Call) -> *mut c_void {
    call.func
        .map_or(ptr::null_mut(), |func| func as *mut c_void)
}

/// Why a wait took so long.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Verdict {
    /// The IPI was lost: the one that was sent again was answered at once.
    Lost,
    /// The target has interrupts off: the one that was sent again was not answered either.
    InterruptsOff,
    /// The target runs this function, or another one before it.
    CallbackRunning,
    /// The target has taken its queue, and the request was not in it.
    QueueCorrupt,
}

impl Verdict {
    /// How many there are.
    pub(crate) const NUMBER: usize = Self::QueueCorrupt as usize + 1;

    fn text(self) -> &'static CStr {
        match self {
            Self::Lost => c"the IPI was lost",
            Self::InterruptsOff => c"the CPU has interrupts off",
            Self::CallbackRunning => c"the CPU is in a function that was called",
            Self::QueueCorrupt => c"the request is not in the queue",
        }
    }
}

/// How often each verdict was given, in their order.
static VERDICTS: [Atomic<u32>; Verdict::NUMBER] = [const { Atomic::new(0) }; Verdict::NUMBER];

/// Returns how often `verdict` was given.
#[cfg(all(CONFIG_SMP_RUST_FAULT, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) fn verdicts(verdict: Verdict) -> u32 {
    VERDICTS
        .get(verdict as usize)
        .map_or(0, |count| count.load(Relaxed))
}

/// An IPI that was sent again.
#[derive(Clone, Copy)]
struct Resent {
    /// How often the target had flushed its queue before.
    flushes: u32,
    /// When the report about it was through, in ns: printing takes long.
    reported: u64,
}

/// A wait that goes on, and is reported if it takes too long.
///
/// It can be preempted and move to another CPU, watched or not: a report names the CPU that it is
/// written on.
pub(crate) struct Watch {
    csd: Csd,
    /// What is waited for; nothing: whatever use there is.
    lock: Option<Lock>,
    /// When it began, in ns.
    start: u64,
    /// When it was last reported, in ns.
    last: u64,
    /// The number of the report, or 0.
    bug_id: i32,
    /// How often it was reported.
    messages: u64,
    resent: Option<Resent>,
    verdict: Option<Verdict>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.bug_id != 0 {
            N_CSD_LOCK_STUCK.add(-1, Relaxed);
        }
    }
}

impl Watch {
    /// Begins to wait until the use of `csd` that `lock` began is over; without one, any use.
    pub(crate) fn begin(csd: Csd, lock: Option<Lock>) -> Self {
        let now = now();

        Self {
            csd,
            lock,
            start: now,
            last: now,
            bug_id: 0,
            messages: 0,
            resent: None,
            verdict: None,
        }
    }

    /// Returns whether the wait is over. What the target did is seen then.
    #[inline(always)]
    pub(crate) fn is_over(&mut self) -> bool {
        let over = self.csd.is_over(self.lock);

        if enabled() {
            if !over {
                let now = now();

                if self.is_due(now) {
                    csd_lock_wait_toolong(self, now);
                }
            } else if self.bug_id != 0 {
                self.got_unstuck();
            }
        }
        over
    }
}

/// Complains about a wait that is not over and should be. The name is that which is known from
/// backtraces.
#[cold]
#[no_mangle]
extern "C" fn csd_lock_wait_toolong(watch: &mut Watch, now: u64) {
    watch.look_at(now);
}

impl Watch {
    /// Says that a request that was reported has ended.
    #[cold]
    fn got_unstuck(&mut self) {
        log!(
            "\x011",
            "csd: CSD lock (#%d) got unstuck on CPU#%02d, CPU#%02d released the lock.",
            self.bug_id,
            CpuId::current().as_u32(),
            self.csd.target().map_or(-1, i32::from),
        );
        if self.verdict.is_none() {
            self.judge_the_end();
        }
    }

    /// Returns whether a report is due: the more there were, and the more CPUs, the later.
    #[inline(always)]
    fn is_due(&self, now: u64) -> bool {
        let timeout = timeout();
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
    fn look_at(&mut self, now: u64) {
        let csd = self.csd;
        let this_cpu = CpuId::current().as_u32();

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
        // LITMUS: stall-record-begin, stall-record-end
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

        let resent = target.and_then(|cpu| {
            self.judge(cpu, running);
            self.prod(cpu, running.is_null(), this_cpu)
        });

        if first {
            // SAFETY: May be called in any context.
            unsafe { bindings::dump_stack() };
        }
        if let Some(flushes) = resent {
            self.resent = Some(Resent {
                flushes,
                reported: self::now(),
            });
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

    /// Shows what `cpu` does, and sends it the IPI again if it runs no request. Returns how often it
    /// had flushed its queue before, if so.
    fn prod(&self, cpu: CpuId, idle: bool, this_cpu: u32) -> Option<u32> {
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
            let flushes = flushes(cpu);
            ipi::send_unconditionally(cpu);
            return Some(flushes);
        }
        None
    }

    /// Judges a wait that goes on, when it is reported.
    fn judge(&mut self, cpu: CpuId, running: *mut c_void) {
        let verdict = match self.resent {
            _ if !running.is_null() => Verdict::CallbackRunning,
            None => return,
            Some(resent) if resent.flushes == flushes(cpu) => Verdict::InterruptsOff,
            Some(_) => Verdict::QueueCorrupt,
        };

        self.give(verdict);
    }

    /// Judges a wait that is over, by how long it took after the IPI was sent again.
    fn judge_the_end(&mut self) {
        if let Some(resent) = self.resent {
            let prompt = timeout() / 4;
            let verdict = if now().wrapping_sub(resent.reported) <= prompt {
                Verdict::Lost
            } else {
                Verdict::InterruptsOff
            };

            self.give(verdict);
        }
    }

    /// Gives a verdict, if it is not the last one again.
    fn give(&mut self, verdict: Verdict) {
        if self.verdict == Some(verdict) {
            return;
        }

        self.verdict = Some(verdict);
        if let Some(count) = VERDICTS.get(verdict as usize) {
            count.add(1, Relaxed);
        }
        log!(
            "\x011",
            "csd: CSD lock (#%d): %s.",
            self.bug_id,
            verdict.text().as_char_ptr(),
        );
    }
}

/// How long a wait may take before it is reported, in ns.
fn timeout() -> u64 {
    // SAFETY: The parameter may change at any time; each value is fine.
    let timeout = unsafe { (&raw const bindings::smp_csd_lock_timeout).read_volatile() };

    (timeout as u64).wrapping_mul(NSEC_PER_MSEC as u64)
}

/// How often `cpu`, which is possible, has flushed its queue.
fn flushes(cpu: CpuId) -> u32 {
    // SAFETY: A CPU that was called is possible.
    unsafe { FLUSHES.per_cpu(cpu) }.load(Relaxed)
}

/// Returns what `cpu` runs; if it is not known which CPU, what the first one does.
fn record_of(cpu: Option<CpuId>) -> &'static Record {
    // SAFETY: There is always a CPU 0 below `nr_cpu_ids`.
    let cpu = cpu.unwrap_or(unsafe { CpuId::from_u32_unchecked(0) });

    // SAFETY: A CPU that was called is possible, and the boot CPU is.
    unsafe { CUR_CSD.per_cpu(cpu) }
}
