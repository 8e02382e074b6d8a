// SPDX-License-Identifier: GPL-2.0

//! Iterating over the CPUs of a mask.

use super::Cpumask;
use crate::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    helpers, //
};

impl Cpumask {
    /// Returns the lowest CPU of the mask that is above `cpu`, or the lowest of all for [`None`].
    ///
    /// The mask may change during an iteration: each step reads it again.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::Cpumask;
    ///
    /// assert!(Cpumask::possible().next(None).is_some());
    /// ```
    #[inline]
    #[doc(alias = "cpumask_next")]
    pub fn next(&self, cpu: Option<CpuId>) -> Option<CpuId> {
        let after = cpu.map_or(-1, i32::from);

        // SAFETY: By the type invariant, `self.as_raw` is a valid argument to `cpumask_next`.
        let next = unsafe { helpers::cpumask::cpumask_next(after, self.as_raw()) };
        if next < nr_cpu_ids() {
            // SAFETY: `next` has just been checked.
            Some(unsafe { CpuId::from_u32_unchecked(next) })
        } else {
            None
        }
    }

    /// Returns an iterator over the CPUs of the mask, in ascending order.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpumask::Cpumask;
    ///
    /// let online = Cpumask::online();
    /// assert!(online.iter().all(|cpu| online.test(cpu)));
    /// ```
    #[inline]
    #[doc(alias = "for_each_cpu")]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            mask: self,
            cursor: Cursor::new(self),
        }
    }

    /// Returns the CPUs from `first` on, as many as a word has bits.
    ///
    /// # Safety
    ///
    /// `first` is a multiple of the number of bits of a word, and 0 or below `nr_cpu_ids`.
    #[inline]
    unsafe fn word(&self, first: u32) -> usize {
        let words: *const usize = self.as_raw().cast();

        // SAFETY: A mask has a bit for each CPU, by the type invariant.
        let word = unsafe { words.add((first / usize::BITS) as usize) };
        // SAFETY: As above. Other CPUs may change the word.
        unsafe { word.read_volatile() }
    }
}

/// A place in a mask: what [`Iter`] is made of, for a caller that changes the mask meanwhile.
///
/// Each word of the mask is read once, when the place gets there. If the mask changes meanwhile, a
/// CPU that is then added or removed may or may not be returned.
///
/// # Examples
///
/// ```
/// use kernel::cpumask::{Cpumask, CpumaskVar, Cursor};
///
/// let mut mask = CpumaskVar::try_clone(Cpumask::possible())?;
/// let mut cursor = Cursor::new(&mask);
/// while let Some(cpu) = cursor.next(&mask) {
///     if cpu.is_online() {
///         mask.clear(cpu);
///     }
/// }
/// assert!(mask.iter().all(|cpu| !cpu.is_online()));
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// `first` is a multiple of the number of bits of a word, and 0 or below `nr_cpu_ids`.
#[derive(Clone)]
pub struct Cursor {
    /// The CPU of the lowest bit of the word.
    first: u32,
    /// The CPUs of the word that were not returned yet.
    left: usize,
}

impl Cursor {
    /// Returns the place before the first CPU of `mask`.
    ///
    /// # Examples
    ///
    /// See [`Cursor`].
    #[inline]
    pub fn new(mask: &Cpumask) -> Self {
        // INVARIANT: `first` is 0.
        Self {
            first: 0,
            // SAFETY: As above.
            left: unsafe { mask.word(0) },
        }
    }

    /// Moves over the next CPU of `mask` and returns it.
    ///
    /// # Examples
    ///
    /// See [`Cursor`].
    #[inline]
    pub fn next(&mut self, mask: &Cpumask) -> Option<CpuId> {
        while self.left == 0 {
            let first = self.first.wrapping_add(usize::BITS);
            if bindings::NR_CPUS <= usize::BITS || first >= nr_cpu_ids() {
                return None;
            }
            // INVARIANT: The next multiple, and has just been checked.
            self.first = first;
            // SAFETY: By the type invariant.
            self.left = unsafe { mask.word(first) };
        }

        let cpu = self.first.wrapping_add(self.left.trailing_zeros());
        self.left &= self.left.wrapping_sub(1);
        if cpu < nr_cpu_ids() {
            // SAFETY: `cpu` has just been checked.
            Some(unsafe { CpuId::from_u32_unchecked(cpu) })
        } else {
            None
        }
    }
}

/// An iterator over the CPUs of a [`Cpumask`].
///
/// Created by [`Cpumask::iter`]. What happens if the mask changes meanwhile is said at [`Cursor`].
///
/// # Examples
///
/// See [`Cpumask::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    mask: &'a Cpumask,
    cursor: Cursor,
}

impl Iterator for Iter<'_> {
    type Item = CpuId;

    #[inline]
    fn next(&mut self) -> Option<CpuId> {
        self.cursor.next(self.mask)
    }
}

impl core::iter::FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Cpumask {
    type Item = CpuId;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
