// SPDX-License-Identifier: GPL-2.0

//! The watch over requests, with `CONFIG_CSD_LOCK_WAIT_DEBUG`.

use super::{
    enabled,
    log, //
};
use crate::{
    clock::now,
    csd::{
        func_ptr,
        Call,
        Csd,
        Lock,
        Snapshot, //
    },
    ipi,
    mask,
    percpu::{
        define_per_cpu,
        CpuGuard,
        CpuPinned,
        StaticPerCpu, //
    },
    testpoint::{
        self,
        Point, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        barrier::{
            smp_mb,
            Full, //
        }, //
    },
    time::{
        NSEC_PER_MSEC,
        NSEC_PER_USEC, //
    },
    warn, //
};

/// What a CPU runs: its variables `cur_csd`, `cur_csd_func` and `cur_csd_info`.
struct Record<'a> {
    /// The csd, or null; [`local()`] for a call of the CPU to itself.
    csd: &'a Atomic<*mut c_void>,
    func: &'a Atomic<*mut c_void>,
    info: &'a Atomic<*mut c_void>,
}

impl<'a> Record<'a> {
    #[inline(always)]
    fn this_cpu(irq: &'a LocalInterruptDisabled) -> Self {
        Self {
            csd: CUR_CSD.this_cpu(irq),
            func: CUR_CSD_FUNC.this_cpu(irq),
            info: CUR_CSD_INFO.this_cpu(irq),
        }
    }
}

impl Record<'static> {
    /// # Safety
    ///
    /// `cpu` is a possible CPU.
    unsafe fn of(cpu: CpuId) -> Self {
        Self {
            // SAFETY: By the safety requirements.
            csd: unsafe { CUR_CSD.per_cpu(cpu) },
            // SAFETY: As above.
            func: unsafe { CUR_CSD_FUNC.per_cpu(cpu) },
            // SAFETY: As above.
            info: unsafe { CUR_CSD_INFO.per_cpu(cpu) },
        }
    }
}

/// The IPIs that were sent again to a CPU. Their numbers wrap around.
struct ResentIpis {
    /// The number of the last one.
    sent: Atomic<u32>,
    /// The number that the last flush of the queue has found in `sent`.
    seen: Atomic<u32>,
    /// When a flush first found that number, in ns.
    seen_at: Atomic<u64>,
}

impl ResentIpis {
    /// Notes that a flush begins which has found `number`.
    #[cold]
    fn note(&self, number: u32) {
        self.seen_at.store(now(), Relaxed);
        // ORDERING: The release pairs with the acquire in `Resent::answered()`: a waiter that sees
        // the number sees when that was.
        self.seen.store(number, Release);
    }
}

define_per_cpu! {
    static RESENT_IPIS: ResentIpis = ResentIpis {
        sent: Atomic::new(0),
        seen: Atomic::new(0),
        seen_at: Atomic::new(0),
    };
}

const CUR_CSD: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: This is a per-CPU variable of `data.c`, a pointer; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd) };

const CUR_CSD_FUNC: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: As above.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd_func) };

const CUR_CSD_INFO: StaticPerCpu<Atomic<*mut c_void>> =
    // SAFETY: As above.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::cur_csd_info) };

/// 1 if a backtrace of the CPU may be asked for: at most one between two flushes.
const TRIGGER_BACKTRACE: StaticPerCpu<Atomic<i32>> =
    // SAFETY: This is a per-CPU variable of `data.c`, an `atomic_t`; C does not use it.
    unsafe { StaticPerCpu::from_c(&raw mut bindings::trigger_backtrace) };

/// How many waits were ever reported.
fn csd_bug_count() -> &'static Atomic<i32> {
    // SAFETY: This is an `atomic_t` of `data.c`; C does not use it.
    unsafe { Atomic::from_ptr(&raw mut bindings::csd_bug_count.counter) }
}

/// How many of them go on.
fn n_csd_lock_stuck() -> &'static Atomic<i32> {
    // SAFETY: As above.
    unsafe { Atomic::from_ptr(&raw mut bindings::n_csd_lock_stuck.counter) }
}

/// Stands for a call of a CPU to itself, which has no csd.
fn local() -> *mut c_void {
    (&raw mut bindings::smp_local_csd).cast()
}

/// Returns whether a request is stuck for so long that it was reported.
///
/// RCU asks, to not report the same thing. May be called in any context.
#[export]
pub(crate) extern "C" fn csd_lock_is_stuck() -> bool {
    n_csd_lock_stuck().load(Relaxed) != 0
}

/// A flush shows that the CPU is alive: a backtrace of it may be asked for again.
#[inline(always)]
pub(crate) fn flush_begins(irq: &LocalInterruptDisabled) {
    if enabled() {
        // ORDERING: The release pairs with the acquire in `Watch::prod()`: a backtrace that is
        // triggered after this shows the CPU in this flush or later.
        TRIGGER_BACKTRACE.this_cpu(irq).store(1, Release);

        let ipis = RESENT_IPIS.this_cpu(irq);
        let number = ipis.sent.load(Relaxed);
        if number != ipis.seen.load(Relaxed) {
            ipis.note(number);
        }
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
        begin(irq, local(), call);
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
    let record = Record::this_cpu(irq);

    record.func.store(func_ptr(call.func), Relaxed);
    record.info.store(call.info, Relaxed);
    // ORDERING: The release pairs with the acquire in `Watch::facts()`: a CPU that sees the csd sees
    // the function and argument that go with it.
    // LITMUS: stall-record-begin
    record.csd.store(csd, Release);
}

#[inline(always)]
fn end(irq: &LocalInterruptDisabled) {
    // ORDERING: The release pairs with the acquire in `Watch::facts()`: a CPU that sees that nothing runs
    // sees what the last request did, its unlock among it.
    // LITMUS: stall-record-end
    CUR_CSD.this_cpu(irq).store(ptr::null_mut(), Release);
}

/// What a CPU runs, or ran before it began with something inside that.
#[derive(Clone, Copy)]
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
        let record = Record::this_cpu(irq);

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
        let record = Record::this_cpu(irq);

        record.func.store(running.func, Relaxed);
        record.info.store(running.info, Relaxed);
        // ORDERING: As in `begin()`.
        record.csd.store(running.csd, Release);
    }
}

/// A fact about a wait that took too long.
///
/// Only what was observed: a CPU that turns interrupts on just after an IPI was sent again looks like
/// one whose first IPI was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Verdict {
    /// The wait is over, and the target has flushed its queue after the IPI was sent again.
    Over,
    /// The target has not flushed its queue since the IPI was sent again.
    NotFlushed,
    /// The target has flushed its queue since the IPI was sent again, and the csd is still locked.
    Flushed,
    /// The target runs the function of this csd, or of another entry of its queue.
    CallbackRunning,
    /// The target is offline: no IPI is sent again.
    Offline,
    /// The target had interrupts off when the NMI for its backtrace came.
    InterruptsOff,
    /// The target had interrupts on then.
    InterruptsOn,
}

impl Verdict {
    /// How many there are.
    pub(crate) const NUMBER: usize = Self::InterruptsOn as usize + 1;
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
    /// Its number.
    number: u32,
    /// When it was sent, in ns.
    at: u64,
}

impl Resent {
    /// Sends an IPI again to `cpu`.
    fn send(cpu: CpuId) -> Self {
        // SAFETY: A CPU that was called is possible.
        let ipis = unsafe { RESENT_IPIS.per_cpu(cpu) };
        let at = now();
        // ORDERING: Full, so before the IPI. It pairs with the interrupt: the flush that it starts finds
        // this number, or a later one, when it reads `sent` in `flush_begins()`.
        let number = ipis.sent.fetch_add(1, Full).wrapping_add(1);

        ipi::send_unconditionally(cpu);
        Self { number, at }
    }

    /// Returns after how many ns `cpu` has begun to flush its queue, at the latest; nothing if it has
    /// not.
    fn answered(self, cpu: CpuId) -> Option<u64> {
        // SAFETY: A CPU that was called is possible.
        let ipis = unsafe { RESENT_IPIS.per_cpu(cpu) };
        // ORDERING: The acquire pairs with the release in `ResentIpis::note()`.
        let seen = ipis.seen.load(Acquire);
        let is_seen = seen.wrapping_sub(self.number) as i32 >= 0;

        is_seen.then(|| ipis.seen_at.load(Relaxed).saturating_sub(self.at))
    }
}

/// What is known of the target of a wait that goes on.
struct Facts {
    now: u64,
    seen: Snapshot,
    target: Option<CpuId>,
    running: Running,
    /// After how many ns the target has flushed its queue since the IPI was sent again.
    answered: Option<u64>,
}

/// A wait that goes on, and is reported if it takes too long.
///
/// It can be preempted and move to another CPU, watched or not. A report is written with preemption
/// off, and names the CPU that it is written on. That it has ended is said where the waiter is then.
pub(crate) struct Watch<'a> {
    csd: Csd,
    /// What is waited for; nothing: whatever use there is.
    lock: Option<Lock>,
    /// What ends the wait as well.
    other: Option<&'a dyn Fn() -> bool>,
    /// The CPU that has sent the csd and does not wait; nothing: the one that waits.
    source: Option<CpuId>,
    /// What the csd was used for when the wait began, or when it was last reported.
    seen: Snapshot,
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

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.bug_id != 0 {
            n_csd_lock_stuck().add(-1, Relaxed);
        }
    }
}

impl<'a> Watch<'a> {
    /// Begins to wait until the use of `csd` that `lock` began is over; without one, any use.
    pub(crate) fn begin(csd: Csd, lock: Option<Lock>) -> Self {
        let now = now();

        Self {
            csd,
            lock,
            other: None,
            source: None,
            seen: csd.snapshot(),
            start: now,
            last: now,
            bug_id: 0,
            messages: 0,
            resent: None,
            verdict: None,
        }
    }

    /// Goes on with a wait for any use of `csd`, which was sent by `source` and which nothing waits for,
    /// as begun at `start` and last reported at `last`.
    fn begun_at(csd: Csd, source: CpuId, start: u64, last: u64) -> Self {
        Self {
            source: Some(source),
            start,
            last,
            ..Self::begin(csd, None)
        }
    }

    /// Has the wait end when `other` is true, too.
    pub(crate) fn or_until(mut self, other: Option<&'a dyn Fn() -> bool>) -> Self {
        self.other = other;
        self
    }

    /// Returns whether the wait is over. What the target did is seen if that ended it.
    #[inline(always)]
    pub(crate) fn is_over(&mut self) -> bool {
        let over = self.csd.is_over(self.lock);

        if enabled() {
            if !over {
                testpoint::reach(Point::Locked);
                if self.is_due(now()) {
                    return csd_lock_wait_toolong(self);
                }
            } else if self.bug_id != 0 {
                self.got_unstuck();
            }
        }
        over || self.other.is_some_and(|other| other())
    }

    /// Returns whether the wait was reported.
    #[cfg(all(
        CONFIG_SMP_RUST_KUNIT_TEST,
        CONFIG_JUMP_LABEL,
        not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT)
    ))]
    pub(crate) fn is_reported(&self) -> bool {
        self.bug_id != 0
    }
}

/// Reports `csd`, which `source` has sent without waiting, if it is locked since `start` and that is too
/// long. The last report was at `last`. `is_over` says whether its use has ended. Returns whether it was
/// reported.
pub(crate) fn report_if_late(
    csd: Csd,
    source: CpuId,
    start: u64,
    last: u64,
    is_over: &dyn Fn() -> bool,
) -> bool {
    let mut watch = Watch::begun_at(csd, source, start, last).or_until(Some(is_over));

    watch.is_due(now()) && {
        csd_lock_wait_toolong(&mut watch);
        watch.bug_id != 0
    }
}

/// Complains about a wait that is not over and should be. Returns whether it is over after all. The
/// name is that which is known from backtraces.
#[cold]
#[no_mangle]
extern "C" fn csd_lock_wait_toolong(watch: &mut Watch<'_>) -> bool {
    watch.look_again()
}

impl Watch<'_> {
    /// Says that a csd that was reported is unlocked.
    #[cold]
    fn got_unstuck(&mut self) {
        log!(
            "\x011",
            "csd: CSD lock (#%d) got unstuck on CPU#%02d, CPU#%02d released the lock.",
            self.bug_id,
            CpuId::current().as_u32(),
            self.seen.target(),
        );
        self.judge_the_end();
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

        // A clock that has gone back is reported once, and then at the pace of the other reports.
        let is_back = self.start > now && self.last >= self.start;

        timeout != 0 && (is_back || now.saturating_sub(self.last) > limit)
    }

    /// Looks again at the lock and the clock, and reports the wait if it is true that it goes on for
    /// too long. Returns whether it is over.
    ///
    /// The caller can be preempted after each of its looks, for longer than any timeout. Preemption
    /// is off here, so the target also stays online if it is, and the clock is read before the lock:
    /// a csd that is found locked was locked at that time.
    fn look_again(&mut self) -> bool {
        let guard = CpuGuard::new();
        let facts = self.facts();

        if self.csd.is_over(self.lock) {
            if self.bug_id != 0 {
                self.got_unstuck();
            }
            return true;
        }
        if self.other.is_some_and(|other| other()) {
            return true;
        }

        if self.lock.is_none() && facts.seen != self.seen {
            // The use that the wait began with is over, and an interrupt on this CPU has taken the
            // csd for another one. One that is the same in all looks like the first.
            if self.bug_id != 0 {
                self.got_unstuck();
            }
            *self = Self::begin(self.csd, None).or_until(self.other);
        } else if self.is_due(facts.now) {
            self.report(&guard, facts);
        }
        false
    }

    /// Returns what is known of the target. It is true of this use of the csd if the wait is found to
    /// go on after that.
    fn facts(&self) -> Facts {
        let now = now();
        let seen = self.csd.snapshot();
        let target = mask::in_range(seen.target());
        let record = record_of(target);
        let facts = Facts {
            now,
            seen,
            target,
            running: Running {
                // ORDERING: The acquire pairs with the releases in `begin()` and `end()`.
                // LITMUS: stall-record-begin, stall-record-end
                csd: record.csd.load(Acquire),
                func: record.func.load(Relaxed),
                info: record.info.load(Relaxed),
            },
            answered: self
                .resent
                .zip(target)
                .and_then(|(resent, cpu)| resent.answered(cpu)),
        };

        // ORDERING: All of this is read before the lock is. It pairs with the order in which a sender
        // locks the csd and then fills it in, see `Csd::fill()`.
        smp_mb(Full);
        facts
    }

    /// Reports the wait, and tries to get it going.
    fn report(&mut self, guard: &CpuGuard, facts: Facts) {
        let csd = self.csd;
        let this_cpu = guard.cpu().as_u32();
        let source = self.source.map_or(this_cpu, |cpu| cpu.as_u32());
        let Facts {
            now,
            seen,
            target,
            running,
            answered,
        } = facts;

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
            self.bug_id = csd_bug_count().fetch_add(1, Relaxed).wrapping_add(1);
        }
        self.seen = seen;

        let number = seen.target();
        if target.is_none() {
            kernel::do_once_lite! {
                warn!("csd_lock_wait_toolong: cpu = {}\n", number);
            }
        }

        let waited = now.wrapping_sub(self.start) as i64;

        log!(
            "\x011",
            "csd: %s non-responsive CSD lock (#%d) on CPU#%d, waiting %lld ns for CPU#%02d %pS(%ps).",
            if first { c"Detected" } else { c"Continued" }.as_char_ptr(),
            self.bug_id,
            source,
            waited,
            number,
            seen.func,
            seen.info,
        );
        self.messages = self.messages.wrapping_add(1);
        if first {
            n_csd_lock_stuck().add(1, Relaxed);
        }

        self.panic_if_asked(waited);

        let idle = running.csd.is_null();
        if !idle && running.csd != csd.as_ptr().cast() {
            log!(
                "\x011",
                "\tcsd: CSD lock (#%d) handling prior %pS(%ps) request.",
                self.bug_id,
                running.func,
                running.info,
            );
        } else {
            log!(
                "\x011",
                "\tcsd: CSD lock (#%d) %s.",
                self.bug_id,
                if idle {
                    c"unresponsive"
                } else {
                    c"handling this request"
                }
                .as_char_ptr(),
            );
        }

        if let Some(cpu) = target {
            if cpu.is_online() {
                if self.source.is_none() {
                    self.judge(cpu, now, idle, answered);
                }
                self.prod(cpu, idle, this_cpu);
            } else {
                self.give(cpu, Verdict::Offline, 0);
            }
        }

        if first {
            // SAFETY: May be called in any context.
            unsafe { bindings::dump_stack() };
        }
        self.last = now;
    }

    /// Returns whether the wait has ended since it was found to go on.
    fn is_over_by_now(&self) -> bool {
        self.csd.is_over(self.lock) || self.other.is_some_and(|other| other())
    }

    /// Panics if the wait goes on for longer than `smp.panic_on_ipistall`.
    fn panic_if_asked(&self, waited: i64) {
        // SAFETY: The parameter may change at any time; each value is fine.
        let limit = unsafe { (&raw const bindings::panic_on_ipistall).read_volatile() };

        if limit > 0
            && waited > i64::from(limit).wrapping_mul(NSEC_PER_MSEC)
            && !self.is_over_by_now()
        {
            // SAFETY: A panic is what was asked for.
            unsafe { bindings::smp_stall_panic() };
        }
    }

    /// Shows what `cpu`, which is online, does, and sends it the IPI again if it runs no request.
    fn prod(&mut self, cpu: CpuId, idle: bool, this_cpu: u32) {
        // SAFETY: A CPU that was called is possible.
        let trigger = unsafe { TRIGGER_BACKTRACE.per_cpu(cpu) };

        // Printing takes its time, so this looks once more before each step.
        // ORDERING: The acquire pairs with the release in `flush_begins()`.
        if !self.is_over_by_now() && trigger.cmpxchg(1, 0, Acquire).is_ok() {
            // SAFETY: `cpu` is a CPU.
            unsafe { bindings::smp_stall_ask(cpu.as_u32()) };
            // SAFETY: As above.
            unsafe { bindings::dump_cpu_task(i32::from(cpu)) };
            // SAFETY: As above.
            match unsafe { bindings::smp_stall_found(cpu.as_u32()) } {
                bindings::smp_stall_nmi_SMP_STALL_IRQS_OFF => {
                    self.give(cpu, Verdict::InterruptsOff, 0);
                }
                bindings::smp_stall_nmi_SMP_STALL_IRQS_ON => {
                    self.give(cpu, Verdict::InterruptsOn, 0);
                }
                _ => {}
            }
        }

        if idle && !self.is_over_by_now() {
            log!(
                "\x011",
                "csd: Re-sending CSD lock (#%d) IPI from CPU#%02d to CPU#%02d",
                self.bug_id,
                this_cpu,
                cpu.as_u32(),
            );
            self.resent = Some(Resent::send(cpu));
        }
    }

    /// Judges a wait that goes on, when it is reported.
    fn judge(&mut self, cpu: CpuId, now: u64, idle: bool, answered: Option<u64>) {
        let (verdict, since) = match (self.resent, answered) {
            _ if !idle => (Verdict::CallbackRunning, 0),
            (None, _) => return,
            (_, Some(after)) => (Verdict::Flushed, after),
            (Some(resent), None) => (Verdict::NotFlushed, now.saturating_sub(resent.at)),
        };

        self.judged(cpu, verdict, since);
    }

    /// Judges a wait that is over, if it is not known why it took so long.
    fn judge_the_end(&mut self) {
        let known = !matches!(self.verdict, None | Some(Verdict::NotFlushed));
        let cpu = mask::in_range(self.seen.target());

        if let (false, Some(resent), Some(cpu)) = (known, self.resent, cpu) {
            match resent.answered(cpu) {
                Some(after) => self.judged(cpu, Verdict::Over, after),
                None => {
                    self.judged(cpu, Verdict::NotFlushed, now().saturating_sub(resent.at));
                }
            }
        }
    }

    /// Gives a verdict, if it is not the last one again.
    fn judged(&mut self, cpu: CpuId, verdict: Verdict, ns: u64) {
        if self.verdict.replace(verdict) != Some(verdict) {
            self.give(cpu, verdict, ns);
        }
    }

    /// Counts a verdict, and prints its line.
    fn give(&self, cpu: CpuId, verdict: Verdict, ns: u64) {
        let (id, cpu, us) = (self.bug_id, cpu.as_u32(), ns / NSEC_PER_USEC as u64);

        if let Some(count) = VERDICTS.get(verdict as usize) {
            count.add(1, Relaxed);
        }
        match verdict {
            Verdict::Over => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d flushed its queue within %llu us after the IPI was sent again.",
                id,
                cpu,
                us,
            ),
            Verdict::NotFlushed => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d has not flushed its queue in %llu us since the IPI was sent again.",
                id,
                cpu,
                us,
            ),
            Verdict::Flushed => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d flushed its queue within %llu us after the IPI was sent again, and the csd is still locked.",
                id,
                cpu,
                us,
            ),
            Verdict::CallbackRunning => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d is in a function that was called.",
                id,
                cpu,
            ),
            Verdict::Offline => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d is offline.",
                id,
                cpu,
            ),
            Verdict::InterruptsOff | Verdict::InterruptsOn => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d had interrupts %s when the NMI came.",
                id,
                cpu,
                if verdict == Verdict::InterruptsOn { c"on" } else { c"off" }.as_char_ptr(),
            ),
        }
    }
}

/// How long a wait may take before it is reported, in ns.
fn timeout() -> u64 {
    // SAFETY: The parameter may change at any time; each value is fine.
    let timeout = unsafe { (&raw const bindings::csd_lock_timeout).read_volatile() };

    (timeout as u64).wrapping_mul(NSEC_PER_MSEC as u64)
}

/// Returns what `cpu` runs; if it is not known which CPU, what the first one does.
fn record_of(cpu: Option<CpuId>) -> Record<'static> {
    // SAFETY: There is always a CPU 0 below `nr_cpu_ids`.
    let cpu = cpu.unwrap_or(unsafe { CpuId::from_u32_unchecked(0) });

    // SAFETY: A CPU that was called is possible, and the boot CPU is.
    unsafe { Record::of(cpu) }
}
