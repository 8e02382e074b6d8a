// SPDX-License-Identifier: GPL-2.0

//! A csd runs the handler of its own type. Where a type is a subtype of another one, the csds are not.

use kernel::smp::OwnedCsd;

pub type ForAny = for<'a> fn(&'a u8);
#[cfg(misuse)]
pub type Other = fn(&'static u8);
#[cfg(good)]
pub type Other = ForAny;

pub fn move_to(csd: OwnedCsd<Other>) -> OwnedCsd<ForAny> {
    csd
    //~[misuse]^ ERROR: E0308: mismatched types
}
