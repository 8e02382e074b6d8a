// SPDX-License-Identifier: GPL-2.0

//! The CPU of a slot uses it, and the caller drops it.

use kernel::{
    cpumask::Cpumask,
    prelude::*,
    smp::{
        Caller,
        Slots, //
    },
    types::NotThreadSafe, //
};

/// Counts its owners without atomics, as `Rc` does.
pub struct Counted(NotThreadSafe);

pub fn fill(caller: &Caller) -> Result {
    let mut sent = Slots::new(|_| None::<u32>, GFP_KERNEL)?;
    let mut unsent = Slots::new(|_| None::<Counted>, GFP_KERNEL)?;

    caller.call_all_with(Cpumask::online(), &mut sent, |_, slot| *slot = None);
    #[cfg(misuse)]
    caller.call_all_with(Cpumask::online(), &mut unsent, |_, slot| *slot = None);
    //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
    //~[misuse]| HELP: within `Option<Counted>`, the trait `Send` is not implemented
    *unsent.get_mut(kernel::cpu::CpuId::current()) = None;
    Ok(())
}
