// SPDX-License-Identifier: GPL-2.0

//! A csd that is dropped in flight has its handler dropped by a worker.

use kernel::{
    prelude::*,
    smp::{
        CallContext,
        Handler, //
    },
    sync::lock::Guard, //
};

pub struct Sendable(u32);

impl Handler for Sendable {
    fn handle(&self, _context: &CallContext) {
        let _ = self.0;
    }
}

pub struct Unlocks(Guard<'static, u32, kernel::sync::lock::mutex::MutexBackend>);

impl Unlocks {
    pub fn value(&self) -> u32 {
        *self.0
    }
}

#[cfg(misuse)]
impl Handler for Unlocks {
    //~[misuse]^ ERROR: E0277: `*mut ()` cannot be sent between threads safely
    fn handle(&self, _context: &CallContext) {
        self.value();
    }
}
