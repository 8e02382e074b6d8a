// SPDX-License-Identifier: GPL-2.0

//! The trace points: the callsite, and the entry and exit of a callback.

use crate::{
    csd::{
        Csd,
        Kind, //
    },
    queue,
    tests::support::{
        around::Around,
        calls::{
            enter,
            on_each_if,
            single_async,
            Callback,
            Condition, //
        },
        events::{
            Event,
            Events, //
        },
        fixture::{
            csd_for,
            leak,
            locked_csd, //
        },
        gate::Held,
        probe::Probe,
        seen::Seen,
        thread::Busy,
        ways::{
            Family,
            Target,
            WAYS, //
        }, //
    },
    trace::Callsite, //
};
use core::hint::black_box;
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        becomes_true,
        check,
        mask_of,
        require,
        require_eq,
        skip,
        two_cpus, //
    }, //
};

/// The arguments of the callers below. They allocate nothing: each makes one call of an entry
/// point, and does something after it, so that it is no tail call.
struct Args {
    cpu: c_int,
    seen: &'static Seen,
    mask: *const bindings::cpumask,
    csd: Csd,
    locked_csd: Csd,
}

impl Args {
    fn info(&self) -> *mut c_void {
        core::ptr::from_ref(self.seen).cast_mut().cast()
    }
}

/// A call to all CPUs but one.
struct AllBut(Option<CpuId>);

impl Callback for AllBut {
    fn call(&'static self) {}
}

impl Condition for AllBut {
    fn wants(&'static self, cpu: c_int) -> bool {
        self.0.is_none_or(|but| i32::from(but) != cpu)
    }
}

#[inline(never)]
fn by_single(args: &Args) -> u32 {
    // SAFETY: The argument fits `enter()`.
    unsafe { bindings::smp_call_function_single(args.cpu, Some(enter::<Seen>), args.info(), true) };
    black_box(1)
}

#[inline(never)]
fn by_single_no_wait(args: &Args) -> u32 {
    // SAFETY: The argument fits `enter()`.
    unsafe {
        bindings::smp_call_function_single(args.cpu, Some(enter::<Seen>), args.info(), false)
    };
    black_box(2)
}

#[inline(never)]
fn by_single_async(args: &Args) -> u32 {
    // SAFETY: The csd is never freed.
    unsafe { bindings::smp_call_function_single_async(args.cpu, args.csd.as_ptr()) };
    black_box(3)
}

#[inline(never)]
fn by_any(args: &Args) -> u32 {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe { bindings::smp_call_function_any(args.mask, Some(enter::<Seen>), args.info(), 1) };
    black_box(4)
}

#[inline(never)]
fn by_many(args: &Args) -> u32 {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe { bindings::smp_call_function_many(args.mask, Some(enter::<Seen>), args.info(), true) };
    black_box(5)
}

#[inline(never)]
fn by_each(args: &Args) -> u32 {
    // SAFETY: The mask is valid, and the argument fits `enter()`.
    unsafe {
        bindings::on_each_cpu_cond_mask(None, Some(enter::<Seen>), args.info(), true, args.mask)
    };
    black_box(6)
}

#[inline(never)]
fn by_queue(args: &Args) -> u32 {
    // SAFETY: The csd is never freed, is locked, filled in and in no queue.
    unsafe { bindings::__smp_call_single_queue(args.cpu, args.locked_csd.node()) };
    black_box(7)
}

#[inline(never)]
fn by_all_others(args: &Args) -> u32 {
    // SAFETY: The argument fits `enter()`.
    unsafe { bindings::smp_call_function(Some(enter::<Seen>), args.info(), 1) };
    black_box(8)
}

#[inline(never)]
fn by_kick(_args: &Args) -> u32 {
    // SAFETY: The test is a task with interrupts on.
    unsafe { bindings::kick_all_cpus_sync() };
    black_box(9)
}

/// A function that calls an entry point.
type Caller = fn(&Args) -> u32;

/// Callers that call one CPU.
const TO_ONE: [Caller; 7] = [
    by_single,
    by_single_no_wait,
    by_single_async,
    by_any,
    by_many,
    by_each,
    by_queue,
];

/// Callers that call all other CPUs.
const TO_ALL: [Caller; 2] = [by_all_others, by_kick];

/// Runs `caller`, and returns the events.
fn events_of(caller: Caller, cpu: CpuId, calls: u32) -> Result<&'static Events> {
    let seen = Seen::new()?;
    let mask = mask_of([cpu])?;
    let args = Args {
        cpu: i32::from(cpu),
        seen,
        mask: mask.as_raw(),
        csd: csd_for(seen)?,
        locked_csd: locked_csd(seen, Kind::Async, cpu)?,
    };
    let events = Events::new()?;
    let probe = Probe::of_sending(events)?;

    black_box(caller)(black_box(&args));
    let ran = becomes_true(|| seen.runs() >= calls);
    drop(probe);

    if ran {
        Ok(events)
    } else {
        Err(ETIMEDOUT)
    }
}

/// Tries `f` until it returns true: another csd may be in the queue, and then ours needs no IPI.
fn within_some_tries(mut f: impl FnMut() -> Result<bool>) -> Result<bool> {
    for _ in 0..20 {
        if f()? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[kunit_tests(smp_trace)]
mod cases {
    use super::*;

    #[test]
    fn a_csd_is_traced_with_the_caller_of_the_entry_point() -> Result {
        let cpus = two_cpus()?;

        for caller in TO_ONE {
            let events = events_of(caller, cpus.there, 1)?;

            require_eq!(events.csds(), 1);
            require!(events
                .iter()
                .filter(|event| event.is_csd())
                .all(|event| event.is_from(caller as usize) && event.is_for(cpus.there)));
        }
        Ok(())
    }

    #[test]
    fn an_ipi_to_one_cpu_is_traced_with_the_caller_of_the_entry_point() -> Result {
        let cpus = two_cpus()?;
        // A CPU that polls in its idle loop would need no IPI.
        let busy = Busy::new(cpus.there)?;

        for (nr, caller) in TO_ONE.into_iter().enumerate() {
            let traced = within_some_tries(|| {
                let events = events_of(caller, cpus.there, 1)?;
                let mut ipis = events
                    .iter()
                    .filter(|event| event.is_ipi() && event.is_for(cpus.there));

                Ok(ipis.any(|event| event.is_from(caller as usize)))
            })?;

            check!(traced, "caller {}", nr);
        }
        drop(busy);
        Ok(())
    }

    #[test]
    fn an_ipi_for_what_another_caller_has_queued_is_traced() -> Result {
        let cpus = two_cpus()?;
        let busy = Busy::new(cpus.there)?;
        // SAFETY: The CPU is possible.
        let queue = unsafe { queue::of(cpus.there) };
        let caller: Caller = by_kick;

        // Another caller may send the IPI just then.
        let traced = within_some_tries(|| {
            let seen = Seen::new()?;
            let csd = locked_csd(seen, Kind::Sync, cpus.there)?;
            let events = Events::new()?;
            let probe = Probe::of_sending(events)?;

            // SAFETY: The entry is never freed and is in no queue.
            unsafe { queue.push(csd.node()) };
            queue::send_overdue_ipis(Callsite(caller as usize + 1));
            let ran = becomes_true(|| seen.runs() == 1);
            drop(probe);

            Ok(ran
                && events.iter().any(|event| {
                    event.is_ipi() && event.is_for(cpus.there) && event.is_from(caller as usize)
                }))
        })?;

        drop(busy);
        check!(traced);
        Ok(())
    }

    #[test]
    fn csds_for_all_others_are_traced_with_the_caller_of_the_entry_point() -> Result {
        let cpus = two_cpus()?;
        let online = Cpumask::online();
        let others = online.weight().saturating_sub(1);

        for (caller, calls) in TO_ALL.into_iter().zip([others, 0]) {
            let events = events_of(caller, cpus.there, calls)?;

            for cpu in online.iter().filter(|cpu| *cpu != cpus.here) {
                let about_cpu = |event: &&Event| {
                    let is_csd = !event.is_ipi() && !event.is_among_several(cpu);

                    is_csd && event.is_for(cpu) && event.is_from(caller as usize)
                };

                require_eq!(events.iter().filter(about_cpu).count(), 1);
            }
        }
        Ok(())
    }

    #[test]
    fn an_ipi_to_several_cpus_is_traced_with_the_caller_of_the_entry_point() -> Result {
        let cpus = two_cpus()?;
        let others = Cpumask::online().weight().saturating_sub(1);
        // With two CPUs there is only one target.
        cpus.third();

        for (caller, calls) in TO_ALL.into_iter().zip([others, 0]) {
            require!(within_some_tries(|| {
                let events = events_of(caller, cpus.there, calls)?;
                let mut ipis = events.iter().filter(|event| event.is_for_several());

                Ok(ipis.any(|event| event.is_from(caller as usize)))
            })?);
        }
        Ok(())
    }

    #[test]
    fn an_ipi_to_several_cpus_is_for_those_with_no_ipi_on_the_way() -> Result {
        let cpus = two_cpus()?;
        let others = mask_of(Cpumask::online().iter().filter(|cpu| *cpu != cpus.here))?;
        if others.weight() < 3 {
            skip("needs four CPUs online");
        }

        for held_cpu in &*others {
            let due = || others.iter().filter(|cpu| *cpu != held_cpu);
            // Two targets are enough for an IPI to several CPUs; a third one is left out.
            let call = leak(AllBut(due().nth(2)))?;
            let wanted = |cpu: CpuId| cpu != held_cpu && Some(cpu) != call.0;

            // The kernel itself may call one of them just then.
            require!(within_some_tries(|| {
                let events = Events::new()?;
                let first = csd_for(Seen::new()?)?;
                let probe = Probe::of_sending(events)?;
                let held = Held::new(held_cpu)?;
                let queued = single_async(i32::from(held_cpu), first) == 0;

                events.clear();
                on_each_if(&others, call, false);
                let sent = |cpu| events.iter().any(|event| event.is_among_several(cpu));
                let right = others.iter().all(|cpu| sent(cpu) == wanted(cpu));
                let held_until_now = held.release();
                drop(probe);

                Ok(queued && right && held_until_now)
            })?);
        }
        Ok(())
    }

    #[test]
    fn entry_and_exit_of_a_function_are_traced_around_it() -> Result {
        let cpus = two_cpus()?;

        for way in &WAYS {
            let target = Target::new(cpus.there)?;
            let around = Around::new(target.seen)?;
            let probe = Probe::of_functions(around)?;

            let error = (way.call)(&target);
            let called = target.is_called();
            let over = becomes_true(|| around.is_over());
            drop(probe);

            require_eq!(error, 0, "{}", way.name);
            require!(called, "{}", way.name);
            require!(over, "{}", way.name);
            require!(around.is_complete(), "{}", way.name);
            require!(around.csd().is_some(), "{}", way.name);
            // A synchronous csd is locked while its function runs.
            let sync = way.is_sync || way.family == Family::Queue;
            require_eq!(around.was_locked(), sync, "{}", way.name);
        }
        Ok(())
    }

    #[test]
    fn a_call_to_the_own_cpu_is_traced_without_a_csd() -> Result {
        let cpus = two_cpus()?;

        for way in &WAYS {
            if way.family == Family::Many || way.family == Family::Queue {
                continue;
            }
            let target = Target::new(cpus.here)?;
            let around = Around::new(target.seen)?;
            let probe = Probe::of_functions(around)?;

            let error = (way.call)(&target);
            drop(probe);

            require_eq!(error, 0, "{}", way.name);
            require!(around.is_complete(), "{}", way.name);
            require!(around.csd().is_none(), "{}", way.name);
            require_eq!(around.own_calls(), 1, "{}", way.name);
        }
        Ok(())
    }
}
