// SPDX-License-Identifier: GPL-2.0

//! Static keys that are on for a while.

use kernel::bindings;

/// A static key that is on until this is dropped, and then as it was before.
pub(crate) struct KeyOn {
    key: *mut bindings::static_key,
    was_on: bool,
}

impl KeyOn {
    /// Turns a key on. May sleep.
    ///
    /// # Safety
    ///
    /// `key` must be a key of the kernel, and turned on and off by nothing else meanwhile.
    pub(crate) unsafe fn new(key: *mut bindings::static_key) -> Self {
        // SAFETY: By the safety requirements.
        let was_on = unsafe { bindings::static_key_count(key) } > 0;

        // SAFETY: As above.
        unsafe { bindings::static_key_enable(key) };
        Self { key, was_on }
    }
}

impl Drop for KeyOn {
    fn drop(&mut self) {
        if !self.was_on {
            // SAFETY: By the safety requirements of `new()`.
            unsafe { bindings::static_key_disable(self.key) };
        }
    }
}
