// SPDX-License-Identifier: GPL-2.0

//! Where a CPU is prepared, the callback runs on another one.

use kernel::{
    cpuhp::{
        Callbacks,
        Prepare, //
    },
    percpu::define_per_cpu,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

define_per_cpu! {
    static SEEN: Atomic<u64> = Atomic::new(0);
}

struct Seen;

impl Callbacks for Seen {
    type Section = Prepare;

    fn startup(&self, cpu: &<Prepare as kernel::cpuhp::Section>::Cpu) -> Result {
        #[cfg(misuse)]
        let seen = SEEN.this_cpu(cpu);
        //~[misuse]^ ERROR: E0277: the trait bound `CpuId: CpuPinned` is not satisfied
        #[cfg(good)]
        let seen = SEEN.get(*cpu).ok_or(ENXIO)?;

        seen.add(1, Relaxed);
        Ok(())
    }
}
