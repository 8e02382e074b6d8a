// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: what is written in Rust does what the C function does.

use crate::{
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    helpers,
    preempt::CpuGuard,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq,
            two_cpus, //
        },
        Caller, //
    },
    str::CString, //
};

/// What both say of the context: in a task, in a hard interrupt, in an NMI, interrupts off.
fn contexts() -> ([bool; 4], [bool; 4]) {
    // SAFETY: Asking for the context is always allowed.
    let ours = unsafe {
        [
            helpers::preempt::in_task(),
            helpers::preempt::in_hardirq(),
            helpers::preempt::in_nmi(),
            helpers::irqflags::irqs_disabled(),
        ]
    };
    // SAFETY: As above.
    let c = unsafe {
        [
            bindings::in_task(),
            bindings::in_hardirq(),
            bindings::in_nmi(),
            bindings::irqs_disabled(),
        ]
    };

    (ours, c)
}

/// Fills a mask with every `step`th CPU.
fn fill(mask: &mut Cpumask, step: usize) {
    mask.clear_all();
    for number in (0..nr_cpu_ids()).step_by(step) {
        // SAFETY: The number is in range.
        mask.set(unsafe { CpuId::from_u32_unchecked(number) });
    }
}

/// Compares what `{}` prints of a mask with what C prints.
fn check_printed(mask: &Cpumask) -> Result {
    let mut c = [0_u8; 512];
    // SAFETY: This prints a valid mask of so many CPUs into the array.
    let length = unsafe {
        bindings::snprintf(
            c.as_mut_ptr().cast(),
            c.len(),
            c"%*pbl".as_char_ptr(),
            nr_cpu_ids(),
            mask.as_raw(),
        )
    };
    let ours = CString::try_from_fmt(fmt!("{}", mask))?;

    check_eq!(c.get(..length as usize), Some(ours.to_bytes()));
    Ok(())
}

/// Compares an atomic operation with that of C: what it returns, and what it leaves.
macro_rules! same {
    ($old:expr, $function:ident, |$ptr:ident, $call:ident| $operation:expr) => {{
        let (mut ours, mut c) = ($old, $old);
        let result = {
            use helpers::atomic::$function as $call;
            let $ptr = (&raw mut ours).cast();
            // SAFETY: The pointer is valid and aligned.
            unsafe { $operation }
        };
        let result_of_c = {
            use bindings::$function as $call;
            let $ptr = (&raw mut c).cast();
            // SAFETY: The pointer is valid and aligned.
            unsafe { $operation }
        };

        check_eq!(result, result_of_c);
        check_eq!(ours, c);
    }};
}

/// Compares the operations that each type has.
macro_rules! same_basic {
    ($read:ident, $read_acquire:ident, $set:ident, $set_release:ident, $xchg:ident, $cmpxchg:ident,
     $old:expr, $new:expr) => {{
        same!($old, $read, |ptr, call| call(ptr));
        same!($old, $read_acquire, |ptr, call| call(ptr));
        same!($old, $set, |ptr, call| call(ptr, $new));
        same!($old, $set_release, |ptr, call| call(ptr, $new));
        same!($old, $xchg, |ptr, call| call(ptr, $new));
        for expected in [$old, $new] {
            same!($old, $cmpxchg, |ptr, call| {
                let mut value = expected;
                let written = call(ptr, &raw mut value, $new);

                (written, value)
            });
        }
    }};
}

#[kunit_tests(rust_helpers)]
mod suite {
    use super::*;

    #[test]
    fn a_mask_is_printed_as_c_prints_it() -> Result {
        let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

        check_printed(&mask)?;
        for step in 1..=3 {
            fill(&mut mask, step);
            check_printed(&mask)?;
        }
        Ok(())
    }

    #[test]
    fn the_cpus_of_a_mask_are_those_that_c_finds() -> Result {
        let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;
        let copy = CpumaskVar::new_zero(GFP_KERNEL)?;

        for step in 1..=3 {
            fill(&mut mask, step);
            let raw = mask.as_raw();

            for cpu in -1..nr_cpu_ids() as i32 {
                // SAFETY: The mask is valid, and the number is -1 or in range.
                let next = unsafe { helpers::cpumask::cpumask_next(cpu, raw) };
                // SAFETY: As above.
                let next_of_c = unsafe { bindings::cpumask_next(cpu, raw) };

                // There are several numbers for "none".
                check_eq!(next.min(nr_cpu_ids()), next_of_c.min(nr_cpu_ids()));
            }

            let mut last = -1;
            for cpu in mask.iter().map(i32::from) {
                // SAFETY: As above.
                check_eq!(cpu as u32, unsafe { bindings::cpumask_next(last, raw) });
                last = cpu;
            }
            // SAFETY: As above.
            check!(unsafe { bindings::cpumask_next(last, raw) } >= nr_cpu_ids());

            // SAFETY: Both masks are valid.
            unsafe { helpers::cpumask::cpumask_copy(copy.as_raw(), raw) };
            for cpu in 0..nr_cpu_ids() as i32 {
                // SAFETY: The mask is valid, and the number is in range.
                let is_in = unsafe { helpers::cpumask::cpumask_test_cpu(cpu, raw) };

                // SAFETY: As above.
                check_eq!(is_in, unsafe { bindings::cpumask_test_cpu(cpu, raw) });
                // SAFETY: As above.
                check_eq!(is_in, unsafe {
                    bindings::cpumask_test_cpu(cpu, copy.as_raw())
                });

                // SAFETY: As above, and nothing else uses the mask.
                unsafe { helpers::cpumask::__cpumask_clear_cpu(cpu, copy.as_raw()) };
                // SAFETY: As above.
                check!(!unsafe { bindings::cpumask_test_cpu(cpu, copy.as_raw()) });
            }
            check!(copy.empty());
        }
        Ok(())
    }

    #[test]
    fn the_cpus_that_are_online_are_those_of_c() {
        // CPUs stay online meanwhile.
        let _guard = CpuGuard::new();

        for cpu in 0..nr_cpu_ids() {
            // SAFETY: The number is in range.
            let online = unsafe { helpers::cpumask::cpu_online(cpu) };

            // SAFETY: As above.
            check_eq!(online, unsafe { bindings::cpu_online(cpu) });
        }
        // SAFETY: There are no requirements.
        let number = unsafe { helpers::cpumask::num_online_cpus() };
        // SAFETY: As above.
        check_eq!(number, unsafe { bindings::num_online_cpus() });
    }

    #[test]
    fn a_cpu_and_its_variables_are_those_of_c() {
        let _guard = CpuGuard::new();
        // SAFETY: There are no requirements.
        let cpu = unsafe { helpers::percpu::raw_smp_processor_id() };
        // SAFETY: As above.
        check_eq!(cpu, unsafe { bindings::raw_smp_processor_id() });
        // SAFETY: As above.
        let task = unsafe { helpers::percpu::get_current() };
        // SAFETY: As above.
        check_eq!(task, unsafe { bindings::get_current() });

        let symbol = (&raw mut bindings::ksoftirqd).cast();
        // SAFETY: This is a per-CPU variable.
        let this = unsafe { helpers::percpu::this_cpu_ptr(symbol) };
        // SAFETY: As above.
        check_eq!(this, unsafe { bindings::this_cpu_ptr(symbol) });
        for cpu in Cpumask::possible() {
            let cpu = cpu.as_u32();
            // SAFETY: As above, and the CPU is possible.
            let other = unsafe { helpers::percpu::per_cpu_ptr(symbol, cpu) };

            // SAFETY: As above.
            check_eq!(other, unsafe { bindings::per_cpu_ptr(symbol, cpu) });
        }
    }

    #[test]
    fn the_context_is_that_of_c_in_a_task() {
        let (ours, c) = contexts();

        check_eq!(ours, [true, false, false, false]);
        check_eq!(ours, c);
    }

    #[test]
    fn the_context_is_that_of_c_in_an_interrupt() -> Result {
        let cpus = two_cpus()?;
        let (ours, c) = Caller::new()?.call(cpus.there, |_| contexts())?;

        check_eq!(ours, [false, true, false, true]);
        check_eq!(ours, c);
        Ok(())
    }

    #[test]
    fn interrupts_are_restored_to_what_they_were() {
        // SAFETY: Saves and restores nest.
        unsafe {
            let on = helpers::irqflags::local_irq_save();
            check!(bindings::irqs_disabled());

            let off = bindings::local_irq_save();
            helpers::irqflags::local_irq_restore(off);
            check!(bindings::irqs_disabled());

            bindings::local_irq_restore(on);
        }
        check!(!contexts().1[3]);
    }

    #[test]
    #[cfg(all(CONFIG_X86_64, CONFIG_PREEMPTION))]
    fn preemption_is_counted_and_a_reschedule_that_is_due_happens() {
        /// Set unless a reschedule is due.
        const NOT_DUE: u64 = 1 << 63;

        // Returns the variable of the CPU: to be used while the task stays there.
        // SAFETY: This is a per-CPU variable.
        let count =
            || unsafe { bindings::this_cpu_ptr((&raw mut bindings::__preempt_count).cast()) };
        // SAFETY: The variable is valid, and is this CPU's own.
        let read = || unsafe { count().cast::<u64>().read_volatile() };

        // SAFETY: Preemption may be disabled here, and each is undone.
        unsafe {
            bindings::preempt_disable();
            check_eq!(read() & !NOT_DUE, 1);
            helpers::preempt::preempt_disable();
            check_eq!(read() & !NOT_DUE, 2);
            helpers::preempt::preempt_enable();
            check_eq!(read() & !NOT_DUE, 1);

            // As the scheduler does when it wants the CPU.
            let word = count().cast::<u64>();
            word.write_volatile(word.read_volatile() & !NOT_DUE);
            helpers::preempt::preempt_enable();
        }

        // The scheduler has set the bit again.
        let guard = CpuGuard::new();
        check_eq!(read(), NOT_DUE | 1);
        drop(guard);
    }

    #[test]
    fn atomic_operations_return_and_leave_what_those_of_c_do() {
        same_basic!(
            atomic_read,
            atomic_read_acquire,
            atomic_set,
            atomic_set_release,
            atomic_xchg,
            atomic_try_cmpxchg,
            0x1234_5678_i32,
            -7_i32
        );
        same_basic!(
            atomic64_read,
            atomic64_read_acquire,
            atomic64_set,
            atomic64_set_release,
            atomic64_xchg,
            atomic64_try_cmpxchg,
            0x0123_4567_89ab_cdef_i64,
            -7_i64
        );
        same_basic!(
            atomic_i8_read,
            atomic_i8_read_acquire,
            atomic_i8_set,
            atomic_i8_set_release,
            atomic_i8_xchg,
            atomic_i8_try_cmpxchg,
            0x12_i8,
            -7_i8
        );
        same_basic!(
            atomic_i16_read,
            atomic_i16_read_acquire,
            atomic_i16_set,
            atomic_i16_set_release,
            atomic_i16_xchg,
            atomic_i16_try_cmpxchg,
            0x1234_i16,
            -7_i16
        );
        let (some, other) = (0_u8, 0_u8);
        same_basic!(
            atomic_ptr_read,
            atomic_ptr_read_acquire,
            atomic_ptr_set,
            atomic_ptr_set_release,
            atomic_ptr_xchg,
            atomic_ptr_try_cmpxchg,
            (&raw const some).cast::<c_void>(),
            (&raw const other).cast::<c_void>()
        );

        for value in [1, -1, i32::MAX, i32::MIN] {
            same!(5_i32, atomic_add, |ptr, call| call(value, ptr));
            same!(5_i32, atomic_fetch_add, |ptr, call| call(value, ptr));
            same!(5_i32, atomic_fetch_sub, |ptr, call| call(value, ptr));
        }
        for value in [1, -1, i64::MAX, i64::MIN] {
            same!(5_i64, atomic64_add, |ptr, call| call(value, ptr));
            same!(5_i64, atomic64_fetch_add, |ptr, call| call(value, ptr));
            same!(5_i64, atomic64_fetch_sub, |ptr, call| call(value, ptr));
        }
    }

    #[test]
    fn a_wait_for_a_write_returns() {
        let mut word = 6_u32;
        let mut long = 7_u64;

        // SAFETY: The pointer is valid and aligned. The value is another one, so nothing waits.
        unsafe { helpers::barrier::cmpwait_relaxed_u32(&raw mut word, 1) };
        // SAFETY: As above.
        unsafe { helpers::barrier::cmpwait_relaxed_u64(&raw mut long, 1) };
        check_eq!((word, long), (6, 7));
    }
}
