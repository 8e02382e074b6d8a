// SPDX-License-Identifier: GPL-2.0

//! Entries that a CPU has taken off its queue and not yet run, in the order in which they run.
//!
//! First all synchronous csds, which have waiters; then asynchronous ones and IRQ work; then the
//! tasks to wake up, all at once. Inside each class the order is that of arrival.

use crate::csd::{
    Csd,
    Kind,
    Node, //
};
use core::{
    cell::Cell,
    marker::PhantomData,
    mem,
    ptr, //
};

/// Entries of one class that were taken off a queue, in the order of arrival.
///
/// # Invariants
///
/// `first` leads to valid entries whose links only this CPU uses, or is null.
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

    /// Makes a list of the entries that `first` leads to.
    ///
    /// # Safety
    ///
    /// `first` is as the type invariants say.
    #[inline]
    unsafe fn from_first(first: *mut Node) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            first: Cell::new(first),
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
            // SAFETY: The entry is valid and only this CPU reaches it, by the safety requirements.
            unsafe { (*node).next = mem::replace(&mut first, node) };
        }
        // SAFETY: By the safety requirements.
        unsafe { Self::from_first(first) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Adds the entries of `other`.
    #[inline]
    fn append(&self, other: Self) {
        let first = other.first.get();

        if self.is_empty() {
            // INVARIANT: By those of `other`.
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
        // INVARIANT: By those of `other`.
        // SAFETY: The entry is valid, and only this CPU reaches it, by the type invariants.
        unsafe { (*last).next = first };
    }

    /// Takes all entries out at once. Returns the first, which leads to the others.
    #[inline]
    pub(crate) fn take(&self) -> Option<Csd> {
        // INVARIANT: There are no entries any more.
        let node = self.first.replace(ptr::null_mut());

        // SAFETY: An entry is valid, by the type invariants.
        (!node.is_null()).then(|| unsafe { Csd::from_node(node) })
    }

    /// Takes the first entry out. It must be out of the list when it is run: once it is unlocked,
    /// it may be queued again, or be freed.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Csd> {
        let node = self.first.get();
        if node.is_null() {
            return None;
        }

        // INVARIANT: `first` leads to the entries after the one that is taken out.
        // SAFETY: The entry is valid, by the type invariants.
        self.first.set(unsafe { (*node).next });
        // SAFETY: As above.
        Some(unsafe { Csd::from_node(node) })
    }

    /// Returns the entries.
    ///
    /// # Safety
    ///
    /// The list does not change while the iterator is used.
    #[inline]
    pub(crate) unsafe fn iter(&self) -> Iter<'_> {
        // INVARIANT: By the invariants of the list, and the safety requirements.
        Iter {
            next: self.first.get(),
            _list: PhantomData,
        }
    }

    /// Takes out the first entry for which `wanted` returns true.
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
                // INVARIANT: The list does not lead to the entry any more.
                // SAFETY: As for the read of `link`.
                unsafe { *link = after };
                return Some(csd);
            }
            link = next;
        }
    }
}

/// The entries of a [`List`].
///
/// # Invariants
///
/// `next` is as `first` of the list, which has not changed.
pub(crate) struct Iter<'a> {
    next: *mut Node,
    _list: PhantomData<&'a List>,
}

impl Iterator for Iter<'_> {
    type Item = Csd;

    #[inline]
    fn next(&mut self) -> Option<Csd> {
        let node = self.next;
        if node.is_null() {
            return None;
        }

        // INVARIANT: The rest of the list begins there.
        // SAFETY: The entry is valid, by the type invariants.
        self.next = unsafe { (*node).next };
        // SAFETY: As above.
        Some(unsafe { Csd::from_node(node) })
    }
}

/// Entries that were taken off a queue and not yet run, by class.
pub(crate) struct Batch {
    pub(crate) sync: List,
    /// Asynchronous csds and IRQ work.
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

    /// Makes a batch of what was taken off a queue: each entry in the list of its class, in the
    /// order of arrival.
    ///
    /// # Safety
    ///
    /// `newest` is what `Queue::take_all()` returned.
    #[inline]
    pub(crate) unsafe fn of(mut newest: *mut Node) -> Self {
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
            // SAFETY: The entry is valid and only this CPU reaches it, by the safety requirements.
            unsafe { (*node).next = next };
        }

        // SAFETY: The entries are valid, and only this CPU reaches them, by the safety requirements.
        let list = |first| unsafe { List::from_first(first) };
        Self {
            sync: list(sync),
            other: list(other),
            wake_ups: list(wake_ups),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.sync.is_empty() && self.other.is_empty() && self.wake_ups.is_empty()
    }

    /// Adds the entries of `new` to the list of their class.
    #[inline]
    pub(crate) fn add(&self, new: Self) {
        self.sync.append(new.sync);
        self.other.append(new.other);
        self.wake_ups.append(new.wake_ups);
    }

    /// Returns the entries, in the order in which they are run.
    ///
    /// # Safety
    ///
    /// The batch does not change while the iterator is used.
    #[inline]
    pub(crate) unsafe fn iter(&self) -> impl Iterator<Item = Csd> + '_ {
        // SAFETY: By the safety requirements.
        let sync = unsafe { self.sync.iter() };
        // SAFETY: As above.
        let other = unsafe { self.other.iter() };
        // SAFETY: As above.
        let wake_ups = unsafe { self.wake_ups.iter() };

        sync.chain(other).chain(wake_ups)
    }
}
