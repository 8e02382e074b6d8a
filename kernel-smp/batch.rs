// SPDX-License-Identifier: GPL-2.0

//! What a CPU has taken off its queue and not yet run, in the order in which it is run.
//!
//! First all `Sync` requests, because somebody waits for them; then `Async` ones and IRQ work; then
//! the tasks to wake up, all at once. Inside each class the order is that of arrival.

use crate::csd::{
    Csd,
    Kind,
    Node, //
};
use core::{
    cell::Cell,
    mem,
    ptr, //
};

/// Entries of one class that were taken off a queue, in the order of arrival.
///
/// # Invariants
///
/// `first` leads to valid entries, or is null. No other CPU reaches them. A copy of this list does:
/// it is only looked at, and is gone before this list changes.
pub(crate) struct List {
    first: Cell<*mut Node>,
}

impl List {
    const fn new() -> Self {
        // INVARIANT: There are no entries.
        Self {
            first: Cell::new(ptr::null_mut()),
        }
    }

    /// Makes a list of what was taken off a queue.
    ///
    /// # Safety
    ///
    /// `newest` is what `Queue::take_all()` returned.
    pub(crate) unsafe fn of(mut newest: *mut Node) -> Self {
        let mut first: *mut Node = ptr::null_mut();

        while !newest.is_null() {
            let node = newest;
            // SAFETY: The entry is valid, by the safety requirements.
            newest = unsafe { (*node).next };
            // SAFETY: The entry is valid and nobody else's, by the safety requirements.
            unsafe { (*node).next = mem::replace(&mut first, node) };
        }
        // INVARIANT: By the safety requirements.
        Self {
            first: Cell::new(first),
        }
    }

    #[inline(always)]
    fn copy(&self) -> Self {
        Self {
            first: Cell::new(self.first.get()),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Adds the entries that `first` leads to.
    ///
    /// # Safety
    ///
    /// `first` is as the type invariants say.
    #[inline(always)]
    unsafe fn append(&self, first: *mut Node) {
        if self.is_empty() {
            // INVARIANT: By the safety requirements.
            self.first.set(first);
            return;
        }

        let mut last = self.first.get();
        loop {
            // SAFETY: The entry is valid, by the type invariants.
            let next = unsafe { (*last).next };
            if next.is_null() {
                break;
            }
            last = next;
        }
        // INVARIANT: By the safety requirements.
        // SAFETY: The entry is valid, and nobody else's, by the type invariants.
        unsafe { (*last).next = first };
    }

    /// Takes all entries out at once. Returns the first, which leads to the others.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<Csd> {
        // INVARIANT: There are no entries any more.
        let node = self.first.replace(ptr::null_mut());

        // SAFETY: An entry is valid, by the type invariants.
        (!node.is_null()).then(|| unsafe { Csd::from_node(node) })
    }

    /// Takes the first entry out: it can be sent again, or be gone, as soon as it is run.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<Csd> {
        let node = self.first.get();
        if node.is_null() {
            return None;
        }

        // INVARIANT: The entry that leaves is not reached any more.
        // SAFETY: The entry is valid, by the type invariants.
        self.first.set(unsafe { (*node).next });
        // SAFETY: As above.
        Some(unsafe { Csd::from_node(node) })
    }

    /// Returns whether there is an entry that `wanted` names.
    pub(crate) fn has(&self, wanted: impl Fn(Csd) -> bool) -> bool {
        let mut node = self.first.get();

        while !node.is_null() {
            // SAFETY: The entry is valid, by the type invariants.
            if wanted(unsafe { Csd::from_node(node) }) {
                return true;
            }
            // SAFETY: As above.
            node = unsafe { (*node).next };
        }
        false
    }

    /// Takes the first entry out that `wanted` names, wherever it is.
    pub(crate) fn pop_if(&self, wanted: impl Fn(Csd) -> bool) -> Option<Csd> {
        let mut link: *mut *mut Node = self.first.as_ptr();

        loop {
            // SAFETY: This is `first`, or the link of an entry that stays, by the type invariants.
            let node = unsafe { *link };
            if node.is_null() {
                return None;
            }

            // SAFETY: The entry is valid, by the type invariants.
            let csd = unsafe { Csd::from_node(node) };
            // SAFETY: As above; this only computes an address.
            let next = unsafe { &raw mut (*node).next };
            if wanted(csd) {
                // SAFETY: As above.
                let after = unsafe { *next };
                // INVARIANT: The entry that leaves is not reached any more.
                // SAFETY: As for the read of `link`.
                unsafe { *link = after };
                return Some(csd);
            }
            link = next;
        }
    }

    /// Calls `look` with each entry.
    pub(crate) fn for_each(&self, look: impl Fn(Csd)) {
        let mut node = self.first.get();

        while !node.is_null() {
            // SAFETY: The entry is valid, by the type invariants.
            look(unsafe { Csd::from_node(node) });
            // SAFETY: As above.
            node = unsafe { (*node).next };
        }
    }
}

/// Entries that were taken off a queue and are not yet run, by class.
pub(crate) struct Batch {
    pub(crate) sync: List,
    /// `Async` requests and IRQ work.
    pub(crate) other: List,
    pub(crate) wake_ups: List,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self {
            sync: List::new(),
            other: List::new(),
            wake_ups: List::new(),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.sync.is_empty() && self.other.is_empty() && self.wake_ups.is_empty()
    }

    /// Adds all entries of `newest` to the list of their class, in the order of arrival.
    ///
    /// # Safety
    ///
    /// `newest` is what `Queue::take_all()` returned.
    #[inline(always)]
    pub(crate) unsafe fn add(&self, mut newest: *mut Node) {
        let mut sync: *mut Node = ptr::null_mut();
        let mut other: *mut Node = ptr::null_mut();
        let mut wake_ups: *mut Node = ptr::null_mut();

        while !newest.is_null() {
            let node = newest;
            // SAFETY: The entry is valid, by the safety requirements.
            newest = unsafe { (*node).next };
            // SAFETY: As above.
            let next = match unsafe { Csd::from_node(node) }.kind() {
                Kind::Sync => mem::replace(&mut sync, node),
                Kind::Ttwu => mem::replace(&mut wake_ups, node),
                Kind::Async | Kind::IrqWork | Kind::Unknown => mem::replace(&mut other, node),
            };
            // SAFETY: The entry is valid and nobody else's, by the safety requirements.
            unsafe { (*node).next = next };
        }

        // SAFETY: What was taken off is nobody else's.
        unsafe { self.sync.append(sync) };
        // SAFETY: As above.
        unsafe { self.other.append(other) };
        // SAFETY: As above.
        unsafe { self.wake_ups.append(wake_ups) };
    }

    /// Another way to look at the same entries, so that this one can stay in registers. It has to be
    /// gone before this one changes.
    #[inline(always)]
    pub(crate) fn copy(&self) -> Self {
        Self {
            sync: self.sync.copy(),
            other: self.other.copy(),
            wake_ups: self.wake_ups.copy(),
        }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> u64 {
        let number = Cell::new(0u64);

        self.for_each(|_| number.set(number.get().wrapping_add(1)));
        number.get()
    }

    /// Calls `look` with each entry, in the order in which they are run.
    pub(crate) fn for_each(&self, look: impl Fn(Csd)) {
        for list in [&self.sync, &self.other, &self.wake_ups] {
            list.for_each(&look);
        }
    }
}
