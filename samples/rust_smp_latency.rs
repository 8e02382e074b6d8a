// SPDX-License-Identifier: GPL-2.0

//! Rust sample that measures how long cross-CPU calls take.
//!
//! When it is loaded, each CPU makes many synchronous calls of an empty function to each other CPU.
//! The time of each call is measured, with three states of the target:
//!
//! - `idle`: no task runs on it. It gets no call for [`PAUSE_NS`] before each call.
//! - `busy`: a task runs on it, a worker thread that spins with interrupts on.
//! - `irqs_off`: it has interrupts off for [`OFF_NS`], since it runs the function of an earlier
//!   call. The calls are sent at times that are spread evenly over this. A call that is sent after
//!   it is not counted.
//!
//! The source has preemption disabled meanwhile, but takes interrupts.
//!
//! The results are two files in `rust_smp_latency/` in debugfs, for programs to read: words between
//! blanks, and names in the first line. Times are in nanoseconds.
//!
//! - `table`: for each pair of CPUs and each state, the number of calls, the 50th, 99th and 99.9th
//!   percentile of their times, and the longest time. The longest is exact, the others are too long
//!   by a thirtieth at most.
//! - `histogram`: for each state, how many calls of all pairs took how long. Steps without a call
//!   are omitted.
//!
//! CPUs may go offline and come online meanwhile. A pair then has fewer samples, or none.

use kernel::{
    cpu::CpuId,
    cpumask::Cpumask,
    current,
    debugfs::Scope,
    fmt,
    percpu::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    processor::cpu_relax,
    smp::{
        CallContext,
        CallError,
        Caller,
        Csd,
        Handler, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        Completion, //
    },
    time::{
        Instant,
        Monotonic, //
    },
    workqueue, //
};

module! {
    type: RustSmpLatency,
    name: "rust_smp_latency",
    authors: ["Rust for Linux Contributors"],
    description: "Rust sample that measures how long cross-CPU calls take",
    license: "GPL",
    params: {
        samples: u32 {
            default: 1000,
            description: "Calls of each pair of CPUs and state, 10000 at most",
        },
        cpus: u32 {
            default: 8,
            description: "How many of the CPUs that are online take part",
        },
    },
}

/// The most calls of a pair: they occupy a worker thread of the CPU.
const MOST_SAMPLES: u32 = 10_000;

/// The pause before each call.
const PAUSE_NS: i64 = 50_000;

/// How long a CPU has interrupts off.
const OFF_NS: i64 = 50_000;

/// The number of different times in [`OFF_NS`] at which calls are sent.
const OFF_STEPS: u32 = 64;

/// The state of the target.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Idle,
    Busy,
    IrqsOff,
}

impl State {
    const ALL: [Self; 3] = [Self::Idle, Self::Busy, Self::IrqsOff];

    fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::IrqsOff => "irqs_off",
        }
    }
}

/// The distribution of the times of calls.
///
/// The times are counted in steps of which [`Histogram::FINE`] double the time. So the size does
/// not depend on the number of calls, and the error of a time is a thirtieth at most.
struct Histogram {
    steps: KVec<u64>,
    calls: u64,
    max_ns: u64,
}

impl Histogram {
    const FINE_BITS: u32 = 5;
    const FINE: usize = 1 << Self::FINE_BITS;

    /// Up to a minute.
    const STEPS: usize = 31 * Self::FINE;

    fn new() -> Result<Self> {
        Ok(Self {
            steps: KVec::from_elem(0, Self::STEPS, GFP_KERNEL)?,
            calls: 0,
            max_ns: 0,
        })
    }

    /// Returns the shortest time of step `i`.
    fn begin(i: usize) -> u64 {
        (((i % Self::FINE) | Self::FINE) as u64).wrapping_shl((i / Self::FINE) as u32)
    }

    fn count(&mut self, ns: u64) {
        // The highest bit selects the doubling, and the bits below it select the step.
        let shown = ns.max(Self::FINE as u64);
        let doubling = shown.ilog2().saturating_sub(Self::FINE_BITS);
        let step = (shown >> doubling) as usize % Self::FINE;
        let i = (((doubling as usize) << Self::FINE_BITS) | step).min(Self::STEPS - 1);

        if let Some(calls) = self.steps.get_mut(i) {
            *calls = calls.saturating_add(1);
        }
        self.calls = self.calls.saturating_add(1);
        self.max_ns = self.max_ns.max(ns);
    }

    fn add(&mut self, other: &Self) {
        for (sum, calls) in self.steps.iter_mut().zip(&other.steps) {
            *sum = sum.saturating_add(*calls);
        }
        self.calls = self.calls.saturating_add(other.calls);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Returns the time that `per_mille` of a thousand calls did not exceed. Without calls it is 0.
    fn time(&self, per_mille: u64) -> u64 {
        let rank = self.calls.saturating_mul(per_mille).div_ceil(1000);
        let mut seen = 0u64;

        for (i, calls) in (0..Self::STEPS).zip(&self.steps) {
            seen = seen.saturating_add(*calls);
            if seen >= rank {
                return Self::begin(i.saturating_add(1)).min(self.max_ns);
            }
        }
        self.max_ns
    }
}

/// The results of a pair of CPUs.
struct Row {
    from: CpuId,
    to: CpuId,
    state: State,
    samples: u64,
    p50_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
}

/// Spins for some time.
fn spin(ns: i64) {
    let start = Instant::<Monotonic>::now();

    while start.elapsed().as_nanos() < ns {
        cpu_relax();
    }
}

/// A function that keeps interrupts off. It is sent repeatedly, so it is a [`Csd`].
struct Off {
    begun: Atomic<bool>,
}

impl Handler for Off {
    fn handle(&self, _context: &CallContext) {
        // ORDERING: Pairs with the acquire in `time_calls()`. From here on interrupts are off.
        self.begun.store(true, Release);
        spin(OFF_NS);
    }
}

/// Calls `to` from `from`, on which this runs, until `samples` calls were timed.
///
/// # Errors
///
/// - [`CallError::Offline`]: one of the CPUs went offline. What was timed before is in `times`.
fn time_calls(
    from: CpuId,
    to: CpuId,
    state: State,
    samples: u32,
    off: &Csd<Off>,
    times: &mut Histogram,
) -> Result<(), CallError> {
    let caller = Caller::new()?;

    // Calls that are sent too late are not counted, and are repeated up to a limit.
    for i in 0..samples.saturating_mul(10) {
        if times.calls >= u64::from(samples) {
            break;
        }
        spin(PAUSE_NS);

        let here = CpuGuard::new();
        if here.cpu() != from {
            return Err(CallError::Offline);
        }
        if state == State::IrqsOff {
            off.handler().begun.store(false, Relaxed);
            off.post(to)?;
            // ORDERING: Pairs with the release in `Off::handle()`.
            while !off.handler().begun.load(Acquire) {
                cpu_relax();
            }
            spin(OFF_NS / i64::from(OFF_STEPS) * i64::from(i % OFF_STEPS));
        }

        let start = Instant::<Monotonic>::now();
        let in_time = state != State::IrqsOff || off.is_in_flight();
        caller.call(to, |_| ())?;
        let ns = start.elapsed().as_nanos();

        drop(here);
        off.wait(&caller);
        if in_time {
            times.count(ns.unsigned_abs());
        }
    }
    Ok(())
}

/// Keeps a CPU busy until it is dropped.
struct Busy(Arc<Spinner>);

#[pin_data]
struct Spinner {
    stop: Atomic<bool>,
    #[pin]
    begun: Completion,
    #[pin]
    ended: Completion,
}

impl Busy {
    /// Returns when a task spins on `cpu`, or when `cpu` is offline.
    fn new(cpu: CpuId) -> Result<Self> {
        let spinner = Arc::pin_init(
            pin_init!(Spinner {
                stop: Atomic::new(false),
                begun <- Completion::new(),
                ended <- Completion::new(),
            }),
            GFP_KERNEL,
        )?;
        let theirs = spinner.clone();

        // A call in a task is synchronous, so a worker makes it.
        workqueue::system_long().try_spawn(GFP_KERNEL, move || {
            let _ = Caller::new().and_then(|caller| {
                caller.call_in_task(cpu, || {
                    theirs.begun.complete_all();
                    while !theirs.stop.load(Relaxed) {
                        cpu_relax();
                    }
                })
            });
            theirs.begun.complete_all();
            theirs.ended.complete_all();
        })?;
        spinner.begun.wait_for_completion();
        Ok(Self(spinner))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
        // The worker only has to return after this. The `kernel` crate has no `flush_work()` to
        // wait for that, so a module that is unloaded at once would free code that still runs.
        self.0.ended.wait_for_completion();
    }
}

/// The results.
struct Results {
    rows: KVVec<Row>,
    histograms: KVec<(State, Histogram)>,
}

impl Results {
    fn measure(samples: u32, cpus: u32) -> Result<Self> {
        let caller = Caller::new()?;
        let off = Csd::new(
            Off {
                begun: Atomic::new(false),
            },
            GFP_KERNEL,
        )?;
        let mut results = Self {
            rows: KVVec::new(),
            histograms: KVec::new(),
        };

        for state in State::ALL {
            let mut all = Histogram::new()?;

            for from in Cpumask::online().iter().take(cpus as usize) {
                for to in Cpumask::online().iter().take(cpus as usize) {
                    if from == to {
                        continue;
                    }
                    if current!().signal_pending() {
                        return Err(EINTR);
                    }

                    let mut times = Histogram::new()?;
                    let busy = match state {
                        State::Busy => Some(Busy::new(to)?),
                        _ => None,
                    };
                    // If a CPU went offline, what was timed before counts.
                    let _ = caller.call_in_task(from, || {
                        time_calls(from, to, state, samples, &off, &mut times)
                    });
                    drop(busy);

                    all.add(&times);
                    results.rows.push(
                        Row {
                            from,
                            to,
                            state,
                            samples: times.calls,
                            p50_ns: times.time(500),
                            p99_ns: times.time(990),
                            p999_ns: times.time(999),
                            max_ns: times.max_ns,
                        },
                        GFP_KERNEL,
                    )?;
                }
            }
            results.histograms.push((state, all), GFP_KERNEL)?;
        }
        Ok(results)
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>4} {:>4} {:<8} {:>7} {:>10} {:>10} {:>10} {:>10}",
            "from", "to", "state", "samples", "p50", "p99", "p999", "max"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:>4} {:>4} {:<8} {:>7} {:>10} {:>10} {:>10} {:>10}",
                row.from.as_u32(),
                row.to.as_u32(),
                row.state.name(),
                row.samples,
                row.p50_ns,
                row.p99_ns,
                row.p999_ns,
                row.max_ns,
            )?;
        }
        Ok(())
    }

    fn write_histogram(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<8} {:>11} {:>11} {:>8}",
            "state", "from", "below", "calls"
        )?;
        for (state, histogram) in &self.histograms {
            for (i, calls) in (0..Histogram::STEPS).zip(&histogram.steps) {
                if *calls != 0 {
                    writeln!(
                        f,
                        "{:<8} {:>11} {:>11} {:>8}",
                        state.name(),
                        Histogram::begin(i),
                        Histogram::begin(i.wrapping_add(1)),
                        calls,
                    )?;
                }
            }
        }
        Ok(())
    }
}

struct RustSmpLatency {
    /// The files in debugfs, with the results that they show.
    _files: Pin<KBox<Scope<Results>>>,
}

impl kernel::Module for RustSmpLatency {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let samples = module_parameters::samples.value().clamp(1, MOST_SAMPLES);
        let results = Results::measure(samples, module_parameters::cpus.value())?;

        pr_info!(
            "{} pairs and states, {} calls each\n",
            results.rows.len(),
            samples
        );
        Ok(Self {
            _files: KBox::pin_init(
                Scope::dir(results, c"rust_smp_latency", |results, dir| {
                    dir.read_callback_file(c"table", results, &Results::write_table);
                    dir.read_callback_file(c"histogram", results, &Results::write_histogram);
                }),
                GFP_KERNEL,
            )?,
        })
    }
}
