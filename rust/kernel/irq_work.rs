// SPDX-License-Identifier: GPL-2.0

//! Work that is run in an interrupt, soon, from wherever it was queued.
//!
//! Code that must not take a lock or wake a task, such as in an NMI, queues an [`IrqWork`]. Its
//! handler is run as soon as the CPU takes interrupts, or by the next tick where the hardware has no
//! interrupt for it. The memory is that of the [`IrqWork`], so queueing does not allocate.
//!
//! C header: [`include/linux/irq_work.h`](srctree/include/linux/irq_work.h)

use crate::{
    alloc::Flags,
    container_of,
    cpu::CpuId,
    detach::{
        Owner,
        Use, //
    },
    preempt::CpuGuard,
    prelude::*,
    processor::cpu_relax,
    task::might_sleep,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

/// What an [`IrqWork`] does.
///
/// It borrows nothing, and may be dropped by any task: an [`IrqWork`] that is dropped or forgotten while
/// it is queued still runs.
pub trait Handler: Send + Sync + 'static {
    /// Called once each time that the work has been queued.
    ///
    /// This is executed with interrupts off: in a hard interrupt, or where the idle task of a CPU
    /// flushes what others have sent it. It must be short and must not sleep. On PREEMPT_RT it is
    /// executed in a thread of the CPU, with interrupts on, and may take locks that sleep there. That
    /// does not hold for a work made by [`IrqWork::new_hard`].
    ///
    /// While it is running, the work can be queued again, and can be run by another CPU.
    fn handle(&self);
}

/// What the owner and the CPUs share.
///
/// # Invariants
///
/// - `work.func` is `run::<T>`, and never changes.
/// - Each time that C has accepted the work there is a [`Use`], until the handler has returned.
#[pin_data]
struct Inner<T: Handler> {
    #[pin]
    work: Opaque<bindings::irq_work>,
    #[pin]
    handler: T,
}

// SAFETY: C may be given the work by several CPUs at once, and the handler is `Sync`.
unsafe impl<T: Handler> Sync for Inner<T> {}

// SAFETY: The work may be freed by any task, and the handler is `Send`.
unsafe impl<T: Handler> Send for Inner<T> {}

/// A [`Handler`] that can be queued to be run in an interrupt.
///
/// A drop never waits, and may happen anywhere but in an NMI. A work that is queued then still runs,
/// and a worker drops the handler afterwards. A module that has a work queued cannot be unloaded.
///
/// The busy bit of C does not say when that is: it is one bit, and goes when the first of two CPUs that
/// run the same work is through. Here each time that the work was queued is counted until its handler
/// has returned; what C does with the work after that is over after an RCU grace period, which the
/// memory is kept for.
///
/// On PREEMPT_RT the threads of a CPU that goes offline stop before it does. A work that is queued
/// on it afterwards, and that was not made by [`IrqWork::new_hard`], stays queued until the CPU is
/// online again.
///
/// # Examples
///
/// ```
/// use kernel::{
///     irq_work::{Handler, IrqWork},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Counter(Atomic<u32>);
///
/// impl Handler for Counter {
///     fn handle(&self) {
///         self.0.fetch_add(1, Relaxed);
///     }
/// }
///
/// let work = IrqWork::new(Counter(Atomic::new(0)), GFP_KERNEL)?;
/// assert!(work.queue()?);
///
/// work.sync();
/// assert_eq!(work.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "irq_work")]
pub struct IrqWork<T: Handler>(Owner<Inner<T>>);

impl<T: Handler> IrqWork<T> {
    /// Makes a work that is not queued.
    ///
    /// In any context in which memory may be allocated with `flags`.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    /// - Those of `handler`.
    #[doc(alias = "init_irq_work")]
    #[doc(alias = "IRQ_WORK_INIT")]
    pub fn new<E>(handler: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        Self::with_flags(handler, 0, flags)
    }

    /// Makes a work that is not queued, and that is run with interrupts off on PREEMPT_RT too.
    ///
    /// Otherwise as [`new`](Self::new). Other kernels make no difference between the two kinds, but
    /// lockdep does: the handler must not take a lock that would sleep on PREEMPT_RT.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     irq_work::{Handler, IrqWork},
    ///     lockdep,
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Handler for Nothing {
    ///     fn handle(&self) {
    ///         lockdep::assert_irqs_disabled();
    ///     }
    /// }
    ///
    /// let work = IrqWork::new_hard(Nothing, GFP_KERNEL)?;
    /// assert!(work.queue()?);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "IRQ_WORK_INIT_HARD")]
    pub fn new_hard<E>(handler: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        Self::with_flags(handler, bindings::IRQ_WORK_HARD_IRQ, flags)
    }

    fn with_flags<E>(handler: impl PinInit<T, E>, u_flags: c_uint, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        let inner = try_pin_init!(Inner {
            // INVARIANT: `func` is `run::<T>`.
            work: Opaque::new(bindings::irq_work {
                node: bindings::__call_single_node {
                    __bindgen_anon_1: bindings::__call_single_node__bindgen_ty_1 { u_flags },
                    ..pin_init::zeroed()
                },
                func: Some(run::<T>),
                ..pin_init::zeroed()
            }),
            handler <- handler,
        }? E);

        Ok(Self(Owner::new(inner, run::<T> as *const (), flags)?))
    }

    /// Has C queue the work, which says whether it was not queued yet.
    #[inline]
    fn queue_by(&self, queue: impl FnOnce(*mut bindings::irq_work) -> bool) -> Result<bool> {
        let started = self.0.start_use()?;

        // `run()` takes it back, maybe before this returns.
        let started = started.into_raw();
        let queued = queue(self.0.work.get());
        if !queued {
            // SAFETY: C has not accepted the work.
            drop(unsafe { Use::from_raw(started) });
        }
        Ok(queued)
    }

    /// Queues the work on the CPU that the caller runs on.
    ///
    /// May be called in any context, in an NMI too. Returns false if the work is queued already,
    /// here or on another CPU, and its handler has not begun: it will see what the caller wrote
    /// before.
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module of the handler is being unloaded.
    #[doc(alias = "irq_work_queue")]
    pub fn queue(&self) -> Result<bool> {
        // SAFETY: The work is initialized, and is not freed while there is a use.
        self.queue_by(|work| unsafe { bindings::irq_work_queue(work) })
    }

    /// Queues the work on `cpu`.
    ///
    /// May be called in a task or an interrupt, with interrupts on or off. In an NMI, `cpu` must be
    /// the one that the caller runs on, since another one cannot be reached from there.
    ///
    /// Returns false if the work is queued already, as [`queue`](Self::queue) does; it stays on the
    /// CPU on which it is.
    ///
    /// The work is run also if `cpu` goes offline meanwhile, since `cpu` runs it first; on PREEMPT_RT
    /// see [`IrqWork`].
    ///
    /// # Errors
    ///
    /// - [`ENXIO`]: `cpu` is not online.
    /// - [`ENODEV`]: the module of the handler is being unloaded.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     cpumask::Cpumask,
    ///     irq_work::{Handler, IrqWork},
    /// };
    ///
    /// struct Nothing;
    ///
    /// impl Handler for Nothing {
    ///     fn handle(&self) {}
    /// }
    ///
    /// let work = IrqWork::new(Nothing, GFP_KERNEL)?;
    /// let cpu = Cpumask::online().next(None).ok_or(ENODEV)?;
    /// assert!(work.queue_on(cpu)?);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "irq_work_queue_on")]
    pub fn queue_on(&self, cpu: CpuId) -> Result<bool> {
        // A CPU leaves `cpu_online_mask` in `stop_machine()`, for which each CPU must be able to
        // preempt what it runs. So `cpu` stays online until the guard is dropped, and what it has been
        // sent by then it runs on its way down.
        let _guard = CpuGuard::new();

        if !cpu.is_online() {
            return Err(ENXIO);
        }
        // SAFETY: As in `queue()`. The CPU is online.
        self.queue_by(|work| unsafe { queue_on(work, cpu) })
    }

    /// Waits until the work is not queued and no handler is running.
    ///
    /// What the handlers wrote can be seen then. May sleep; not to be called by the handler. It has no
    /// bound while others go on queueing the work, and as in C no report says that it takes long.
    #[doc(alias = "irq_work_sync")]
    pub fn sync(&self) {
        /// How often it looks before it sleeps.
        const LOOKS: u32 = 1000;

        might_sleep();
        loop {
            for _ in 0..LOOKS {
                if !self.0.is_used() {
                    return;
                }
                cpu_relax();
            }
            fsleep(Delta::from_micros(50));
        }
    }

    /// Returns what the work does.
    pub fn handler(&self) -> &T {
        &self.0.handler
    }
}

/// Queues a work on `cpu`.
///
/// # Safety
///
/// `work` must be initialized, and stay valid until C is through with it. `cpu` must be online.
// A module cannot call `irq_work_queue_on()` itself, since it is not exported.
#[inline(never)]
unsafe fn queue_on(work: *mut bindings::irq_work, cpu: CpuId) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { bindings::irq_work_queue_on(work, i32::from(cpu)) }
}

/// # Safety
///
/// `work` must be that of an [`Inner<T>`], of which there is a [`Use`] for this.
#[inline]
unsafe extern "C" fn run<T: Handler>(work: *mut bindings::irq_work) {
    let work = Opaque::cast_from(work).cast_mut();

    // SAFETY: `work` is in an `Inner<T>`, by the safety requirements.
    let inner = unsafe { container_of!(work, Inner<T>, work) };
    // SAFETY: There is a use, by the safety requirements. C looks at the work once more when this has
    // returned: in the same interrupt or RCU read-side critical section.
    let inner = unsafe { Use::from_raw(inner) };

    inner.handler.handle();
}
