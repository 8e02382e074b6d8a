// SPDX-License-Identifier: GPL-2.0

//! Allocation. Sets of CPUs fit where the pointers to them would be, so little is allocated. All of it
//! is zeroed, and freed with the machine.

use crate::error::{code::EINVAL, Error};
use core::{alloc::Layout, ops::BitOr, ptr::NonNull};

/// There is no memory.
pub struct AllocError;

/// How to allocate.
#[derive(Clone, Copy)]
pub struct Flags(());

/// Where one may sleep.
pub const GFP_KERNEL: Flags = Flags(());

/// What is allocated is zeroed.
pub const __GFP_ZERO: Flags = Flags(());

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, _other: Self) -> Self {
        self
    }
}

/// Where memory should be.
pub struct NumaNode(());

impl NumaNode {
    /// Anywhere.
    pub const NO_NODE: Self = Self(());

    /// Makes a node of its number, of which there is one.
    pub fn new(node: i32) -> Result<Self, Error> {
        if node == 0 {
            Ok(Self(()))
        } else {
            Err(EINVAL)
        }
    }
}

/// An allocator.
pub trait Allocator {
    /// Allocates as `layout` says.
    fn alloc(layout: Layout, flags: Flags, node: NumaNode) -> Result<NonNull<[u8]>, Error>;
}

pub mod allocator {
    //! Allocators.

    /// The slab allocator.
    pub struct Kmalloc;
}

impl Allocator for allocator::Kmalloc {
    fn alloc(layout: Layout, _flags: Flags, _node: NumaNode) -> Result<NonNull<[u8]>, Error> {
        let memory = NonNull::from(bindings::kzalloc(layout.size(), layout.align()));

        Ok(memory)
    }
}
