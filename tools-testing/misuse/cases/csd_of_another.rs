// SPDX-License-Identifier: GPL-2.0

//! A csd in another allocation would not live as long as the object.

use core::ops::{
    Deref,
    DerefMut, //
};
use kernel::{
    prelude::*,
    smp::{
        impl_has_csd,
        CallContext,
        OwnedCsd,
        OwnedHandler,
        Sent, //
    },
    sync::Arc, //
};

pub struct Csds {
    csd: OwnedCsd<Request>,
}

#[cfg(misuse)]
pub struct Request {
    csds: KBox<Csds>,
}

#[cfg(good)]
pub struct Request {
    csd: OwnedCsd<Self>,
    csds: KBox<Csds>,
}

impl Deref for Request {
    type Target = Csds;

    fn deref(&self) -> &Csds {
        &self.csds
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Csds {
        &mut self.csds
    }
}

impl_has_csd! {
    impl HasCsd<Self> for Request { self.csd }
    //~[misuse]^ ERROR: E0609: no field `csd` on type `Request`
}

impl OwnedHandler for Request {
    type Pointer = Arc<Self>;

    fn handle(this: Sent<'_, Arc<Self>>, _context: &CallContext) {
        let _ = &this.csds.csd;
    }
}
