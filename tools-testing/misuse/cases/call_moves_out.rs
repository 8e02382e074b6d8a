// SPDX-License-Identifier: GPL-2.0

//! The value that is moved out would be dropped in the interrupt.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::Caller, //
};

pub fn sum(caller: &Caller, cpu: CpuId, list: KVec<u32>) -> Result<usize> {
    let len = caller.call(cpu, move |_| {
        let len = list.len();
        #[cfg(misuse)]
        drop(list);
        //~[misuse]^ ERROR: E0507: cannot move out of `list`, a captured variable in an `FnMut` closure
        len
    })?;
    Ok(len)
}
