// SPDX-License-Identifier: GPL-2.0

//! CPUs that go offline and online under calls of all families, and a ledger of the calls.

use crate::{
    csd::Csd,
    tests::support::{
        calls::{
            any,
            on_each_if,
            single_async,
            single_on,
            Callback,
            Condition, //
        },
        fixture::{
            csd_for,
            leak, //
        },
        thread::Thread, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    helpers,
    prelude::*,
    smp::testing::{
        becomes_true,
        bind,
        check,
        check_eq,
        mask_of,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    }, //
};

/// The calls to a CPU: accepted, refused, and run.
struct Account {
    cpu: CpuId,
    accepted: Atomic<u32>,
    refused: Atomic<u32>,
    ran: Atomic<u32>,
    /// Calls that ran on another CPU.
    astray: Atomic<u32>,
}

impl Account {
    fn is_balanced(&self) -> bool {
        self.ran.load(Acquire) == self.accepted.load(Acquire)
    }

    /// Enters a call that returned `error`. Returns whether that is 0 or `-ENXIO`.
    fn enter(&self, error: c_int) -> bool {
        if error == 0 {
            self.accepted.fetch_add(1, Full);
        } else if error == ENXIO.to_errno() {
            self.refused.fetch_add(1, Full);
        }
        error == 0 || error == ENXIO.to_errno()
    }
}

impl Callback for Account {
    fn call(&'static self) {
        if CpuId::current() != self.cpu {
            self.astray.fetch_add(1, Full);
        }
        self.ran.fetch_add(1, Full);
    }
}

/// The accounts of all CPUs.
struct Ledger {
    accounts: KVec<&'static Account>,
    enough: Atomic<bool>,
    errors: Atomic<u32>,
    rounds: Atomic<u32>,
}

impl Ledger {
    fn new() -> Result<&'static Self> {
        let mut accounts = KVec::new();

        for cpu in Cpumask::possible() {
            accounts.push(
                leak(Account {
                    cpu,
                    accepted: Atomic::new(0),
                    refused: Atomic::new(0),
                    ran: Atomic::new(0),
                    astray: Atomic::new(0),
                })?,
                GFP_KERNEL,
            )?;
        }
        leak(Self {
            accounts,
            enough: Atomic::new(false),
            errors: Atomic::new(0),
            rounds: Atomic::new(0),
        })
    }

    fn account(&self, cpu: CpuId) -> Option<&'static Account> {
        self.accounts
            .iter()
            .copied()
            .find(|account| account.cpu == cpu)
    }

    fn sum(&self, count: fn(&Account) -> &Atomic<u32>) -> u32 {
        self.accounts
            .iter()
            .fold(0, |sum, account| sum + count(account).load(Acquire))
    }
}

/// Multi-CPU calls count once for each target.
impl Callback for Ledger {
    fn call(&'static self) {
        if let Some(account) = self.account(CpuId::current()) {
            account.ran.fetch_add(1, Full);
        }
    }
}

impl Condition for Ledger {
    fn wants(&'static self, cpu: c_int) -> bool {
        for account in &self.accounts {
            if i32::from(account.cpu) == cpu {
                account.accepted.fetch_add(1, Full);
            }
        }
        true
    }
}

/// A thread that calls all CPUs in turn, in all ways.
struct Clerk {
    ledger: &'static Ledger,
    own: KVec<(CpuId, Csd)>,
    masks: KVec<(CpuId, CpumaskVar)>,
    all: CpumaskVar,
}

// SAFETY: The sets are only read; one thread uses the csds.
unsafe impl Sync for Clerk {}

impl Clerk {
    fn new(ledger: &'static Ledger) -> Result<&'static Self> {
        let mut own = KVec::new();
        let mut masks = KVec::new();

        for account in &ledger.accounts {
            own.push((account.cpu, csd_for(*account)?), GFP_KERNEL)?;
            masks.push((account.cpu, mask_of([account.cpu])?), GFP_KERNEL)?;
        }
        leak(Self {
            ledger,
            own,
            masks,
            all: mask_of(Cpumask::possible())?,
        })
    }

    fn work(&'static self) {
        while !self.ledger.enough.load(Acquire) {
            let mut is_known = true;

            for account in &self.ledger.accounts {
                is_known &= account.enter(single_on(account.cpu, *account, true));
                is_known &= account.enter(single_on(account.cpu, *account, false));
            }
            for (cpu, mask) in &self.masks {
                if let Some(account) = self.ledger.account(*cpu) {
                    is_known &= account.enter(any(mask, account, true));
                }
            }
            for (cpu, csd) in &self.own {
                if let Some(account) = self.ledger.account(*cpu) {
                    let error = single_async(i32::from(*cpu), *csd);

                    // A csd that is still in flight is neither an error nor a call.
                    is_known &= error == EBUSY.to_errno() || account.enter(error);
                }
            }
            on_each_if(&self.all, self.ledger, true);
            on_each_if(&self.all, self.ledger, false);

            if !is_known {
                self.ledger.errors.fetch_add(1, Full);
            }
            self.ledger.rounds.fetch_add(1, Full);
        }
    }
}

/// How often each CPU goes offline and online.
fn cycles() -> c_int {
    // SAFETY: The parameter is not written after boot.
    unsafe { (&raw const bindings::smp_test_cycles).read() }
}

/// Takes all CPUs but the first offline and online again, under calls. Each call that was accepted
/// must run once, on its target.
fn keep_ledger() -> Result {
    let cpus = two_cpus()?;
    let ledger = Ledger::new()?;
    let mut threads = KVec::new();
    let mut stuck = 0;
    let mut refused = 0;

    // The threads may run on all CPUs, and are moved when their CPUs go offline.
    for cpu in Cpumask::online() {
        threads.push(
            Thread::start(
                cpu,
                |clerk: &'static Clerk| {
                    let _ = bind_to_all(&clerk.all);
                    clerk.work();
                },
                Clerk::new(ledger)?,
            )?,
            GFP_KERNEL,
        )?;
    }
    bind(cpus.here)?;

    let others = mask_of(Cpumask::online().iter().filter(|cpu| *cpu != cpus.here))?;
    for _ in 0..cycles() {
        for cpu in others.iter() {
            let rounds = ledger.rounds.load(Relaxed);

            let Ok(down) = Down::new(cpu) else {
                refused += 1;
                continue;
            };
            stuck += u32::from(!becomes_true(|| ledger.rounds.load(Relaxed) != rounds));
            drop(down);
        }
    }
    ledger.enough.store(true, Release);
    let finished = threads.iter().all(Thread::finishes);
    let balanced = becomes_true(|| ledger.accounts.iter().all(|account| account.is_balanced()));

    pr_info!(
        "ledger: {} calls accepted, {} refused, {} ran, {} astray, {} cycles of {} CPUs\n",
        ledger.sum(|account| &account.accepted),
        ledger.sum(|account| &account.refused),
        ledger.sum(|account| &account.ran),
        ledger.sum(|account| &account.astray),
        cycles(),
        others.weight(),
    );
    check_eq!(refused, 0);
    check_eq!(stuck, 0);
    check!(finished);
    check!(balanced);
    check_eq!(ledger.errors.load(Acquire), 0);
    check_eq!(ledger.sum(|account| &account.astray), 0);
    check!(ledger.sum(|account| &account.refused) > 0);
    Ok(())
}

/// Lets the thread run on each CPU of `mask`.
fn bind_to_all(mask: &Cpumask) -> Result {
    // SAFETY: There is always a current task, and the mask is valid.
    kernel::error::to_result(unsafe {
        bindings::set_cpus_allowed_ptr(helpers::percpu::get_current(), mask.as_raw())
    })
}

#[kunit_tests(smp_ledger)]
mod cases {
    use super::*;

    #[test]
    fn each_call_runs_once_while_cpus_go_offline_and_online() -> Result {
        keep_ledger()
    }

    #[test]
    #[cfg(CONFIG_FAIL_SMP)]
    fn each_call_runs_once_while_ipis_are_delayed_and_duplicated_too() -> Result {
        use crate::tests::support::faults::{
            Fault,
            DELAY,
            DUPLICATE, //
        };

        let _faults = [Fault::sometimes(DELAY, 20), Fault::sometimes(DUPLICATE, 20)];

        keep_ledger()
    }
}
