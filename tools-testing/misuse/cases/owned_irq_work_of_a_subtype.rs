// SPDX-License-Identifier: GPL-2.0

//! An IRQ work runs the handler of its own type. Where a type is a subtype of another one, its works are not.

use kernel::irq_work::OwnedIrqWork;

pub type ForAny = for<'a> fn(&'a u8);
#[cfg(misuse)]
pub type Other = fn(&'static u8);
#[cfg(good)]
pub type Other = ForAny;

pub fn move_to(work: OwnedIrqWork<Other>) -> OwnedIrqWork<ForAny> {
    work
    //~[misuse]^ ERROR: E0308: mismatched types
}
