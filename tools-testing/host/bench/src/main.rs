// SPDX-License-Identifier: GPL-2.0

//! Times queue and csds of `kernel/smp/` on the CPUs of this machine, beside the same in C with the
//! llist of the kernel tree. Prints the least time of a request in ns, in Rust and in C, a
//! figure a line.

#[path = "../../../../kernel-smp/batch.rs"]
mod batch;
#[path = "../../../../kernel-smp/csd.rs"]
mod csd;
mod half;
#[path = "../../../../kernel-smp/percpu.rs"]
mod percpu;
#[path = "../../../../kernel-smp/queue.rs"]
mod queue;

mod serve {
    //! Waits do not serve.

    use crate::csd::{Csd, Lock};

    #[derive(Clone, Copy)]
    pub(crate) enum Waiting {
        Spin,
    }

    impl Waiting {
        pub(crate) fn serves(self) -> bool {
            false
        }

        pub(crate) fn until_over(self, _csd: Csd, _lock: Option<Lock>) {}
    }
}

mod stall {
    //! Requests are not watched.

    pub(crate) fn enabled() -> bool {
        false
    }
}

mod stats {
    //! Nothing is counted.

    pub(crate) fn enabled() -> bool {
        false
    }
}

use bindings::{
    __call_single_data, __call_single_node, __call_single_node__bindgen_ty_1, c_int, c_void,
    llist_node,
};
use csd::Func;
use std::{
    cell::UnsafeCell,
    process::ExitCode,
    ptr::null_mut,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::*},
        Barrier,
    },
    thread,
    time::Instant,
};

/// One of the two implementations.
#[derive(Clone, Copy)]
struct Half {
    send:
        unsafe extern "C" fn(*mut c_void, *mut __call_single_data, Func, *mut c_void, bool) -> bool,
    drain: unsafe extern "C" fn(*mut c_void) -> bool,
    wait: unsafe extern "C" fn(*mut __call_single_data),
}

extern "C" {
    fn c_send(
        queue: *mut c_void,
        csd: *mut __call_single_data,
        func: Func,
        info: *mut c_void,
        wait: bool,
    ) -> bool;
    fn c_drain(queue: *mut c_void) -> bool;
    fn c_wait(csd: *mut __call_single_data);
    fn sched_setaffinity(pid: c_int, size: usize, set: *const u64) -> c_int;
}

const RUST: Half = Half {
    send: half::send,
    drain: half::drain,
    wait: half::wait,
};

const C: Half = Half {
    send: c_send,
    drain: c_drain,
    wait: c_wait,
};

/// How many requests are sent at once.
const BURST: usize = 64;

/// How often a case is tried, the implementations in turn; and how many requests a try has.
const TRIES: usize = 20;
const REQUESTS: usize = 64 * 1024;

/// A request in a cache line of its own.
#[repr(C, align(64))]
struct Slot(UnsafeCell<__call_single_data>);

// SAFETY: The implementations share it as a csd is shared.
unsafe impl Sync for Slot {}

impl Slot {
    fn new() -> Self {
        Self(UnsafeCell::new(__call_single_data {
            node: __call_single_node {
                llist: llist_node { next: null_mut() },
                __bindgen_anon_1: __call_single_node__bindgen_ty_1 { u_flags: 0 },
                src: 0,
                dst: 0,
            },
            func: None,
            info: null_mut(),
        }))
    }
}

/// A queue in a cache line of its own.
#[repr(C, align(64))]
struct Line(UnsafeCell<*mut c_void>);

// SAFETY: As above.
unsafe impl Sync for Line {}

/// What all CPUs of a case share.
struct World {
    half: Half,
    queue: Line,
    over: AtomicBool,
    start: Barrier,
}

static RAN: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" fn count(_info: *mut c_void) {
    RAN.store(RAN.load(Relaxed) + 1, Relaxed);
}

impl World {
    fn new(half: Half, cpus: usize) -> Self {
        Self {
            half,
            queue: Line(UnsafeCell::new(null_mut())),
            over: AtomicBool::new(false),
            start: Barrier::new(cpus),
        }
    }

    fn send(&self, slot: &Slot, wait: bool) {
        // SAFETY: Queue and slot live longer than the case, and the slot is not in use.
        unsafe {
            (self.half.send)(
                self.queue.0.get().cast(),
                slot.0.get(),
                Some(count),
                null_mut(),
                wait,
            )
        };
    }

    fn drain(&self) -> bool {
        // SAFETY: As above.
        unsafe { (self.half.drain)(self.queue.0.get().cast()) }
    }

    fn wait(&self, slot: &Slot) {
        // SAFETY: As above.
        unsafe { (self.half.wait)(slot.0.get()) };
    }
}

/// Keeps this thread on one CPU.
fn pin(cpu: usize) {
    let set = [1u64 << cpu];

    // SAFETY: The set is valid.
    assert_eq!(
        unsafe { sched_setaffinity(0, 8, set.as_ptr()) },
        0,
        "CPU {cpu} can be used"
    );
}

fn slots() -> Vec<Slot> {
    (0..BURST).map(|_| Slot::new()).collect()
}

/// Times `requests` requests, in ns each.
fn time(requests: usize, f: impl FnOnce()) -> f64 {
    let start = Instant::now();

    f();
    start.elapsed().as_nanos() as f64 / requests as f64
}

/// Sends to the own queue, and drains it.
fn alone(half: Half, only_drain: bool) -> f64 {
    let world = World::new(half, 1);
    let slots = slots();
    let mut sum = 0.0;

    pin(0);
    for _ in 0..REQUESTS / BURST {
        let send = || slots.iter().for_each(|slot| world.send(slot, false));
        if only_drain {
            send();
            sum += time(REQUESTS, || assert!(world.drain()));
        } else {
            sum += time(REQUESTS, || {
                send();
                assert!(world.drain());
            });
        }
    }
    sum
}

/// CPU 0 calls CPU 1, which polls: one request after the other, or a burst and then all waits.
fn called(half: Half, burst: usize, wait: bool) -> f64 {
    let world = World::new(half, 2);
    let slots = slots();

    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            world.start.wait();
            while !world.over.load(Relaxed) {
                if !world.drain() {
                    std::hint::spin_loop();
                }
            }
        });
        pin(0);
        world.start.wait();
        let cost = time(REQUESTS, || {
            for _ in 0..REQUESTS / burst {
                slots[..burst]
                    .iter()
                    .for_each(|slot| world.send(slot, wait));
                slots[..burst].iter().for_each(|slot| world.wait(slot));
            }
        });
        world.over.store(true, Relaxed);
        cost
    })
}

/// Both CPUs send to one queue at once, and one of them drains it now and then.
fn crowd(half: Half) -> f64 {
    let world = World::new(half, 2);
    let body = |cpu, drains: bool| {
        let slots = slots();

        pin(cpu);
        world.start.wait();
        let cost = time(REQUESTS, || {
            for _ in 0..REQUESTS / BURST {
                slots.iter().for_each(|slot| world.send(slot, false));
                if drains {
                    world.drain();
                }
                slots.iter().for_each(|slot| world.wait(slot));
            }
        });
        if drains {
            while !world.over.load(Acquire) {
                world.drain();
            }
        } else {
            world.over.store(true, Release);
        }
        cost
    };

    thread::scope(|scope| {
        let other = scope.spawn(|| body(1, false));
        let cost = body(0, true);
        cost.max(other.join().unwrap())
    })
}

fn main() -> ExitCode {
    let cases: [(&str, usize, &dyn Fn(Half) -> f64); 5] = [
        ("one CPU, send and drain 64", 1, &|half| alone(half, false)),
        ("one CPU, drain 64", 1, &|half| alone(half, true)),
        ("two CPUs, call and wait", 2, &|half| called(half, 1, true)),
        ("two CPUs, 64 calls, then wait", 2, &|half| {
            called(half, BURST, false)
        }),
        ("two CPUs send to one queue", 2, &|half| crowd(half)),
    ];
    let cpus = thread::available_parallelism().map_or(1, usize::from);

    let mut figures = 0;
    for (name, needed, case) in cases {
        if cpus < needed {
            println!("host: {name}: lacks CPUs");
            continue;
        }
        let mut least = [f64::INFINITY; 2];
        for _ in 0..TRIES {
            for (least, half) in least.iter_mut().zip([RUST, C]) {
                *least = least.min(case(half));
            }
        }
        for (kernel, least) in ["rust", "c"].iter().zip(least) {
            println!("host: {name}: {kernel} {least:.2}");
            figures += 1;
        }
    }
    println!("host: end: {figures} figures");
    ExitCode::SUCCESS
}
