// SPDX-License-Identifier: GPL-2.0

//! Watching a wait, and reporting one that takes too long.

use super::{
    enabled,
    record::Running,
    resend::{
        self,
        Resent, //
    },
    verdict::Verdict, //
};
use crate::{
    clock::now,
    csd::{
        Csd,
        Flags,
        Snapshot, //
    },
    log::log,
    mask,
    testpoint::{
        self,
        Point, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    helpers,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        barrier::{
            smp_mb,
            Full, //
        }, //
    },
    time::NSEC_PER_MSEC,
    warn_once, //
};

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

/// Returns whether a csd is locked for so long that it was reported.
///
/// For RCU, which can then suppress its own stall report. May be called in any context.
///
/// # Safety
///
/// None.
#[export]
pub(crate) unsafe extern "C" fn csd_lock_is_stuck() -> bool {
    n_csd_lock_stuck().load(Relaxed) != 0
}

/// What is known of the target of a wait that goes on.
struct Facts {
    now: u64,
    seen: Snapshot,
    target: Option<CpuId>,
    running: Running,
    /// After how many ns the target has flushed its queue since the IPI was sent again.
    flushed_after: Option<u64>,
}

/// A wait that goes on, and is reported if it takes too long.
///
/// It can be preempted, and move to another CPU. A report is written with preemption off, and names
/// the CPU that it is written on. The line that says that the wait has ended names the CPU of the
/// waiter at that time.
pub(crate) struct Watch<'a> {
    csd: Csd,
    /// The use that is waited for; [`None`]: any use.
    flags: Option<Flags>,
    /// Another condition that ends the wait.
    other: Option<&'a dyn Fn() -> bool>,
    /// The source of an asynchronous call, which does not wait; [`None`]: the source waits.
    source: Option<CpuId>,
    /// What the csd was used for when it was last reported or, if any use is waited for, when the
    /// wait began.
    seen: Option<Snapshot>,
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
    /// Begins to wait until the use of `csd` that `flags` stands for is over; without it, any use.
    pub(crate) fn begin(csd: Csd, flags: Option<Flags>) -> Self {
        let now = now();

        Self {
            csd,
            flags,
            other: None,
            source: None,
            seen: flags.is_none().then(|| csd.snapshot()),
            start: now,
            last: now,
            bug_id: 0,
            messages: 0,
            resent: None,
            verdict: None,
        }
    }

    /// Continues a wait for any use of `csd`, which was sent by `source` and which has no
    /// waiter, as begun at `start` and last reported at `last`.
    fn begun_at(csd: Csd, source: CpuId, start: u64, last: u64) -> Self {
        Self {
            source: Some(source),
            start,
            last,
            ..Self::begin(csd, None)
        }
    }

    /// Ends the wait also when `other` returns true.
    pub(crate) fn or_until(mut self, other: Option<&'a dyn Fn() -> bool>) -> Self {
        self.other = other;
        self
    }

    /// Returns whether the wait is over. If the csd was unlocked, what its function did is seen.
    #[inline]
    pub(crate) fn is_over(&mut self) -> bool {
        if self.csd.is_over(self.flags) {
            if self.bug_id != 0 && enabled() {
                self.got_unstuck();
            }
            return true;
        }

        if enabled() {
            testpoint::reach(Point::Watched);
            if self.is_due(now()) {
                return csd_lock_wait_toolong(self);
            }
        }
        self.other.is_some_and(|other| other())
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

/// Reports `csd`, an asynchronous call of `source`, if it is locked since `start` and that is too
/// long. The last report was at `last`. `is_over` returns whether this use has ended. Returns
/// whether it was reported.
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

/// Reports a wait that takes too long, unless it is over by now. Returns whether it is over. The
/// symbol is that of C, for backtraces.
#[cold]
#[no_mangle]
extern "C" fn csd_lock_wait_toolong(watch: &mut Watch<'_>) -> bool {
    watch.look_again()
}

impl Watch<'_> {
    /// Reports that a csd that was reported is unlocked.
    #[cold]
    fn got_unstuck(&mut self) {
        log!(
            "\x011",
            "csd: CSD lock (#%d) got unstuck on CPU#%02d, CPU#%02d released the lock.",
            self.bug_id,
            CpuId::current().as_u32(),
            self.target(),
        );
        self.judge_the_end();
    }

    /// Returns the target of the use that was reported.
    fn target(&self) -> i32 {
        self.seen.map_or(-1, Snapshot::target)
    }

    /// Returns whether a report is due. The time between two reports grows with their number and
    /// with the number of CPUs.
    #[inline]
    fn is_due(&self, now: u64) -> bool {
        let timeout = timeout();

        // A clock that has gone back makes this large.
        now.wrapping_sub(self.last) > timeout && self.is_due_after(timeout, now)
    }

    #[cold]
    fn is_due_after(&self, timeout: u64, now: u64) -> bool {
        let backoff = if self.messages == 0 {
            1
        } else {
            // SAFETY: Counting CPUs has no requirements.
            let cpus = unsafe { helpers::cpumask::num_online_cpus() };
            u64::from(cpus.checked_ilog2().unwrap_or(0) / 2).wrapping_add(1)
        };
        let limit = timeout
            .wrapping_mul(self.messages.wrapping_add(1))
            .wrapping_mul(backoff);

        // A clock that has gone back is reported once, and then as often as other waits.
        let is_back = self.start > now && self.last >= self.start;

        timeout != 0 && (is_back || now.saturating_sub(self.last) > limit)
    }

    /// Reads the clock and the lock again, and reports the wait if it still takes too long. Returns
    /// whether it is over.
    ///
    /// The caller may have been preempted between its reads, for longer than any timeout.
    /// Preemption is off here, so a target that is online stays online. The clock is read before
    /// the lock: a csd that is found locked was locked at that time.
    fn look_again(&mut self) -> bool {
        let guard = CpuGuard::new();
        let facts = self.facts();

        if self.csd.is_over(self.flags) {
            if self.bug_id != 0 {
                self.got_unstuck();
            }
            return true;
        }
        if self.other.is_some_and(|other| other()) {
            return true;
        }

        if self.flags.is_none() && Some(facts.seen) != self.seen {
            // The use that the wait began with is over, and an interrupt on this CPU has taken the
            // csd for another one. A use with the same fields cannot be told from the first.
            if self.bug_id != 0 {
                self.got_unstuck();
            }
            *self = Self::begin(self.csd, None).or_until(self.other);
        } else if self.is_due(facts.now) {
            self.report(&guard, facts);
        }
        // It may have become true while the report was written.
        self.other.is_some_and(|other| other())
    }

    /// Returns what is known of the target. It applies to this use of the csd if the csd is found
    /// locked after that.
    fn facts(&self) -> Facts {
        let now = now();
        let seen = self.csd.snapshot();
        let target = mask::in_range(seen.target());
        let facts = Facts {
            now,
            seen,
            target,
            running: Running::of(target),
            flushed_after: self
                .resent
                .zip(target)
                .and_then(|(resent, cpu)| resent.flushed_after(cpu)),
        };

        // ORDERING: All of this is read before the lock. It pairs with the barrier between the
        // lock of a csd and its fields, in `Csd::fill()`.
        // LITMUS: csd-lock-fill
        smp_mb(Full);
        facts
    }

    /// Reports the wait, and sends the IPI again if the target runs no function.
    fn report(&mut self, guard: &CpuGuard, facts: Facts) {
        let csd = self.csd;
        let this_cpu = guard.cpu().as_u32();
        let source = self.source.map_or(this_cpu, |cpu| cpu.as_u32());
        let Facts {
            now,
            seen,
            target,
            running,
            flushed_after,
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
        self.seen = Some(seen);

        let number = seen.target();
        warn_once!(target.is_none(), "csd_lock_wait_toolong: cpu = {number}\n");

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
                    self.judge(cpu, now, idle, flushed_after);
                }
                self.show_and_resend(cpu, idle, this_cpu);
            } else {
                Verdict::Offline.give(self.bug_id, cpu, 0);
            }
        }

        if first {
            // SAFETY: May be called in any context.
            unsafe { bindings::dump_stack() };
        }
        self.last = now;
    }

    /// Returns whether the wait has ended meanwhile.
    fn is_over_by_now(&self) -> bool {
        self.csd.is_over(self.flags) || self.other.is_some_and(|other| other())
    }

    /// Panics if the wait goes on for longer than `smp.panic_on_ipistall`.
    fn panic_if_asked(&self, waited: i64) {
        // SAFETY: The parameter may change at any time; each value is fine.
        let limit = unsafe { (&raw const bindings::panic_on_ipistall).read_volatile() };

        let too_long = limit > 0
            && waited > i64::from(limit).wrapping_mul(NSEC_PER_MSEC)
            && !self.is_over_by_now();

        // SAFETY: A panic is what the parameter asks for.
        unsafe { bindings::smp_stall_bug_on(too_long) };
    }

    /// Prints a backtrace of `cpu`, which is online, and sends it the IPI again if it runs no
    /// function.
    fn show_and_resend(&mut self, cpu: CpuId, idle: bool, this_cpu: u32) {
        // Printing takes time, so each step first checks whether the wait is over.
        if !self.is_over_by_now() && resend::take_trigger(cpu) {
            // SAFETY: `cpu` is a CPU.
            unsafe { bindings::smp_stall_ask(cpu.as_u32()) };
            // SAFETY: As above.
            unsafe { bindings::dump_cpu_task(i32::from(cpu)) };
            // SAFETY: As above.
            match unsafe { bindings::smp_stall_found(cpu.as_u32()) } {
                bindings::smp_stall_nmi_SMP_STALL_IRQS_OFF => {
                    Verdict::InterruptsOff.give(self.bug_id, cpu, 0);
                }
                bindings::smp_stall_nmi_SMP_STALL_IRQS_ON => {
                    Verdict::InterruptsOn.give(self.bug_id, cpu, 0);
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
            self.resent = Resent::send(cpu);
        }
    }

    /// Gives the verdict on a wait that goes on, when it is reported.
    fn judge(&mut self, cpu: CpuId, now: u64, idle: bool, flushed_after: Option<u64>) {
        let (verdict, since) = match (self.resent, flushed_after) {
            _ if !idle => (Verdict::CallbackRunning, 0),
            (None, _) => return,
            (_, Some(after)) => (Verdict::Flushed, after),
            (Some(resent), None) => (Verdict::NotFlushed, now.saturating_sub(resent.at)),
        };

        self.judged(cpu, verdict, since);
    }

    /// Gives the verdict on a wait that is over, if it is not known why it took so long.
    fn judge_the_end(&mut self) {
        let known = !matches!(self.verdict, None | Some(Verdict::NotFlushed));
        let cpu = mask::in_range(self.target());

        if let (false, Some(resent), Some(cpu)) = (known, self.resent, cpu) {
            match resent.flushed_after(cpu) {
                Some(after) => self.judged(cpu, Verdict::Over, after),
                None => {
                    self.judged(cpu, Verdict::NotFlushed, now().saturating_sub(resent.at));
                }
            }
        }
    }

    /// Gives a verdict, if it differs from the last one.
    fn judged(&mut self, cpu: CpuId, verdict: Verdict, ns: u64) {
        if self.verdict.replace(verdict) != Some(verdict) {
            verdict.give(self.bug_id, cpu, ns);
        }
    }
}

/// How long a wait may take before it is reported, in ns.
fn timeout() -> u64 {
    // SAFETY: The parameter may change at any time; each value is fine.
    let timeout = unsafe { (&raw const bindings::csd_lock_timeout).read_volatile() };

    (timeout as u64).wrapping_mul(NSEC_PER_MSEC as u64)
}
