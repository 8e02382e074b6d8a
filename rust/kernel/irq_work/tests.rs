// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of IRQ work.
//!
//! A handler only records; the test's own thread compares.

use super::{
    impl_has_irq_work,
    queue,
    queue_on,
    Handler,
    IrqWork,
    OwnedHandler,
    OwnedIrqWork,
    StaticIrqWork,
    WorkContext, //
};
use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    interrupt::local_interrupt_disable,
    preempt::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    smp::{
        testing::{
            becomes_true,
            check,
            check_eq,
            interrupts_are_off,
            two_cpus,
            Cpus, //
        },
        tests::fixture::{
            Delay,
            Dropped,
            Drops,
            Gate, //
        },
        Sent, //
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
use crate::smp::testing::Down;

#[kunit_tests(rust_irq_work)]
mod suite {
    use super::*;

    /// A handler that records where it runs.
    struct Probe {
        runs: Atomic<u32>,
        cpu: Atomic<u32>,
        with_interrupts_on: Atomic<u32>,
    }

    impl Probe {
        const fn new() -> Self {
            Self {
                runs: Atomic::new(0),
                cpu: Atomic::new(u32::MAX),
                with_interrupts_on: Atomic::new(0),
            }
        }
    }

    impl Handler for Probe {
        fn handle(&self, _context: &WorkContext) {
            if !interrupts_are_off() {
                self.with_interrupts_on.add(1, Relaxed);
            }
            self.cpu.store(CpuId::current().as_u32(), Relaxed);
            self.runs.add(1, Relaxed);
        }
    }

    /// Returns both kinds of work, and how often the handler of each may run with interrupts on.
    fn both_kinds() -> Result<[(IrqWork<Probe>, bool); 2]> {
        Ok([
            (
                IrqWork::new(Probe::new(), GFP_KERNEL)?,
                cfg!(CONFIG_PREEMPT_RT),
            ),
            (IrqWork::new_hard(Probe::new(), GFP_KERNEL)?, false),
        ])
    }

    #[test]
    fn a_work_runs_once_on_the_cpu_that_queues_it() -> Result {
        for (work, thread) in both_kinds()? {
            for runs in 1..=3 {
                let guard = CpuGuard::new();
                let here = guard.cpu();
                let queued = work.queue();
                drop(guard);
                work.sync();

                check_eq!(queued, Ok(true));
                check_eq!(work.handler().runs.load(Relaxed), runs);
                check_eq!(work.handler().cpu.load(Relaxed), here.as_u32());
                check_eq!(
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
                let queued = work.queue_on(cpu);
                work.sync();

                check_eq!(queued, Ok(true));
                check_eq!(work.handler().runs.load(Relaxed), n);
                check_eq!(work.handler().cpu.load(Relaxed), cpu.as_u32());
                check_eq!(
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
            // The handler cannot run meanwhile.
            let irq = local_interrupt_disable();
            let queued = [work.queue(), work.queue(), work.queue_on(irq.cpu())];
            let runs = work.handler().runs.load(Relaxed);
            drop(irq);
            work.sync();

            check_eq!(runs, 0);
            check_eq!(queued, [Ok(true), Ok(false), Ok(false)]);
            check_eq!(work.handler().runs.load(Relaxed), 1);
        }
        Ok(())
    }

    /// The progress of a [`Slow`] handler.
    struct Steps {
        gate: Arc<Gate>,
        delay: Delay,
        left: Atomic<u32>,
        /// The CPU on which the handler does not wait.
        quick: Atomic<u32>,
    }

    impl Steps {
        fn new() -> Result<Arc<Self>> {
            let steps = Self {
                gate: Gate::new()?,
                delay: Delay::new(),
                left: Atomic::new(0),
                quick: Atomic::new(u32::MAX),
            };
            steps.delay.begin();
            Ok(Arc::new(steps, GFP_KERNEL)?)
        }
    }

    /// A handler that waits at a gate, and then for a delay.
    struct Slow(Arc<Steps>);

    impl Handler for Slow {
        fn handle(&self, _context: &WorkContext) {
            // A test that does not wait for the handler frees it meanwhile.
            let steps: &Steps = &self.0;

            if CpuId::current().as_u32() != steps.quick.load(Relaxed) {
                steps.gate.pass();
                steps.delay.last();
            }
            steps.left.add(1, Relaxed);
        }
    }

    /// A handler that waits at a gate of its CPU, and records where it is dropped.
    struct Held {
        here: CpuId,
        gates: [Arc<Gate>; 2],
        _dropped: Dropped,
    }

    impl Handler for Held {
        fn handle(&self, _context: &WorkContext) {
            let [here, elsewhere] = &self.gates;

            if CpuId::current() == self.here {
                here.pass();
            } else {
                elsewhere.pass();
            }
        }
    }

    impl Held {
        fn new(here: CpuId, gates: &[Arc<Gate>; 2], drops: &Arc<Drops>) -> Self {
            Self {
                here,
                gates: gates.clone(),
                _dropped: Dropped(drops.clone()),
            }
        }
    }

    #[test]
    fn the_handler_is_dropped_when_both_cpus_have_run_it() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let drops = Drops::new()?;
        let gates = [Gate::new()?, Gate::new()?];
        let [own, other] = &gates;
        let work = IrqWork::new_hard(Held::new(here, &gates, &drops), GFP_KERNEL)?;
        own.open();

        let first = work.queue_on(there);
        let entered = other.is_reached();
        // This run begins later and ends earlier, and clears the busy bit of C.
        let second = work.queue_on(here);
        let ran = own.is_reached() && becomes_true(|| own.passed() == 1);
        drop(work);
        let early = drops.count();
        other.open();

        check_eq!((first, second), (Ok(true), Ok(true)));
        check!(entered);
        check!(ran);
        check_eq!(early, Some(0));
        check!(becomes_true(|| drops.count() != Some(0)));
        check_eq!(drops.count(), Some(1));
        Ok(())
    }

    #[test]
    fn sync_waits_for_both_cpus_that_run_the_handler() -> Result {
        let steps = Steps::new()?;
        let work = IrqWork::new_hard(Slow(steps.clone()), GFP_KERNEL)?;

        let Cpus { here, there } = two_cpus()?;
        let first = work.queue_on(there);
        let entered = steps.gate.is_reached();
        // The second run does not wait at the gate.
        steps.quick.store(here.as_u32(), Relaxed);
        let second = work.queue_on(here);
        let ran = becomes_true(|| steps.left.load(Relaxed) == 1);
        steps.gate.open();
        work.sync();
        let left = steps.left.load(Relaxed);
        steps.delay.end();

        check_eq!((first, second), (Ok(true), Ok(true)));
        check!(entered);
        check!(ran);
        check_eq!(left, 2);
        Ok(())
    }

    #[test]
    fn a_work_that_is_queued_may_be_dropped_and_still_runs() -> Result {
        let held = Steps::new()?;
        let Cpus { here, there } = two_cpus()?;
        let drops = Drops::new()?;
        let gates = [Gate::new()?, Gate::new()?];
        let [_, other] = &gates;
        let holds_cpu = IrqWork::new_hard(Slow(held.clone()), GFP_KERNEL)?;
        let work = IrqWork::new_hard(Held::new(here, &gates, &drops), GFP_KERNEL)?;
        other.open();

        let first = holds_cpu.queue_on(there);
        let held_up = held.gate.is_reached();
        let second = work.queue_on(there);
        drop(work);
        let early = (drops.count(), other.passed());
        held.gate.open();
        held.delay.end();

        check_eq!((first, second), (Ok(true), Ok(true)));
        check!(held_up);
        check_eq!(early, (Some(0), 0));
        check!(becomes_true(|| drops.count() != Some(0)));
        check_eq!((drops.count(), other.passed()), (Some(1), 1));
        Ok(())
    }

    #[test]
    fn a_work_whose_handler_runs_can_be_queued_again() -> Result {
        let steps = Steps::new()?;
        let work = IrqWork::new(Slow(steps.clone()), GFP_KERNEL)?;

        let cpu = two_cpus()?.there;
        let first = work.queue_on(cpu);
        let entered = steps.gate.is_reached();
        let second = work.queue_on(cpu);
        let third = work.queue_on(cpu);
        steps.gate.open();
        work.sync();
        let left = steps.left.load(Relaxed);
        steps.delay.end();

        check_eq!((first, second, third), (Ok(true), Ok(true), Ok(false)));
        check!(entered);
        check_eq!(left, 2);
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_work_is_not_sent_to_an_offline_cpu() -> Result {
        let cpu = two_cpus()?.there;

        for (work, _) in both_kinds()? {
            let down = Down::new(cpu)?;
            check_eq!(work.queue_on(cpu), Err(ENXIO));
            drop(down);
            check_eq!(work.handler().runs.load(Relaxed), 0);

            // The refused work is not left claimed.
            check_eq!(work.queue_on(cpu), Ok(true));
            work.sync();
            check_eq!(work.handler().runs.load(Relaxed), 1);
        }
        Ok(())
    }

    #[test]
    fn a_handler_knows_its_cpu() -> Result {
        struct Where(Atomic<u32>);
        impl Handler for Where {
            fn handle(&self, context: &WorkContext) {
                self.0.store(context.cpu().as_u32(), Relaxed);
            }
        }

        for make in [IrqWork::new, IrqWork::new_hard] {
            let work = make(Where(Atomic::new(u32::MAX)), GFP_KERNEL)?;

            for cpu in Cpumask::online().iter() {
                check_eq!(work.queue_on(cpu), Ok(true));
                work.sync();
                check_eq!(work.handler().0.load(Relaxed), cpu.as_u32());
            }
        }
        Ok(())
    }

    #[test]
    fn a_static_work_runs_once_each_time() -> Result {
        static WORK: StaticIrqWork<Probe> = StaticIrqWork::new(Probe::new());
        static HARD: StaticIrqWork<Probe> = StaticIrqWork::new_hard(Probe::new());

        for (work, thread) in [(&WORK, cfg!(CONFIG_PREEMPT_RT)), (&HARD, false)] {
            let probe = work.handler();
            let before = probe.runs.load(Relaxed);
            // The handler cannot run meanwhile.
            let irq = local_interrupt_disable();
            let queued = [work.queue(), work.queue(), work.queue_on(irq.cpu())];
            let early = probe.runs.load(Relaxed);
            drop(irq);
            work.sync();
            check_eq!(queued, [Ok(true), Ok(false), Ok(false)]);
            check_eq!(early, before);
            check_eq!(probe.runs.load(Relaxed), before + 1);

            let mut runs = before + 1;
            for cpu in Cpumask::online().iter() {
                let queued = work.queue_on(cpu);
                work.sync();
                runs += 1;
                check_eq!(queued, Ok(true));
                check_eq!(probe.runs.load(Relaxed), runs);
                check_eq!(probe.cpu.load(Relaxed), cpu.as_u32());
            }
            let on = probe.with_interrupts_on.xchg(0, Relaxed);
            check_eq!(on, if thread { runs - before } else { 0 });
        }
        Ok(())
    }

    #[test]
    fn sync_waits_for_the_handler_of_a_static_work() -> Result {
        struct Held {
            entered: Atomic<u32>,
            delay: Delay,
            left: Atomic<u32>,
        }
        impl Handler for Held {
            fn handle(&self, _context: &WorkContext) {
                self.entered.store(1, Relaxed);
                self.delay.last();
                self.left.store(1, Relaxed);
            }
        }
        static WORK: StaticIrqWork<Held> = StaticIrqWork::new_hard(Held {
            entered: Atomic::new(0),
            delay: Delay::new(),
            left: Atomic::new(0),
        });
        let held = WORK.handler();
        let there = two_cpus()?.there;

        held.entered.store(0, Relaxed);
        held.left.store(0, Relaxed);
        held.delay.begin();
        let queued = WORK.queue_on(there);
        let entered = becomes_true(|| held.entered.load(Relaxed) != 0);
        WORK.sync();
        let left = held.left.load(Relaxed);
        held.delay.end();

        check_eq!(queued, Ok(true));
        check!(entered);
        check_eq!(left, 1);
        Ok(())
    }

    /// An object that records its runs, behind a gate.
    struct Object {
        gate: Arc<Gate>,
        runs: Arc<Atomic<u32>>,
        work: OwnedIrqWork<Self>,
        _dropped: Dropped,
    }

    impl_has_irq_work! {
        impl HasIrqWork<Self> for Object { self.work }
    }

    impl OwnedHandler for Object {
        type Pointer = Arc<Self>;

        fn handle(this: Sent<'_, Arc<Self>>, _context: &WorkContext) {
            this.gate.pass();
            this.runs.add(1, Relaxed);
        }
    }

    impl Object {
        fn new(gate: &Arc<Gate>, runs: &Arc<Atomic<u32>>, drops: &Arc<Drops>) -> Result<Arc<Self>> {
            let object = Self {
                gate: gate.clone(),
                runs: runs.clone(),
                work: OwnedIrqWork::new_hard(GFP_KERNEL)?,
                _dropped: Dropped(drops.clone()),
            };
            Ok(Arc::new(object, GFP_KERNEL)?)
        }
    }

    #[test]
    fn an_object_whose_last_pointer_a_handler_drops_is_dropped_in_a_task() -> Result {
        let there = two_cpus()?.there;
        let (gate, drops) = (Gate::new()?, Drops::new()?);
        let runs = Arc::new(Atomic::new(0), GFP_KERNEL)?;

        let queued = queue_on(Object::new(&gate, &runs, &drops)?, there).is_ok();
        let entered = gate.is_reached();
        let early = drops.count();
        gate.open();

        check!(queued);
        check!(entered);
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        check_eq!(runs.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_pointer_comes_back_while_the_work_is_queued() -> Result {
        let (gate, drops) = (Gate::new()?, Drops::new()?);
        let runs = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let object = Object::new(&gate, &runs, &drops)?;

        gate.open();
        // The handler cannot run meanwhile.
        let irq = local_interrupt_disable();
        let first = queue(object.clone()).is_ok();
        let again = [queue(object.clone()), queue_on(object.clone(), irq.cpu())]
            .map(|queued| queued.err().map(|(error, _)| error));
        drop(irq);
        let ran = becomes_true(|| runs.load(Relaxed) == 1);
        let early = drops.count();
        drop(object);

        check!(first);
        check_eq!(again, [Some(EBUSY); 2]);
        check!(ran);
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        check_eq!(runs.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn an_object_that_two_cpus_handle_at_once_is_dropped_once() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let (gate, drops) = (Gate::new()?, Drops::new()?);
        let runs = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let object = Object::new(&gate, &runs, &drops)?;

        let first = queue_on(object.clone(), cpus.there).is_ok();
        let entered = gate.is_reached();
        let second = queue_on(object, third).is_ok();
        let early = drops.count();
        gate.open();

        check!(first && second);
        check!(entered);
        check_eq!(early, Some(0));
        check_eq!(drops.after(1), Some(1));
        check_eq!(runs.load(Relaxed), 2);
        Ok(())
    }
}
