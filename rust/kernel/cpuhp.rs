// SPDX-License-Identifier: GPL-2.0

//! CPU hotplug: callbacks, and the read lock.
//!
//! CPU hotplug takes a CPU through a list of *states*, up when it comes online and down when it
//! goes offline. A [`State`] is an entry of this list. It has one or more *instances*, for example
//! one for each device of a driver: each is a [`Registration`] of [`Callbacks`]. For one CPU and
//! one instance, the calls of [`Callbacks::startup`] and [`Callbacks::teardown`] that succeed
//! alternate.
//!
//! Three [sections](Section) of the list differ in where the callbacks run:
//!
//! | section | up | down | where |
//! |---|---|---|---|
//! | [`Prepare`] | before the CPU starts | after it is dead | in the task that takes it up or down |
//! | [`Starting`] | when it starts | when it is dying | on the CPU, with interrupts off |
//! | [`Online`] | when it is online | before it goes offline | on the CPU, in its hotplug thread |
//!
//! A task that holds the [`HotplugLock`] keeps all CPUs as they are.
//!
//! C header: [`include/linux/cpuhotplug.h`](srctree/include/linux/cpuhotplug.h)

// # Map
//
// From top to bottom. A file imports only from files below it.
//
// - `registration`: callbacks as an instance of a state
// - `state`: entries of the list of states, and those that a module leaves behind
// - `instance`: an instance, as C links and calls it
// - `callbacks`: what an instance implements
// - `section`: where callbacks run
// - `lock`: the read lock

mod callbacks;
mod instance;
mod lock;
mod registration;
mod section;
mod state;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

pub use self::{
    callbacks::Callbacks,
    lock::HotplugLock,
    registration::Registration,
    section::{
        Online,
        OnlineCpu,
        Prepare,
        Section,
        Starting,
        StartingCpu, //
    },
    state::State, //
};

#[doc(hidden)]
pub use self::state::remove_states_of;
