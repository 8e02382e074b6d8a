// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of CPU hotplug callbacks.
//!
//! A callback only records; the test's own thread compares. A check that fails marks the test as
//! failed, and the test goes on: it brings CPUs back, and drops what it has registered.

use super::{
    section::TestStarting,
    Callbacks,
    HotplugLock,
    Online,
    OnlineCpu,
    Prepare,
    Registration,
    Section,
    StartingCpu,
    State, //
};
use crate::{
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::Cpumask,
    preempt::CpuPinned,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        interrupts_are_off, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use core::marker::PhantomData;

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::{
    becomes_true,
    bring_online,
    take_offline,
    two_cpus,
    Down, //
};
#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::{
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue, //
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
        startup: Atomic<u32>,
        teardown: Atomic<u32>,
    }

    /// What callbacks did, and for which CPUs they fail.
    struct Log {
        counts: KVec<Counts>,
        /// Calls that did not run on the CPU they were for.
        elsewhere: Atomic<u32>,
        /// Calls with interrupts on.
        interrupts_on: Atomic<u32>,
        fail_startup: Atomic<u32>,
        fail_teardown: Atomic<u32>,
    }

    impl Log {
        fn new() -> Result<Arc<Self>> {
            let mut counts = KVec::new();

            for _ in 0..nr_cpu_ids() {
                let none = Counts {
                    startup: Atomic::new(0),
                    teardown: Atomic::new(0),
                };
                counts.push(none, GFP_KERNEL)?;
            }
            let log = Self {
                counts,
                elsewhere: Atomic::new(0),
                interrupts_on: Atomic::new(0),
                fail_startup: Atomic::new(NONE),
                fail_teardown: Atomic::new(NONE),
            };
            Ok(Arc::new(log, GFP_KERNEL)?)
        }

        fn recorder<S: Section>(self: &Arc<Self>) -> impl PinInit<Recorder<S>, Error> {
            let log = self.clone();

            try_init!(Recorder {
                log,
                _section: PhantomData,
            }? Error)
        }

        fn register(self: &Arc<Self>) -> Result<Registered<Online>> {
            KBox::pin_init(
                Registration::new(c"test:online", self.recorder()),
                GFP_KERNEL,
            )
        }

        /// Returns how often the callbacks ran for `cpu`: startup, teardown.
        fn seen(&self, cpu: CpuId) -> (u32, u32) {
            self.counts
                .get(cpu.as_u32() as usize)
                .map_or((NONE, NONE), |counts| {
                    (counts.startup.load(Relaxed), counts.teardown.load(Relaxed))
                })
        }

        /// Returns whether the callbacks ran that often for each online CPU, and for no other.
        fn all_seen(&self, startup: u32, teardown: u32) -> bool {
            (0..nr_cpu_ids())
                .filter_map(CpuId::from_u32)
                .all(|cpu| match cpu.is_online() {
                    true => self.seen(cpu) == (startup, teardown),
                    false => self.seen(cpu) == (0, 0),
                })
        }

        /// Returns how often the callbacks ran for all CPUs together.
        fn total(&self) -> (u32, u32) {
            self.counts.iter().fold((0, 0), |(startup, teardown), cpu| {
                (
                    startup + cpu.startup.load(Relaxed),
                    teardown + cpu.teardown.load(Relaxed),
                )
            })
        }
    }

    /// Callbacks that record.
    struct Recorder<S> {
        log: Arc<Log>,
        _section: PhantomData<fn(S)>,
    }

    type Registered<S> = Pin<KBox<Registration<Recorder<S>>>>;

    impl<S> Recorder<S> {
        fn record(&self, cpu: CpuId, count: impl FnOnce(&Counts) -> &Atomic<u32>) {
            if CpuId::current() != cpu {
                self.log.elsewhere.add(1, Relaxed);
            }
            if !interrupts_are_off() {
                self.log.interrupts_on.add(1, Relaxed);
            }
            if let Some(counts) = self.log.counts.get(cpu.as_u32() as usize) {
                count(counts).add(1, Relaxed);
            }
        }

        fn startup_for(&self, cpu: CpuId) -> Result {
            self.record(cpu, |counts| &counts.startup);
            fails_for(&self.log.fail_startup, cpu)
        }

        fn teardown_for(&self, cpu: CpuId) -> Result {
            self.record(cpu, |counts| &counts.teardown);
            fails_for(&self.log.fail_teardown, cpu)
        }
    }

    /// Returns an error if `which` is `cpu` or all CPUs.
    fn fails_for(which: &Atomic<u32>, cpu: CpuId) -> Result {
        let which = which.load(Relaxed);

        match which == ALL || which == cpu.as_u32() {
            true => Err(EXDEV),
            false => Ok(()),
        }
    }

    impl Callbacks for Recorder<Online> {
        type Section = Online;

        fn startup(&self, cpu: &OnlineCpu) -> Result {
            self.startup_for(cpu.cpu())
        }

        fn teardown(&self, cpu: &OnlineCpu) -> Result {
            self.teardown_for(cpu.cpu())
        }
    }

    impl Callbacks for Recorder<Prepare> {
        type Section = Prepare;

        fn startup(&self, cpu: &CpuId) -> Result {
            self.startup_for(*cpu)
        }

        fn teardown(&self, cpu: &CpuId) -> Result {
            self.teardown_for(*cpu)
        }
    }

    impl Callbacks for Recorder<TestStarting> {
        type Section = TestStarting;

        fn startup(&self, cpu: &StartingCpu) -> Result {
            self.startup_for(cpu.cpu())
        }

        fn teardown(&self, cpu: &StartingCpu) -> Result {
            self.teardown_for(cpu.cpu())
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
        impl Callbacks for Nothing {
            type Section = Online;
        }

        let registration = Registration::new(c"test:nothing", try_init!(Nothing {}? Error));
        check!(KBox::pin_init(registration, GFP_KERNEL).is_ok());
        Ok(())
    }

    #[test]
    fn an_error_of_the_initializer_registers_nothing() -> Result {
        let log = Log::new()?;

        let mut errors = 0;
        for _ in 0..MANY {
            let init = try_init!(Recorder::<Online> {
                log: Err(EXDEV)?,
                _section: PhantomData,
            }? Error);
            let result = KBox::pin_init(Registration::new(c"test:none", init), GFP_KERNEL);
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
    fn an_error_of_startup_undoes_the_registration() -> Result {
        let log = Log::new()?;
        let (last, cpus) = last_online()?;
        log.fail_startup.store(last.as_u32(), Relaxed);
        // The rollback must not fail, even if the callback does.
        log.fail_teardown.store(ALL, Relaxed);

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
        log.fail_teardown.store(ALL, Relaxed);
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
    fn an_error_of_teardown_keeps_the_cpu_online() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;

        let registration = log.register()?;
        log.fail_teardown.store(cpu.as_u32(), Relaxed);
        check_eq!(take_offline(cpu), Err(EXDEV));
        check!(cpu.is_online());
        check_eq!(log.seen(cpu), (1, 1));

        log.fail_teardown.store(NONE, Relaxed);
        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(bring_online(cpu), Ok(()));
        drop(registration);

        check_eq!(log.seen(cpu), (2, 3));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn an_error_of_startup_keeps_the_cpu_offline() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;

        let registration = log.register()?;
        check_eq!(take_offline(cpu), Ok(()));
        log.fail_startup.store(cpu.as_u32(), Relaxed);
        check_eq!(bring_online(cpu), Err(EXDEV));
        check!(!cpu.is_online());
        check_eq!(log.seen(cpu), (2, 1));

        log.fail_startup.store(NONE, Relaxed);
        check_eq!(bring_online(cpu), Ok(()));
        drop(registration);

        check_eq!(log.seen(cpu), (3, 2));
        Ok(())
    }

    #[test]
    fn instances_of_one_state_are_added_and_removed_alone() -> Result {
        let logs = [Log::new()?, Log::new()?];
        let [log, other] = &logs;
        let state = State::new(c"test:shared")?;

        let first: Registered<Online> = KBox::pin_init(
            Registration::instance(state.clone(), log.recorder()),
            GFP_KERNEL,
        )?;
        let second: Registered<Online> =
            KBox::pin_init(Registration::instance(state, other.recorder()), GFP_KERNEL)?;
        check!(log.all_seen(1, 0));
        check!(other.all_seen(1, 0));
        drop(first);
        check!(log.all_seen(1, 1));
        check!(other.all_seen(1, 0));
        drop(second);

        check!(other.all_seen(1, 1));
        Ok(())
    }

    #[test]
    fn an_instance_is_added_where_the_lock_is_held() -> Result {
        let log = Log::new()?;
        let state = State::new(c"test:locked")?;

        let lock = HotplugLock::new();
        let cpus = lock.online().weight();
        let added: Result<Registered<Online>> = KBox::pin_init(
            Registration::instance_locked(&lock, &state, log.recorder()),
            GFP_KERNEL,
        );
        let seen = log.total();
        log.fail_startup.store(ALL, Relaxed);
        let refused: Result<Registered<Online>> = KBox::pin_init(
            Registration::instance_locked(&lock, &state, log.recorder()),
            GFP_KERNEL,
        );
        drop(lock);

        check_eq!(seen, (cpus, 0));
        check_eq!(refused.err(), Some(EXDEV));
        drop(added?);
        // The second one has failed on its first CPU.
        check_eq!(log.total(), (cpus.wrapping_add(1), cpus));
        Ok(())
    }

    #[test]
    fn an_error_of_startup_leaves_other_instances_as_they_are() -> Result {
        let logs = [Log::new()?, Log::new()?];
        let [log, other] = &logs;
        let state = State::new(c"test:shared")?;
        other.fail_startup.store(ALL, Relaxed);

        let first: Registered<Online> = KBox::pin_init(
            Registration::instance(state.clone(), log.recorder()),
            GFP_KERNEL,
        )?;
        let second: Result<Registered<Online>> =
            KBox::pin_init(Registration::instance(state, other.recorder()), GFP_KERNEL);
        check_eq!(second.err(), Some(EXDEV));
        check!(log.all_seen(1, 0));
        drop(first);

        check!(log.all_seen(1, 1));
        check_eq!(other.total(), (1, 0));
        Ok(())
    }

    #[test]
    fn callbacks_of_the_section_starting_run_with_interrupts_off() -> Result {
        let log = Log::new()?;
        // Both are ignored.
        log.fail_startup.store(ALL, Relaxed);
        log.fail_teardown.store(ALL, Relaxed);

        let registration: Registered<TestStarting> = KBox::pin_init(
            Registration::new(c"test:starting", log.recorder()),
            GFP_KERNEL,
        )?;
        check!(log.all_seen(1, 0));
        let twice: Result<Arc<State<Recorder<TestStarting>>>> = State::new(c"test:starting");
        check_eq!(twice.err(), Some(EBUSY));
        drop(registration);

        check!(log.all_seen(1, 1));
        check_eq!(log.elsewhere.load(Relaxed), 0);
        check_eq!(log.interrupts_on.load(Relaxed), 0);
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn callbacks_of_the_section_starting_run_on_the_way_up_and_down() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;
        let registration: Registered<TestStarting> = KBox::pin_init(
            Registration::new(c"test:starting", log.recorder()),
            GFP_KERNEL,
        )?;

        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(log.seen(cpu), (1, 1));
        check_eq!(bring_online(cpu), Ok(()));
        check_eq!(log.seen(cpu), (2, 1));
        drop(registration);

        check_eq!(log.elsewhere.load(Relaxed), 0);
        check_eq!(log.interrupts_on.load(Relaxed), 0);
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn callbacks_of_the_section_prepare_run_for_a_cpu_that_is_off() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;
        let registration: Registered<Prepare> = KBox::pin_init(
            Registration::new(c"test:prepare", log.recorder()),
            GFP_KERNEL,
        )?;
        let before = log.elsewhere.load(Relaxed);
        // It is ignored: the CPU is dead.
        log.fail_teardown.store(ALL, Relaxed);

        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(log.seen(cpu), (1, 1));
        log.fail_startup.store(cpu.as_u32(), Relaxed);
        check_eq!(bring_online(cpu), Err(EXDEV));
        log.fail_startup.store(NONE, Relaxed);
        check_eq!(bring_online(cpu), Ok(()));
        let elsewhere = log.elsewhere.load(Relaxed) - before;
        drop(registration);

        check_eq!(elsewhere, 3);
        check_eq!(log.seen(cpu), (3, 2));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn nocalls_registers_for_the_next_change_only() -> Result {
        let log = Log::new()?;
        let cpu = two_cpus()?.there;
        let registration: Registered<Online> = KBox::pin_init(
            Registration::new_nocalls(c"test:nocalls", log.recorder()),
            GFP_KERNEL,
        )?;

        check_eq!(log.total(), (0, 0));
        check_eq!(take_offline(cpu), Ok(()));
        check_eq!(bring_online(cpu), Ok(()));
        check_eq!(log.seen(cpu), (1, 1));
        drop(registration);

        check_eq!(log.total(), (1, 1));
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_cpu_cannot_go_offline_while_the_lock_is_held() -> Result {
        const DONE: u32 = 1;
        const FAILED: u32 = 2;
        /// How often this looks whether the CPU is still online, with time for it to go offline.
        const LOOKS: u32 = 300;
        let cpu = two_cpus()?.there;
        let end = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let lock = HotplugLock::new();

        let other = end.clone();
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            let done = take_offline(cpu).is_ok();
            other.store(if done { DONE } else { FAILED }, Relaxed);
        })?;
        // No task gets the lock from when the worker waits for it.
        let waits = becomes_true(|| HotplugLock::try_new().is_none());
        let stays = (0..LOOKS).all(|_| {
            fsleep(Delta::from_millis(1));
            HotplugLock::try_new().is_none() && lock.is_online(cpu) && end.load(Relaxed) == 0
        });
        drop(lock);
        let ended = becomes_true(|| end.load(Relaxed) != 0);

        check!(waits);
        check!(stays);
        check!(ended);
        check_eq!(end.load(Relaxed), DONE);
        check!(!HotplugLock::new().is_online(cpu));
        bring_online(cpu)
    }
}
