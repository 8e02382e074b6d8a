// SPDX-License-Identifier: GPL-2.0

//! Calls of all families, drawn by chance, and a ledger: each call that was accepted runs exactly
//! once on each CPU that it was for, sees what was written before it, and, if it was waited for, is
//! seen.
//!
//! CPUs 0 and 1 call. The others only answer, and go down and come up meanwhile.

use crate::{
    calls::{single_with, OwnCsd},
    chance::Chance,
    run::number,
    world::{Body, Check, Plan},
};
use bindings::{
    c_int, c_void, cpumask,
    machine::{self, Machine},
};
use std::{
    cell::UnsafeCell,
    ptr::null_mut,
    sync::{
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*},
        Arc, Mutex,
    },
};

/// The ledger as a check. CALLS and SEED can be given.
pub static CHECK: Check = Check {
    name: "ledger",
    cpus: if cfg!(feature = "shuttle") { 5 } else { 4 },
    shared_cpus: true,
    preemptions: 0,
    repeat: if cfg!(feature = "shuttle") { 200 } else { 1 },
    build: |machine| {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        let calls = number("CALLS").unwrap_or(if cfg!(feature = "shuttle") {
            100
        } else {
            10_000_000
        });
        let seed = number("SEED").unwrap_or(1) as u64 * 1_000_000 + RUNS.fetch_add(1, Relaxed);

        build(machine, calls as u64, seed)
    },
    tells: || TOTALS.lock().unwrap().to_string(),
};

/// How many CPUs make calls.
const CALLERS: u32 = 2;

/// How many asynchronous calls of a CPU can be queued.
const ENTRIES: usize = 32;

/// A call.
#[derive(Default)]
struct Entry {
    /// Drawn by chance, and written before the call; the function finds its complement too.
    word: UnsafeCell<[u64; 2]>,
    /// On how many CPUs it is still to run. 0 while it is not in use.
    left: AtomicU32,
    /// On which CPUs it may run, and on which it has run.
    may: AtomicU32,
    ran: AtomicU32,
    faults: AtomicU32,
}

// SAFETY: `word` is written while `left` is 0, and read while it is not. That this holds is what is
// checked.
unsafe impl Sync for Entry {}

impl Entry {
    fn begin(&self, word: u64, may: u32) {
        // SAFETY: As above.
        unsafe { *self.word.get() = [word, !word] };
        self.may.store(may, Relaxed);
        self.ran.store(0, Relaxed);
        // What the function does to it comes after this: the call orders it.
        self.left.store(may.count_ones(), Relaxed);
    }

    fn info(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Ends a call that was waited for, or refused; `called` are the CPUs that must have run it.
    fn end(&self, called: u32) {
        if self.ran.load(Relaxed) != called {
            self.faults.fetch_add(1, Relaxed);
        }
        self.left.store(0, Relaxed);
    }
}

unsafe extern "C" fn run(info: *mut c_void) {
    // SAFETY: An entry lives as long as the machine.
    let entry = unsafe { &*info.cast_const().cast::<Entry>() };
    let here = 1 << bindings::raw_smp_processor_id();
    // SAFETY: As said there.
    let [word, complement] = unsafe { *entry.word.get() };

    if word != !complement
        || entry.may.load(Relaxed) & here == 0
        || entry.ran.fetch_or(here, Relaxed) & here != 0
        || entry.left.load(Relaxed) == 0
    {
        entry.faults.fetch_add(1, Relaxed);
    }
    // The next user of the entry has seen this.
    entry.left.fetch_sub(1, Release);
}

/// Whether an even word or an odd one is to be called on `cpu`.
unsafe extern "C" fn wanted(cpu: c_int, info: *mut c_void) -> bool {
    // SAFETY: As above.
    let word = unsafe { (*(*info.cast_const().cast::<Entry>()).word.get())[0] };

    (word ^ cpu as u64) & 1 == 0
}

/// Says yes, and adds `cpu` to those on which the call is to run.
unsafe extern "C" fn expect(cpu: c_int, info: *mut c_void) -> bool {
    // SAFETY: As above.
    let entry = unsafe { &*info.cast_const().cast::<Entry>() };

    entry.may.fetch_or(1 << cpu, Relaxed);
    entry.left.fetch_add(1, Relaxed);
    true
}

/// What one CPU has done.
#[derive(Default)]
struct Account {
    calls: AtomicU64,
    refused: AtomicU64,
    faults: AtomicU64,
}

struct Caller {
    here: u32,
    cpus: u32,
    chance: Chance,
    entries: Vec<Entry>,
    csd: Box<OwnCsd>,
    own: Box<Entry>,
    account: Arc<Account>,
}

impl Caller {
    /// An entry that is not in use. There may be none until others have run theirs.
    fn free(&mut self) -> usize {
        loop {
            let at = self.chance.below(ENTRIES as u64) as usize;

            if self.entries[at].left.load(Acquire) == 0 {
                return at;
            }
            machine::relax();
        }
    }

    fn step(&mut self) {
        let word = self.chance.next();
        let to = self.chance.below(self.cpus.into()) as u32;
        let mask = cpumask {
            bits: [self.chance.below(1 << self.cpus) as usize],
        };
        let kind = self.chance.below(100);
        let at = self.free();
        let entry = &self.entries[at];

        self.account.calls.fetch_add(1, Relaxed);
        match kind {
            // One CPU, and wait; at times with interrupts off.
            0..30 => {
                let call = || single_with(to as c_int, run, entry.info(), true);

                entry.begin(word, 1 << to);
                let accepted = if kind < 5 {
                    machine::with_interrupts_off(call)
                } else {
                    call()
                } == 0;
                entry.end(if accepted { 1 << to } else { 0 });
                self.account.refused.fetch_add((!accepted).into(), Relaxed);
            }
            // One CPU, and go on.
            30..60 => {
                entry.begin(word, 1 << to);
                if single_with(to as c_int, run, entry.info(), false) != 0 {
                    entry.end(0);
                    self.account.refused.fetch_add(1, Relaxed);
                }
            }
            // The own csd, if it is not on its way.
            60..75 => {
                if self.own.left.load(Acquire) == 0 {
                    self.own.begin(word, 1 << to);
                    self.csd.call(run, self.own.info());
                    if self.csd.send(to) != 0 {
                        self.own.end(0);
                        self.account.refused.fetch_add(1, Relaxed);
                    }
                }
            }
            // Many, all or some, and wait. Which are online is not known, so that what was
            // called is right; that each ran once at most is checked by the function.
            75..90 => {
                let flags = bindings::SCF_WAIT
                    | if kind < 85 {
                        bindings::SCF_RUN_LOCAL
                    } else {
                        0
                    };
                let cond: bindings::smp_cond_func_t = if kind < 80 { Some(wanted) } else { None };

                entry.begin(word, (1 << self.cpus) - 1);
                // SAFETY: The entry lives until the call is over.
                unsafe {
                    bindings::smp_call_function_many_cond(
                        &mask,
                        Some(run),
                        entry.info(),
                        flags,
                        cond,
                        0,
                    )
                };
                let ran = entry.ran.load(Relaxed);
                let asked = mask.bits[0] as u32;
                let must = asked & ((1 << CALLERS) - 1) & !(1 << self.here);
                let even = (0..self.cpus).filter(|cpu| (word ^ u64::from(*cpu)) & 1 == 0);
                let wanted = even.fold(0, |set, cpu| set | 1 << cpu);
                let must = if cond.is_some() { must & wanted } else { must };
                if ran & !asked != 0 || ran & must != must {
                    entry.faults.fetch_add(1, Relaxed);
                }
                entry.end(ran);
            }
            // Many, and go on. The condition says on which it is to run; the sender's share in `left`
            // keeps the entry in use until all have been asked about.
            90..95 => {
                entry.begin(word, 0);
                entry.left.store(1, Relaxed);
                // SAFETY: The entry lives as long as the machine.
                unsafe {
                    bindings::smp_call_function_many_cond(
                        &mask,
                        Some(run),
                        entry.info(),
                        0,
                        Some(expect),
                        0,
                    )
                };
                entry.left.fetch_sub(1, Release);
            }
            // Any of some.
            _ => {
                entry.begin(word, mask.bits[0] as u32);
                // SAFETY: As above.
                let error =
                    unsafe { bindings::smp_single_any(&mask, Some(run), entry.info(), true, 0) };
                let ran = entry.ran.load(Relaxed);

                if ran.count_ones() != u32::from(error == 0) {
                    entry.faults.fetch_add(1, Relaxed);
                }
                self.account.refused.fetch_add((error != 0).into(), Relaxed);
                entry.end(ran);
            }
        }
    }

    fn finish(mut self) {
        let all = self.entries.iter().chain([&*self.own]);

        while all.clone().any(|entry| entry.left.load(Acquire) != 0) {
            machine::relax();
        }
        let faults = all.map(|entry| u64::from(entry.faults.load(Relaxed))).sum();
        self.account.faults.fetch_add(faults, Relaxed);
        // A CPU that is down may still have the address of one that it never looks at.
        std::mem::forget(std::mem::take(&mut self.entries));
    }
}

/// A run of the ledger.
pub fn build(machine: &Arc<Machine>, calls: u64, seed: u64) -> Plan {
    let over = Arc::new(AtomicBool::new(false));
    let left = Arc::new(AtomicU32::new(CALLERS));
    let accounts: Vec<_> = (0..CALLERS).map(|_| Arc::<Account>::default()).collect();
    let mut bodies: Vec<(u32, Body)> = Vec::new();

    for here in 0..CALLERS {
        let (over, left) = (over.clone(), left.clone());
        let own = Box::<Entry>::default();
        let mut caller = Caller {
            here,
            cpus: machine.cpus(),
            chance: Chance::new(seed * u64::from(CALLERS + 1) + u64::from(here)),
            entries: (0..ENTRIES).map(|_| Entry::default()).collect(),
            csd: OwnCsd::with(run, null_mut()),
            own,
            account: accounts[here as usize].clone(),
        };
        let caller_calls = calls / u64::from(CALLERS);

        bodies.push((
            here,
            Box::new(move || {
                for _ in 0..caller_calls {
                    caller.step();
                }
                caller.finish();
                if left.fetch_sub(1, AcqRel) == 1 {
                    over.store(true, Release);
                }
            }),
        ));
    }

    let cycles = Arc::new(Mutex::new(0u64));
    let count = cycles.clone();
    let hotplug = machine.clone();
    let mut chance = Chance::new(seed * u64::from(CALLERS + 1) + u64::from(CALLERS));
    bodies.push((
        0,
        Box::new(move || {
            while !over.load(Acquire) {
                let victims = hotplug.cpus() - CALLERS;
                let cpu = CALLERS + chance.below(victims.into()) as u32;

                hotplug.take_down(cpu);
                (0..chance.below(64)).for_each(|_| machine::relax());
                hotplug.bring_up(cpu);
                *count.lock().unwrap() += 1;
                (0..chance.below(64)).for_each(|_| machine::relax());
            }
        }),
    ));

    (
        bodies,
        Box::new(move || {
            let sum = |what: fn(&Account) -> &AtomicU64| -> u64 {
                accounts
                    .iter()
                    .map(|account| what(account).load(Relaxed))
                    .sum()
            };
            assert_eq!(sum(|a| &a.faults), 0, "calls went astray");
            TOTALS.lock().unwrap().add(
                sum(|a| &a.calls),
                sum(|a| &a.refused),
                *cycles.lock().unwrap(),
            );
        }),
    )
}

/// What all runs have done together.
#[derive(Default)]
pub struct Totals {
    calls: u64,
    refused: u64,
    cycles: u64,
}

/// What all runs of this program have done.
pub static TOTALS: Mutex<Totals> = Mutex::new(Totals {
    calls: 0,
    refused: 0,
    cycles: 0,
});

impl Totals {
    fn add(&mut self, calls: u64, refused: u64, cycles: u64) {
        self.calls += calls;
        self.refused += refused;
        self.cycles += cycles;
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            calls,
            refused,
            cycles,
        } = self;

        write!(
            f,
            ": {calls} calls, {refused} refused, none astray, {cycles} times a CPU down and up"
        )
    }
}
