// SPDX-License-Identifier: GPL-2.0

//! A function of size zero may also borrow, and would run after the borrow has ended.

use core::marker::PhantomData;
use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub struct Held;

#[derive(Clone, Copy)]
pub struct Proof<'a>(PhantomData<&'a Held>);

impl Held {
    pub fn proof(&self) -> Proof<'_> {
        Proof(PhantomData)
    }
}

impl Proof<'_> {
    pub fn add(self, sum: &Atomic<u32>) {
        sum.add(1, Relaxed);
    }
}

pub fn add(caller: &Caller, cpu: CpuId, sum: &Atomic<u32>) -> Result {
    caller.scope(sum, |posts| {
        let held = Held;
        let proof = held.proof();

        #[cfg(misuse)]
        posts.post(cpu, move |_, sum| proof.add(sum))?;
        //~[misuse]^^^^ ERROR: E0597: `held` does not live long enough
        proof.add(sum);
        posts.post(cpu, |_, sum| sum.add(1, Relaxed))
    })?;
    Ok(())
}
