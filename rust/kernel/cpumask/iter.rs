// SPDX-License-Identifier: GPL-2.0

//! Iterating over the CPUs of a mask.

use super::Cpumask;
use crate::{
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
            last: None,
        }
    }
}

/// An iterator over the CPUs of a [`Cpumask`].
///
/// Created by [`Cpumask::iter`]. The mask may change during the iteration, so the iterator is not
/// fused: after it has returned [`None`], it returns a higher CPU that was added meanwhile.
#[derive(Clone)]
pub struct Iter<'a> {
    mask: &'a Cpumask,
    last: Option<CpuId>,
}

impl Iterator for Iter<'_> {
    type Item = CpuId;

    #[inline]
    fn next(&mut self) -> Option<CpuId> {
        let next = self.mask.next(self.last);

        // At the end `last` does not change, so that the iteration does not restart.
        if next.is_some() {
            self.last = next;
        }
        next
    }
}

impl<'a> IntoIterator for &'a Cpumask {
    type Item = CpuId;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
