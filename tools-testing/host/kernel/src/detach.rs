// SPDX-License-Identifier: GPL-2.0

//! The counts of `kernel::detach`, for a kernel whose code is all built in.

use core::marker::PhantomData;

#[path = "../../../../rust/kernel/detach/references.rs"]
mod references;
#[path = "../../../../rust/kernel/detach/uses.rs"]
mod uses;

/// No module.
#[derive(Clone, Copy)]
struct Module(*mut bindings::module);

impl Module {
    fn of(_code: *const ()) -> Self {
        Self(core::ptr::null_mut())
    }

    fn as_ptr(self) -> *mut bindings::module {
        self.0
    }

    fn get(self) -> bool {
        true
    }

    unsafe fn put(self) {}
}

/// The owner and the uses of an allocation are not needed: only documentation names them.
#[doc(hidden)]
pub struct Use<T>(PhantomData<T>);

/// The references to an allocation.
pub struct References(references::References);

impl References {
    /// Makes that of the owner.
    pub const fn one() -> Self {
        Self(references::References::one())
    }

    /// Takes one more.
    pub fn take_one(&self) {
        self.0.take_one();
    }

    /// Drops one. Returns whether it was the last.
    pub fn drop_one(&self) -> bool {
        self.0.drop_one()
    }

    /// Returns whether there are others.
    pub fn are_more_than_one(&self) -> bool {
        self.0.are_more_than_one()
    }
}

/// The uses of a static.
pub struct Uses(uses::Uses);

impl Uses {
    /// Makes a count of none.
    pub const fn new() -> Self {
        Self(uses::Uses::new())
    }

    /// Begins one.
    pub fn start(&self) {
        let _always = self.0.start(core::ptr::null());
    }

    /// Ends one.
    pub fn end(&self) {
        // SAFETY: The checks end what they have begun.
        unsafe { self.0.end(core::ptr::null()) };
    }

    /// Returns whether one is left.
    pub fn is_used(&self) -> bool {
        self.0.is_used()
    }
}
