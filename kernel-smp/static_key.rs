// SPDX-License-Identifier: GPL-2.0

//! Seam: static keys.
//!
//! A static key is a condition that seldom changes. Each look at it is one jump, or one nop, which
//! the kernel patches when the key changes.
//!
//! C header: [`include/linux/jump_label.h`](srctree/include/linux/jump_label.h)

/// Returns whether `$key` is on, a `static_key_false` of C: the code for that is out of line.
macro_rules! static_branch_unlikely {
    ($key:path) => {
        $crate::static_key::static_branch!($key, ::kernel::bindings::static_key_false, false)
    };
}

/// Returns whether `$key` is on, a `static_key_true` of C: the code for that is in line.
#[cfg_attr(not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT), expect(unused_macros))]
macro_rules! static_branch_likely {
    ($key:path) => {
        !$crate::static_key::static_branch!($key, ::kernel::bindings::static_key_true, true)
    };
}

/// Returns whether `$key` is not `$initial`, the value that it is defined with.
macro_rules! static_branch {
    ($key:path, $type:ty, $initial:literal) => {{
        #[cfg(CONFIG_JUMP_LABEL)]
        let changed =
            // SAFETY: The key is one of C, of this type.
            unsafe { ::kernel::jump_label::arch_static_branch!($key, $type, key, $initial) };

        #[cfg(not(CONFIG_JUMP_LABEL))]
        let changed = {
            let key: *mut $type = &raw mut $key;

            // SAFETY: The key is one of C.
            let count = unsafe { ::kernel::bindings::static_key_count(key.cast()) };

            (count > 0) != $initial
        };
        changed
    }};
}

#[cfg_attr(not(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT), expect(unused_imports))]
pub(crate) use static_branch_likely;
pub(crate) use {
    static_branch,
    static_branch_unlikely, //
};
