// SPDX-License-Identifier: GPL-2.0

//! The cost of a call through `kernel::smp`, as smp_bench measures it for calls from C. Where that has
//! no such case, the function of C is called here, too: the names of those cases end in `()`.

use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    irq_work::{
        self,
        impl_has_irq_work,
        OwnedIrqWork,
        StaticIrqWork,
        WorkContext, //
    },
    prelude::*,
    processor::cpu_relax,
    smp::{
        impl_has_csd,
        send,
        CallContext,
        Caller,
        Handler,
        OwnedCsd,
        OwnedHandler,
        Sent,
        StaticCsd, //
    },
    sync::Arc,
    time::{
        Instant,
        Monotonic, //
    }, //
};

module! {
    type: SmpBenchApi,
    name: "smp_bench_api",
    authors: ["Rust for Linux Contributors"],
    description: "What a cross-CPU call from Rust costs",
    license: "GPL",
}

const LOOPS: i64 = 500;
const ROUNDS: u32 = 5;

/// Prints the least of `ROUNDS` averages of `LOOPS` calls.
fn measure(caller: &Caller, name: &str, call: impl Fn()) {
    let mut least = i64::MAX;

    for _ in 0..ROUNDS {
        let start = Instant::<Monotonic>::now();

        for _ in 0..LOOPS {
            call();
        }
        least = least.min(start.elapsed().as_nanos());
        caller.call_others(|_| ());
    }
    let hundredths = (least * 100 + LOOPS / 2) / LOOPS;

    pr_info!(
        "{}: cost {}.{:02}\n",
        name,
        hundredths / 100,
        hundredths % 100
    );
}

/// Calls `send` until it has sent something.
fn until_sent(mut send: impl FnMut() -> bool) {
    while !send() {
        cpu_relax();
    }
}

/// A handler, and an object that a handler owns, that do nothing.
struct Nothing {
    csd: OwnedCsd<Self>,
    work: OwnedIrqWork<Self>,
}

impl_has_csd! {
    impl HasCsd<Self> for Nothing { self.csd }
}

impl_has_irq_work! {
    impl HasIrqWork<Self> for Nothing { self.work }
}

impl OwnedHandler for Nothing {
    type Pointer = Arc<Self>;

    fn handle(_this: Sent<'_, Arc<Self>>, _context: &CallContext) {}
}

impl irq_work::OwnedHandler for Nothing {
    type Pointer = Arc<Self>;

    fn handle(_this: Sent<'_, Arc<Self>>, _context: &WorkContext) {}
}

struct Idle;

impl Handler for Idle {
    fn handle(&self, _context: &CallContext) {}
}

impl irq_work::Handler for Idle {
    fn handle(&self, _context: &WorkContext) {}
}

static CSD: StaticCsd<Idle> = StaticCsd::new(Idle);
static WORK: StaticIrqWork<Idle> = StaticIrqWork::new(Idle);

unsafe extern "C" fn no_call(_info: *mut c_void) {}
unsafe extern "C" fn no_work(_work: *mut bindings::irq_work) {}

/// A csd of C is aligned to its size.
#[repr(C, align(32))]
struct RawCsd(bindings::__call_single_data);

/// Asynchronous calls to one CPU: a static csd, an object, and a csd of C.
fn measure_csds(caller: &Caller, there: CpuId) -> Result {
    let object = Arc::new(
        Nothing {
            csd: OwnedCsd::new(),
            work: OwnedIrqWork::new(GFP_KERNEL)?,
        },
        GFP_KERNEL,
    )?;
    let mut raw = KBox::new(RawCsd(pin_init::zeroed()), GFP_KERNEL)?;
    raw.0.func = Some(no_call);
    let raw: *mut RawCsd = &raw mut *raw;

    measure(caller, "one, async", || {
        until_sent(|| CSD.post(there).is_ok())
    });
    CSD.wait(caller);
    measure(caller, "one, async, an object", || {
        until_sent(|| send(object.clone(), there).is_ok())
    });
    let number = i32::from(there);
    measure(caller, "smp_call_function_single_async()", || {
        // SAFETY: The csd is valid, and only this task sends it.
        until_sent(|| unsafe { bindings::smp_call_function_single_async(number, raw.cast()) } == 0)
    });
    // The csd is freed with this. Two calls to each CPU: the last flush is over with the second.
    caller.call(there, |_| ())?;
    caller.call(there, |_| ())?;

    measure(caller, "self, IRQ work", || {
        until_sent(|| WORK.queue() == Ok(true))
    });
    WORK.sync();
    measure(caller, "self, IRQ work, an object", || {
        until_sent(|| irq_work::queue(object.clone()).is_ok())
    });
    measure_raw_work(caller)
}

fn measure_raw_work(caller: &Caller) -> Result {
    let mut raw = KBox::new(pin_init::zeroed::<bindings::irq_work>(), GFP_KERNEL)?;
    raw.func = Some(no_work);
    let raw: *mut bindings::irq_work = &raw mut *raw;

    measure(caller, "irq_work_queue()", || {
        // SAFETY: The work is valid until the wait below has ended.
        until_sent(|| unsafe { bindings::irq_work_queue(raw) })
    });
    // SAFETY: As above. This task may sleep.
    unsafe { bindings::irq_work_sync(raw) };
    Ok(())
}

fn measure_all() -> Result {
    let caller = Caller::new()?;
    let here = CpuId::from_u32(0).ok_or(ENODEV)?;
    let there = CpuId::from_u32(1).ok_or(ENODEV)?;

    measure(&caller, "self, wait", || _ = caller.call(here, |_| ()));
    measure(&caller, "one, wait", || _ = caller.call(there, |_| ()));
    caller.scope(&(), |posts| {
        measure(&caller, "one, no wait", || {
            _ = posts.post(there, |_, ()| ())
        })
    });
    measure(&caller, "many, wait", || caller.call_others(|_| ()));
    measure(&caller, "on each, wait", || caller.call_all(|_| ()));
    let mut others = CpumaskVar::try_clone(Cpumask::online())?;
    others.clear(here);
    measure(&caller, "any, wait", || {
        _ = caller.call_any(&others, |_| ())
    });
    measure(&caller, "in a task of one, wait", || {
        _ = caller.call_in_task(there, || ())
    });
    measure_csds(&caller, there)?;
    caller.call(there, |_| ())?;
    pr_info!("end: 13 figures\n");
    Ok(())
}

struct SmpBenchApi;

impl kernel::Module for SmpBenchApi {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Caller::new()?.call_in_task(CpuId::from_u32(0).ok_or(ENODEV)?, measure_all)??;
        Ok(SmpBenchApi)
    }
}
