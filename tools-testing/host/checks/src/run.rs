// SPDX-License-Identifier: GPL-2.0

//! Runs a check as often as there is something new to see.

use crate::world::Check;

/// All executions with few preemptions, and all results of loads that the orderings allow.
#[cfg(feature = "loom")]
pub fn explore(check: &'static Check) -> String {
    use bindings::memory::backend::set_learning;
    use std::sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    };

    let preemptions = number("PREEMPTIONS").unwrap_or(check.preemptions);
    let explore = |most| {
        let executions = Arc::new(AtomicU64::new(0));
        let count = executions.clone();
        let mut builder = loom::model::Builder::new();

        builder.max_branches = 100_000;
        builder.max_permutations = most;
        builder.preemption_bound = Some(preemptions);
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            check.run_once();
        });
        executions.load(Ordering::Relaxed)
    };

    set_learning(true);
    explore(Some(1_000));
    set_learning(false);
    format!(
        "{} executions, all that there are with {preemptions} preemptions at most{}",
        explore(None),
        (check.tells)()
    )
}

/// Schedules drawn by chance: any, and those with few changes of which CPU comes first.
#[cfg(feature = "shuttle")]
pub fn explore(check: &'static Check) -> String {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};

    let each = number("SCHEDULES").unwrap_or(check.repeat);
    let seed = number("SEED").unwrap_or(1) as u64;
    let mut config = shuttle::Config::new();

    config.stack_size = 0x40000;
    config.max_steps = shuttle::MaxSteps::FailAfter(10_000_000);
    shuttle::Runner::new(RandomScheduler::new_from_seed(seed, each), config.clone())
        .run(|| check.run_once());
    shuttle::Runner::new(PctScheduler::new_from_seed(seed, 5, each), config)
        .run(|| check.run_once());
    format!(
        "{each} random schedules and {each} of PCT, seed {seed}{}",
        (check.tells)()
    )
}

/// Real threads, as the system schedules them.
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub fn explore(check: &'static Check) -> String {
    let times = number("TIMES").unwrap_or(check.repeat);

    for _ in 0..times {
        check.run_once();
    }
    format!("{times} times with real threads{}", (check.tells)())
}

/// A number from the environment. An empty one is none: so does make hand on what was not given.
pub fn number(name: &str) -> Option<usize> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    let number = value.parse();

    Some(number.unwrap_or_else(|_| panic!("{name}={value} is no number")))
}
