// SPDX-License-Identifier: GPL-2.0

//! CPUs come and go after the lock is released.

use kernel::cpuhp::HotplugLock;

pub fn count() -> usize {
    let lock = HotplugLock::new();
    let online = lock.online();

    #[cfg(misuse)]
    drop(lock);
    //~[misuse]^ ERROR: E0505: cannot move out of `lock` because it is borrowed
    online.iter().count()
}
