// SPDX-License-Identifier: GPL-2.0

//! Allocation. Here sets of CPUs fit where the pointers to them would be, so nothing is allocated.

use crate::error::{code::ENOMEM, Error};
use core::{alloc::Layout, ptr::NonNull};

/// How to allocate.
#[derive(Clone, Copy)]
pub struct Flags(());

/// Where one may sleep.
pub const GFP_KERNEL: Flags = Flags(());

/// Where memory should be.
pub struct NumaNode(());

impl NumaNode {
    /// Anywhere.
    pub const NO_NODE: Self = Self(());
}

/// An allocator.
pub trait Allocator {
    /// Allocates as `layout` says.
    fn alloc(layout: Layout, flags: Flags, node: NumaNode) -> Result<NonNull<[u8]>, Error>;
}

pub mod allocator {
    //! Allocators.

    /// The slab allocator, which is empty.
    pub struct Kmalloc;
}

impl Allocator for allocator::Kmalloc {
    fn alloc(_layout: Layout, _flags: Flags, _node: NumaNode) -> Result<NonNull<[u8]>, Error> {
        Err(ENOMEM)
    }
}
