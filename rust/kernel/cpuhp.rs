// SPDX-License-Identifier: GPL-2.0

//! CPU hotplug callbacks.
//!
//! A [`Registration`] runs [`Callbacks::online`] on each CPU that is online when it is made, and on
//! each CPU that comes online later. It runs [`Callbacks::offline`] on each CPU that goes offline,
//! and on each CPU that is online when it is dropped. For one CPU, the calls that succeed
//! alternate.
//!
//! C header: [`include/linux/cpuhotplug.h`](srctree/include/linux/cpuhotplug.h)

use crate::{
    container_of,
    cpu::CpuId,
    error::to_result,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::Opaque, //
};
use core::mem::transmute;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

/// Callbacks for CPUs that come online and go offline.
///
/// A callback is executed in a task that stays on the CPU that it is called for: the hotplug thread
/// of that CPU. Without SMP, and while the kernel boots with one CPU only, it is the task that
/// makes or drops the [`Registration`]. A callback may sleep. CPU hotplug is locked meanwhile: no
/// other CPU comes online or goes offline. A callback must therefore not lock CPU hotplug, nor make
/// or drop a [`Registration`]: it would deadlock.
///
/// Callbacks borrow nothing.
pub trait Callbacks: Sync + 'static {
    /// Called when `cpu` is online.
    ///
    /// On the way up `cpu` is online already, but the scheduler does not move tasks there yet. When
    /// the registration is made, this is called for each CPU that is online.
    ///
    /// # Errors
    ///
    /// On the way up, an error keeps `cpu` offline: the kernel undoes the steps that were done, and
    /// the attempt to bring the CPU up fails with this error. At registration, an error undoes the
    /// registration, see [`Registration::new`]. In both cases [`offline`](Self::offline) is not
    /// called for `cpu`: a callback that fails must undo its own work.
    ///
    /// This is also called when another step has failed on the way down, to bring `cpu` back up.
    /// That cannot be undone again: the kernel warns about an error, and `cpu` stays half way down.
    fn online(&self, _cpu: CpuId) -> Result {
        Ok(())
    }

    /// Called when `cpu` is about to go offline.
    ///
    /// On the way down `cpu` is still online, but the scheduler does not move tasks there any more.
    /// When the registration is dropped, this is called for each CPU that is online.
    ///
    /// # Errors
    ///
    /// On the way down, an error keeps `cpu` online: the kernel undoes the steps that were done,
    /// and the attempt to take the CPU down fails with this error. [`online`](Self::online) is not
    /// called for `cpu`: a callback that fails must undo its own work.
    ///
    /// This is also called when another step has failed on the way up, to take `cpu` down again.
    /// That cannot be undone again: the kernel warns about an error, and `cpu` stays half way up.
    /// While the registration is being made or dropped, an error is ignored.
    fn offline(&self, _cpu: CpuId) -> Result {
        Ok(())
    }
}

/// Callbacks that are run as CPUs come online and go offline, until this is dropped.
///
/// It must be dropped in a task that may sleep and that has not locked CPU hotplug: not in a
/// callback, nor where `cpus_read_lock()` is held. A module must not leak it, see
/// [`new`](Registration::new). The drop runs [`Callbacks::offline`] once for each CPU that is
/// online. When it returns, no callback is running and none will be run.
///
/// Each registration uses one dynamic state of CPU hotplug. The kernel has about forty.
///
/// # Invariants
///
/// - `state` is a multi-instance state of CPU hotplug, which belongs to this registration alone.
/// - `node` is the only instance of `state`. The list of `state` links to it, so it must not move.
/// - While the registration is being made or dropped, `may_fail` is false.
///
/// # Examples
///
/// A count of the CPUs that are online.
///
/// ```
/// use kernel::{
///     cpu::CpuId,
///     cpuhp::{Callbacks, Registration},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Users {
///     cpus: Atomic<u32>,
/// }
///
/// impl Callbacks for Users {
///     fn online(&self, _cpu: CpuId) -> Result {
///         self.cpus.fetch_add(1, Relaxed);
///         Ok(())
///     }
///
///     fn offline(&self, _cpu: CpuId) -> Result {
///         self.cpus.fetch_sub(1, Relaxed);
///         Ok(())
///     }
/// }
///
/// let users = try_init!(Users { cpus: Atomic::new(0) }? Error);
/// // SAFETY: The registration is dropped at the end.
/// let registration = unsafe { Registration::new(c"example:online", users) };
/// let registration = KBox::pin_init(registration, GFP_KERNEL)?;
/// assert!(registration.callbacks().cpus.load(Relaxed) > 0);
/// # Ok::<(), Error>(())
/// ```
#[pin_data(PinnedDrop)]
#[doc(alias = "cpuhp_setup_state")]
#[doc(alias = "cpuhp_setup_state_multi")]
#[doc(alias = "cpuhp_state_remove_instance")]
pub struct Registration<T: Callbacks> {
    state: bindings::cpuhp_state,
    may_fail: Atomic<bool>,
    #[pin]
    node: Opaque<bindings::hlist_node>,
    #[pin]
    callbacks: T,
}

// SAFETY: A registration may be dropped in any task, and its callbacks too.
unsafe impl<T: Callbacks + Send> Send for Registration<T> {}

// SAFETY: A shared reference gives access to the callbacks only, which are `Sync`.
unsafe impl<T: Callbacks> Sync for Registration<T> {}

impl<T: Callbacks> Registration<T> {
    /// Registers callbacks, and runs [`Callbacks::online`] once for each CPU that is online.
    ///
    /// `name` is shown in `/sys/devices/system/cpu/hotplug/states` and by the trace points of CPU
    /// hotplug.
    ///
    /// Call this from a task that may sleep and that has not locked CPU hotplug: not from a
    /// callback, nor where `cpus_read_lock()` is held.
    ///
    /// # Errors
    ///
    /// - [`ENOSPC`]: All dynamic states are in use.
    /// - Those of `callbacks`.
    /// - Those of [`Callbacks::online`]. [`Callbacks::offline`] is then called for the CPUs for
    ///   which `online` returned no error.
    ///
    /// # Safety
    ///
    /// The registration must be dropped before the module of its callbacks is unloaded: a module
    /// must not leak it. See [`detach`](crate::detach) for the rule.
    #[doc(alias = "cpuhp_state_add_instance")]
    pub unsafe fn new(
        name: &'static CStr,
        callbacks: impl PinInit<T, Error>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(&this in Self {
            callbacks <- callbacks,
            // INVARIANT: The registration is being made.
            may_fail: Atomic::new(false),
            node: Opaque::zeroed(),
            // INVARIANT: The new state is used nowhere else.
            state: setup_state(name, online_callback::<T>, offline_callback::<T>)?,
            _: {
                // SAFETY: All fields are initialized.
                let node = unsafe { Self::raw_node(this.as_ptr()) };

                // INVARIANT: After this, `node` is an instance of `state`, or the state is removed.
                // SAFETY:
                // - `setup_state()` has made the state for the callbacks of a `Registration<T>`,
                //   and `node` is in one whose fields are initialized.
                // - If this succeeds, the drop removes the node.
                if let Err(e) = unsafe { add_instance(*state, node, may_fail) } {
                    // SAFETY: The state was made above, and has no instance.
                    unsafe { bindings::__cpuhp_remove_state(*state, false) };
                    return Err(e);
                }
            },
        })
    }

    /// Returns the callbacks that were registered.
    pub fn callbacks(&self) -> &T {
        &self.callbacks
    }

    /// Returns the node of a registration in the list of its state.
    ///
    /// # Safety
    ///
    /// `this` must point to a registration.
    unsafe fn raw_node(this: *const Self) -> *mut bindings::hlist_node {
        // SAFETY: `this` is valid, by the safety requirements; this only computes an address.
        Opaque::cast_into(unsafe { &raw const (*this).node })
    }

    /// Returns the registration of a node.
    ///
    /// # Safety
    ///
    /// `node` must be that of a registration that lives for `'a`, and all its fields must be
    /// initialized.
    unsafe fn from_node<'a>(node: *mut bindings::hlist_node) -> &'a Self {
        let node = Opaque::cast_from(node).cast_mut();

        // SAFETY: `node` is in a `Self`, by the safety requirements.
        let this = unsafe { container_of!(node, Self, node) };
        // SAFETY: By the safety requirements.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Callbacks> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // INVARIANT: The registration is being dropped.
        self.may_fail.store(false, Relaxed);

        // SAFETY: `self` points to a registration.
        let node = unsafe { Self::raw_node(&raw const *self) };

        // SAFETY: `node` is an instance of `state`, by the type invariants. No callback fails,
        // since `may_fail` is false. None is running any more when this returns.
        unsafe { bindings::__cpuhp_state_remove_instance(self.state, node, true) };

        // SAFETY: The state belongs to this registration alone, by the type invariants, and its
        // instance is removed.
        unsafe { bindings::__cpuhp_remove_state(self.state, false) };
    }
}

/// A callback for one instance of a state.
type Callback = unsafe extern "C" fn(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int;

/// Makes a state of CPU hotplug to which instances can be added.
fn setup_state(
    name: &'static CStr,
    online: Callback,
    offline: Callback,
) -> Result<bindings::cpuhp_state> {
    type Single = unsafe extern "C" fn(cpu: c_uint) -> c_int;

    // SAFETY: Both are pointers to functions. With `multi_instance` set, C turns the pointer back
    // into one to a function of two parameters before it calls it.
    let online = unsafe { transmute::<Callback, Single>(online) };
    // SAFETY: As above.
    let offline = unsafe { transmute::<Callback, Single>(offline) };

    // SAFETY: The name and the functions are valid until the module of the callbacks is unloaded.
    // The registration is dropped before that, by the safety requirements of `Registration::new()`.
    let state = unsafe {
        bindings::__cpuhp_setup_state(
            bindings::cpuhp_state_CPUHP_AP_ONLINE_DYN,
            name.as_char_ptr(),
            false,
            Some(online),
            Some(offline),
            true,
        )
    };

    to_result(state)?;
    Ok(state)
}

/// Adds an instance to a state, then sets `may_fail`.
///
/// No CPU goes down in between: for each CPU that goes down later, the callback may fail.
///
/// # Safety
///
/// - `state` must have been made by [`setup_state`], with callbacks that may be called with `node`.
/// - If this succeeds, they may be until the instance is removed. Until then `node` must stay
///   valid.
// A module cannot call `__cpuhp_state_add_instance_cpuslocked()` itself, since it is not exported.
#[inline(never)]
unsafe fn add_instance(
    state: bindings::cpuhp_state,
    node: *mut bindings::hlist_node,
    may_fail: &Atomic<bool>,
) -> Result {
    // Without `CONFIG_HOTPLUG_CPU` no CPU goes down, and there is no lock.
    #[cfg(CONFIG_HOTPLUG_CPU)]
    // SAFETY: The caller is a task that may sleep.
    unsafe {
        bindings::cpus_read_lock()
    };

    // SAFETY: By the safety requirements. CPU hotplug is locked.
    let added =
        to_result(unsafe { bindings::__cpuhp_state_add_instance_cpuslocked(state, node, true) });
    if added.is_ok() {
        may_fail.store(true, Relaxed);
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    // SAFETY: This task has locked it above.
    unsafe {
        bindings::cpus_read_unlock()
    };
    added
}

/// # Safety
///
/// Must be called by CPU hotplug only, for the node of a [`Registration<T>`].
unsafe extern "C" fn online_callback<T: Callbacks>(
    cpu: c_uint,
    node: *mut bindings::hlist_node,
) -> c_int {
    // SAFETY: By the safety requirements. The node is in the state's list, or about to be, so the
    // fields are initialized. The drop waits for callbacks.
    let this = unsafe { Registration::<T>::from_node(node) };
    // SAFETY: CPU hotplug calls this for possible CPUs.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };

    match this.callbacks.online(cpu) {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// # Safety
///
/// Must be called by CPU hotplug only, for the node of a [`Registration<T>`].
unsafe extern "C" fn offline_callback<T: Callbacks>(
    cpu: c_uint,
    node: *mut bindings::hlist_node,
) -> c_int {
    // SAFETY: As in `online_callback()`.
    let this = unsafe { Registration::<T>::from_node(node) };
    // SAFETY: As in `online_callback()`.
    let cpu = unsafe { CpuId::from_u32_unchecked(cpu) };

    match this.callbacks.offline(cpu) {
        // C has a `BUG_ON()` for an error of a callback that must not fail.
        Err(e) if this.may_fail.load(Relaxed) => e.to_errno(),
        _ => 0,
    }
}
