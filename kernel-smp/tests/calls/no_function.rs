// SPDX-License-Identifier: GPL-2.0

//! Calls without a function.

use crate::{
    csd::{
        Call,
        Kind, //
    },
    tests::support::{
        calls::{
            single_async,
            single_on, //
        },
        fixture::{
            blank_csd,
            flush_from_task,
            pool_is_free,
            push_here,
            with_interrupts_off, //
        },
        seen::Seen,
        warnings::warnings_of, //
    }, //
};
use core::ptr;
use kernel::{
    bindings,
    cpumask::Cpumask,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        mask_of,
        require,
        require_eq,
        two_cpus, //
    }, //
};

/// Returns whether this can be the number of warnings of a call that must give one by `WARN_ONCE()`.
///
/// If a test suppresses it, it can be given again on x86; elsewhere the next call gives none.
fn is_one(warnings: c_int) -> bool {
    warnings == 1 || cfg!(not(CONFIG_X86)) && warnings == 0
}

#[kunit_tests(smp_no_function)]
mod cases {
    use super::*;

    #[test]
    fn a_call_without_a_function_completes_and_warns() -> Result {
        let cpus = two_cpus()?;
        let there = i32::from(cpus.there);
        let mask = mask_of([cpus.there])?;
        let both = mask_of([cpus.here, cpus.there])?;
        let info = ptr::null_mut();

        for wait in [false, true] {
            // Each returns what the entry point returns, or 0 if that is nothing.
            let calls: [&dyn Fn() -> c_int; 5] = [
                // SAFETY: There is no function.
                &|| unsafe { bindings::smp_call_function_single(there, None, info, wait) },
                &|| {
                    let here = i32::from(cpus.here);

                    // SAFETY: As above.
                    unsafe { bindings::smp_call_function_single(here, None, info, wait) }
                },
                &|| {
                    let mask = mask.as_raw();

                    // SAFETY: The mask is valid, and there is no function.
                    unsafe { bindings::smp_call_function_any(mask, None, info, wait.into()) }
                },
                &|| {
                    // SAFETY: As above.
                    unsafe { bindings::smp_call_function_many(mask.as_raw(), None, info, wait) };
                    0
                },
                &|| {
                    let both = both.as_raw();

                    // SAFETY: As above.
                    unsafe { bindings::on_each_cpu_cond_mask(None, None, info, wait, both) };
                    0
                },
            ];

            for call in calls {
                let mut answer = -1;
                let warnings = warnings_of(|| answer = call())?;
                let seen = Seen::new()?;

                require!(is_one(warnings), "{warnings}");
                require_eq!(answer, 0);
                require_eq!(single_on(cpus.there, seen, true), 0);
                require_eq!(seen.runs(), 1);
                require!(pool_is_free());
            }
        }
        Ok(())
    }

    #[test]
    fn a_csd_without_a_function_is_unlocked_and_warns() -> Result {
        let cpus = two_cpus()?;
        let nothing = Call {
            func: None,
            info: ptr::null_mut(),
        };
        let own = blank_csd()?;
        let queued = blank_csd()?;
        let mut answer = -1;

        own.fill(nothing, cpus.here, cpus.here);
        let sent = warnings_of(|| answer = single_async(i32::from(cpus.here), own))?;

        queued.lock_new(Kind::Sync);
        queued.fill(nothing, cpus.here, cpus.here);
        let found = warnings_of(|| {
            with_interrupts_off(|irq| push_here(irq, queued));
            flush_from_task();
        })?;

        check!(is_one(sent), "{sent}");
        check_eq!(answer, 0);
        check!(is_one(found), "{found}");
        check!(!own.is_locked());
        check!(!queued.is_locked());
        Ok(())
    }

    #[test]
    fn a_call_in_a_task_without_a_function_is_refused_and_warns() -> Result {
        two_cpus()?;

        for cpu in Cpumask::online() {
            let mut answer = 0;
            let warnings = warnings_of(|| {
                // SAFETY: There is no function.
                answer = unsafe {
                    bindings::smp_call_on_cpu(cpu.as_u32(), None, ptr::null_mut(), false)
                };
            })?;

            require!(is_one(warnings), "{warnings}");
            require_eq!(answer, EINVAL.to_errno());
        }
        Ok(())
    }
}
