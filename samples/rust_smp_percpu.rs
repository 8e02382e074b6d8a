// SPDX-License-Identifier: GPL-2.0

//! Rust sample of per-CPU variables, CPU hotplug callbacks and asynchronous calls.
//!
//! Each CPU counts its calls in a per-CPU variable. When a CPU goes offline, a callback adds its
//! count to a total. All calls are in flight at once, and the module waits for all of them.

use kernel::{
    cpuhp::{
        Callbacks,
        Online,
        OnlineCpu,
        Registration, //
    },
    cpumask::Cpumask,
    new_mutex,
    percpu::define_per_cpu,
    prelude::*,
    smp::{
        call_async,
        Caller, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    }, //
};

module! {
    type: RustSmpPercpu,
    name: "rust_smp_percpu",
    authors: ["Rust for Linux Contributors"],
    description: "Rust sample of per-CPU variables, CPU hotplug callbacks and asynchronous calls",
    license: "GPL",
    params: {
        calls: u32 {
            default: 10,
            description: "How many calls each CPU gets",
        },
    },
}

define_per_cpu! {
    /// Calls that each CPU has counted since it came online.
    static COUNT: Atomic<u64> = Atomic::new(0);
}

/// The calls that CPUs had counted when they went offline.
#[pin_data]
struct Books {
    #[pin]
    count: Mutex<u64>,
}

impl Callbacks for Books {
    type Section = Online;

    fn teardown(&self, cpu: &OnlineCpu) -> Result {
        let mut books = self.count.lock();
        let count = COUNT.this_cpu(cpu).xchg(0, Relaxed);

        *books = books.wrapping_add(count);
        Ok(())
    }
}

impl Books {
    /// Returns the number of calls that all CPUs have counted, online or not.
    fn total(&self) -> u64 {
        // The lock keeps `teardown()` from moving a count meanwhile.
        let books = self.count.lock();
        let counts = Cpumask::possible()
            .iter()
            .filter_map(|cpu| COUNT.get(cpu))
            .map(|count| count.load(Relaxed));

        counts.fold(*books, u64::wrapping_add)
    }
}

/// Calls each online CPU `calls` times. Returns how many calls were sent.
fn call_all(calls: u32) -> Result<u64> {
    let caller = Caller::new()?;
    let mut pending = KVec::new();

    for _ in 0..calls {
        for cpu in Cpumask::online() {
            // A CPU that has just gone offline is not called, and not counted.
            if let Ok(one) = call_async(cpu, |ctx| COUNT.this_cpu(ctx).add(1, Relaxed), GFP_KERNEL)
            {
                pending.push(one, GFP_KERNEL)?;
            }
        }
    }
    caller.join(&pending);
    Ok(pending.len() as u64)
}

struct RustSmpPercpu {
    _books: Pin<KBox<Registration<Books>>>,
}

impl kernel::Module for RustSmpPercpu {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let books = try_pin_init!(Books { count <- new_mutex!(0) }? Error);
        let books = Registration::new(c"rust_smp_percpu", books);
        let books = KBox::pin_init(books, GFP_KERNEL)?;
        let sent = call_all(module_parameters::calls.value())?;

        for cpu in Cpumask::online() {
            let count = COUNT.get(cpu).map_or(0, |count| count.load(Relaxed));
            pr_info!("CPU {} has counted {}\n", cpu.as_u32(), count);
        }
        pr_info!(
            "{} calls sent, {} counted\n",
            sent,
            books.callbacks().total()
        );
        Ok(Self { _books: books })
    }
}
