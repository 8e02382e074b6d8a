// SPDX-License-Identifier: GPL-2.0

//! The order in which a CPU runs the entries of its queue.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    tests::support::{
        calls::{
            queue,
            Callback, //
        },
        fixture::{
            blank_csd,
            leak,
            locked_csd,
            push_here,
            with_interrupts_off, //
        },
        gate::Held,
        irq_work::Work,
        order_log::{
            Entry,
            Log, //
        }, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        require,
        two_cpus, //
    }, //
};

/// Pushes `entries` in this order, and flushes the queue as an IPI does.
fn flush_of(entries: &[Csd]) {
    with_interrupts_off(|irq| {
        for csd in entries {
            push_here(irq, *csd);
        }
        // SAFETY: Interrupts are off.
        unsafe { bindings::generic_smp_call_function_single_interrupt() };
    });
}

/// Makes csds for `cpu` that add their numbers to `log`.
fn locked_csds<const N: usize>(
    log: &'static Log,
    cpu: CpuId,
    of: [(u32, Kind); N],
) -> Result<[Csd; N]> {
    let mut csds = [blank_csd()?; N];

    for (csd, (id, kind)) in csds.iter_mut().zip(of) {
        *csd = locked_csd(log.entry(id)?, kind, cpu)?;
    }
    Ok(csds)
}

/// A callback that pushes another entry on the queue of its CPU.
struct Chain {
    entry: &'static Entry,
    next: Shared,
}

/// A csd that a callback queues.
struct Shared(Csd);

// SAFETY: The csd is never freed, and one CPU at a time uses it.
unsafe impl Sync for Shared {}

impl Callback for Chain {
    fn call(&'static self) {
        self.entry.call();
        queue(CpuId::current(), self.next.0);
    }
}

#[kunit_tests(smp_order)]
mod cases {
    use super::*;

    #[test]
    fn csds_of_a_kind_run_in_the_order_of_their_arrival() -> Result {
        let cpus = two_cpus()?;

        for kind in [Kind::Sync, Kind::Async] {
            let log = Log::new()?;

            flush_of(&locked_csds(
                log,
                cpus.here,
                [1, 2, 3, 4, 5, 6, 7, 8].map(|id| (id, kind)),
            )?);
            require!(log.is(&[1, 2, 3, 4, 5, 6, 7, 8]));
        }
        Ok(())
    }

    #[test]
    fn synchronous_csds_run_before_asynchronous_ones() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;

        flush_of(&locked_csds(
            log,
            cpus.here,
            [
                (11, Kind::Async),
                (1, Kind::Sync),
                (12, Kind::Async),
                (13, Kind::Async),
                (2, Kind::Sync),
                (3, Kind::Sync),
                (14, Kind::Async),
            ],
        )?);
        check!(log.is(&[1, 2, 3, 11, 12, 13, 14]));
        Ok(())
    }

    #[test]
    fn irq_work_runs_among_the_asynchronous_csds() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;
        let first = Work::new(log.entry(11)?)?;
        let last = Work::new(log.entry(13)?)?;
        let [async_1, sync_1] = locked_csds(log, cpus.here, [(12, Kind::Async), (1, Kind::Sync)])?;

        flush_of(&[first.claim(), async_1, last.claim(), sync_1]);
        check!(log.is(&[1, 11, 12, 13]));
        Ok(())
    }

    #[test]
    fn entries_of_one_kind_alone_are_no_special_case() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;
        let work = Work::new(log.entry(3)?)?;
        let [sync_1, async_1] = locked_csds(log, cpus.here, [(1, Kind::Sync), (2, Kind::Async)])?;

        flush_of(&[]);
        flush_of(&[sync_1]);
        flush_of(&[async_1]);
        flush_of(&[work.claim()]);
        flush_of(&[]);
        check!(log.is(&[1, 2, 3]));
        Ok(())
    }

    #[test]
    fn an_entry_of_no_known_kind_is_dropped_and_the_others_run() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;
        let [async_1, unknown, sync_1, async_2] = locked_csds(
            log,
            cpus.here,
            [
                (2, Kind::Async),
                (99, Kind::Async),
                (1, Kind::Sync),
                (3, Kind::Async),
            ],
        )?;

        // SAFETY: Only the test uses the csd.
        unsafe { (*unknown.as_ptr()).node.__bindgen_anon_1.u_flags = 0x40 };
        flush_of(&[async_1, unknown, sync_1, async_2]);
        check!(log.is(&[1, 2, 3]));
        Ok(())
    }

    #[test]
    fn what_a_callback_queues_runs_after_its_own_batch() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;
        let chain = leak(Chain {
            entry: log.entry(1)?,
            next: Shared(locked_csd(log.entry(3)?, Kind::Sync, cpus.there)?),
        })?;
        let first = locked_csd(chain, Kind::Async, cpus.there)?;
        let second = locked_csd(log.entry(2)?, Kind::Async, cpus.there)?;

        let held = Held::new(cpus.there)?;
        queue(cpus.there, first);
        queue(cpus.there, second);
        let held_until_now = held.release();

        check!(held_until_now);
        check!(becomes_true(|| log.len() == 3));
        check!(log.is(&[1, 2, 3]));
        Ok(())
    }

    #[test]
    fn entries_queued_for_a_held_cpu_run_in_the_same_order() -> Result {
        let cpus = two_cpus()?;
        let log = Log::new()?;
        let work = Work::new(log.entry(12)?)?;
        let [async_1, sync_1, async_2, sync_2] = locked_csds(
            log,
            cpus.there,
            [
                (11, Kind::Async),
                (1, Kind::Sync),
                (13, Kind::Async),
                (2, Kind::Sync),
            ],
        )?;

        let held = Held::new(cpus.there)?;
        queue(cpus.there, async_1);
        queue(cpus.there, sync_1);
        let queued = work.queue_on(cpus.there);
        queue(cpus.there, async_2);
        queue(cpus.there, sync_2);
        let held_until_now = held.release();

        check!(held_until_now);
        check!(queued);
        check!(becomes_true(|| log.len() == 5));
        check!(log.is(&[1, 2, 11, 12, 13]));
        Ok(())
    }

    #[test]
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    fn tasks_are_woken_up_after_all_csds() -> Result {
        use crate::tests::support::{
            around::WakeUps,
            probe::Probe,
            thread::{
                sleep,
                Thread, //
            }, //
        };

        let cpus = two_cpus()?;

        // The scheduler queues a wake-up only if the target seems to be idle, so this may take
        // several tries. Another wake-up in the same batch hides ours; then the round does not
        // count.
        for _ in 0..20 {
            let log = Log::new()?;
            let thread = Thread::start(cpus.there, |()| sleep(1000), &())?;
            let wake_ups = WakeUps::new(thread.wake_entry(), log.entry(100)?)?;
            let probe = Probe::of_functions(wake_ups)?;
            let csds = locked_csds(
                log,
                cpus.there,
                [
                    (11, Kind::Async),
                    (1, Kind::Sync),
                    (12, Kind::Async),
                    (2, Kind::Sync),
                ],
            )?;
            let asleep = becomes_true(|| thread.sleeps());

            let held = Held::new(cpus.there)?;
            thread.wake_up();
            for csd in csds {
                queue(cpus.there, csd);
            }
            let held_until_now = held.release();
            let ran = becomes_true(|| csds.iter().all(|csd| !csd.is_locked()));
            let woken_up = thread.finishes();
            drop(probe);

            require!(asleep);
            require!(held_until_now);
            require!(ran);
            require!(woken_up);
            if wake_ups.were_seen() {
                require!(log.is(&[1, 2, 11, 12, 100]));
                return Ok(());
            }
        }

        pr_err!("the scheduler queued no wake-up\n");
        Err(EAGAIN)
    }
}
