// SPDX-License-Identifier: GPL-2.0

//! A csd that is forgotten in flight is not dropped, and its handler still runs.

use kernel::{
    smp::{
        CallContext,
        Handler, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

pub struct Adds<'a>(&'a Atomic<u32>);

impl Adds<'_> {
    pub fn add(&self) {
        self.0.add(1, Relaxed);
    }
}

#[cfg(good)]
impl Handler for Adds<'static> {
    fn handle(&self, _context: &CallContext) {
        self.add();
    }
}

#[cfg(misuse)]
impl<'a> Handler for Adds<'a> {
    //~[misuse]^ ERROR: E0478: lifetime bound not satisfied
    //~[misuse]| ERROR: E0803: cannot infer an appropriate lifetime for lifetime parameter `'a` due to conflicting requirements
    fn handle(&self, _context: &CallContext) {
        self.add();
    }
}
