// SPDX-License-Identifier: GPL-2.0

//! Times queue and csds of `kernel/smp/` on the CPUs of this machine, beside the same in C with the
//! llist of the kernel tree. Prints the least time of a csd in ns, in Rust and in C, a
//! figure a line.

#[path = "../../../../kernel-smp/batch.rs"]
mod batch;
#[path = "../../../../kernel-smp/csd.rs"]
mod csd;
mod half;
#[path = "../../../../kernel-smp/queue.rs"]
mod queue;
#[path = "../../../../kernel-smp/testpoint.rs"]
mod testpoint;
#[path = "../../../../kernel-smp/trace.rs"]
mod trace;

mod ipi {
    //! No IPI is sent.

    use crate::trace::Callsite;
    use kernel::cpu::CpuId;

    pub(crate) fn send(_cpu: CpuId, _callsite: Option<Callsite>) {}
}

mod stats {
    //! Nothing is counted.

    pub(crate) enum Counter {
        Batched,
        Csds,
    }

    pub(crate) fn count(_counter: Counter) {}
}

use bindings::{
    __call_single_data, __call_single_node, __call_single_node__bindgen_ty_1, c_int, c_void,
    llist_node,
};
use csd::Func;
use std::{
    cell::UnsafeCell,
    iter,
    process::ExitCode,
    ptr::null_mut,
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*},
        Barrier, LazyLock,
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
    fn sched_getaffinity(pid: c_int, size: usize, set: *mut Set) -> c_int;
    fn sched_setaffinity(pid: c_int, size: usize, set: *const Set) -> c_int;
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

/// How many csds are sent at once.
const BURST: usize = 64;

/// How often a case is tried, the implementations in turn; and how many csds a try has.
const TRIES: usize = 20;
const REQUESTS: usize = 64 * 1024;

/// A csd in a cache line of its own.
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

/// A set of CPUs, as the system calls have it.
type Set = [u64; 16];

/// The CPUs that this program may use.
fn usable() -> &'static [usize] {
    static USABLE: LazyLock<Vec<usize>> = LazyLock::new(|| {
        let mut set: Set = [0; 16];

        // SAFETY: The set is valid.
        let error = unsafe { sched_getaffinity(0, size_of::<Set>(), &mut set) };
        assert_eq!(error, 0, "the CPUs of this program are known");
        (0..64 * set.len())
            .filter(|cpu| set[cpu / 64] >> (cpu % 64) & 1 != 0)
            .collect()
    });

    &USABLE
}

/// Keeps this thread on a CPU: the `n`th that can be used.
fn pin(n: usize) {
    let cpu = usable()[n];
    let mut set: Set = [0; 16];

    set[cpu / 64] = 1 << (cpu % 64);
    // SAFETY: The set is valid.
    let error = unsafe { sched_setaffinity(0, size_of::<Set>(), &set) };
    assert_eq!(error, 0, "CPU {cpu} can be used");
}

fn slots() -> Vec<Slot> {
    (0..BURST).map(|_| Slot::new()).collect()
}

/// Times `csds` csds, in ns each.
fn time(csds: usize, f: impl FnOnce()) -> f64 {
    let start = Instant::now();

    f();
    start.elapsed().as_nanos() as f64 / csds as f64
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

/// CPU 0 calls CPU 1, which polls: one csd after the other, or a burst and then all waits.
fn called(half: Half, burst: usize, wait: bool) -> f64 {
    let world = World::new(half, 2);
    let over = AtomicBool::new(false);
    let slots = slots();

    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            world.start.wait();
            while !over.load(Relaxed) {
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
        over.store(true, Relaxed);
        cost
    })
}

/// `cpus` CPUs send to one queue at once, and one of them drains it now and then.
fn crowd(half: Half, cpus: usize) -> f64 {
    let world = World::new(half, cpus);
    let sending = AtomicUsize::new(cpus - 1);
    let body = |cpu| {
        let drains = cpu == 0;
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
            while sending.load(Relaxed) > 0 {
                world.drain();
            }
        } else {
            sending.fetch_sub(1, Relaxed);
        }
        cost
    };

    thread::scope(|scope| {
        let body = &body;
        let others: Vec<_> = (1..cpus)
            .map(|cpu| scope.spawn(move || body(cpu)))
            .collect();
        let costs = others.into_iter().map(|other| other.join().unwrap());
        costs.fold(body(0), f64::max)
    })
}

/// What is timed, and how many CPUs it takes.
struct Case {
    name: String,
    cpus: usize,
    run: Box<dyn Fn(Half) -> f64>,
}

impl Case {
    fn new(cpus: usize, what: &str, run: impl Fn(Half) -> f64 + 'static) -> Self {
        let s = if cpus == 1 { "" } else { "s" };

        Self {
            name: format!("{cpus} CPU{s}, {what}"),
            cpus,
            run: Box::new(run),
        }
    }
}

fn main() -> ExitCode {
    let cpus = usable().len();
    let crowds = iter::successors(Some(2), |n| Some(n * 2)).take_while(|n| *n <= cpus.max(2));
    let cases = [
        Case::new(1, "send and drain 64", |half| alone(half, false)),
        Case::new(1, "drain 64", |half| alone(half, true)),
        Case::new(2, "call and wait", |half| called(half, 1, true)),
        Case::new(2, "64 calls, then wait", |half| called(half, BURST, false)),
    ]
    .into_iter()
    .chain(crowds.map(|n| Case::new(n, "all send to one queue", move |half| crowd(half, n))));

    let mut figures = 0;
    for Case {
        name,
        cpus: needed,
        run,
    } in cases
    {
        if cpus < needed {
            println!("host: {name}: lacks CPUs");
            continue;
        }
        let mut least = [f64::INFINITY; 2];
        for _ in 0..TRIES {
            for (least, half) in least.iter_mut().zip([RUST, C]) {
                *least = least.min(run(half));
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
