// SPDX-License-Identifier: GPL-2.0

//! Errors of the memory, which come in an NMI and are reported by an IRQ work, as by
//! `ecclog_nmi_handler()` of `drivers/edac/igen6_edac.c`.

use crate::{
    irq_work::{
        Handler,
        StaticIrqWork,
        WorkContext, //
    },
    preempt,
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq, //
        },
        tests::nmi::in_nmi, //
    },
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// The errors that were logged, and not yet reported.
struct Errors {
    logged: Atomic<u32>,
    reported: Atomic<u32>,
    /// How often the handler of the NMI did not run in one.
    elsewhere: Atomic<u32>,
}

static ERRORS: StaticIrqWork<Errors> = StaticIrqWork::new(Errors {
    logged: Atomic::new(0),
    reported: Atomic::new(0),
    elsewhere: Atomic::new(0),
});

impl Handler for Errors {
    /// Reports all that was logged: no lock can be taken in an NMI, but can here.
    fn handle(&self, _context: &WorkContext) {
        self.reported.add(self.logged.xchg(0, Full), Relaxed);
    }
}

/// Logs an error, in an NMI.
fn log() {
    let errors = ERRORS.handler();

    if !preempt::in_nmi() {
        errors.elsewhere.add(1, Relaxed);
    }
    errors.logged.fetch_add(1, Full);
    // If it is queued, its handler will see the error.
    let _ = ERRORS.queue();
}

#[kunit_tests(rust_smp_port_igen6_edac)]
mod cases {
    use super::*;

    #[test]
    fn errors_that_come_in_an_nmi_are_reported() -> Result {
        const TIMES: u32 = 10;
        let errors = ERRORS.handler();
        let before = errors.reported.load(Relaxed);

        for _ in 0..TIMES {
            check!(in_nmi(log)?);
        }
        ERRORS.sync();

        check_eq!(errors.reported.load(Relaxed), before + TIMES);
        check_eq!(errors.elsewhere.load(Relaxed), 0);
        Ok(())
    }
}
