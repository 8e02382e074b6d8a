// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of CPU hotplug callbacks.
//!
//! A callback only records; the test's own thread compares. A check that fails marks the test as
//! failed, and the test goes on: it brings CPUs back, and drops what it has registered.

use super::{
    Callbacks,
    Registration, //
};
use crate::{
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::{
    bring_online,
    take_offline,
    two_cpus,
    Down, //
};

#[kunit_tests(rust_cpuhp)]
mod suite {
    use super::*;

    /// No CPU has this number.
    const NONE: u32 = u32::MAX;

    /// All CPUs.
    const ALL: u32 = u32::MAX - 1;

    /// More registrations than there are states for.
    const MANY: u32 = 50;

    /// How often the callbacks of one CPU ran.
    struct Counts {
        online: Atomic<u32>,
        offline: Atomic<u32>,
    }

    /// What callbacks did, and for which CPUs they fail.
    struct Log {
        counts: KVec<Counts>,
        /// Calls that did not run on the CPU they were for.
        elsewhere: Atomic<u32>,
        fail_online: Atomic<u32>,
        fail_offline: Atomic<u32>,
    }

    impl Log {
        fn new() -> Result<Arc<Self>> {
            let mut counts = KVec::new();

            for _ in 0..nr_cpu_ids() {
                let none = Counts {
                    online: Atomic::new(0),
                    offline: Atomic::new(0),
                };
                counts.push(none, GFP_KERNEL)?;
            }
            let log = Self {
                counts,
                elsewhere: Atomic::new(0),
                fail_online: Atomic::new(NONE),
                fail_offline: Atomic::new(NONE),
            };
            Ok(Arc::new(log, GFP_KERNEL)?)
        }

        fn register(self: &Arc<Self>) -> Result<Pin<KBox<Registration<Recorder>>>> {
            let recorder = try_init!(Recorder { log: self.clone() }? Error);

            // SAFETY: The tests are built in.
            let registration = unsafe { Registration::new(c"test:online", recorder) };
            KBox::pin_init(registration, GFP_KERNEL)
        }

        /// Returns how often the callbacks ran on `cpu`: online, offline.
        fn seen(&self, cpu: CpuId) -> (u32, u32) {
            self.counts
                .get(cpu.as_u32() as usize)
                .map_or((NONE, NONE), |counts| {
                    (counts.online.load(Relaxed), counts.offline.load(Relaxed))
                })
        }

        /// Returns whether the callbacks ran that often on each online CPU, and on no other.
        fn all_seen(&self, online: u32, offline: u32) -> bool {
            (0..nr_cpu_ids())
                .filter_map(CpuId::from_u32)
                .all(|cpu| match cpu.is_online() {
                    true => self.seen(cpu) == (online, offline),
                    false => self.seen(cpu) == (0, 0),
                })
        }

        /// Returns how often the callbacks ran on all CPUs together.
        fn total(&self) -> (u32, u32) {
            self.counts.iter().fold((0, 0), |(online, offline), cpu| {
                (
                    online + cpu.online.load(Relaxed),
                    offline + cpu.offline.load(Relaxed),
                )
            })
        }
    }

    /// Callbacks that record.
    struct Recorder {
        log: Arc<Log>,
    }

    impl Recorder {
        fn record(
            &self,
            cpu: CpuId,
            count: impl FnOnce(&Counts) -> &Atomic<u32>,
            fail: u32,
        ) -> Result {
            if CpuId::current() != cpu {
                self.log.elsewhere.add(1, Relaxed);
            }
            if let Some(counts) = self.log.counts.get(cpu.as_u32() as usize) {
                count(counts).add(1, Relaxed);
            }

            match fail == ALL || fail == cpu.as_u32() {
                true => Err(EXDEV),
                false => Ok(()),
            }
        }
    }

    impl Callbacks for Recorder {
        fn online(&self, cpu: CpuId) -> Result {
            self.record(
                cpu,
                |counts| &counts.online,
                self.log.fail_online.load(Relaxed),
            )
        }

        fn offline(&self, cpu: CpuId) -> Result {
            self.record(
                cpu,
                |counts| &counts.offline,
                self.log.fail_offline.load(Relaxed),
            )
        }
    }

    /// Returns the last CPU that is online, and how many are.
    fn last_online() -> Result<(CpuId, u32)> {
        let last = Cpumask::online().iter().last().ok_or(ENODEV)?;

        Ok((last, Cpumask::online().iter().count() as u32))
    }

    #[test]
    fn callbacks_run_once_on_each_online_cpu_at_registration_and_at_drop() -> Result {
        let log = Log::new()?;

        let registration = log.register()?;
        check!(log.all_seen(1, 0));
        check!(Arc::ptr_eq(&registration.callbacks().log, &log));
        drop(registration);

        check!(log.all_seen(1, 1));
        check_eq!(log.elsewhere.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn callbacks_are_optional() -> Result {
        struct Nothing;
        impl Callbacks for Nothing {}

        // SAFETY: The tests are built in.
        let registration =
            unsafe { Registration::new(c"test:nothing", try_init!(Nothing {}? Error)) };
        check!(KBox::pin_init(registration, GFP_KERNEL).is_ok());
        Ok(())
    }

    #[test]
    fn an_error_of_the_initializer_registers_nothing() -> Result {
        let log = Log::new()?;

        let mut errors = 0;
        for _ in 0..MANY {
            let init = try_init!(Recorder { log: Err(EXDEV)? }? Error);
            // SAFETY: The tests are built in.
            let registration = unsafe { Registration::new(c"test:none", init) };
            let result = KBox::pin_init(registration, GFP_KERNEL);
            errors += u32::from(result.err() == Some(EXDEV));
        }

        check_eq!(errors, MANY);
        check!(log.register().is_ok());
        Ok(())
    }

    #[test]
    fn a_drop_frees_the_state() -> Result {
        let log = Log::new()?;

        for _ in 0..MANY {
            drop(log.register()?);
        }

        check!(log.all_seen(MANY, MANY));
        Ok(())
    }

    #[test]
    fn an_error_of_online_undoes_the_registration() -> Result {
        let log = Log::new()?;
        let (last, cpus) = last_online()?;
        log.fail_online.store(last.as_u32(), Relaxed);
        // The rollback must not fail, even if the callback does.
        log.fail_offline.store(ALL, Relaxed);

        let mut errors = 0;
        for _ in 0..MANY {
            errors += u32::from(log.register().err() == Some(EXDEV));
        }

        check_eq!(errors, MANY);
        check_eq!(log.seen(last), (MANY, 0));
        check_eq!(log.total(), (MANY * cpus, MANY * (cpus - 1)));
        check_eq!(log.elsewhere.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn a_callback_cannot_refuse_the_drop() -> Result {
        let log = Log::new()?;

        let registration = log.register()?;
        log.fail_offline.store(ALL, Relaxed);
        drop(registration);

        check!(log.all_seen(1, 1));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn callbacks_run_when_a_cpu_goes_offline_and_when_it_comes_online() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;
        let (_, cpus) = last_online()?;

        let registration = log.register()?;
        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(log.seen(cpu), (1, 1));
        check_eq!(bring_online(cpu), Ok(()));
        check_eq!(log.seen(cpu), (2, 1));
        check_eq!(log.total(), (cpus + 1, 1));
        drop(registration);

        check_eq!(log.total(), (cpus + 1, cpus + 1));
        check_eq!(log.elsewhere.load(Relaxed), 0);
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn callbacks_do_not_run_for_an_offline_cpu_until_it_comes_online() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;

        let down = Down::new(cpu)?;
        let registration = log.register()?;
        check!(log.all_seen(1, 0));
        drop(down);
        check!(cpu.is_online());
        check!(log.all_seen(1, 0));
        drop(registration);

        // No callback is registered any more.
        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(bring_online(cpu), Ok(()));
        check!(log.all_seen(1, 1));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn an_error_of_offline_keeps_the_cpu_online() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;

        let registration = log.register()?;
        log.fail_offline.store(cpu.as_u32(), Relaxed);
        check_eq!(take_offline(cpu), Err(EXDEV));
        check!(cpu.is_online());
        check_eq!(log.seen(cpu), (1, 1));

        log.fail_offline.store(NONE, Relaxed);
        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(bring_online(cpu), Ok(()));
        drop(registration);

        check_eq!(log.seen(cpu), (2, 3));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn an_error_of_online_keeps_the_cpu_offline() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;

        let registration = log.register()?;
        check_eq!(take_offline(cpu), Ok(()));
        log.fail_online.store(cpu.as_u32(), Relaxed);
        check_eq!(bring_online(cpu), Err(EXDEV));
        check!(!cpu.is_online());
        check_eq!(log.seen(cpu), (2, 1));

        log.fail_online.store(NONE, Relaxed);
        check_eq!(bring_online(cpu), Ok(()));
        drop(registration);

        check_eq!(log.seen(cpu), (3, 2));
        Ok(())
    }
}
