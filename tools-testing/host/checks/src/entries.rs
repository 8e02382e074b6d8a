// SPDX-License-Identifier: GPL-2.0

//! What becomes of the entries of a queue: of each kind, in which order, in which context, and with which
//! IPIs, softirqs and warnings. No CPU comes in between, so that all of it is known.

use crate::{
    calls::{look, many, set, single, single_with, Argument, Flag, OwnCsd},
    world::{nothing, Body, Check, Plan},
};
use bindings::{
    c_int, c_void, cpumask,
    machine::{self, Machine},
    memory::{Order, Place},
};
use std::sync::{Arc, Mutex};

#[cfg(feature = "debug")]
use crate::calls::answer;

const EBUSY: c_int = -16;
const ENXIO: c_int = -6;

/// An asynchronous csd of a caller, and a synchronous one.
const ASYNC: u32 = bindings::CSD_TYPE_ASYNC | bindings::CSD_FLAG_LOCK;
const SYNC: u32 = bindings::CSD_TYPE_SYNC | bindings::CSD_FLAG_LOCK;
const IRQ_WORK: u32 = bindings::CSD_TYPE_IRQ_WORK;
const TTWU: u32 = bindings::CSD_TYPE_TTWU;
/// No entry is of this kind.
const UNKNOWN: u32 = 0x40;

/// What a function has found when it ran.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    number: usize,
    /// Whether the csd was locked.
    locked: bool,
    /// Whether a task ran it, with interrupts off; else an interrupt did.
    in_task: bool,
}

type Log = Arc<Mutex<Vec<Run>>>;

/// An entry of a queue. The function of an IRQ work is where that of a csd is.
#[repr(C, align(32))]
struct Entry {
    csd: std::cell::UnsafeCell<bindings::__call_single_data>,
    number: usize,
    log: Log,
    then: Box<dyn Fn() + Send + Sync>,
}

// SAFETY: The csd is used as the code under check uses it.
unsafe impl Sync for Entry {}
// SAFETY: As above.
unsafe impl Send for Entry {}

impl Entry {
    fn new(number: usize, flags: u32, log: &Log) -> &'static Self {
        Self::calling(number, flags, log, || ())
    }

    fn calling(
        number: usize,
        flags: u32,
        log: &Log,
        then: impl Fn() + Send + Sync + 'static,
    ) -> &'static Self {
        let entry: &'static mut Self = Box::leak(Box::new(Self {
            csd: std::cell::UnsafeCell::new(bindings::__call_single_data {
                node: bindings::__call_single_node {
                    llist: bindings::llist_node {
                        next: std::ptr::null_mut(),
                    },
                    __bindgen_anon_1: bindings::__call_single_node__bindgen_ty_1 { u_flags: flags },
                    src: 0,
                    dst: 0,
                },
                func: Some(note),
                info: std::ptr::null_mut(),
            }),
            number,
            log: log.clone(),
            then: Box::new(then),
        }));

        entry.csd.get_mut().info = std::ptr::from_mut(entry).cast();
        entry
    }

    fn address(&self) -> usize {
        self.csd.get() as usize
    }

    fn flags(&self) -> u64 {
        // SAFETY: An entry is never freed.
        unsafe { Place::new(&raw mut (*self.csd.get()).node.__bindgen_anon_1.u_flags) }
            .load(Order::Relaxed)
    }

    fn queue(&self, cpu: u32) {
        // SAFETY: An entry is never freed, and queued once.
        unsafe { bindings::smp_single_queue(cpu as c_int, self.csd.get().cast(), 0) };
    }

    /// Calls its function on `cpu` by an asynchronous call.
    fn call(&self, cpu: u32) {
        let info = std::ptr::from_ref(self).cast_mut().cast();

        assert_eq!(single_with(cpu as c_int, note, info, false), 0);
    }
}

/// The function of all entries. It gets its entry, also if that is an IRQ work.
unsafe extern "C" fn note(info: *mut c_void) {
    // SAFETY: An entry is never freed.
    let entry = unsafe { &*info.cast_const().cast::<Entry>() };

    assert!(bindings::irqs_disabled());
    let run = Run {
        number: entry.number,
        locked: entry.flags() & u64::from(bindings::CSD_FLAG_LOCK) != 0,
        in_task: bindings::in_task(),
    };
    entry.log.lock().unwrap().push(run);
    (entry.then)();
}

fn numbers(log: &Log) -> Vec<usize> {
    log.lock().unwrap().iter().map(|run| run.number).collect()
}

fn peek(bits: usize) -> bool {
    // SAFETY: The set is valid.
    unsafe { bindings::cpus_peek_for_pending_ipi(&cpumask { bits: [bits] }) }
}

fn flush_in_task() {
    // SAFETY: A task of these checks stays on its CPU.
    unsafe { bindings::flush_smp_call_function_queue() };
}

/// Keeps a CPU from taking IPIs until `over`.
fn hold(held: &Arc<Flag>, over: &Arc<Flag>) -> Body {
    let (held, over) = (held.clone(), over.clone());

    Box::new(move || {
        machine::with_interrupts_off(|| {
            held.set();
            over.wait();
        });
    })
}

/// Waits until a log has so many lines.
fn until(log: &Log, lines: usize) {
    while log.lock().unwrap().len() < lines {
        machine::relax();
    }
}

/// Returns how often it was warned of `text`, and fails if it was warned of anything else.
fn warned(machine: &Machine, text: &str) -> usize {
    let warnings = machine.take_warnings();

    assert!(
        warnings.iter().all(|warning| warning.contains(text)),
        "{text}: {warnings:?}"
    );
    warnings.len()
}

/// Fails if the lines of the log are others than these, or a line names another function.
fn reported(expected: &[&str]) {
    #[cfg(feature = "debug")]
    {
        let lines = bindings::take_lines();

        assert_eq!(lines.len(), expected.len());
        for (line, text) in lines.iter().zip(expected) {
            assert!(line.format.contains(text), "{}", line.format);
            assert!(!text.contains("%pS") || line.arguments[0] == note as *const () as usize);
        }
    }
    #[cfg(not(feature = "debug"))]
    let _ = expected;
}

/// A check that each run of is the same.
const fn check(
    name: &'static str,
    cpus: usize,
    shared_cpus: bool,
    build: fn(&Arc<Machine>) -> Plan,
) -> Check {
    Check {
        shared_cpus,
        repeat: 100,
        ..Check::new(name, cpus, 0, build)
    }
}

/// All checks.
pub const CHECKS: &[Check] = &[
    check("entries_of_each_kind", 2, false, |machine| {
        let log = Log::default();
        let machine = machine.clone();
        let kinds = [
            TTWU, IRQ_WORK, ASYNC, SYNC, UNKNOWN, ASYNC, SYNC, TTWU, IRQ_WORK,
        ];
        let body: Body = Box::new(move || {
            let entries: Vec<_> = (0..)
                .zip(kinds)
                .map(|(number, kind)| Entry::new(number, kind, &log))
                .collect();

            machine::with_interrupts_off(|| {
                assert!(!peek(0b1));
                for entry in &entries {
                    entry.queue(0);
                    assert!(peek(0b1) && !peek(0));
                }
                assert_eq!((machine.ipis(0), numbers(&log).len()), (1, 0));
            });
            assert!(!peek(0b1));
            let ran = |number, locked| Run {
                number,
                locked,
                in_task: false,
            };
            assert_eq!(
                *log.lock().unwrap(),
                [
                    ran(3, true),
                    ran(6, true),
                    ran(1, false),
                    ran(2, false),
                    ran(5, false),
                    ran(8, false),
                ]
            );
            assert_eq!(
                machine.woken_up(0),
                [[entries[0].address(), entries[7].address()]]
            );
            for (entry, kind) in entries.iter().zip(kinds) {
                let csd = kind & bindings::CSD_FLAG_LOCK != 0;

                assert_eq!(entry.flags(), if csd { 0 } else { kind.into() });
            }
        });

        (vec![(0, body)], nothing())
    }),
    check("a_task_flushes_its_queue", 2, false, |machine| {
        let log = Log::default();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let quiet = |number| Entry::new(number, ASYNC, &log);
            let flush = |entry: Option<&Entry>| {
                if let Some(entry) = entry {
                    entry.queue(0);
                }
                flush_in_task();
                machine.softirq_runs(0).len()
            };

            assert_eq!(flush(Some(quiet(0))), 0);
            machine::raise_softirqs(0b100);
            assert_eq!(flush(None), 0);
            let raising = Entry::calling(1, ASYNC, &log, || machine::raise_softirqs(0b1));
            assert_eq!(flush(Some(raising)), 1);
            assert_eq!(flush(Some(quiet(2))), 1);
            assert_eq!(machine.softirq_runs(0), [0b100]);
            assert_eq!(numbers(&log), [0, 1, 2]);
            assert!(log.lock().unwrap().iter().all(|run| run.in_task));
            assert!(!bindings::irqs_disabled());
        });

        (vec![(0, body)], nothing())
    }),
    check("what_a_polling_wait_runs", 2, false, |machine| {
        let log = Log::default();
        let sent = Flag::new();
        let polled: [_; 2] = std::array::from_fn(|_| Flag::new());
        let machine = machine.clone();
        let entry = |number, kind| Entry::new(number, kind, &log);
        let setting = |number, kind, flag: &Arc<Flag>| {
            let flag = flag.clone();
            Entry::calling(number, kind, &log, move || flag.set())
        };
        let [work, own, wake_up] = [entry(0, IRQ_WORK), entry(1, ASYNC), entry(3, TTWU)];
        let [pool, last_in_pool] = [entry(2, 0), setting(4, 0, &polled[0])];
        let sync = entry(5, SYNC);
        let (second_work, second_wake_up) = (entry(6, IRQ_WORK), entry(7, TTWU));
        let second_sync = setting(8, SYNC, &polled[1]);
        let has_sent = sent.clone();
        let send: Body = Box::new(move || {
            work.queue(0);
            own.queue(0);
            pool.call(0);
            wake_up.queue(0);
            last_in_pool.call(0);
            sync.queue(0);
            has_sent.set();
        });
        let called = Argument::calling(move || {
            polled[0].wait();
            second_work.queue(0);
            second_wake_up.queue(0);
            second_sync.queue(0);
            polled[1].wait();
        });
        let wait: Body = Box::new(move || {
            machine::with_interrupts_off(|| {
                sent.wait();
                assert_eq!(single(1, &called, true), 0);
                assert_eq!(numbers(&log), [5, 2, 4, 8]);
                assert_eq!(machine.woken_up(0), [[0; 0]; 0]);
                assert!(!peek(0b1));
                flush_in_task();
                assert_eq!(numbers(&log), [5, 2, 4, 8, 0, 1, 6]);
                assert_eq!(
                    machine.woken_up(0),
                    [[wake_up.address(), second_wake_up.address()]]
                );
            });
        });

        (vec![(0, wait), (1, send)], nothing())
    }),
    check("what_a_polling_wait_leaves", 2, false, |machine| {
        let log = Log::default();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let taken = Argument::calling(|| {
                while peek(0b1) {
                    machine::relax();
                }
            });
            let leave = |number, kind| {
                machine::with_interrupts_off(|| {
                    Entry::new(number, kind, &log).queue(0);
                    assert_eq!(single(1, &taken, true), 0);
                    assert_eq!(numbers(&log).len(), number);
                    flush_in_task();
                });
            };

            leave(0, ASYNC);
            leave(1, IRQ_WORK);
            machine::with_interrupts_off(|| {
                leave(2, TTWU);
                assert_eq!(numbers(&log), [0, 1]);
                assert_eq!(machine.woken_up(0).len(), 1);
            });
        });

        (vec![(0, body)], nothing())
    }),
    check("how_deep_a_wait_polls", 2, false, |machine| {
        let log = Log::default();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            // After the first time all is as before.
            for _ in 0..2 {
                deepen(&machine, &log);
                log.lock().unwrap().clear();
            }
        });

        (vec![(0, body)], nothing())
    }),
    check("a_csd_that_is_in_use", 2, false, |_| {
        let log = Log::default();
        let [held, over] = [Flag::new(), Flag::new()];
        let hold = hold(&held, &over);
        let body: Body = Box::new(move || {
            let entry = Entry::new(0, 0, &log);
            let mut csd = OwnCsd::with(note, std::ptr::from_ref(entry).cast_mut().cast());

            held.wait();
            assert_eq!(csd.send(1), 0);
            assert_eq!(csd.send(1), EBUSY);
            assert_eq!(csd.send(0), EBUSY);
            over.set();
            until(&log, 1);
            assert_eq!(csd.send(7), ENXIO);
            assert_eq!(csd.send(0), 0);
            assert_eq!(numbers(&log).len(), 2);
            csd.send_last(1);
            until(&log, 3);
        });

        (vec![(0, body), (1, hold)], nothing())
    }),
    check("ipis_that_are_due", 7, false, |machine| {
        let log = Log::default();
        let looked = Argument::new();
        let [held, over, first, second] = std::array::from_fn(|_| Flag::new());
        let hold = hold(&held, &over);
        let entry = Entry::new(0, 0, &log);
        let (theirs, on, is_over) = (looked.clone(), machine.clone(), first.clone());
        // CPU 1 gets one IPI for all that it is sent.
        let send: Body = Box::new(move || {
            held.wait();
            entry.call(1);
            entry.call(1);
            many(set(0b110), look, &theirs, false);
            assert_eq!([1, 2].map(|cpu| on.ipis(cpu)), [1, 1]);
            assert_eq!(on.sends_to_many(), 0);
            many_but_the_third(0b11_1000, &theirs);
            assert_eq!([3, 4, 5].map(|cpu| on.ipis(cpu)), [0, 1, 1]);
            assert_eq!(on.sends_to_many(), 1);
            is_over.set();
        });
        let (theirs, on, is_over) = (looked.clone(), machine.clone(), second.clone());
        let send_more: Body = Box::new(move || {
            first.wait();
            // That CPU 1 needs no IPI is known before CPU 3 is left out.
            many_but_the_third(0b100_1011, &theirs);
            assert_eq!([0, 1, 3, 6].map(|cpu| on.ipis(cpu)), [1, 1, 0, 1]);
            is_over.set();
        });
        let (theirs, on) = (looked.clone(), machine.clone());
        let send_last: Body = Box::new(move || {
            second.wait();
            many(set(0b10), look, &theirs, false);
            assert_eq!((on.ipis(1), on.sends_to_many()), (1, 2));
            over.set();
        });
        #[cfg(feature = "debug")]
        let on = machine.clone();

        (
            vec![(0, send), (1, hold), (2, send_more), (4, send_last)],
            Box::new(move || {
                assert_eq!(numbers(&log), [0, 0]);
                assert_eq!((looked.calls(), looked.cpus()), (8, 0b111_0111));
                #[cfg(feature = "debug")]
                {
                    assert_eq!(on.counter(bindings::smp_counter_SMP_CSDS), 10);
                    assert_eq!(on.counter(bindings::smp_counter_SMP_IPIS), 6);
                    assert_eq!(on.counter(bindings::smp_counter_SMP_BATCHED), 4);
                }
            }),
        )
    }),
    // A wait that is watched sends IPIs again.
    #[cfg(not(feature = "debug"))]
    check("ipis_of_synchronous_calls", 3, false, |machine| {
        let log = Log::default();
        let [held, over] = [Flag::new(), Flag::new()];
        let [held_again, over_again] = [Flag::new(), Flag::new()];
        let holds = [hold(&held, &over), hold(&held_again, &over_again)];
        let machine = machine.clone();
        let call: Body = Box::new(move || {
            let call_and_wait = |cpu| {
                let argument = Argument::new();

                assert_eq!(single(cpu, &argument, true), 0);
                argument.answered();
            };

            held.wait();
            Entry::new(0, ASYNC, &log).queue(1);
            // A task relies on the IPI of the push before.
            machine::preempt_with(move || over.set());
            call_and_wait(1);
            assert_eq!(machine.ipis(1), 1);
            held_again.wait();
            Entry::new(1, ASYNC, &log).queue(1);
            assert_eq!(machine.ipis(1), 2);
            let release = Entry::calling(2, SYNC, &log, move || over_again.set());
            let interrupt = Entry::calling(3, ASYNC, &log, move || {
                call_and_wait(2);
                // An interrupt does not: it may have come before that IPI.
                release.queue(0);
                call_and_wait(1);
            });
            interrupt.queue(0);
            until(&log, 4);
            assert_eq!([1, 2].map(|cpu| machine.ipis(cpu)), [3, 1]);
        });
        let hold: Body = Box::new(move || holds.into_iter().for_each(|hold| hold()));

        (vec![(0, call), (1, hold)], nothing())
    }),
    #[cfg(not(feature = "debug"))]
    check("an_interrupt_that_waits_for_a_csd", 3, false, |machine| {
        let log = Log::default();
        let [held, over, sent] = std::array::from_fn(|_| Flag::new());
        let [held_again, over_again] = [Flag::new(), Flag::new()];
        let [first, second] = [hold(&held, &over), hold(&held_again, &over_again)];
        let machine = machine.clone();
        let theirs = log.clone();
        let body: Body = Box::new(move || {
            let has_sent = sent.clone();

            held.wait();
            // All that there are. The first has unlocked its csd when it runs, and no other has.
            Entry::calling(0, 0, &log, move || has_sent.wait()).call(1);
            (1..3).for_each(|number| Entry::new(number, 0, &log).call(1));
            assert_eq!(machine.ipis(1), 1);
            let one_more = Entry::new(3, 0, &log);
            let release = Entry::calling(4, SYNC, &log, move || over.set());
            let interrupt = Entry::calling(5, ASYNC, &log, move || {
                release.queue(0);
                one_more.call(1);
                sent.set();
            });
            interrupt.queue(0);
            until(&log, 6);
            // The second is that of the interrupt, before it waits.
            assert_eq!([1, 2].map(|cpu| machine.ipis(cpu)), [3, 0]);
            // It has locked one csd, so that all can be used again.
            held_again.wait();
            (6..9).for_each(|number| Entry::new(number, 0, &log).call(1));
            over_again.set();
            until(&log, 9);
        });
        let hold: Body = Box::new(move || {
            first();
            until(&theirs, 6);
            second();
        });

        (vec![(0, body), (1, hold)], nothing())
    }),
    #[cfg(feature = "debug")]
    check("a_slot_that_stays_in_use", 3, false, |machine| {
        let log = Log::default();
        let [held, over] = [Flag::new(), Flag::new()];
        let hold = hold(&held, &over);
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            held.wait();
            Entry::new(0, 0, &log).call(1);
            for number in 1..=4 {
                Entry::new(number, 0, &log).call(2);
                until(&log, number);
            }
            assert_eq!(machine.counter(bindings::smp_counter_SMP_FALLBACK_CSD), 0);
            assert_eq!(machine.counter(bindings::smp_counter_SMP_MOST_SLOTS), 2);
            over.set();
            until(&log, 5);
        });

        (vec![(0, body), (1, hold)], nothing())
    }),
    #[cfg(feature = "debug")]
    check("counters_without_the_watch", 3, false, |machine| {
        let [held, over, has_sent] = std::array::from_fn(|_| Flag::new());
        let hold = hold(&held, &over);
        let sent = has_sent.clone();
        let release: Body = Box::new(move || {
            has_sent.wait();
            (0..10).for_each(|_| machine::relax());
            over.set();
        });
        let looked = Argument::new();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let switch = |watch, counters| {
                // SAFETY: This is a key.
                unsafe {
                    bindings::static_key_switch(&raw mut bindings::csdlock_debug_enabled, watch)
                };
                // SAFETY: As above.
                unsafe { bindings::static_key_switch(&raw mut bindings::smp_stats_key, counters) };
            };
            let longest = || machine.counter(bindings::smp_counter_SMP_LONGEST_NS);
            let call_and_wait = || {
                let waits = Flag::new();
                let is_waiting = waits.clone();
                let argument = Argument::calling(move || is_waiting.wait());

                machine::preempt_with(move || waits.set());
                many(set(0b10), answer, &argument, true);
                argument.answered();
            };

            switch(false, true);
            held.wait();
            many(set(0b10), look, &looked, false);
            sent.set();
            // This waits until a csd can be used again, which is not counted.
            many(set(0b10), look, &looked, false);
            assert_eq!(longest(), 0);
            call_and_wait();
            assert!(longest() > 0);
            switch(false, false);
            let before = longest();
            call_and_wait();
            assert_eq!(longest(), before);
            switch(true, true);
        });

        (vec![(0, body), (1, hold), (2, release)], nothing())
    }),
    check("a_wait_of_the_stopper_only_spins", 2, false, |machine| {
        let log = Log::default();
        let argument = Argument::calling(|| (0..10).for_each(|_| machine::relax()));
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let call = || {
                assert_eq!(single(1, &argument, true), 0);
                argument.answered();
            };

            machine::as_stopper(call);
            machine::with_interrupts_off(call);
            assert_eq!(machine.warnings(), [""; 0]);
            machine::with_interrupts_off(|| {
                Entry::new(0, SYNC, &log).queue(0);
                machine::as_stopper(call);
                assert_eq!(warned(&machine, "oops_in_progress"), 1);
                assert_eq!(numbers(&log), [0; 0]);
            });
            assert_eq!(numbers(&log), [0]);
        });

        (vec![(0, body)], nothing())
    }),
    check("entries_for_an_offline_cpu", 2, true, |machine| {
        let log = Log::default();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let queue = |kinds: &[u32]| -> Vec<_> {
                let entries: Vec<_> = (0..)
                    .zip(kinds)
                    .map(|(number, kind)| Entry::new(number, *kind, &log))
                    .collect();

                entries.iter().for_each(|entry| entry.queue(1));
                entries
            };
            let on_1 = |f: &dyn Fn()| machine.run_on(1, || machine::with_interrupts_off(f));
            // SAFETY: Interrupts are off.
            let flush = || unsafe { bindings::generic_smp_call_function_single_interrupt() };

            machine.take_down(1);
            on_1(&flush);
            assert_eq!(machine.warnings(), [""; 0]);
            on_1(&|| {
                queue(&[ASYNC, IRQ_WORK, TTWU, SYNC, UNKNOWN]);
                flush();
            });
            assert_eq!(warned(&machine, "IPI on offline CPU 1"), 1);
            assert_eq!(numbers(&log), [3, 0, 1]);
            assert_eq!(machine.woken_up(1).len(), 1);
            reported(&[
                "callback %pS",
                "callback %pS",
                "callback %pS",
                "unknown type",
                "wakeup",
            ]);
            log.lock().unwrap().clear();
            on_1(&|| {
                queue(&[ASYNC, ASYNC]);
                // SAFETY: As above, and no task is on that CPU.
                assert_eq!(unsafe { bindings::smpcfd_dying_cpu(1) }, 0);
            });
            assert_eq!(machine.warnings(), [""; 0]);
            assert_eq!(numbers(&log), [0, 1]);
            #[cfg(feature = "debug")]
            assert_eq!(machine.counter(bindings::smp_counter_SMP_DYING), 2);
            log.lock().unwrap().clear();
            // What no flush has found: csds do not run, and the rest does when the CPU comes up.
            on_1(&|| {
                let left = queue(&[ASYNC, IRQ_WORK, TTWU, SYNC]);
                // SAFETY: The CPU is down, and handles nothing now.
                assert_eq!(unsafe { bindings::smpcfd_dead_cpu(1) }, 0);
                assert_eq!(warned(&machine, "IPI on offline CPU 1"), 4);
                assert_eq!([0, 3].map(|number| left[number].flags()), [0, 0]);
                reported(&["callback %pS", "callback %pS", "wakeup", "callback %pS"]);
                // Each is reported once.
                queue(&[ASYNC]);
                machine.bring_up(1);
                assert_eq!(warned(&machine, "IPI on offline CPU 1"), 1);
                reported(&["callback %pS"]);
            });
            while machine.woken_up(1).len() < 2 {
                machine::relax();
            }
            assert_eq!(numbers(&log), [1]);
        });

        (vec![(0, body)], nothing())
    }),
    check("calls_from_an_offline_cpu", 3, true, |machine| {
        let log = Log::default();
        let [down, held, over] = std::array::from_fn(|_| Flag::new());
        let (is_down, is_held, is_over) = (down.clone(), held.clone(), over.clone());
        let hold = hold(&held, &over);
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            let dying = &raw mut bindings::__cpu_dying_mask;
            let sent = std::cell::Cell::new(0);
            let send = |calls| {
                machine.run_on(1, || {
                    for _ in 0..calls {
                        Entry::new(sent.get(), 0, &log).call(2);
                        sent.set(sent.get() + 1);
                    }
                });
            };

            machine.take_down(1);
            is_down.set();
            is_held.wait();
            // Two slots, and two csds more.
            bindings::cpumask_set_cpu(1, dying);
            send(4);
            assert_eq!(machine.warnings(), [""; 0]);
            #[cfg(feature = "debug")]
            assert_eq!(machine.counter(bindings::smp_counter_SMP_FALLBACK_CSD), 0);
            send(1);
            assert_eq!(warned(&machine, "is_dying"), 1);
            bindings::cpumask_clear_cpu(1, dying);
            is_over.set();
            until(&log, 5);
            assert_eq!(numbers(&log), [0, 1, 2, 3, 4]);
            #[cfg(feature = "debug")]
            {
                assert_eq!(machine.counter(bindings::smp_counter_SMP_FALLBACK_CSD), 1);
                assert_eq!(machine.counter(bindings::smp_counter_SMP_STORAGE_WAITS), 0);
                assert_eq!(machine.counter(bindings::smp_counter_SMP_MOST_SLOTS), 2);
                bindings::take_lines();
            }
            machine.bring_up(1);
        });
        let held: Body = Box::new(move || {
            down.wait();
            hold();
        });

        (vec![(0, body), (2, held)], nothing())
    }),
    #[cfg(feature = "debug")]
    check("a_wait_for_an_overwritten_csd", 2, false, |machine| {
        let sent_again = Flag::new();
        let sent = sent_again.clone();
        let overwrite = Argument::calling(move || {
            let csd: *mut *mut bindings::__call_single_data =
                bindings::per_cpu_ptr((&raw mut bindings::cur_csd).cast(), 1).cast();
            // SAFETY: Each CPU has one, and this CPU does not change it meanwhile.
            let csd = unsafe { *csd };
            // SAFETY: That csd, the function of which runs here, is never freed.
            let flags = unsafe { Place::new(&raw mut (*csd).node.__bindgen_anon_1.u_flags) };
            let is_unknown = |line: bindings::Line| {
                line.format.contains("non-responsive") && line.arguments[4] as c_int == -1
            };

            sent.wait();
            let before = flags.load(Order::Relaxed);
            flags.store((IRQ_WORK | bindings::CSD_FLAG_LOCK).into(), Order::Relaxed);
            while !bindings::take_lines().into_iter().any(is_unknown) {
                machine::relax();
            }
            flags.store(before, Order::Relaxed);
        });
        let looked = Argument::new();
        let machine = machine.clone();
        let body: Body = Box::new(move || {
            // Of the run before.
            bindings::take_lines();
            many(set(0b10), answer, &overwrite, false);
            many(set(0b10), look, &looked, false);
            sent_again.set();
            many(set(0b10), look, &looked, true);
            looked.looked();
            assert!(warned(&machine, "cpu = -1") > 0);
        });

        (vec![(0, body)], nothing())
    }),
    #[cfg(feature = "debug")]
    check("asynchronous_calls_that_are_late", 3, false, |_| {
        let log = Log::default();
        let [held, over] = [Flag::new(), Flag::new()];
        let [other_held, other_over] = [Flag::new(), Flag::new()];
        let holds = [hold(&held, &over), hold(&other_held, &other_over)];
        let body: Body = Box::new(move || {
            // The targets of the csds that are reported, one a look.
            let look = |times| -> Vec<usize> {
                bindings::take_lines();
                for _ in 0..times {
                    // SAFETY: There is a CPU of this number.
                    unsafe { bindings::smp_report_late(0) };
                }
                let lines = bindings::take_lines().into_iter();
                let reports = lines.filter(|line| line.format.contains("non-responsive"));
                reports
                    .inspect(|line| assert_eq!(line.arguments[5], note as *const () as usize))
                    .map(|line| line.arguments[4])
                    .collect()
            };

            let clock = |ticks| {
                // SAFETY: Only this CPU looks at it.
                unsafe { (&raw mut bindings::jiffies).write(ticks) };
            };

            held.wait();
            other_held.wait();
            assert_eq!(look(1), [0; 0]);
            // Sent when waits were not watched.
            clock(0);
            Entry::new(0, 0, &log).call(1);
            assert_eq!(look(1), [0; 0]);
            clock(1);
            Entry::new(1, 0, &log).call(2);
            Entry::new(2, 0, &log).call(1);
            clock(1 << 50);
            // One that was reported lets the other come first.
            assert_eq!(look(4), [2, 1, 2, 1]);
            over.set();
            until(&log, 2);
            assert_eq!(look(2), [2, 2]);
            other_over.set();
            until(&log, 3);
            assert_eq!(look(2), [0; 0]);
            clock(1);
        });

        let [hold, other_hold] = holds;
        (vec![(0, body), (1, hold), (2, other_hold)], nothing())
    }),
];

/// On a CPU with interrupts off, runs entries in waits for CPU 1, each in the wait of the one before, until
/// one has to wait until the CPU is less deep.
fn deepen(machine: &Arc<Machine>, log: &Log) {
    const DEPTH_MAX: usize = 4;

    let began: Arc<[_; DEPTH_MAX + 2]> = Arc::new(std::array::from_fn(|_| Flag::new()));
    let wait_for = |number: usize| {
        let (began, machine, log) = (began.clone(), machine.clone(), log.clone());

        move || {
            let next = began[number].clone();
            let on = machine.clone();
            let argument = Argument::calling(move || {
                while !next.is_set() && on.warnings().is_empty() {
                    machine::relax();
                }
            });

            began[number - 1].set();
            assert_eq!(single(1, &argument, true), 0);
            argument.answered();
            if number == DEPTH_MAX + 1 {
                assert!(warned(&machine, "wait.rs: true") > 0);
                assert_eq!(numbers(&log).len(), DEPTH_MAX);
            }
        }
    };

    machine::with_interrupts_off(|| {
        for number in 1..=DEPTH_MAX {
            Entry::calling(number, SYNC, log, wait_for(number + 1)).queue(0);
        }
        Entry::new(DEPTH_MAX + 1, SYNC, log).queue(0);
        wait_for(1)();
    });
    assert_eq!(numbers(log), [1, 2, 3, 4, 5]);
}

/// Calls CPUs of a set, but not CPU 3.
fn many_but_the_third(bits: usize, argument: &Argument) {
    unsafe extern "C" fn is_another(cpu: c_int, _info: *mut c_void) -> bool {
        cpu != 3
    }

    // SAFETY: The checks keep arguments until all is over.
    unsafe {
        bindings::smp_call_function_many_cond(
            set(bits),
            Some(look),
            argument.info(),
            0,
            Some(is_another),
            0,
        )
    };
}
