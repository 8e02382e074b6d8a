// SPDX-License-Identifier: GPL-2.0

//! Other CPUs write to their slots meanwhile.

use kernel::{
    cpumask::Cpumask,
    preempt::CpuPinned,
    smp::{
        Caller,
        Slots, //
    }, //
};

pub fn fill(caller: &Caller, slots: &mut Slots<u32>) {
    caller.call_all_with(Cpumask::online(), slots, |context, slot| {
        //~[misuse]^ ERROR: E0502: cannot borrow `*slots` as mutable because it is also borrowed as immutable
        *slot = context.cpu().as_u32();
        #[cfg(misuse)]
        {
            *slot = *slots.get(context.cpu());
        }
    });
    assert!(slots.iter().all(|(cpu, slot)| cpu.as_u32() >= *slot));
}
