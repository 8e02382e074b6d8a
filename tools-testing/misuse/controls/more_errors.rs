// SPDX-License-Identifier: GPL-2.0

//! There is another error beside the expected one: the runner must report it.

use core::cell::Cell;
use kernel::smp::Caller;

pub fn count(caller: &Caller) {
    let cell = Cell::new(0u32);
    let other = Cell::new(0u64);

    caller.call_all(|_| {
        //~[misuse]^ ERROR: E0277: `Cell<u32>` cannot be shared between threads safely
        #[cfg(misuse)]
        cell.set(1);
    });
    #[cfg(misuse)]
    caller.call_others(|_| other.set(1));
    cell.set(2);
    other.set(2);
}
