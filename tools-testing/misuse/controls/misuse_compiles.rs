// SPDX-License-Identifier: GPL-2.0

//! The misuse compiles: the runner must report that.

use kernel::smp::Caller;

pub fn count(caller: &Caller) {
    caller.call_all(|_| {
        #[cfg(misuse)]
        let _value = 1;
        //~[misuse]^ ERROR: E0277: `Cell<u32>` cannot be shared between threads safely
    });
}
