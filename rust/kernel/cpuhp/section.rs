// SPDX-License-Identifier: GPL-2.0

//! The sections of the list of states.

use crate::{
    bindings,
    cpu::CpuId,
    interrupt::LocalInterruptDisabled,
    preempt::CpuPinned,
    types::NotThreadSafe, //
};

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
use crate::interrupt::local_interrupt_disable;

mod sealed {
    pub trait Sealed {}
}

/// A section of the list of states: it decides where callbacks run, and which may fail.
///
/// # Examples
///
/// A buffer for each CPU that starts, and a count of those that are online.
///
/// ```
/// use kernel::{
///     cpu::CpuId,
///     cpuhp::{Callbacks, Online, OnlineCpu, Prepare, Registration},
///     preempt::CpuPinned,
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Buffers {
///     made: Atomic<u32>,
/// }
///
/// impl Callbacks for Buffers {
///     type Section = Prepare;
///
///     fn startup(&self, _cpu: &CpuId) -> Result {
///         self.made.add(1, Relaxed);
///         Ok(())
///     }
/// }
///
/// struct Last {
///     cpu: Atomic<u32>,
/// }
///
/// impl Callbacks for Last {
///     type Section = Online;
///
///     fn startup(&self, cpu: &OnlineCpu) -> Result {
///         self.cpu.store(cpu.cpu().as_u32(), Relaxed);
///         Ok(())
///     }
/// }
///
/// let buffers = try_init!(Buffers { made: Atomic::new(0) }? Error);
/// let buffers = KBox::pin_init(Registration::new(c"example:buffers", buffers), GFP_KERNEL)?;
/// let last = try_init!(Last { cpu: Atomic::new(u32::MAX) }? Error);
/// let last = KBox::pin_init(Registration::new(c"example:last", last), GFP_KERNEL)?;
///
/// assert!(buffers.callbacks().made.load(Relaxed) > 0);
/// assert!(CpuId::from_u32(last.callbacks().cpu.load(Relaxed)).is_some());
/// # drop((buffers, last));
/// # Ok::<(), Error>(())
/// ```
pub trait Section: sealed::Sealed + 'static {
    /// What a callback gets: the CPU, and the proof of what is true of it.
    type Cpu;

    /// The number of the state, or what stands for a dynamic one.
    #[doc(hidden)]
    const STATE: bindings::cpuhp_state;

    /// Whether the kernel can undo its steps after an error on the way up.
    #[doc(hidden)]
    const STARTUP_MAY_FAIL: bool;

    /// Whether the kernel can undo its steps after an error on the way down.
    #[doc(hidden)]
    const TEARDOWN_MAY_FAIL: bool;

    /// Makes the argument of a callback.
    ///
    /// # Safety
    ///
    /// To be called by a callback of a state of this section only, for its CPU. The result is
    /// dropped when the callback returns.
    #[doc(hidden)]
    unsafe fn cpu(cpu: CpuId) -> Self::Cpu;
}

/// Callbacks that run in the task that takes a CPU up or down, on another CPU.
///
/// They may sleep. [`startup`](super::Callbacks::startup) runs before the CPU starts: it allocates
/// what the CPU will need. [`teardown`](super::Callbacks::teardown) runs when the CPU is dead. It
/// cannot fail: its error is ignored.
///
/// A state of this section is a dynamic one, of which there are about twenty.
///
/// # Examples
///
/// See [`Section`].
#[doc(alias = "CPUHP_BP_PREPARE_DYN")]
pub struct Prepare;

impl sealed::Sealed for Prepare {}

impl Section for Prepare {
    type Cpu = CpuId;

    const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_BP_PREPARE_DYN;
    const STARTUP_MAY_FAIL: bool = true;
    const TEARDOWN_MAY_FAIL: bool = false;

    unsafe fn cpu(cpu: CpuId) -> CpuId {
        cpu
    }
}

/// Callbacks that run on a CPU that starts or is dying, with interrupts off.
///
/// They must not sleep, nor take a lock that sleeps on PREEMPT_RT. They cannot fail: an error is
/// ignored.
///
/// The kernel has no dynamic states in this section, so `STATE` is a fixed one, of which there is
/// one [`State`](super::State) at a time. A driver that has such a state in
/// `include/linux/cpuhotplug.h` adds an impl of [`Section`] here.
///
/// # Examples
///
/// See [`StartingCpu`].
pub struct Starting<const STATE: bindings::cpuhp_state>;

/// A CPU that starts or is dying: the holder runs on it, with interrupts off.
///
/// # Examples
///
/// ```
/// use kernel::{
///     cpuhp::StartingCpu,
///     percpu::define_per_cpu,
///     preempt::CpuPinned,
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// define_per_cpu! {
///     static STARTS: Atomic<u32> = Atomic::new(0);
/// }
///
/// fn starts(cpu: &StartingCpu) {
///     STARTS.this_cpu(cpu).add(1, Relaxed);
/// }
/// ```
pub struct StartingCpu(LocalInterruptDisabled);

impl StartingCpu {
    /// Returns the proof that interrupts are off, which locks ask for.
    ///
    /// Not on PREEMPT_RT, where such a lock may sleep.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpuhp::StartingCpu, interrupt::LocalInterruptDisabled};
    ///
    /// # #[cfg(not(CONFIG_PREEMPT_RT))]
    /// fn off(cpu: &StartingCpu) -> &LocalInterruptDisabled {
    ///     cpu.interrupts()
    /// }
    /// ```
    #[cfg(not(CONFIG_PREEMPT_RT))]
    #[inline]
    pub fn interrupts(&self) -> &LocalInterruptDisabled {
        &self.0
    }
}

// SAFETY: Interrupts are off.
unsafe impl CpuPinned for StartingCpu {
    #[inline]
    fn cpu(&self) -> CpuId {
        self.0.cpu()
    }
}

/// The state of a timer of C-SKY, for which there is no Rust: the tests use it.
#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
pub(super) type TestStarting = Starting<{ bindings::cpuhp_state_CPUHP_AP_CSKY_TIMER_STARTING }>;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
impl sealed::Sealed for TestStarting {}

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
impl Section for TestStarting {
    type Cpu = StartingCpu;

    const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_AP_CSKY_TIMER_STARTING;
    const STARTUP_MAY_FAIL: bool = false;
    const TEARDOWN_MAY_FAIL: bool = false;

    unsafe fn cpu(_cpu: CpuId) -> StartingCpu {
        // C has interrupts off, but for an instance that is added before the hotplug threads run.
        StartingCpu(local_interrupt_disable())
    }
}

/// Callbacks that run on a CPU that is online, in its hotplug thread.
///
/// They may sleep. [`startup`](super::Callbacks::startup) runs when the CPU is online, and before
/// the scheduler moves tasks there. [`teardown`](super::Callbacks::teardown) runs when the
/// scheduler does not move tasks there any more.
///
/// A state of this section is a dynamic one, of which there are about forty.
///
/// # Examples
///
/// See [`Section`].
#[doc(alias = "CPUHP_AP_ONLINE_DYN")]
pub struct Online;

impl sealed::Sealed for Online {}

impl Section for Online {
    type Cpu = OnlineCpu;

    const STATE: bindings::cpuhp_state = bindings::cpuhp_state_CPUHP_AP_ONLINE_DYN;
    const STARTUP_MAY_FAIL: bool = true;
    const TEARDOWN_MAY_FAIL: bool = true;

    unsafe fn cpu(_cpu: CpuId) -> OnlineCpu {
        // INVARIANT: By the safety requirements: C runs these callbacks in the hotplug thread of
        // the CPU, or in a task while there is one CPU only.
        OnlineCpu(NotThreadSafe)
    }
}

/// A CPU that has come online, or is about to go offline.
///
/// # Invariants
///
/// The holder stays on this CPU.
///
/// # Examples
///
/// See [`Section`].
pub struct OnlineCpu(NotThreadSafe);

// SAFETY: By the type invariants.
unsafe impl CpuPinned for OnlineCpu {}
