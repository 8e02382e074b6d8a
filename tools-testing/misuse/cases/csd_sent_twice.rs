// SPDX-License-Identifier: GPL-2.0

//! The csd would be in two queues at once.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        CallContext,
        Caller,
        Csd,
        Handler, //
    }, //
};

pub struct Nothing;

impl Handler for Nothing {
    fn handle(&self, _context: &CallContext) {}
}

pub fn send(caller: &Caller, mut csd: Csd<Nothing>, cpu: CpuId) -> Result {
    let in_flight = csd.send(cpu)?;
    #[cfg(misuse)]
    csd.send(cpu)?.wait(caller);
    //~[misuse]^ ERROR: E0499: cannot borrow `csd` as mutable more than once at a time
    in_flight.wait(caller);

    csd.send(cpu)?.wait(caller);
    Ok(())
}
