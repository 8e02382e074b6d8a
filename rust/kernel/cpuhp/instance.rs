// SPDX-License-Identifier: GPL-2.0

//! Instances of states, as C links and calls them.

use super::{
    Callbacks,
    Section, //
};
use crate::{
    bindings,
    container_of,
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// A callback of C for one instance.
pub(super) type Callback =
    unsafe extern "C" fn(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int;

/// The address of the link of an instance.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Node(NonNull<bindings::hlist_node>);

// SAFETY: Any task may add and remove an instance.
unsafe impl Send for Node {}

impl Node {
    pub(super) fn as_ptr(self) -> *mut bindings::hlist_node {
        self.0.as_ptr()
    }
}

/// An instance of a state.
#[pin_data]
pub(super) struct Instance<T: Callbacks> {
    /// Whether [`Callbacks::teardown`] may fail: not while the instance is being added or removed.
    pub(super) may_fail: Atomic<bool>,
    /// The list of the state links to it while it is an instance.
    #[pin]
    node: Opaque<bindings::hlist_node>,
    #[pin]
    pub(super) callbacks: T,
}

// SAFETY: An instance may be dropped in any task, and its callbacks too.
unsafe impl<T: Callbacks + Send> Send for Instance<T> {}

// SAFETY: C changes the node, with a lock of its own, and the rest is `Sync`.
unsafe impl<T: Callbacks> Sync for Instance<T> {}

impl<T: Callbacks> Instance<T> {
    pub(super) fn new(callbacks: impl PinInit<T, Error>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            callbacks <- callbacks,
            may_fail: Atomic::new(false),
            node: Opaque::zeroed(),
        }? Error)
    }

    /// Returns the callbacks of C: startup and teardown. They may be called with the node of an
    /// `Instance<T>` that is valid.
    pub(super) fn callbacks() -> [Callback; 2] {
        [startup::<T>, teardown::<T>]
    }

    pub(super) fn node(&self) -> Node {
        // SAFETY: A reference is not null.
        Node(unsafe { NonNull::new_unchecked(self.node.get()) })
    }

    /// # Safety
    ///
    /// `node` must be that of an instance that lives for `'a`.
    unsafe fn from_node<'a>(node: *mut bindings::hlist_node) -> &'a Self {
        let node = Opaque::cast_from(node).cast_mut();

        // SAFETY: `node` is in a `Self`, by the safety requirements.
        let this = unsafe { container_of!(node, Self, node) };
        // SAFETY: By the safety requirements.
        unsafe { &*this }
    }
}

/// # Safety
///
/// Must be called by CPU hotplug only, for the node of an [`Instance<T>`] of a state of its section.
unsafe extern "C" fn startup<T: Callbacks>(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int {
    // SAFETY: By the safety requirements. The instance is not freed before it is removed.
    let instance = unsafe { Instance::<T>::from_node(node) };
    // SAFETY: CPU hotplug calls this for possible CPUs.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };
    // SAFETY: By the safety requirements.
    let cpu = unsafe { T::Section::cpu(cpu) };

    match instance.callbacks.startup(&cpu) {
        Err(e) if T::Section::STARTUP_MAY_FAIL => e.to_errno(),
        _ => 0,
    }
}

/// # Safety
///
/// As for [`startup`].
unsafe extern "C" fn teardown<T: Callbacks>(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int {
    // SAFETY: As in `startup()`.
    let instance = unsafe { Instance::<T>::from_node(node) };
    // SAFETY: As in `startup()`.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };
    // SAFETY: By the safety requirements.
    let cpu = unsafe { T::Section::cpu(cpu) };

    match instance.callbacks.teardown(&cpu) {
        // C has a `BUG_ON()` for an error of a callback that must not fail.
        Err(e) if T::Section::TEARDOWN_MAY_FAIL && instance.may_fail.load(Relaxed) => e.to_errno(),
        _ => 0,
    }
}
