// SPDX-License-Identifier: GPL-2.0

//! A registration that a module leaks would call its callbacks after the module is unloaded.

use kernel::{
    cpuhp::{
        Callbacks,
        Registration, //
    },
    prelude::*, //
};

pub struct Nothing;

impl Callbacks for Nothing {}

pub fn register() -> Result<Pin<KBox<Registration<Nothing>>>> {
    let callbacks = || try_init!(Nothing {}? Error);

    #[cfg(misuse)]
    let registration = Registration::new(c"leaked", callbacks());
    //~[misuse]^ ERROR: E0133: call to unsafe function `kernel::cpuhp::Registration::<T>::new` is unsafe and requires unsafe function or block
    #[cfg(good)]
    // SAFETY: The caller drops it.
    let registration = unsafe { Registration::new(c"kept", callbacks()) };
    KBox::pin_init(registration, GFP_KERNEL)
}
