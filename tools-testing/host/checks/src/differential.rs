// SPDX-License-Identifier: GPL-2.0

//! Programs of calls, drawn by chance, run by the code under check and by a model that does one thing
//! after the other. What is returned, and which CPUs run what, must be the same; asynchronous
//! calls run on each CPU in the order of the program.

use crate::{
    calls::{single_with, OwnCsd},
    chance::Chance,
    run::number,
    world::{Body, Check, Plan},
};
use bindings::{
    c_int, c_void, cpumask,
    machine::{self, Machine},
};
use std::sync::{
    atomic::{AtomicU32, AtomicU64, Ordering::*},
    Arc, Mutex,
};

/// The programs as a check. SEED can be given.
pub static CHECK: Check = Check {
    name: "differential",
    cpus: 4,
    shared_cpus: true,
    preemptions: 0,
    repeat: if cfg!(feature = "shuttle") {
        2_000
    } else {
        100_000
    },
    build: |machine| {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let seed = number("SEED").unwrap_or(1) as u64 + RUNS.fetch_add(1, Relaxed);

        build(machine, seed)
    },
    tells: || {
        let first = number("SEED").unwrap_or(1);

        format!(": programs of {STEPS} steps, seeds from {first} on")
    },
};

/// How long a program is.
const STEPS: usize = 24;

const ENXIO: c_int = -6;

#[derive(Debug, Clone, Copy)]
enum Step {
    One {
        cpu: c_int,
        wait: bool,
        interrupts_off: bool,
    },
    Any {
        mask: u32,
        wait: bool,
    },
    Many {
        mask: u32,
        wait: bool,
        with_self: bool,
        wanted: Option<u32>,
        interrupts_off: bool,
    },
    Own {
        cpu: c_int,
    },
    Down {
        cpu: u32,
    },
    Up {
        cpu: u32,
    },
}

impl Step {
    fn draw(chance: &mut Chance, cpus: u32) -> Self {
        // Some numbers are of no CPU.
        let cpu = chance.below(u64::from(cpus) + 4) as c_int - 2;
        let cpu = if cpu == -2 { c_int::MIN } else { cpu };
        let mask = chance.below(1 << cpus) as u32;
        let wait = chance.below(2) == 0;

        match chance.below(20) {
            0..6 => Self::One {
                cpu,
                wait,
                interrupts_off: chance.below(4) == 0,
            },
            6..9 => Self::Any { mask, wait },
            9..14 => Self::Many {
                mask,
                wait,
                with_self: chance.below(2) == 0,
                wanted: (chance.below(2) == 0).then(|| chance.below(1 << cpus) as u32),
                interrupts_off: chance.below(4) == 0,
            },
            14..17 => Self::Own { cpu },
            17..19 => Self::Down {
                cpu: 1 + chance.below(u64::from(cpus) - 1) as u32,
            },
            _ => Self::Up {
                cpu: 1 + chance.below(u64::from(cpus) - 1) as u32,
            },
        }
    }

    /// What C promises: the value that is returned, and the CPUs that are called.
    fn model(self, online: &mut u32) -> (c_int, u32) {
        match self {
            Self::One { cpu, .. } | Self::Own { cpu } => {
                let set = u32::try_from(cpu)
                    .ok()
                    .and_then(|cpu| 1u32.checked_shl(cpu));

                match set.unwrap_or(0) & *online {
                    0 => (ENXIO, 0),
                    set => (0, set),
                }
            }
            Self::Any { mask, .. } => match mask & *online {
                0 => (ENXIO, 0),
                // This CPU is the lowest.
                set => (0, set & set.wrapping_neg()),
            },
            Self::Many {
                mask,
                with_self,
                wanted,
                ..
            } => {
                let candidates = if with_self { *online } else { *online & !1 };

                (0, mask & candidates & wanted.unwrap_or(u32::MAX))
            }
            Self::Down { cpu } => {
                *online &= !(1 << cpu);
                (0, 0)
            }
            Self::Up { cpu } => {
                *online |= 1 << cpu;
                (0, 0)
            }
        }
    }

    /// Whether it is synchronous.
    fn waits(self) -> bool {
        match self {
            Self::One { wait, .. } | Self::Any { wait, .. } | Self::Many { wait, .. } => wait,
            Self::Own { .. } | Self::Down { .. } | Self::Up { .. } => false,
        }
    }
}

/// What became of a step.
struct Outcome {
    number: usize,
    ran: AtomicU32,
    /// How often it ran, on whichever CPU.
    times: AtomicU32,
    wanted: u32,
    order: Arc<Vec<Mutex<Vec<usize>>>>,
}

unsafe extern "C" fn run(info: *mut c_void) {
    // SAFETY: An outcome lives as long as the program.
    let outcome = unsafe { &*info.cast_const().cast::<Outcome>() };
    let here = bindings::raw_smp_processor_id();

    outcome.order[here as usize]
        .lock()
        .unwrap()
        .push(outcome.number);
    outcome.ran.fetch_or(1 << here, Relaxed);
    outcome.times.fetch_add(1, Release);
}

unsafe extern "C" fn wanted(cpu: c_int, info: *mut c_void) -> bool {
    // SAFETY: As above.
    unsafe { (*info.cast_const().cast::<Outcome>()).wanted & (1 << cpu) != 0 }
}

fn execute(step: Step, machine: &Arc<Machine>, outcome: &Outcome, csd: &mut OwnCsd) -> c_int {
    let info = std::ptr::from_ref(outcome).cast_mut().cast();
    let set = |mask: u32| cpumask {
        bits: [mask as usize],
    };
    let online = |cpu| bindings::cpu_online(cpu);

    match step {
        Step::One {
            cpu,
            wait,
            interrupts_off,
        } => {
            let call = || single_with(cpu, run, info, wait);

            if interrupts_off {
                machine::with_interrupts_off(call)
            } else {
                call()
            }
        }
        // SAFETY: What is called with lives as long as the program.
        Step::Any { mask, wait } => unsafe {
            bindings::smp_single_any(&set(mask), Some(run), info, wait, 0)
        },
        Step::Many {
            mask,
            wait,
            with_self,
            wanted: chosen,
            interrupts_off,
        } => {
            let wait = if wait { bindings::SCF_WAIT } else { 0 };
            let with_self = if with_self {
                bindings::SCF_RUN_LOCAL
            } else {
                0
            };
            let cond: bindings::smp_cond_func_t = chosen.and(Some(wanted));

            // SAFETY: As above.
            let call = || unsafe {
                bindings::smp_call_function_many_cond(
                    &set(mask),
                    Some(run),
                    info,
                    wait | with_self,
                    cond,
                    0,
                )
            };

            if interrupts_off {
                machine::with_interrupts_off(call);
            } else {
                call();
            }
            0
        }
        Step::Own { cpu } => {
            csd.call(run, info);
            csd.send(cpu as u32)
        }
        Step::Down { cpu } if online(cpu) => {
            machine.take_down(cpu);
            0
        }
        Step::Up { cpu } if !online(cpu) => {
            machine.bring_up(cpu);
            0
        }
        Step::Down { .. } | Step::Up { .. } => 0,
    }
}

fn build(machine: &Arc<Machine>, seed: u64) -> Plan {
    let mut chance = Chance::new(seed);
    let cpus = machine.cpus();
    let order: Arc<Vec<_>> = Arc::new((0..cpus).map(|_| Mutex::default()).collect());
    let program: Vec<_> = (0..STEPS)
        .map(|number| {
            let step = Step::draw(&mut chance, cpus);
            let wanted = match step {
                Step::Many {
                    wanted: Some(wanted),
                    ..
                } => wanted,
                _ => u32::MAX,
            };

            (
                step,
                Arc::new(Outcome {
                    number,
                    ran: AtomicU32::new(0),
                    times: AtomicU32::new(0),
                    wanted,
                    order: order.clone(),
                }),
            )
        })
        .collect();
    let theirs = program.clone();
    let with = machine.clone();
    let body: Body = Box::new(move || {
        let mut csd = OwnCsd::with(run, std::ptr::null_mut());
        let mut online = (1 << cpus) - 1;

        for (step, outcome) in &theirs {
            let expected = step.model(&mut online);
            let returned = execute(*step, &with, outcome, &mut csd);

            assert_eq!(
                returned, expected.0,
                "{step:?} of the program {seed} returned it"
            );
            // A csd of the own is used again when it has run.
            if matches!(step, Step::Own { .. }) {
                while outcome.times.load(Acquire) != expected.1.count_ones() {
                    machine::relax();
                }
            }
            if step.waits() {
                assert_eq!(
                    outcome.ran.load(Relaxed),
                    expected.1,
                    "{step:?} of the program {seed}"
                );
            }
        }
        let mut online = (1 << cpus) - 1;
        for (step, outcome) in &theirs {
            let (_, set) = step.model(&mut online);

            while outcome.times.load(Acquire) < set.count_ones() {
                machine::relax();
            }
        }
    });

    (
        vec![(0, body)],
        Box::new(move || {
            let mut online = (1 << cpus) - 1;

            for (step, outcome) in &program {
                let (_, set) = step.model(&mut online);

                assert_eq!(
                    outcome.ran.load(Relaxed),
                    set,
                    "{step:?} of the program {seed}"
                );
                assert_eq!(
                    outcome.times.load(Relaxed),
                    set.count_ones(),
                    "{step:?} of {seed}"
                );
            }
            for (cpu, order) in order.iter().enumerate() {
                let order = order.lock().unwrap();
                let unwaited = order.iter().filter(|number| !program[**number].0.waits());

                assert!(
                    unwaited.is_sorted(),
                    "the order on CPU {cpu} in the program {seed}: {order:?}"
                );
            }
        }),
    )
}
