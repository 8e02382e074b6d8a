// SPDX-License-Identifier: GPL-2.0

//! The order in which callbacks ran.

use super::{
    calls::Callback,
    fixture::leak, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// How many entries a log can hold.
const ENTRIES: usize = 64;

/// A log of numbers, to which any CPU can add in any context.
pub(crate) struct Log {
    len: Atomic<u32>,
    entries: [Atomic<u32>; ENTRIES],
}

impl Log {
    /// Makes an empty log, which is never freed.
    pub(crate) fn new() -> Result<&'static Self> {
        leak(Self {
            len: Atomic::new(0),
            entries: [const { Atomic::new(0) }; ENTRIES],
        })
    }

    /// Adds `id`. If the log is full, it is only counted.
    pub(crate) fn add(&self, id: u32) {
        let at = self.len.fetch_add(1, Full);

        if let Some(entry) = self.entries.get(at as usize) {
            entry.store(id, Relaxed);
        }
    }

    /// How many entries were added.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire) as usize
    }

    /// Returns whether `ids` were added, in this order, and nothing else. Shows the log if not.
    pub(crate) fn is(&self, ids: &[u32]) -> bool {
        let same = self.len() == ids.len()
            && ids
                .iter()
                .zip(&self.entries)
                .all(|(id, entry)| entry.load(Relaxed) == *id);

        if !same {
            pr_err!("expected {} entries; what was added:\n", ids.len());
            for entry in self.entries.iter().take(self.len()) {
                pr_err!("  {}\n", entry.load(Relaxed));
            }
        }
        same
    }

    /// Makes a callback that adds `id`.
    pub(crate) fn entry(&'static self, id: u32) -> Result<&'static Entry> {
        leak(Entry { log: self, id })
    }
}

/// A callback that adds its number to a log.
pub(crate) struct Entry {
    log: &'static Log,
    id: u32,
}

impl Callback for Entry {
    fn call(&'static self) {
        self.log.add(self.id);
    }
}
