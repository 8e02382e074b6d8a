// SPDX-License-Identifier: GPL-2.0

//! Push and take: the order of entries, and when an IPI is due.

use crate::{
    csd::{
        Csd,
        Node, //
    },
    queue::Queue,
    tests::support::{
        calls::{
            all_others,
            Callback, //
        },
        fixture::{
            blank_csd,
            leak, //
        }, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ptr, //
};
use kernel::{
    cpumask::Cpumask,
    percpu::{
        define_per_cpu,
        CpuGuard, //
    },
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        require,
        require_eq,
        two_cpus, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Full, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

/// Pushes a csd of a test.
fn push(queue: &Queue, csd: Csd) -> bool {
    // SAFETY: The csd is never freed, and is in no queue.
    unsafe { queue.push(csd.node()) }
}

/// The entries that were taken off a queue, newest first.
struct Taken(*mut Node);

impl Iterator for Taken {
    type Item = *mut Node;

    fn next(&mut self) -> Option<*mut Node> {
        let node = self.0;
        if node.is_null() {
            return None;
        }

        // SAFETY: The node was taken off, so it is valid and only the test uses it.
        self.0 = unsafe { (*node).next };
        Some(node)
    }
}

/// How many entries each CPU pushes.
const PUSHES: usize = 32;

/// Entries of one CPU.
struct Nodes([UnsafeCell<Node>; PUSHES]);

// SAFETY: Only the CPU that pushes a node uses it, until it is taken off.
unsafe impl Sync for Nodes {}

define_per_cpu! {
    static NODES: Nodes = Nodes([const { UnsafeCell::new(Node { next: ptr::null_mut() }) }; PUSHES]);
}

/// A callback that pushes all entries of its CPU, and counts the IPIs that are due.
struct Pusher {
    queue: Queue,
    due: Atomic<u32>,
}

impl Callback for Pusher {
    fn call(&'static self) {
        let guard = CpuGuard::new();

        for node in &NODES.this_cpu(&guard).0 {
            // SAFETY: The node is in no queue, and is never freed.
            if unsafe { self.queue.push(node.get()) } {
                self.due.fetch_add(1, Full);
            }
            udelay(Delta::from_micros(1));
        }
    }
}

#[kunit_tests(smp_push_take)]
mod cases {
    use super::*;

    #[test]
    fn a_new_queue_is_empty_and_gives_no_entry() {
        let queue = Queue::new();

        check!(queue.is_empty());
        check!(queue.take_all().is_null());
        check!(queue.is_empty());
    }

    #[test]
    fn a_push_on_an_empty_queue_makes_an_ipi_due() -> Result {
        let queue = Queue::new();

        check!(push(&queue, blank_csd()?));
        check!(!queue.is_empty());
        Ok(())
    }

    #[test]
    fn pushes_on_a_queue_with_entries_make_no_ipi_due() -> Result {
        let queue = Queue::new();
        push(&queue, blank_csd()?);

        for _ in 0..10 {
            require!(!push(&queue, blank_csd()?));
        }
        Ok(())
    }

    #[test]
    fn entries_come_off_all_at_once_and_newest_first() -> Result {
        let queue = Queue::new();
        let csds = [blank_csd()?, blank_csd()?, blank_csd()?, blank_csd()?];
        for csd in csds {
            push(&queue, csd);
        }

        let newest = queue.take_all();

        check!(queue.is_empty());
        check!(Taken(newest).eq(csds.iter().rev().map(|csd| csd.node())));
        Ok(())
    }

    #[test]
    fn one_entry_comes_off_alone() -> Result {
        let queue = Queue::new();
        let csd = blank_csd()?;
        push(&queue, csd);

        check!(Taken(queue.take_all()).eq([csd.node()]));
        Ok(())
    }

    #[test]
    fn the_first_push_after_a_take_makes_an_ipi_due_again() -> Result {
        let queue = Queue::new();
        let csd = blank_csd()?;

        for _ in 0..3 {
            require!(push(&queue, csd));
            require!(!push(&queue, blank_csd()?));
            require_eq!(Taken(queue.take_all()).count(), 2);
        }
        Ok(())
    }

    #[test]
    fn a_csd_is_found_from_its_node() -> Result {
        let csd = blank_csd()?;

        // SAFETY: This is the node of a csd that is never freed.
        check!(unsafe { Csd::from_node(csd.node()) } == csd);
        Ok(())
    }

    #[test]
    fn pushes_of_all_cpus_arrive_once_and_each_batch_has_one_ipi_due() -> Result {
        two_cpus()?;
        let pusher = leak(Pusher {
            queue: Queue::new(),
            due: Atomic::new(0),
        })?;
        let expected = (Cpumask::online().weight() as usize).saturating_sub(1) * PUSHES;
        let mut taken = 0;
        let mut batches = 0;

        all_others(pusher, false);
        let all = becomes_true(|| {
            let batch = Taken(pusher.queue.take_all()).count();

            taken += batch;
            batches += u32::from(batch != 0);
            taken >= expected
        });

        // The last pusher counts the IPI after its entry can be taken.
        let due = becomes_true(|| pusher.due.load(Acquire) == batches);
        check!(all);
        check_eq!(taken, expected);
        check!(pusher.queue.is_empty());
        check!(due);
        Ok(())
    }
}
