// SPDX-License-Identifier: GPL-2.0

//! Atomic accesses to plain memory, as C makes them.
//!
//! loom has atomics of its own, which are no memory. There is one for each address that is accessed.
//! Those of variables that are never freed are made before the CPUs start, so that all CPUs know
//! them; which these are is learned first, by executions that use plain memory and check nothing. One
//! on a stack or in a box is made by the first access: that this comes before all other accesses
//! is one more thing that loom checks. A variable that was not learned is made so too; if two CPUs
//! access it, loom may find a fault that is none, but never overlooks one.

use crate::machine;

/// How an access is ordered, in the words of the kernel's Rust.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Not at all.
    Relaxed,
    /// Later accesses come after.
    Acquire,
    /// Earlier accesses come before.
    Release,
    /// Both, and more.
    Full,
}

/// A place in memory that is accessed as one, of 4 or 8 bytes.
#[derive(Clone, Copy)]
pub struct Place {
    address: *mut u8,
    size: usize,
}

impl Place {
    /// Names the place of a `T`.
    ///
    /// # Safety
    ///
    /// `address` is valid for as long as the place is used, and all who share it use it so.
    pub unsafe fn new<T>(address: *mut T) -> Self {
        assert!(matches!(size_of::<T>(), 4 | 8));
        Self {
            address: address.cast(),
            size: size_of::<T>(),
        }
    }

    /// Reads the place.
    pub fn load(self, order: Order) -> u64 {
        machine::before_access();
        backend::load(self, order)
    }

    /// Writes the place.
    pub fn store(self, value: u64, order: Order) {
        machine::before_access();
        backend::store(self, value, order);
    }

    /// Writes the place, and returns what was there.
    pub fn swap(self, value: u64, order: Order) -> u64 {
        machine::before_access();
        backend::swap(self, value, order)
    }

    /// Writes the place if `old` is there.
    ///
    /// # Errors
    ///
    /// - What is there instead.
    pub fn compare_exchange(self, old: u64, new: u64, order: Order) -> Result<u64, u64> {
        machine::before_access();
        backend::compare_exchange(self, old, new, order)
    }

    /// Adds to the place, and returns what was there.
    pub fn fetch_add(self, value: u64, order: Order) -> u64 {
        machine::before_access();
        backend::fetch_add(self, value, order)
    }
}

/// The orderings of an exchange, and of one that fails.
fn exchange(order: Order) -> (crate::sys::Ordering, crate::sys::Ordering) {
    use crate::sys::Ordering;

    match order {
        Order::Relaxed => (Ordering::Relaxed, Ordering::Relaxed),
        Order::Acquire => (Ordering::Acquire, Ordering::Relaxed),
        Order::Release => (Ordering::Release, Ordering::Relaxed),
        Order::Full => (Ordering::SeqCst, Ordering::Relaxed),
    }
}

/// The ordering of a load or a store.
fn single(order: Order) -> crate::sys::Ordering {
    use crate::sys::Ordering;

    match order {
        Order::Relaxed => Ordering::Relaxed,
        Order::Acquire => Ordering::Acquire,
        Order::Release => Ordering::Release,
        Order::Full => panic!("no load or store is ordered so"),
    }
}

#[cfg(feature = "loom")]
use loom::sync::atomic::{fence, Ordering};
#[cfg(not(feature = "loom"))]
use std::sync::atomic::{fence, Ordering};

/// Orders all accesses before against all after.
pub fn smp_mb() {
    fence(Ordering::SeqCst);
}

/// Orders all stores before against all stores after.
pub fn smp_wmb() {
    fence(Ordering::Release);
}

/// Does the same to an atomic of either size.
macro_rules! either {
    ($atomic:expr, $as:ident => $op:expr) => {
        match $atomic {
            Either::Small($as) => u64::from($op),
            Either::Large($as) => $op,
        }
    };
}

#[cfg(not(feature = "loom"))]
mod backend {
    use super::{exchange, single, Order, Place};
    use std::sync::atomic::{AtomicU32, AtomicU64};

    enum Either<'a> {
        Small(&'a AtomicU32),
        Large(&'a AtomicU64),
    }

    /// The memory itself. Under shuttle, a point at which another CPU may run.
    fn at<'a>(place: Place) -> Either<'a> {
        #[cfg(feature = "shuttle")]
        crate::machine::switch();
        if place.size == 4 {
            // SAFETY: By the safety requirements of `Place::new()`.
            Either::Small(unsafe { AtomicU32::from_ptr(place.address.cast()) })
        } else {
            // SAFETY: As above.
            Either::Large(unsafe { AtomicU64::from_ptr(place.address.cast()) })
        }
    }

    pub(super) fn load(place: Place, order: Order) -> u64 {
        either!(at(place), a => a.load(single(order)))
    }

    pub(super) fn store(place: Place, value: u64, order: Order) {
        match at(place) {
            Either::Small(a) => a.store(value as u32, single(order)),
            Either::Large(a) => a.store(value, single(order)),
        }
    }

    pub(super) fn swap(place: Place, value: u64, order: Order) -> u64 {
        either!(at(place), a => a.swap(value as _, exchange(order).0))
    }

    pub(super) fn compare_exchange(
        place: Place,
        old: u64,
        new: u64,
        order: Order,
    ) -> Result<u64, u64> {
        let (success, failure) = exchange(order);

        match at(place) {
            Either::Small(a) => a
                .compare_exchange(old as u32, new as u32, success, failure)
                .map(u64::from)
                .map_err(u64::from),
            Either::Large(a) => a.compare_exchange(old, new, success, failure),
        }
    }

    pub(super) fn fetch_add(place: Place, value: u64, order: Order) -> u64 {
        either!(at(place), a => a.fetch_add(value as _, exchange(order).0))
    }
}

#[cfg(feature = "loom")]
pub mod backend {
    //! The atomics of loom by their address.

    use super::{exchange, single, Order, Place};
    use loom::sync::atomic::{AtomicU32, AtomicU64};
    use std::{
        cell::RefCell,
        collections::{BTreeMap, HashMap},
        rc::Rc,
    };

    enum Either {
        Small(AtomicU32),
        Large(AtomicU64),
    }

    impl Either {
        fn new(address: usize, size: usize) -> Self {
            // SAFETY: As the place that was named, this is valid, and the memory itself is not written.
            unsafe {
                if size == 4 {
                    Self::Small(AtomicU32::new((address as *const u32).read_volatile()))
                } else {
                    Self::Large(AtomicU64::new((address as *const u64).read_volatile()))
                }
            }
        }
    }

    #[derive(Default)]
    struct Known {
        /// The atomics of this execution.
        atomics: HashMap<usize, Rc<Either>>,
        /// What is made before the CPUs start, with its size.
        lasting: BTreeMap<usize, usize>,
        learning: bool,
    }

    std::thread_local! {
        // loom runs all threads of an execution in one thread.
        static KNOWN: RefCell<Known> = RefCell::default();
    }

    /// Makes the atomics that are known to be needed, at the beginning of an execution.
    pub fn begin() {
        KNOWN.with_borrow_mut(|known| {
            known.atomics.clear();
            if !known.learning {
                known.atomics = known
                    .lasting
                    .iter()
                    .map(|(address, size)| (*address, Rc::new(Either::new(*address, *size))))
                    .collect();
            }
        });
    }

    /// Says whether executions only learn which variables there are.
    pub fn set_learning(learning: bool) {
        KNOWN.with_borrow_mut(|known| known.learning = learning);
    }

    /// Returns whether this execution only learns.
    pub fn learning() -> bool {
        KNOWN.with_borrow(|known| known.learning)
    }

    /// The atomic of a place; none while variables are learned.
    fn at(place: Place) -> Option<Rc<Either>> {
        let address = place.address as usize;

        KNOWN.with_borrow_mut(|known| {
            if known.learning {
                if crate::machine::is_lasting(address) {
                    known.lasting.insert(address, place.size);
                }
                return None;
            }
            if let Some(atomic) = known.atomics.get(&address) {
                return Some(atomic.clone());
            }
            let atomic = Rc::new(Either::new(address, place.size));
            known.atomics.insert(address, atomic.clone());
            Some(atomic)
        })
    }

    /// Does to plain memory what will be done to an atomic.
    fn plainly(place: Place, change: impl FnOnce(u64) -> Option<u64>) -> u64 {
        // SAFETY: By the safety requirements of `Place::new()`; loom runs one thread at a time.
        unsafe {
            let old = if place.size == 4 {
                u64::from(place.address.cast::<u32>().read())
            } else {
                place.address.cast::<u64>().read()
            };
            if let Some(new) = change(old) {
                if place.size == 4 {
                    place.address.cast::<u32>().write(new as u32);
                } else {
                    place.address.cast::<u64>().write(new);
                }
            }
            old
        }
    }

    pub(super) fn load(place: Place, order: Order) -> u64 {
        let Some(atomic) = at(place) else {
            return plainly(place, |_| None);
        };
        either!(&*atomic, a => a.load(single(order)))
    }

    pub(super) fn store(place: Place, value: u64, order: Order) {
        let Some(atomic) = at(place) else {
            plainly(place, |_| Some(value));
            return;
        };
        match &*atomic {
            Either::Small(a) => a.store(value as u32, single(order)),
            Either::Large(a) => a.store(value, single(order)),
        }
    }

    pub(super) fn swap(place: Place, value: u64, order: Order) -> u64 {
        let Some(atomic) = at(place) else {
            return plainly(place, |_| Some(value));
        };
        either!(&*atomic, a => a.swap(value as _, exchange(order).0))
    }

    pub(super) fn compare_exchange(
        place: Place,
        old: u64,
        new: u64,
        order: Order,
    ) -> Result<u64, u64> {
        let Some(atomic) = at(place) else {
            let there = plainly(place, |there| (there == old).then_some(new));
            return if there == old { Ok(there) } else { Err(there) };
        };
        let (success, failure) = exchange(order);
        match &*atomic {
            Either::Small(a) => a
                .compare_exchange(old as u32, new as u32, success, failure)
                .map(u64::from)
                .map_err(u64::from),
            Either::Large(a) => a.compare_exchange(old, new, success, failure),
        }
    }

    pub(super) fn fetch_add(place: Place, value: u64, order: Order) -> u64 {
        let Some(atomic) = at(place) else {
            return plainly(place, |old| Some(old.wrapping_add(value)));
        };
        either!(&*atomic, a => a.fetch_add(value as _, exchange(order).0))
    }
}
