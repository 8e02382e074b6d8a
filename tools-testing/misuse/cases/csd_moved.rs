// SPDX-License-Identifier: GPL-2.0

//! The queue of another CPU may link to the request.

use kernel::{
    prelude::*,
    smp::{
        CallContext,
        Csd,
        Handler, //
    }, //
};

pub struct Nothing;

impl Handler for Nothing {
    fn handle(&self, _context: &CallContext) {}
}

pub fn swap(mut one: Pin<KBox<Csd<Nothing>>>, mut other: Pin<KBox<Csd<Nothing>>>) {
    // What points to the request may move.
    core::mem::swap(&mut one, &mut other);
    #[cfg(misuse)]
    core::mem::swap(one.as_mut().get_mut(), &mut *other);
    //~[misuse]^ ERROR: E0277: `PhantomPinned` cannot be unpinned
}
