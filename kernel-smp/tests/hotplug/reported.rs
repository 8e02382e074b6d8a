// SPDX-License-Identifier: GPL-2.0

//! Entries in the queue of an offline CPU are reported.

use crate::{
    csd::Kind,
    offline,
    queue,
    tests::support::{
        fixture::locked_csd,
        irq_work::Work,
        seen::Seen,
        warnings::warnings_of, //
    }, //
};
use kernel::{
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        two_cpus,
        Down, //
    }, //
};

#[kunit_tests(smp_reported)]
mod cases {
    use super::*;

    #[test]
    fn a_cpu_that_goes_offline_and_online_has_nothing_to_report() -> Result {
        let cpus = two_cpus()?;
        let before = offline::count();

        let count = warnings_of(|| {
            for _ in 0..3 {
                let _ = Down::new(cpus.there);
            }
        })?;

        check_eq!(count, 0);
        check_eq!(offline::count(), before);
        Ok(())
    }

    #[test]
    fn entries_queued_for_an_offline_cpu_are_reported_and_csds_are_unlocked() -> Result {
        let cpus = two_cpus()?;
        let seen = [Seen::new()?, Seen::new()?];
        let sync = locked_csd(seen[0], Kind::Sync, cpus.there)?;
        let own = locked_csd(seen[1], Kind::Async, cpus.there)?;
        let work = Work::new(Seen::new()?)?;
        let before = offline::count();

        let down = Down::new(cpus.there)?;
        // SAFETY: The CPU is possible.
        let queue = unsafe { queue::of(cpus.there) };
        for node in [sync.node(), own.node(), work.claim().node()] {
            // SAFETY: The entries are never freed and are in no queue.
            unsafe { queue.push(node) };
        }
        let warnings = warnings_of(|| drop(down))?;
        let found = offline::count() - before;

        // The first report of a boot is a warning.
        check!(warnings <= 1);
        check_eq!(found, 3);
        check!(!sync.is_locked());
        check!(!own.is_locked());
        check_eq!(work.callback().runs_after(1), 1);
        check_eq!(work.callback().cpu(), cpus.there.as_u32());
        check_eq!(seen[0].runs(), 0);
        check_eq!(seen[1].runs(), 0);
        Ok(())
    }

    #[test]
    fn irq_work_in_the_queue_of_an_offline_cpu_is_reported_once() -> Result {
        let cpus = two_cpus()?;
        // SAFETY: The CPU is possible.
        let queue = unsafe { queue::of(cpus.there) };
        let mut works = KVec::new();
        let mut found = KVec::new();

        for _ in 0..3 {
            works.push(Work::new(Seen::new()?)?, GFP_KERNEL)?;
        }
        // The same again after the CPU was online, in the other order: the entry that was the
        // newest in the queue is found first.
        for _ in 0..2 {
            let down = Down::new(cpus.there)?;
            let before = offline::count();
            let count = |found: &mut KVec<u64>| found.push(offline::count() - before, GFP_KERNEL);

            for (at, work) in works.iter().enumerate() {
                // SAFETY: The entry is never freed and is in no queue.
                unsafe { queue.push(work.claim().node()) };
                // The last one is queued after the drain, and is found when the CPU comes online.
                if at < 2 {
                    warnings_of(|| {
                        // SAFETY: The CPU is possible, and offline.
                        unsafe { offline::drain(cpus.there) }
                    })?;
                }
                count(&mut found)?;
            }
            warnings_of(|| drop(down))?;
            count(&mut found)?;
            for work in &works {
                let _ = becomes_true(|| work.callback().runs() * 4 == found.len() as u32);
            }
            works.reverse();
        }

        check_eq!(*found, [1, 2, 2, 3, 1, 2, 2, 3]);
        check!(works.iter().all(|work| work.callback().runs() == 2));
        Ok(())
    }

    #[test]
    fn a_csd_queued_before_the_drain_of_a_dead_cpu_is_reported_by_the_drain() -> Result {
        let cpus = two_cpus()?;
        let seen = Seen::new()?;
        let sync = locked_csd(seen, Kind::Sync, cpus.there)?;
        let before = offline::count();

        let down = Down::new(cpus.there)?;
        // SAFETY: The CPU is possible.
        let queue = unsafe { queue::of(cpus.there) };
        // SAFETY: The entry is never freed and is in no queue.
        unsafe { queue.push(sync.node()) };
        let warnings = warnings_of(|| {
            // SAFETY: The CPU is possible, and offline.
            unsafe { offline::drain(cpus.there) }
        })?;
        let found = offline::count() - before;
        let left = !queue.is_empty();
        drop(down);

        check!(warnings <= 1);
        check_eq!(found, 1);
        check!(!left);
        check!(!sync.is_locked());
        check_eq!(seen.runs(), 0);
        check_eq!(offline::count() - before, 1);
        Ok(())
    }
}
