// SPDX-License-Identifier: GPL-2.0

//! Tasks that wait: they can be preempted and moved, and each waits for its own targets.

use crate::tests::support::{
    gate::Held,
    waiters::{
        synchronous,
        Caller, //
    }, //
};
use kernel::{
    prelude::*,
    smp::testing::{
        require,
        two_cpus, //
    }, //
};

#[kunit_tests(smp_tasks)]
mod cases {
    use super::*;

    #[test]
    fn a_waiting_task_can_be_preempted() -> Result {
        let cpus = two_cpus()?;

        for way in synchronous() {
            let (caller, thread) = Caller::start(cpus.here, cpus.there, way)?;
            let held = Held::new(cpus.there)?;

            // If it could not, the test would not run here before the gate opens by its bound.
            caller.go();
            let called = caller.target.is_queued();
            let early = thread.is_done();
            let held_until_now = held.release();
            let finished = thread.finishes();

            require!(called, "{}", way.name);
            require!(held_until_now, "{}", way.name);
            require!(finished, "{}", way.name);
            require!(!early, "{}", way.name);
            require!(caller.succeeded(), "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn tasks_on_one_cpu_wait_each_for_its_own_cpus() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();

        for way in synchronous() {
            let (first, first_thread) = Caller::start(cpus.here, cpus.there, way)?;
            let (second, second_thread) = Caller::start(cpus.here, third, way)?;
            let held = Held::new(cpus.there)?;

            first.go();
            let first_called = first.target.is_queued();
            second.go();
            let second_finished = second_thread.finishes();
            let first_early = first_thread.is_done();
            let held_until_now = held.release();
            let first_finished = first_thread.finishes();

            require!(first_called, "{}", way.name);
            require!(held_until_now, "{}", way.name);
            require!(second_finished, "{}", way.name);
            require!(first_finished, "{}", way.name);
            require!(!first_early, "{}", way.name);
            require!(first.succeeded(), "{}", way.name);
            require!(second.succeeded(), "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn a_later_call_on_the_same_cpu_does_not_end_an_earlier_wait() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();

        for way in synchronous() {
            let (first, first_thread) = Caller::start(cpus.here, cpus.there, way)?;
            let (second, second_thread) = Caller::start(cpus.here, third, way)?;
            let there_held = Held::new(cpus.there)?;
            let third_held = Held::new(third)?;

            first.go();
            second.go();
            let called = first.target.is_queued() && second.target.is_queued();
            let there_held_until_now = there_held.release();
            let first_finished = first_thread.finishes();
            let second_early = second_thread.is_done();
            let third_held_until_now = third_held.release();
            let second_finished = second_thread.finishes();

            require!(called, "{}", way.name);
            require!(there_held_until_now, "{}", way.name);
            require!(third_held_until_now, "{}", way.name);
            require!(first_finished, "{}", way.name);
            require!(second_finished, "{}", way.name);
            require!(!second_early, "{}", way.name);
            require!(first.succeeded(), "{}", way.name);
            require!(second.succeeded(), "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn a_task_can_move_to_another_cpu_while_it_waits() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();

        for way in synchronous() {
            let (caller, thread) = Caller::start(cpus.here, cpus.there, way)?;
            let held = Held::new(cpus.there)?;

            caller.go();
            let called = caller.target.is_queued();
            let moved = thread.move_to(third);
            let early = thread.is_done();
            let held_until_now = held.release();
            let finished = thread.finishes();

            require!(called, "{}", way.name);
            require!(moved.is_ok(), "{}", way.name);
            require!(held_until_now, "{}", way.name);
            require!(finished, "{}", way.name);
            require!(!early, "{}", way.name);
            require!(caller.succeeded(), "{}", way.name);
        }
        Ok(())
    }
}
