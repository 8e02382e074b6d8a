// SPDX-License-Identifier: GPL-2.0

//! The watch over csds: what a waiter reports.

use crate::{
    calls::{single, Argument},
    world::{Body, Check},
};
use std::sync::{
    atomic::{AtomicU64, Ordering::Relaxed},
    Arc,
};

/// How often a CPU was reported to be at another csd.
static REPORTS: AtomicU64 = AtomicU64::new(0);

/// All checks.
pub const CHECKS: &[Check] = &[
    // A reader that sees that a CPU runs another csd sees which.
    Check {
        tells: || format!("; {} reports named another csd", REPORTS.load(Relaxed)),
        ..Check::new("stall_record", 3, 2, |_| {
            let [first, second] = [Argument::new(), Argument::new()];
            let info = first.info() as usize;
            let other = first.clone();
            let send: Body = Box::new(move || assert_eq!(single(1, &other, false), 0));
            let wait: Body = Box::new(move || {
                assert_eq!(single(1, &second, true), 0);
                second.answered();
            });

            (
                vec![(0, wait), (2, send)],
                Box::new(move || {
                    assert_eq!(first.calls(), 1);
                    for line in bindings::take_lines() {
                        if line.format.contains("handling prior") {
                            assert_eq!(line.arguments[2], info, "a csd without its argument");
                            REPORTS.fetch_add(1, Relaxed);
                        }
                    }
                }),
            )
        })
    },
    // A waiter may lose its CPU between any two steps of the watch. loom lets it see an old value of the
    // lock after it has read the clock, which no machine does for long.
    #[cfg(not(feature = "loom"))]
    Check::new("stall_no_report_of_a_wait_that_is_over", 3, 2, |_| {
        let [begun, over] = [0, 1].map(|_| Arc::new(AtomicU64::new(0)));
        let first = Argument::new();
        let (ran, is_over) = (first.clone(), over.clone());
        let second = Argument::calling(move || {
            // CPU 1 runs one after the other: the first csd is unlocked.
            if ran.calls() != 0 {
                is_over.store(bindings::ktime_get_mono_fast_ns(), Relaxed);
            }
        });
        let begins = begun.clone();
        let wait: Body = Box::new(move || {
            begins.store(bindings::ktime_get_mono_fast_ns(), Relaxed);
            assert_eq!(single(1, &first, true), 0);
            first.answered();
        });
        let other = second.clone();
        let send: Body = Box::new(move || assert_eq!(single(1, &other, false), 0));

        (
            vec![(0, wait), (2, send)],
            Box::new(move || {
                assert_eq!(second.calls(), 1);
                for line in bindings::take_lines() {
                    if line.format.contains("non-responsive") && line.arguments[2] == 0 {
                        let at = begun.load(Relaxed) + line.arguments[3] as u64;
                        let over = over.load(Relaxed);

                        assert!(over == 0 || at <= over, "reported at {at}, over at {over}");
                    }
                }
            }),
        )
    }),
];
