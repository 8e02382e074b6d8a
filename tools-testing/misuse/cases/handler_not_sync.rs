// SPDX-License-Identifier: GPL-2.0

//! The owner of the csd may use the handler while it runs on another CPU.

use core::cell::Cell;
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

pub struct Shared(Atomic<u32>);

impl Handler for Shared {
    fn handle(&self, _context: &CallContext) {
        self.0.add(1, Relaxed);
    }
}

pub struct Unshared(Cell<u32>);

#[cfg(misuse)]
impl Handler for Unshared {
    //~[misuse]^ ERROR: E0277: `Cell<u32>` cannot be shared between threads safely
    fn handle(&self, _context: &CallContext) {
        self.0.set(1);
    }
}
