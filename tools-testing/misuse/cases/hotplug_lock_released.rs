// SPDX-License-Identifier: GPL-2.0

//! The callbacks would be registered after the lock is released, and by a C function that needs it.

use kernel::{
    cpuhp::{
        Callbacks,
        HotplugLock,
        Online,
        Registration,
        State, //
    },
    prelude::*,
    sync::Arc, //
};

pub struct Device;

impl Callbacks for Device {
    type Section = Online;
}

pub fn add(state: &Arc<State<Device>>) -> Result<Pin<KBox<Registration<Device>>>> {
    let lock = HotplugLock::new();
    let device = Registration::instance_locked(&lock, state, try_init!(Device {}? Error));

    #[cfg(misuse)]
    drop(lock);
    //~[misuse]^ ERROR: E0505: cannot move out of `lock` because it is borrowed
    KBox::pin_init(device, GFP_KERNEL)
}
