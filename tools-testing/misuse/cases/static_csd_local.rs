// SPDX-License-Identifier: GPL-2.0

//! A csd on the stack would be gone when its handler runs.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        CallContext,
        Handler,
        StaticCsd, //
    }, //
};

struct Nothing;

impl Handler for Nothing {
    fn handle(&self, _context: &CallContext) {}
}

pub fn post(cpu: CpuId) -> Result {
    #[cfg(misuse)]
    let csd = StaticCsd::new(Nothing);
    #[cfg(good)]
    static CSD: StaticCsd<Nothing> = StaticCsd::new(Nothing);

    #[cfg(misuse)]
    csd.post(cpu)?;
    //~[misuse]^ ERROR: E0597: `csd` does not live long enough
    #[cfg(good)]
    CSD.post(cpu)?;
    Ok(())
}
