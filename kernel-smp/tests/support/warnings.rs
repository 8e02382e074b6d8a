// SPDX-License-Identifier: GPL-2.0

//! Counting warnings instead of printing them.

use kernel::{
    bindings,
    prelude::*, //
};

/// Calls `f` and returns how many warnings the current task gave meanwhile.
///
/// They are not printed. A `WARN_ONCE()` of Rust can still be given afterwards.
pub(crate) fn warnings_of(f: impl FnOnce()) -> Result<c_int> {
    // SAFETY: May be called in any task.
    let test = unsafe { bindings::kunit_get_current_test() };
    if test.is_null() {
        return Err(EINVAL);
    }

    // SAFETY: The test is that of the current task.
    let suppressed = unsafe { bindings::kunit_start_suppress_warning(test) };
    if suppressed.is_null() {
        return Err(ENOMEM);
    }

    f();

    // SAFETY: The suppression was started above.
    let count = unsafe { bindings::kunit_suppressed_warning_count(suppressed) };
    // SAFETY: As above.
    unsafe { bindings::kunit_end_suppress_warning(test, suppressed) };
    Ok(count)
}

/// `oops_in_progress` is set until this is dropped.
pub(crate) struct Oops(());

impl Oops {
    /// Sets it.
    pub(crate) fn new() -> Self {
        Self::add(1);
        Self(())
    }

    fn add(n: c_int) {
        let place = &raw mut bindings::oops_in_progress;

        // SAFETY: The variable is an `int` of C that is otherwise written only during an oops.
        let was = unsafe { place.read_volatile() };
        // SAFETY: As above.
        unsafe { place.write_volatile(was.wrapping_add(n)) };
    }
}

impl Drop for Oops {
    fn drop(&mut self) {
        Self::add(-1);
    }
}
