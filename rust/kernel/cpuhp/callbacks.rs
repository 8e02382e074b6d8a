// SPDX-License-Identifier: GPL-2.0

//! What an instance of a state implements.

use super::Section;
use crate::prelude::*;

/// Callbacks for CPUs that come online and go offline.
///
/// CPU hotplug is locked while one is executed: no other CPU comes online or goes offline. A
/// callback must therefore not take the [`HotplugLock`](super::HotplugLock), nor make or drop a
/// [`Registration`](super::Registration): it would deadlock. It borrows nothing.
///
/// # Examples
///
/// See [`Registration`](super::Registration).
pub trait Callbacks: Sync + 'static {
    /// Where the callbacks run.
    type Section: Section;

    /// Called when `cpu` comes online.
    ///
    /// When the registration is made, this is called for each CPU that is online.
    ///
    /// # Errors
    ///
    /// On the way up, an error keeps `cpu` offline: the kernel undoes the steps that were done, and
    /// the attempt to bring the CPU up fails with this error. At registration, an error undoes the
    /// registration, see [`Registration::new`](super::Registration::new). In both cases
    /// [`teardown`](Self::teardown) is not called for `cpu`: a callback that fails must undo its
    /// own work. An error is ignored where the [`Section`] says so.
    ///
    /// This is also called when another step has failed on the way down, to bring `cpu` back up.
    /// That cannot be undone again: the kernel warns about an error, and `cpu` stays half way down.
    fn startup(&self, _cpu: &<Self::Section as Section>::Cpu) -> Result {
        Ok(())
    }

    /// Called when `cpu` goes offline.
    ///
    /// When the registration is dropped, this is called for each CPU that is online.
    ///
    /// # Errors
    ///
    /// On the way down, an error keeps `cpu` online: the kernel undoes the steps that were done,
    /// and the attempt to take the CPU down fails with this error. [`startup`](Self::startup) is
    /// not called for `cpu`: a callback that fails must undo its own work. An error is ignored
    /// where the [`Section`] says so, and while the registration is being made or dropped.
    ///
    /// An error also keeps the machine from a suspend. Some architectures, such as arm64, take CPUs
    /// offline for a reboot, which an error turns into a panic: see `smp_shutdown_nonboot_cpus()`.
    ///
    /// This is also called when another step has failed on the way up, to take `cpu` down again.
    /// That cannot be undone again: the kernel warns about an error, and `cpu` stays half way up.
    fn teardown(&self, _cpu: &<Self::Section as Section>::Cpu) -> Result {
        Ok(())
    }
}
