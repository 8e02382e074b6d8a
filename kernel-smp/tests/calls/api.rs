// SPDX-License-Identifier: GPL-2.0

//! Warnings of the `kernel` crate about misuse that its types cannot rule out.

use crate::tests::support::{
    fixture::with_interrupts_off,
    warnings::warnings_of, //
};
#[cfg(CONFIG_PROVE_LOCKING)]
use kernel::{
    helpers,
    interrupt::LocalInterruptDisabled, //
};
use kernel::{
    prelude::*,
    smp::{
        call_async,
        testing::{
            check_eq,
            two_cpus, //
        },
        CallContext,
        Caller,
        Csd,
        Handler, //
    }, //
};

struct Nothing;

impl Handler for Nothing {
    fn handle(&self, _context: &CallContext) {}
}

#[kunit_tests(smp_api)]
mod cases {
    use super::*;

    #[test]
    fn waits_with_interrupts_off_give_a_warning() -> Result {
        let cpus = two_cpus()?;
        let caller = Caller::new()?;
        let pending = call_async(cpus.here, |_| (), GFP_KERNEL)?;
        let joined = [call_async(cpus.here, |_| (), GFP_KERNEL)?];
        let csd = Csd::new(Nothing, GFP_KERNEL)?;

        // All calls are done by now.
        check_eq!(
            warnings_of(|| with_interrupts_off(|_| caller.wait(pending)))?,
            1
        );
        check_eq!(
            warnings_of(|| with_interrupts_off(|_| caller.join(&joined)))?,
            1
        );
        check_eq!(
            warnings_of(|| with_interrupts_off(|_| csd.wait(&caller)))?,
            1
        );
        check_eq!(
            warnings_of(|| with_interrupts_off(|_| caller.scope(&(), |_| ())))?,
            1
        );
        Ok(())
    }

    #[cfg(CONFIG_PROVE_LOCKING)]
    #[test]
    fn turning_interrupts_on_under_the_token_gives_a_warning() -> Result {
        // SAFETY: Interrupts may be turned off in any context.
        let on = unsafe { helpers::irqflags::local_irq_save() };
        // SAFETY: The flags are those of the save above.
        unsafe { helpers::irqflags::local_irq_restore(on) };

        let turn_on = |_: &LocalInterruptDisabled| {
            // SAFETY: They were on before.
            unsafe { helpers::irqflags::local_irq_restore(on) }
        };
        check_eq!(warnings_of(|| with_interrupts_off(turn_on))?, 1);
        Ok(())
    }
}
