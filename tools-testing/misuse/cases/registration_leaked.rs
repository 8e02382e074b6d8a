// SPDX-License-Identifier: GPL-2.0

//! A registration that is leaked by a module leaves callbacks that are gone.

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
    core::mem::forget(KBox::pin_init(Registration::new(c"leaked", callbacks()), GFP_KERNEL)?);
    //~[misuse]^ ERROR: E0133: call to unsafe function `kernel::cpuhp::Registration::<T>::new` is unsafe and requires unsafe function or block
    // SAFETY: The caller drops it.
    KBox::pin_init(unsafe { Registration::new(c"kept", callbacks()) }, GFP_KERNEL)
}
