// SPDX-License-Identifier: GPL-2.0

//! After its end, the iterator returns a CPU that comes online later.

use core::iter::FusedIterator;
use kernel::cpumask::Cpumask;

fn ends_once(cpus: impl FusedIterator) -> usize {
    cpus.count()
}

pub fn online() -> usize {
    let online = Cpumask::online();
    #[cfg(misuse)]
    ends_once(online.iter());
    //~[misuse]^ ERROR: E0277: the trait bound `kernel::cpumask::Iter<'_>: FusedIterator` is not satisfied

    ends_once(online.iter().fuse())
}
