// SPDX-License-Identifier: GPL-2.0

//! Atomic variables, in plain memory.

use bindings::memory::{Order, Place};
use core::cell::UnsafeCell;

#[path = "../../../../../rust/kernel/sync/atomic/cond.rs"]
mod cond;

pub mod ordering {
    //! Orderings.

    use bindings::memory::Order;

    /// The orderings of loads, by name.
    pub enum OrderingType {
        /// That of [`Relaxed`](super::Relaxed), and all that no load has.
        Relaxed,
        /// That of [`Acquire`](super::Acquire).
        Acquire,
    }

    /// An ordering.
    pub trait Ordering {
        /// Its name.
        const ORDER: Order;
        /// Its name as that of a load.
        const TYPE: OrderingType = match Self::ORDER {
            Order::Acquire => OrderingType::Acquire,
            _ => OrderingType::Relaxed,
        };
    }

    /// An ordering of loads.
    pub trait AcquireOrRelaxed: Ordering {}

    /// An ordering of stores.
    pub trait ReleaseOrRelaxed: Ordering {}
}
use ordering::{AcquireOrRelaxed, Ordering, ReleaseOrRelaxed};

macro_rules! orderings {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Ordering for $name {
                const ORDER: Order = Order::$name;
            }
        )*
    };
}

orderings! {
    /// None.
    Relaxed
    /// Later accesses come after.
    Acquire
    /// Earlier accesses come before.
    Release
    /// All accesses before come before all after.
    Full
}

impl AcquireOrRelaxed for Relaxed {}
impl AcquireOrRelaxed for Acquire {}
impl ReleaseOrRelaxed for Relaxed {}
impl ReleaseOrRelaxed for Release {}

/// A type that can be loaded and stored.
pub trait AtomicBasicOps {}

impl<T> AtomicBasicOps for T {}

/// What can be in an atomic variable.
pub trait AtomicType: Copy {
    /// What has the operations.
    type Repr: AtomicBasicOps;

    /// As a number.
    fn to_bits(self) -> u64;
    /// From a number.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl AtomicType for $type {
            type Repr = Self;

            fn to_bits(self) -> u64 {
                self as u64
            }

            fn from_bits(bits: u64) -> Self {
                bits as Self
            }
        })*
    };
}

numbers! { i32 u32 i64 u64 }

impl AtomicType for bool {
    type Repr = Self;

    fn to_bits(self) -> u64 {
        self.into()
    }

    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl<T> AtomicType for *mut T {
    type Repr = Self;

    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    fn from_bits(bits: u64) -> Self {
        core::ptr::with_exposed_provenance_mut(bits as usize)
    }
}

/// An atomic variable.
#[repr(transparent)]
pub struct Atomic<T>(UnsafeCell<T>);

// SAFETY: Its value may be sent.
unsafe impl<T: AtomicType> Send for Atomic<T> {}

// SAFETY: All accesses are atomic.
unsafe impl<T: AtomicType> Sync for Atomic<T> {}

impl<T: AtomicType> Atomic<T> {
    /// Makes a variable.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// `ptr` is valid as long as the reference is, and all who share it use it as an atomic.
    pub unsafe fn from_ptr<'a>(ptr: *mut T) -> &'a Self {
        // SAFETY: By the safety requirements.
        unsafe { &*ptr.cast() }
    }

    /// Returns the address.
    pub fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    fn place(&self) -> Place {
        // SAFETY: The variable lives as long as this is used.
        unsafe { Place::new(self.as_ptr()) }
    }

    /// Reads.
    pub fn load<O: AcquireOrRelaxed>(&self, _: O) -> T {
        T::from_bits(self.place().load(O::ORDER))
    }

    /// Writes.
    pub fn store<O: ReleaseOrRelaxed>(&self, value: T, _: O) {
        self.place().store(value.to_bits(), O::ORDER);
    }

    /// Writes, and returns what was there.
    pub fn xchg<O: Ordering>(&self, value: T, _: O) -> T {
        T::from_bits(self.place().swap(value.to_bits(), O::ORDER))
    }

    /// Writes if `old` is there.
    pub fn cmpxchg<O: Ordering>(&self, old: T, new: T, _: O) -> Result<T, T> {
        self.place()
            .compare_exchange(old.to_bits(), new.to_bits(), O::ORDER)
            .map(T::from_bits)
            .map_err(T::from_bits)
    }

    /// Adds.
    pub fn add<O: Ordering>(&self, value: T, order: O) {
        self.fetch_add(value, order);
    }

    /// Adds, and returns what was there.
    pub fn fetch_add<O: Ordering>(&self, value: T, _: O) -> T {
        T::from_bits(self.place().fetch_add(value.to_bits(), O::ORDER))
    }

    /// Subtracts, and returns what was there.
    pub fn fetch_sub<O: Ordering>(&self, value: T, order: O) -> T {
        self.fetch_add(T::from_bits(value.to_bits().wrapping_neg()), order)
    }
}

/// A flag, as large as a number.
pub struct AtomicFlag(Atomic<u32>);

impl AtomicFlag {
    /// Makes a flag.
    pub const fn new(value: bool) -> Self {
        Self(Atomic::new(value as u32))
    }

    /// Writes.
    pub fn store<O: ReleaseOrRelaxed>(&self, value: bool, order: O) {
        self.0.store(value.into(), order);
    }

    /// Writes, and returns what was there.
    pub fn xchg<O: Ordering>(&self, value: bool, order: O) -> bool {
        self.0.xchg(value.into(), order) != 0
    }
}
