// SPDX-License-Identifier: GPL-2.0

//! Work that is run in an interrupt, soon, from wherever it was queued.
//!
//! Code that must not take a lock or wake a task, such as in an NMI, queues an [`IrqWork`]. Its
//! handler is run as soon as the CPU takes interrupts, or by the next tick where the hardware has no
//! interrupt for it. The memory is that of the [`IrqWork`], so queueing does not allocate.
//!
//! C header: [`include/linux/irq_work.h`](srctree/include/linux/irq_work.h)

use crate::{
    container_of,
    cpu::CpuId,
    preempt::CpuGuard,
    prelude::*,
    sync::rcu::synchronize_rcu,
    types::Opaque, //
};

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

/// What an [`IrqWork`] does.
///
/// Handlers may live as long as the kernel, since an [`IrqWork`] that is queued may be leaked: they
/// must not borrow.
pub trait Handler: Sync + 'static {
    /// Called once each time that the work has been queued.
    ///
    /// This is executed with interrupts off: in a hard interrupt, or where the idle task of a CPU
    /// answers what others sent it. It must be short and must not sleep. On PREEMPT_RT it is executed
    /// in a thread of the CPU, with interrupts on, and may take locks that sleep there. That does not
    /// hold for a work made by [`IrqWork::new_hard`].
    ///
    /// While it is running, the work can be queued again, and can be run by another CPU.
    fn handle(&self);
}

/// A [`Handler`] that can be queued to be run in an interrupt.
///
/// To be dropped in a task that may sleep, with interrupts on. The drop waits until the work is no
/// longer queued and the handler is not running, so it must not happen in the handler.
///
/// On PREEMPT_RT the threads of a CPU that goes offline stop before it does. A work that is queued
/// on it afterwards, and that was not made by [`IrqWork::new_hard`], stays queued until the CPU is
/// online again.
///
/// # Invariants
///
/// - `work.func` is `run::<T>`, and never changes.
/// - From when the work is queued until its handler has returned, C links to `work`.
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
/// let work = KBox::pin_init(IrqWork::new(Counter(Atomic::new(0))), GFP_KERNEL)?;
/// assert!(work.as_ref().queue());
///
/// work.as_ref().sync();
/// assert_eq!(work.handler().0.load(Relaxed), 1);
/// # Ok::<(), Error>(())
/// ```
#[pin_data(PinnedDrop)]
#[doc(alias = "irq_work")]
pub struct IrqWork<T: Handler> {
    #[pin]
    work: Opaque<bindings::irq_work>,
    #[pin]
    handler: T,
}

// SAFETY: A work may be dropped in any task, and its handler too.
unsafe impl<T: Handler + Send> Send for IrqWork<T> {}

// SAFETY: C may be given the work by several CPUs at once, and the handler is `Sync`.
unsafe impl<T: Handler> Sync for IrqWork<T> {}

impl<T: Handler> IrqWork<T> {
    /// Makes a work that is not queued.
    ///
    /// May be called in any context.
    #[doc(alias = "init_irq_work")]
    #[doc(alias = "IRQ_WORK_INIT")]
    pub fn new(handler: impl PinInit<T>) -> impl PinInit<Self> {
        Self::with_flags(handler, 0)
    }

    /// Makes a work that is not queued, and that is run with interrupts off on PREEMPT_RT too.
    ///
    /// May be called in any context. Other kernels make no difference between the two kinds, but
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
    /// let work = KBox::pin_init(IrqWork::new_hard(Nothing), GFP_KERNEL)?;
    /// assert!(work.as_ref().queue());
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "IRQ_WORK_INIT_HARD")]
    pub fn new_hard(handler: impl PinInit<T>) -> impl PinInit<Self> {
        Self::with_flags(handler, bindings::IRQ_WORK_HARD_IRQ)
    }

    fn with_flags(handler: impl PinInit<T>, u_flags: c_uint) -> impl PinInit<Self> {
        pin_init!(Self {
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
        })
    }

    /// Queues the work on the CPU that the caller runs on.
    ///
    /// May be called in any context, in an NMI too. Returns false if the work is queued already,
    /// here or on another CPU, and its handler has not begun: it will see what the caller wrote
    /// before.
    #[doc(alias = "irq_work_queue")]
    pub fn queue(self: Pin<&Self>) -> bool {
        // SAFETY: The work is initialized, is pinned, and is not freed before the drop has waited
        // for it.
        unsafe { bindings::irq_work_queue(self.work.get()) }
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
    /// let work = KBox::pin_init(IrqWork::new(Nothing), GFP_KERNEL)?;
    /// let cpu = Cpumask::online().next(None).ok_or(ENODEV)?;
    /// assert!(work.as_ref().queue_on(cpu)?);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "irq_work_queue_on")]
    pub fn queue_on(self: Pin<&Self>, cpu: CpuId) -> Result<bool> {
        // SAFETY: As in `queue()`.
        unsafe { queue_on(self.work.get(), cpu) }
    }

    /// Waits until the work is not queued and its handler is not running.
    ///
    /// What the handler wrote can be seen then. Call this from a task that may sleep, with interrupts
    /// on; not from the handler. Only one task at a time may wait for a work: where the wait sleeps,
    /// as on PREEMPT_RT, a second one may keep the first from being woken.
    #[doc(alias = "irq_work_sync")]
    pub fn sync(self: Pin<&Self>) {
        // SAFETY: The work is initialized, and is pinned.
        unsafe { bindings::irq_work_sync(self.work.get()) };
    }

    /// Returns what the work does.
    pub fn handler(&self) -> &T {
        &self.handler
    }
}

#[pinned_drop]
impl<T: Handler> PinnedDrop for IrqWork<T> {
    fn drop(self: Pin<&mut Self>) {
        self.as_ref().sync();

        // On PREEMPT_RT, `irq_work_single()` looks at the flags of a work once more when it has
        // marked it as done. `irq_work_sync()` waits for that only where a thread runs the work.
        if cfg!(CONFIG_PREEMPT_RT) {
            synchronize_rcu();
        }
    }
}

/// Queues a work on `cpu`, which must be online.
///
/// # Safety
///
/// `work` must be initialized, and stay valid until its handler has returned.
// A module cannot call `irq_work_queue_on()` itself, since it is not exported.
#[inline(never)]
unsafe fn queue_on(work: *mut bindings::irq_work, cpu: CpuId) -> Result<bool> {
    // A CPU leaves `cpu_online_mask` in `stop_machine()`, for which each CPU must be able to
    // preempt what it runs. So `cpu` stays online until the guard is dropped, and what it has been
    // sent by then it runs on its way down.
    let _guard = CpuGuard::new();

    if !cpu.is_online() {
        return Err(ENXIO);
    }
    // SAFETY: By the safety requirements. The CPU is online.
    Ok(unsafe { bindings::irq_work_queue_on(work, i32::from(cpu)) })
}

/// # Safety
///
/// `work` must be that of an [`IrqWork<T>`], which must not be dropped before this returns.
unsafe extern "C" fn run<T: Handler>(work: *mut bindings::irq_work) {
    let work = Opaque::cast_from(work).cast_mut();

    // SAFETY: `work` is in an `IrqWork<T>`, by the safety requirements.
    let this = unsafe { container_of!(work, IrqWork<T>, work) };
    // SAFETY: It is not dropped before this returns, by the safety requirements.
    let this = unsafe { &*this };

    this.handler.handle();
}
