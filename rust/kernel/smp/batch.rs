// SPDX-License-Identifier: GPL-2.0

//! Several functions on several CPUs, in one call.

use super::{
    CallContext,
    CallError,
    Caller,
    Slots, //
};
use crate::{
    alloc::{
        AllocError,
        Flags, //
    },
    cpu::CpuId,
    cpumask::CpumaskVar,
    preempt::CpuPinned,
    prelude::*, //
};

/// A function for one CPU.
struct Entry<'a> {
    cpu: CpuId,
    f: KBox<dyn FnMut(&CallContext) + Send + 'a>,
    /// The index of the next entry for the same CPU.
    next: Option<usize>,
    has_run: bool,
}

/// The entries, shared by the CPUs.
///
/// # Invariants
///
/// The entries that begin at `first` of a CPU are for this CPU, and in range. No other CPU uses them.
struct Shared<'a, 'b> {
    entries: *mut Entry<'a>,
    first: &'b Slots<Option<usize>>,
}

// SAFETY: By the type invariants only one CPU uses each function, which is `Send`.
unsafe impl Sync for Shared<'_, '_> {}

impl Shared<'_, '_> {
    /// Runs the functions that are for this CPU, in the order in which they were added.
    fn run(&self, context: &CallContext) {
        let mut next = *self.first.get(context.cpu());

        while let Some(index) = next {
            // SAFETY: The index is in range, by the type invariants.
            let entry = unsafe { self.entries.add(index) };
            // SAFETY: The entry is for this CPU, on which this runs once, by the type invariants.
            let entry = unsafe { &mut *entry };

            (entry.f)(context);
            entry.has_run = true;
            next = entry.next;
        }
    }
}

/// Functions that are sent to their CPUs in one call.
///
/// Each CPU gets one csd, and so one IPI at most, for all of its functions. They run in the order
/// in which they were added, and may borrow from the caller. A CPU looks at its own functions only.
///
/// # Examples
///
/// ```
/// use kernel::{cpu::CpuId, smp::{Batch, Caller}};
///
/// let mut calls = [0; 2];
/// let [first, second] = &mut calls;
/// let here = CpuId::current();
///
/// let mut batch = Batch::new(GFP_KERNEL)?;
/// batch.add(here, |_| *first += 1, GFP_KERNEL)?;
/// batch.add(here, |_| *second += 2, GFP_KERNEL)?;
/// Caller::new()?.run(&mut batch)?;
/// assert!(batch.is_empty());
/// drop(batch);
/// assert_eq!(calls, [1, 2]);
/// # Ok::<(), Error>(())
/// ```
pub struct Batch<'a> {
    entries: KVec<Entry<'a>>,
    cpus: CpumaskVar,
    /// The index of the first entry for each CPU.
    first: Slots<Option<usize>>,
}

impl<'a> Batch<'a> {
    /// Makes an empty batch. In any context where memory may be allocated with `flags`.
    ///
    /// # Errors
    ///
    /// - [`AllocError`]: there is no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::smp::{Batch, Caller};
    ///
    /// let mut batch = Batch::new(GFP_KERNEL)?;
    /// assert!(Caller::new()?.run(&mut batch).is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(flags: Flags) -> Result<Self, AllocError> {
        Ok(Self {
            entries: KVec::new(),
            cpus: CpumaskVar::new_zero(flags)?,
            first: Slots::new(|_cpu| None, flags)?,
        })
    }

    /// Adds a function for `cpu`. It is called once, with interrupts off, by [`Caller::run`].
    ///
    /// # Errors
    ///
    /// - [`AllocError`]: there is no memory, and nothing was added.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, preempt::CpuPinned, smp::{Batch, Caller}};
    ///
    /// let here = CpuId::current();
    /// let mut where_it_ran = None;
    /// let mut batch = Batch::new(GFP_KERNEL)?;
    /// batch.add(here, |ctx| where_it_ran = Some(ctx.cpu()), GFP_KERNEL)?;
    /// Caller::new()?.run(&mut batch)?;
    /// drop(batch);
    /// assert!(where_it_ran == Some(here));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add<F>(&mut self, cpu: CpuId, f: F, flags: Flags) -> Result<(), AllocError>
    where
        F: FnMut(&CallContext) + Send + 'a,
    {
        let f: KBox<dyn FnMut(&CallContext) + Send + 'a> = KBox::new(f, flags)?;

        self.entries.push(
            Entry {
                cpu,
                f,
                next: None,
                has_run: false,
            },
            flags,
        )
    }

    /// Returns how many functions have not been called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::Batch};
    ///
    /// let mut batch = Batch::new(GFP_KERNEL)?;
    /// batch.add(CpuId::current(), |_| (), GFP_KERNEL)?;
    /// assert_eq!(batch.len(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether all functions have been called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::smp::Batch;
    ///
    /// assert!(Batch::new(GFP_KERNEL)?.is_empty());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Caller {
    /// Runs each function of `batch` on its CPU, and waits for all.
    ///
    /// The functions that were called are dropped. The others stay in `batch`, which can be run
    /// again.
    ///
    /// # Errors
    ///
    /// - [`CallError::Offline`]: not all CPUs are online. The functions for online CPUs were
    ///   called.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::Cpumask, smp::{Batch, Caller}};
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    ///
    /// let calls = Atomic::new(0u32);
    /// let mut batch = Batch::new(GFP_KERNEL)?;
    /// for cpu in Cpumask::online() {
    ///     batch.add(cpu, |_| calls.add(1, Relaxed), GFP_KERNEL)?;
    /// }
    /// let added = batch.len();
    /// // A CPU may have gone offline meanwhile.
    /// let _ = Caller::new()?.run(&mut batch);
    /// assert_eq!(calls.load(Relaxed) as usize, added - batch.len());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn run(&self, batch: &mut Batch<'_>) -> Result<(), CallError> {
        batch.cpus.clear_all();
        for entry in &batch.entries {
            batch.cpus.set(entry.cpu);
            *batch.first.get_mut(entry.cpu) = None;
        }
        // From the last to the first, so that each CPU has them in order.
        for (index, entry) in batch.entries.iter_mut().enumerate().rev() {
            entry.next = batch.first.get_mut(entry.cpu).replace(index);
        }
        // INVARIANT: Each entry is linked once, and from its CPU. No CPU that is called is without a
        // first one.
        let shared = Shared {
            entries: batch.entries.as_mut_ptr(),
            first: &batch.first,
        };

        self.call_all_in(&batch.cpus, |context| shared.run(context));

        batch.entries.retain(|entry| !entry.has_run);
        if batch.is_empty() {
            Ok(())
        } else {
            Err(CallError::Offline)
        }
    }
}
