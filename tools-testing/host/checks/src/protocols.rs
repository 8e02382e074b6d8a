// SPDX-License-Identifier: GPL-2.0

//! The protocols, one check each, as small as they can be.

use crate::{
    calls::{answer, look, many, set, single, Argument, Flag, OwnCsd},
    world::{nothing, Body, Check},
};
use bindings::{cpumask, machine, thread, Mutex};
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new("push_and_take_all", 3, 3, |_| {
        let arguments = [Argument::new(), Argument::new()];
        let bodies = (1..).zip(arguments.clone()).map(|(cpu, argument)| {
            let body: Body = Box::new(move || {
                OwnCsd::new(&argument).send_last(0);
            });
            (cpu, body)
        });

        (bodies.collect(), all_ran_on(0, arguments))
    }),
    Check::new("wait_for_a_csd_on_the_stack", 2, 4, |_| {
        let argument = Argument::new();
        let body: Body = Box::new(move || {
            // The second csd may be where the first one was.
            for calls in 1..=2 {
                assert_eq!(single(1, &argument, true), 0);
                assert_eq!(argument.calls(), calls);
                argument.answered();
            }
        });

        (vec![(0, body)], nothing())
    }),
    Check::new("exact_wait", 2, 3, |_| {
        let [has_run, is_over] = [Flag::new(), Flag::new()];
        let ran = has_run.clone();
        let first = Argument::calling(move || ran.set());
        let second = Argument::new();
        let (preemptor, over) = (second.clone(), is_over.clone());
        let call: Body = Box::new(move || {
            // A task that comes while this one waits uses the csd again.
            machine::preempt_with(move || many(set(0b10), answer, &preemptor, false));
            many(set(0b10), answer, &first, true);
            first.answered();
            over.set();
            assert_eq!(first.calls(), 1);
        });
        let hold: Body = Box::new(move || {
            // That use may end only after the wait for the one before.
            has_run.wait();
            machine::with_interrupts_off(|| is_over.wait());
        });

        (
            vec![(0, call), (1, hold)],
            Box::new(move || assert!(second.calls() <= 1)),
        )
    }),
    Check::new("exact_wait_for_one_of_two_tasks", 2, 2, |machine| {
        let [has_begun, is_over] = [Flag::new(), Flag::new()];
        let (begun, over) = (has_begun.clone(), is_over.clone());
        let first = Argument::new();
        // It ends after the wait for the call before has ended.
        let second = Argument::calling(move || {
            begun.set();
            is_over.wait();
        });
        let machine = machine.clone();
        let call: Body = Box::new(move || {
            let other = Arc::new(Mutex::new(None));
            let theirs = other.clone();

            machine::preempt_with(move || {
                let waiting = thread::spawn(move || {
                    machine.run_on(0, || many(set(0b10), answer, &second, true));
                    second.answered();
                });
                *theirs.lock().unwrap() = Some(waiting);
                has_begun.wait();
            });
            many(set(0b10), answer, &first, true);
            first.answered();
            over.set();
            let waiting = other.lock().unwrap().take();
            waiting.map(|other| other.join().unwrap());
        });

        (vec![(0, call)], nothing())
    }),
    Check::new("many_with_a_changing_mask", 3, 2, |_| {
        let mask = set(0b110);
        let address = mask as usize;
        let argument = Argument::new();
        let call: Body = Box::new(move || {
            many(address as *const cpumask, look, &argument, true);
            let seen = argument.cpus();
            // CPU 1 is in the set all the time.
            assert!(seen == 0b110 || seen == 0b010, "called on {seen:b}");
            assert_eq!(argument.calls(), seen.count_ones());
            argument.looked();
        });
        let change: Body = Box::new(move || {
            bindings::cpumask_clear_cpu(2, address as *mut cpumask);
        });

        (vec![(0, call), (1, change)], nothing())
    }),
    Check::new(
        "pool_and_fallback_with_an_interrupt_in_between",
        2,
        2,
        |_| {
            let arguments: [_; 4] = std::array::from_fn(|_| Argument::new());
            // As many as there are csds: the last one waits if the interrupted code has one of them.
            let in_interrupt: [_; 3] = std::array::from_fn(|_| Argument::new());
            let theirs = in_interrupt.clone();
            let interrupt = Argument::calling(move || {
                for argument in &theirs {
                    assert_eq!(single(1, argument, false), 0);
                }
            });
            let (sent, has_come) = (arguments.clone(), interrupt.clone());
            let send: Body = Box::new(move || {
                machine::interruptible(|| {
                    for argument in &sent {
                        assert_eq!(single(1, argument, false), 0);
                    }
                });
                until_run(&[has_come]);
            });
            let theirs = interrupt.clone();
            let interrupt_it: Body = Box::new(move || assert_eq!(single(0, &theirs, false), 0));
            let verify = (all_ran_on(1, arguments), all_ran_on(1, in_interrupt));

            (
                vec![(0, send), (1, interrupt_it)],
                Box::new(move || {
                    verify.0();
                    verify.1();
                    assert_eq!((interrupt.calls(), interrupt.cpus()), (1, 0b01));
                }),
            )
        },
    ),
    Check::new(
        "an_nmi_sends_at_each_step_of_an_asynchronous_call",
        2,
        3,
        |machine| {
            let arguments: [_; 3] = std::array::from_fn(|_| Argument::new());
            let [in_nmi, first, second] = arguments.clone();
            let send: Body = Box::new(move || {
                machine::with_nmis(|| {
                    assert_eq!(single(1, &first, false), 0);
                    assert_eq!(single(1, &second, false), 0);
                    until_run(&[in_nmi]);
                });
            });
            let (machine, in_nmi) = (machine.clone(), arguments[0].clone());
            let interrupt: Body = Box::new(move || {
                machine.send_nmi(0, move || {
                    OwnCsd::new(&in_nmi).send_last(1);
                });
            });

            (vec![(0, send), (1, interrupt)], all_ran_on(1, arguments))
        },
    ),
    Check::new("two_cpus_call_each_other_with_interrupts_off", 2, 3, |_| {
        let call = |from, to| -> (u32, Body) {
            let argument = Argument::new();

            (
                from,
                Box::new(move || {
                    machine::with_interrupts_off(|| assert_eq!(single(to, &argument, true), 0));
                    assert_eq!((argument.calls(), argument.cpus()), (1, 1 << to));
                    argument.answered();
                }),
            )
        };

        (vec![call(0, 1), call(1, 0)], nothing())
    }),
    Check::new("two_cpus_call_many_with_interrupts_off", 2, 3, |_| {
        let call = |from: u32, to: u32| -> (u32, Body) {
            let argument = Argument::new();
            let targets = set(0b11) as usize;

            (
                from,
                Box::new(move || {
                    machine::with_interrupts_off(|| {
                        many(targets as *const cpumask, answer, &argument, true);
                    });
                    assert_eq!((argument.calls(), argument.cpus()), (1, 1 << to));
                    argument.answered();
                }),
            )
        };

        (vec![call(0, 1), call(1, 0)], nothing())
    }),
    Check::new(
        "a_grace_period_does_not_end_in_the_polling_wait_of_a_task",
        2,
        3,
        |_| {
            let reads = Arc::new(AtomicBool::new(false));
            let ask = grace_period(&reads);
            let asked = ask.clone();
            let read: Body = Box::new(move || {
                let argument = Argument::new();

                machine::with_interrupts_off(|| {
                    reads.store(true, Ordering::Relaxed);
                    assert_eq!(single(1, &argument, true), 0);
                    reads.store(false, Ordering::Relaxed);
                });
                argument.answered();
            });
            let call: Body = Box::new(move || assert_eq!(single(0, &ask, false), 0));

            (vec![(0, read), (1, call)], all_ran_on(0, [asked]))
        },
    ),
    Check::new(
        "a_grace_period_does_not_end_in_the_polling_wait_of_an_interrupt",
        2,
        3,
        |_| {
            let reads = Arc::new(AtomicBool::new(false));
            let ask = grace_period(&reads);
            let waited = Argument::new();
            // CPU 0 is idle.
            let read = Argument::calling(move || {
                reads.store(true, Ordering::Relaxed);
                assert_eq!(single(1, &waited, true), 0);
                reads.store(false, Ordering::Relaxed);
            });
            let sent = [read, ask];
            let all = sent.clone();
            let call: Body = Box::new(move || {
                for argument in &sent {
                    assert_eq!(single(0, argument, false), 0);
                }
                until_run(&sent);
            });

            (vec![(1, call)], all_ran_on(0, all))
        },
    ),
    Check::new(
        "an_interrupt_that_waits_before_the_ipis_of_a_multi_cpu_call",
        3,
        2,
        |_| {
            // All targets of the call have it in their queues, and none has got its IPI.
            let theirs = [Argument::new(), Argument::new()];
            let called = theirs.clone();
            let interrupt = Argument::calling(move || {
                for (cpu, argument) in (1..).zip(&called) {
                    assert_eq!(single(cpu, argument, true), 0);
                }
            });
            let has_come = interrupt.clone();
            let targets = set(0b110) as usize;
            let call: Body = Box::new(move || {
                let argument = Argument::new();

                machine::interruptible(|| {
                    many(targets as *const cpumask, look, &argument, true);
                });
                assert_eq!((argument.calls(), argument.cpus()), (2, 0b110));
                argument.looked();
                until_run(&[has_come]);
            });
            let interrupt_it: Body = Box::new(move || assert_eq!(single(0, &interrupt, false), 0));

            (
                vec![(0, call), (1, interrupt_it)],
                Box::new(move || {
                    for (cpu, argument) in (1..).zip(theirs) {
                        assert_eq!((argument.calls(), argument.cpus()), (1, 1 << cpu));
                    }
                }),
            )
        },
    ),
    Check::new("a_function_run_in_a_polling_wait_calls_back", 2, 2, |_| {
        // Each CPU takes a csd off its queue, and then waits in it: what else it has
        // taken must be found by its waiter.
        let call = |from, to| -> (u32, Body) {
            let inner = Argument::new();
            let theirs = inner.clone();
            let outer = Argument::calling(move || {
                assert_eq!(single(from, &theirs, true), 0);
            });

            (
                from,
                Box::new(move || {
                    machine::with_interrupts_off(|| assert_eq!(single(to, &outer, true), 0));
                    outer.answered();
                    inner.answered();
                    assert_eq!((outer.calls(), inner.calls()), (1, 1));
                }),
            )
        };

        (vec![call(0, 1), call(1, 0)], nothing())
    }),
    Check::new("csds_in_each_others_hands", 3, 0, |_| {
        // CPUs 0 and 1 have sent each other all that they have csds for, behind a csd of
        // CPU 2, whose function needs one more. None is free before one of the two goes on
        // with what it has taken.
        let sent: [_; 3] = std::array::from_fn(|_| Flag::new());
        let mut ran_on = [Vec::new(), Vec::new()];
        let mut call = |here: usize| -> ((u32, Body), Arc<Argument>) {
            let there = 1 - here;
            let one_more = Argument::new();
            let theirs = one_more.clone();
            let first = Argument::calling(move || {
                assert_eq!(single(there as u32, &theirs, false), 0);
            });
            let arguments: [_; 3] = std::array::from_fn(|_| Argument::new());
            let mut all = Vec::from(arguments.clone());
            let sent = sent.clone();

            all.extend([one_more]);
            ran_on[there].extend(all.clone());
            ran_on[here].push(first.clone());
            all.push(first.clone());
            let body: Body = Box::new(move || {
                machine::with_interrupts_off(|| {
                    sent[2].wait();
                    for argument in &arguments {
                        assert_eq!(single(there as u32, argument, false), 0);
                    }
                    sent[here].set();
                    sent[there].wait();
                });
                until_run(&all);
            });

            ((here as u32, body), first)
        };
        let (on_0, to_0) = call(0);
        let (on_1, to_1) = call(1);
        let begun = sent[2].clone();
        let begin: Body = Box::new(move || {
            assert_eq!(single(0, &to_0, false), 0);
            assert_eq!(single(1, &to_1, false), 0);
            begun.set();
        });

        (
            vec![on_0, on_1, (2, begin)],
            Box::new(move || {
                for (cpu, arguments) in ran_on.iter().enumerate() {
                    for argument in arguments {
                        assert_eq!((argument.calls(), argument.cpus()), (1, 1 << cpu));
                    }
                }
            }),
        )
    }),
    Check {
        shared_cpus: true,
        ..Check::new("dying_flush_against_a_late_push", 2, 1, |machine| {
            let arguments = [Argument::new(), Argument::new()];
            let sent = arguments.clone();
            let results = Arc::new(std::sync::Mutex::new(Vec::new()));
            let accepted = results.clone();
            let send: Body = Box::new(move || {
                for (argument, wait) in sent.iter().zip([false, true]) {
                    accepted.lock().unwrap().push(single(1, argument, wait));
                }
            });
            let machine = machine.clone();
            let take_down: Body = Box::new(move || machine.take_down(1));

            (
                vec![(0, send), (0, take_down)],
                Box::new(move || {
                    for (argument, result) in arguments.iter().zip(&*results.lock().unwrap()) {
                        // Accepted and run, or refused.
                        assert_eq!(argument.calls(), u32::from(*result == 0));
                    }
                }),
            )
        })
    },
];

/// An expedited grace period: its function ends it if it finds the CPU no reader, as
/// `rcu_exp_handler()` does.
fn grace_period(reads: &Arc<AtomicBool>) -> Arc<Argument> {
    let reads = reads.clone();

    Argument::calling(move || {
        assert!(
            !machine::is_quiescent() || !reads.load(Ordering::Relaxed),
            "the grace period ends before its reader"
        );
    })
}

/// Goes on when all have been called.
fn until_run(arguments: &[Arc<Argument>]) {
    while arguments.iter().any(|argument| argument.calls() == 0) {
        machine::relax();
    }
}

fn all_ran_on<const N: usize>(cpu: u32, arguments: [Arc<Argument>; N]) -> Box<dyn FnOnce()> {
    Box::new(move || {
        for argument in arguments {
            assert_eq!((argument.calls(), argument.cpus()), (1, 1 << cpu));
        }
    })
}
