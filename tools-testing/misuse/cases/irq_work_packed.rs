// SPDX-License-Identifier: GPL-2.0

//! A field of a packed struct may be at any address.

use kernel::{
    irq_work::{
        impl_has_irq_work,
        OwnedHandler,
        OwnedIrqWork,
        WorkContext, //
    },
    smp::Sent,
    sync::Arc, //
};

#[cfg_attr(misuse, repr(C, packed))]
pub struct Fence {
    signaled: u8,
    work: OwnedIrqWork<Self>,
}

impl_has_irq_work! {
    impl HasIrqWork<Self> for Fence { self.work }
    //~[misuse]^^ ERROR: E0793: reference to field of packed struct is unaligned
}

impl OwnedHandler for Fence {
    type Pointer = Arc<Self>;

    fn handle(this: Sent<'_, Arc<Self>>, _context: &WorkContext) {
        let _ = this.signaled;
    }
}
