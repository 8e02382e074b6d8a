// SPDX-License-Identifier: GPL-2.0

//! The record of what a CPU runs, in a kernel that watches over csds.

use crate::{
    calls::{single, Argument},
    world::{Body, Check},
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often a CPU was reported to be at another csd.
static REPORTS: AtomicU64 = AtomicU64::new(0);

/// A reader that sees that a CPU runs another csd sees which.
pub static CHECK: Check = Check {
    name: "stall_record",
    cpus: 3,
    shared_cpus: false,
    preemptions: 2,
    repeat: 2_000,
    tells: || format!("; {} reports named another csd", REPORTS.load(Relaxed)),
    build: |_| {
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
    },
};
