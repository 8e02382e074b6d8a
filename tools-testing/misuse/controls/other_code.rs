// SPDX-License-Identifier: GPL-2.0

//! The error has another code than expected: the runner must report it.

use core::cell::Cell;
use kernel::smp::Caller;

pub fn count(caller: &Caller) {
    let cell = Cell::new(0u32);

    caller.call_all(|_| {
        //~[misuse]^ ERROR: E0271: `Cell<u32>` cannot be shared between threads safely
        #[cfg(misuse)]
        cell.set(1);
    });
    cell.set(2);
}
