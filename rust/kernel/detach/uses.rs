// SPDX-License-Identifier: GPL-2.0

//! The uses of a static.

use super::Module;
use crate::{
    bindings,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};
use core::ptr;

/// The uses of a static by the CPUs that it was sent to.
///
/// # Invariants
///
/// - For each use that this counts there is a reference to the module of its code.
/// - All uses are of the same code. If `module` is not null, it is the module of that.
pub(crate) struct Uses {
    count: Atomic<u32>,
    /// The module of the code, or null if it was not looked up yet, or is built in.
    module: Atomic<*mut bindings::module>,
}

impl Uses {
    pub(crate) const fn new() -> Self {
        Self {
            count: Atomic::new(0),
            module: Atomic::new(ptr::null_mut()),
        }
    }

    /// Returns the module of `code`, which takes longer the first time.
    #[inline]
    fn module_of(&self, code: *const ()) -> Module {
        let known = self.module.load(Relaxed);
        if !known.is_null() {
            return Module(known);
        }

        let module = Module::of(code);
        if !module.as_ptr().is_null() {
            self.module.store(module.as_ptr(), Relaxed);
        }
        module
    }

    /// Takes a reference to the module of `code`, and counts a use. In any context.
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module is being unloaded.
    #[inline]
    pub(crate) fn start(&self, code: *const ()) -> Result {
        if !self.module_of(code).get() {
            return Err(ENODEV);
        }
        self.count.add(1, Relaxed);
        Ok(())
    }

    /// Ends a use.
    ///
    /// # Safety
    ///
    /// There is a use of this `code` that ends here. As for [`Module::put`], the static may be freed
    /// after this, with the code.
    #[inline]
    pub(crate) unsafe fn end(&self, code: *const ()) {
        let module = self.module_of(code);

        // ORDERING: Pairs with the acquire in `is_used()`.
        self.count.fetch_sub(1, Release);
        // SAFETY: The use had this reference, by the type invariants.
        unsafe { module.put() };
    }

    /// Returns whether a use is left. If not, the caller sees what all of them have written.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        // ORDERING: Pairs with the release in `end()`.
        self.count.load(Acquire) != 0
    }
}
