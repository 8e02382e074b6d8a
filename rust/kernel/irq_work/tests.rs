// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of IRQ work.
//!
//! A handler only records; the test's own thread compares.

use super::{
    Handler,
    IrqWork, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    irqflags::with_interrupts_off,
    preempt::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    smp::tests::fixture::{
        two_cpus,
        Delay,
        Gate, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

#[kunit_tests(rust_irq_work)]
mod suite {
    use super::*;

    /// What a handler saw.
    struct Probe {
        runs: Atomic<u32>,
        cpu: Atomic<u32>,
        with_interrupts_on: Atomic<u32>,
    }

    impl Probe {
        fn new() -> Self {
            Self {
                runs: Atomic::new(0),
                cpu: Atomic::new(u32::MAX),
                with_interrupts_on: Atomic::new(0),
            }
        }
    }

    impl Handler for Probe {
        fn handle(&self) {
            // SAFETY: Reading the interrupt state is always allowed.
            if !unsafe { bindings::irqs_disabled() } {
                self.with_interrupts_on.add(1, Relaxed);
            }
            self.cpu.store(CpuId::current().as_u32(), Relaxed);
            self.runs.add(1, Relaxed);
        }
    }

    /// Returns both kinds of work, and how often the handler of each may run with interrupts on.
    fn both_kinds() -> Result<[(Pin<KBox<IrqWork<Probe>>>, bool); 2]> {
        Ok([
            (
                KBox::pin_init(IrqWork::new(Probe::new()), GFP_KERNEL)?,
                cfg!(CONFIG_PREEMPT_RT),
            ),
            (
                KBox::pin_init(IrqWork::new_hard(Probe::new()), GFP_KERNEL)?,
                false,
            ),
        ])
    }

    #[test]
    fn a_work_runs_once_on_the_cpu_that_queues_it() -> Result {
        for (work, thread) in both_kinds()? {
            for runs in 1..=3 {
                let guard = CpuGuard::new();
                let here = guard.cpu();
                let queued = work.as_ref().queue();
                drop(guard);
                work.as_ref().sync();

                assert!(queued);
                assert_eq!(work.handler().runs.load(Relaxed), runs);
                assert_eq!(work.handler().cpu.load(Relaxed), here.as_u32());
                assert_eq!(
                    work.handler().with_interrupts_on.load(Relaxed),
                    if thread { runs } else { 0 }
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_work_runs_once_on_each_cpu_it_is_sent_to() -> Result {
        for (work, thread) in both_kinds()? {
            for (n, cpu) in (1..).zip(Cpumask::online().iter()) {
                let queued = work.as_ref().queue_on(cpu);
                work.as_ref().sync();

                assert_eq!(queued, Ok(true));
                assert_eq!(work.handler().runs.load(Relaxed), n);
                assert_eq!(work.handler().cpu.load(Relaxed), cpu.as_u32());
                assert_eq!(
                    work.handler().with_interrupts_on.load(Relaxed),
                    if thread { n } else { 0 }
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_work_that_is_queued_is_not_queued_again() -> Result {
        for (work, _) in both_kinds()? {
            // It cannot run meanwhile.
            let (first, second, third, runs) = with_interrupts_off(|_| {
                (
                    work.as_ref().queue(),
                    work.as_ref().queue(),
                    work.as_ref().queue_on(CpuId::current()),
                    work.handler().runs.load(Relaxed),
                )
            });
            work.as_ref().sync();

            assert_eq!(runs, 0);
            assert!(first);
            assert!(!second);
            assert_eq!(third, Ok(false));
            assert_eq!(work.handler().runs.load(Relaxed), 1);
        }
        Ok(())
    }

    /// How far the handler of a [`Slow`] is.
    struct Steps {
        gate: Arc<Gate>,
        delay: Delay,
        left: Atomic<u32>,
    }

    impl Steps {
        fn new() -> Result<Arc<Self>> {
            let steps = Self {
                gate: Gate::new()?,
                delay: Delay::new(),
                left: Atomic::new(0),
            };
            steps.delay.begin();
            Ok(Arc::new(steps, GFP_KERNEL)?)
        }
    }

    /// A handler that takes its time when the gate is open.
    struct Slow(Arc<Steps>);

    impl Handler for Slow {
        fn handle(&self) {
            // Who does not wait for the handler has freed it soon.
            let steps: &Steps = &self.0;

            steps.gate.pass();
            steps.delay.last();
            steps.left.add(1, Relaxed);
        }
    }

    #[test]
    fn the_drop_waits_for_the_handler() -> Result {
        let steps = Steps::new()?;
        let work = KBox::pin_init(IrqWork::new(Slow(steps.clone())), GFP_KERNEL)?;

        let [_, cpu] = two_cpus()?;
        let queued = work.as_ref().queue_on(cpu);
        let entered = steps.gate.is_reached();

        let left_before = steps.left.load(Relaxed);
        steps.gate.open();
        drop(work);
        let left = steps.left.load(Relaxed);
        steps.delay.end();

        assert_eq!(queued, Ok(true));
        assert!(entered);
        assert_eq!(left_before, 0);
        assert_eq!(left, 1);
        Ok(())
    }

    #[test]
    fn the_drop_waits_for_a_work_that_is_queued() -> Result {
        let held = Steps::new()?;
        let steps = Steps::new()?;
        let holds_cpu = KBox::pin_init(IrqWork::new_hard(Slow(held.clone())), GFP_KERNEL)?;
        let work = KBox::pin_init(IrqWork::new_hard(Slow(steps.clone())), GFP_KERNEL)?;
        steps.gate.open();

        let [_, cpu] = two_cpus()?;
        let first = holds_cpu.as_ref().queue_on(cpu);
        let held_up = held.gate.is_reached();
        let second = work.as_ref().queue_on(cpu);

        let left_before = steps.left.load(Relaxed);
        held.gate.open();
        drop(work);
        let left = steps.left.load(Relaxed);
        held.delay.end();
        steps.delay.end();

        assert_eq!((first, second), (Ok(true), Ok(true)));
        assert!(held_up);
        assert_eq!(left_before, 0);
        assert_eq!(left, 1);
        Ok(())
    }

    #[test]
    fn a_work_whose_handler_runs_can_be_queued_again() -> Result {
        let steps = Steps::new()?;
        let work = KBox::pin_init(IrqWork::new(Slow(steps.clone())), GFP_KERNEL)?;

        let [_, cpu] = two_cpus()?;
        let first = work.as_ref().queue_on(cpu);
        let entered = steps.gate.is_reached();
        let second = work.as_ref().queue_on(cpu);
        let third = work.as_ref().queue_on(cpu);
        steps.gate.open();
        work.as_ref().sync();
        let left = steps.left.load(Relaxed);
        steps.delay.end();

        assert_eq!((first, second, third), (Ok(true), Ok(true), Ok(false)));
        assert!(entered);
        assert_eq!(left, 2);
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_work_is_not_sent_to_a_cpu_that_is_offline() -> Result {
        let [_, cpu] = two_cpus()?;

        for (work, _) in both_kinds()? {
            // SAFETY: The test is a task that may sleep.
            let down = unsafe { bindings::remove_cpu(cpu.as_u32()) };
            let offline = work.as_ref().queue_on(cpu);
            // SAFETY: As above.
            let up = unsafe { bindings::add_cpu(cpu.as_u32()) };
            let runs = work.handler().runs.load(Relaxed);

            // It was not left claimed.
            let online = work.as_ref().queue_on(cpu);
            work.as_ref().sync();

            assert_eq!((down, up), (0, 0));
            assert_eq!(offline, Err(ENXIO));
            assert_eq!(runs, 0);
            assert_eq!(online, Ok(true));
            assert_eq!(work.handler().runs.load(Relaxed), 1);
        }
        Ok(())
    }
}
