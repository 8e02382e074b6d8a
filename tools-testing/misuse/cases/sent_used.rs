// SPDX-License-Identifier: GPL-2.0

//! An object in a box belongs to its handler when it is sent.

use kernel::{
    cpu::CpuId,
    prelude::*,
    smp::{
        impl_has_csd,
        send,
        CallContext,
        OwnedCsd,
        OwnedHandler,
        Sent, //
    }, //
};

pub struct Request {
    number: u32,
    csd: OwnedCsd<Self>,
}

impl_has_csd! {
    impl HasCsd<Self> for Request { self.csd }
}

impl OwnedHandler for Request {
    type Pointer = Pin<KBox<Self>>;

    fn handle(_this: Sent<'_, Pin<KBox<Self>>>, _context: &CallContext) {}
}

pub fn give_away(request: Pin<KBox<Request>>, cpu: CpuId) -> u32 {
    #[cfg(good)]
    let number = request.number;
    let sent = send(request, cpu);
    #[cfg(misuse)]
    let number = request.number;
    //~[misuse]^ ERROR: E0382: borrow of moved value: `request`
    drop(sent);
    number
}
