// SPDX-License-Identifier: GPL-2.0

//! Calls to a CPU while it goes offline.

use crate::{
    offline,
    tests::support::{
        calls::{
            single_async,
            single_on, //
        },
        fixture::{
            csd_for,
            leak,
            pool_is_free, //
        },
        seen::Seen,
        thread::Thread, //
    }, //
};
use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        check_eq,
        take_offline,
        two_cpus,
        Down, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// A thread that takes a CPU offline.
struct Remover {
    cpu: CpuId,
    error: Atomic<c_int>,
}

/// Sends calls to a CPU until it is offline, and brings it online again.
///
/// `send` returns 0 for a call that will run, and counts in `seen` when it does. Each such call
/// must have run when the CPU is offline, none may run twice, and none may be reported.
fn send_during_teardown(seen: &Seen, send: impl Fn(CpuId) -> c_int) -> Result {
    let cpus = two_cpus()?;
    let remover = leak(Remover {
        cpu: cpus.there,
        error: Atomic::new(-1),
    })?;
    let mut sent = 0;
    let reported_before = offline::count();

    let thread = Thread::start(
        cpus.third(),
        |remover: &Remover| {
            let error = take_offline(remover.cpu).map_or_else(Error::to_errno, |()| 0);
            remover.error.store(error, Release);
        },
        remover,
    )?;
    let refused = becomes_true(|| {
        for _ in 0..20 {
            match send(cpus.there) {
                0 => sent += 1,
                error if error == ENXIO.to_errno() => return true,
                _ => {}
            }
        }
        false
    });
    let finished = thread.finishes();
    let error = remover.error.load(Acquire);
    let runs_while_offline = seen.runs();

    let reported = offline::count().wrapping_sub(reported_before);
    let free = pool_is_free();

    drop(Down::assume(cpus.there));

    check!(refused);
    check!(finished);
    check_eq!(error, 0);
    check!(sent != 0);
    check_eq!(runs_while_offline, sent);
    check_eq!(reported, 0);
    check!(free);
    check_eq!(single_on(cpus.there, Seen::new()?, true), 0);
    check_eq!(seen.runs(), sent);
    Ok(())
}

#[kunit_tests(smp_teardown)]
mod cases {
    use super::*;

    #[test]
    fn synchronous_calls_run_once_each_while_their_target_goes_offline() -> Result {
        let seen = Seen::new()?;

        send_during_teardown(seen, |cpu| single_on(cpu, seen, true))
    }

    #[test]
    fn asynchronous_calls_run_once_each_while_their_target_goes_offline() -> Result {
        let seen = Seen::new()?;

        send_during_teardown(seen, |cpu| single_on(cpu, seen, false))
    }

    #[test]
    fn a_csd_of_the_caller_runs_once_each_time_while_its_target_goes_offline() -> Result {
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        send_during_teardown(seen, |cpu| single_async(i32::from(cpu), csd))
    }
}
