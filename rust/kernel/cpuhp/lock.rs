// SPDX-License-Identifier: GPL-2.0

//! The read lock of CPU hotplug.

use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    types::NotThreadSafe, //
};

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::bindings;

/// Keeps CPUs from coming online and going offline.
///
/// Any number of tasks may hold it at once. The holder may sleep. It must not take the lock again,
/// nor wait for a task that takes it, nor make or drop a [`Registration`](super::Registration),
/// which takes it too; and a callback of CPU hotplug must not take it. Each of these may deadlock
/// with a task that takes a CPU up or down.
///
/// When the machine stops, as in a reboot, CPUs are taken offline without this lock.
///
/// # Invariants
///
/// The current task holds the read lock of CPU hotplug on behalf of this value.
///
/// # Examples
///
/// ```
/// use kernel::{cpuhp::HotplugLock, preempt::CpuPinned, smp::Caller};
///
/// let caller = Caller::new()?;
/// let lock = HotplugLock::new();
///
/// // No CPU is missed, and none is new.
/// for cpu in lock.online() {
///     assert_eq!(caller.call(cpu, |ctx| ctx.cpu())?, cpu);
/// }
/// # Ok::<(), Error>(())
/// ```
#[must_use = "the lock is released where it is dropped"]
#[doc(alias = "cpus_read_lock")]
pub struct HotplugLock(NotThreadSafe);

impl HotplugLock {
    /// Takes the lock. May sleep, until a CPU that is coming online or going offline has done so.
    ///
    /// # Examples
    ///
    /// See [`HotplugLock`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        #[cfg(CONFIG_HOTPLUG_CPU)]
        // SAFETY: A task may take the lock.
        unsafe {
            bindings::cpus_read_lock()
        };

        // INVARIANT: It was taken just now. Without `CONFIG_HOTPLUG_CPU` there is none.
        Self(NotThreadSafe)
    }

    /// Takes the lock, unless a CPU is coming online or going offline. Does not sleep.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpuhp::HotplugLock;
    ///
    /// if let Some(lock) = HotplugLock::try_new() {
    ///     assert!(lock.online().iter().count() > 0);
    /// }
    /// ```
    #[doc(alias = "cpus_read_trylock")]
    pub fn try_new() -> Option<Self> {
        #[cfg(CONFIG_HOTPLUG_CPU)]
        // SAFETY: May be called in any context but an NMI.
        if unsafe { bindings::cpus_read_trylock() } == 0 {
            return None;
        }

        // INVARIANT: As in `new()`.
        Some(Self(NotThreadSafe))
    }

    /// Returns the CPUs that are online, which do not change while the lock is held.
    ///
    /// # Examples
    ///
    /// See [`HotplugLock`].
    #[doc(alias = "cpu_online_mask")]
    pub fn online(&self) -> &Cpumask {
        Cpumask::online()
    }

    /// Returns whether `cpu` is online, and stays so while the lock is held.
    ///
    /// # Examples
    ///
    /// See [`HotplugLock`].
    #[doc(alias = "cpu_online")]
    pub fn is_online(&self, cpu: CpuId) -> bool {
        cpu.is_online()
    }
}

impl Drop for HotplugLock {
    fn drop(&mut self) {
        #[cfg(CONFIG_HOTPLUG_CPU)]
        // SAFETY: This task holds the lock, by the type invariants, and the type is not `Send`.
        unsafe {
            bindings::cpus_read_unlock()
        };
    }
}
