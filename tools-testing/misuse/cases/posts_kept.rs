// SPDX-License-Identifier: GPL-2.0

//! The scope would not wait for a function that is posted after its end.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        Caller,
        Posts, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub fn count(caller: &Caller, cpu: CpuId) -> Result {
    let brief = Atomic::new(0u32);
    let mut kept: Option<&Posts<'_, Atomic<u32>>> = None;

    caller.scope(&brief, |posts| {
        #[cfg(misuse)]
        {
            kept = Some(posts);
        }
        //~[misuse]^^ ERROR: borrowed data escapes outside of closure
        posts.post(cpu, |_, count| count.add(1, Relaxed))
    })?;
    kept = None;
    assert!(kept.is_none());
    Ok(())
}
