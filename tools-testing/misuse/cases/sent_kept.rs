// SPDX-License-Identifier: GPL-2.0

//! What a handler has got is dropped when it returns, or is taken out.

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

pub struct Request {
    csd: OwnedCsd<Self>,
}

impl_has_csd! {
    impl HasCsd<Self> for Request { self.csd }
}

#[cfg(misuse)]
fn keep(_request: Sent<'static, Arc<Request>>) {}

#[cfg(good)]
fn keep(request: Sent<'_, Arc<Request>>) {
    let _: Arc<Request> = request.into_inner();
}

impl OwnedHandler for Request {
    type Pointer = Arc<Self>;

    fn handle(this: Sent<'_, Arc<Self>>, _context: &CallContext) {
        keep(this);
        //~[misuse]^ ERROR: E0521: borrowed data escapes outside of associated function
    }
}

pub fn make() -> Result<Arc<Request>> {
    let request = Request {
        csd: OwnedCsd::new(),
    };
    Ok(Arc::new(request, GFP_KERNEL)?)
}
