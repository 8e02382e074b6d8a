// SPDX-License-Identifier: GPL-2.0

//! The request would be in two queues at once.

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

pub fn send(caller: &Caller, mut csd: Pin<KBox<Csd<Nothing>>>, cpu: CpuId) -> Result {
    let in_flight = csd.as_mut().send(cpu)?;
    #[cfg(misuse)]
    csd.as_mut().send(cpu)?.wait(caller);
    //~[misuse]^ ERROR: E0499: cannot borrow `csd` as mutable more than once at a time
    in_flight.wait(caller);

    csd.as_mut().send(cpu)?.wait(caller);
    Ok(())
}
