// SPDX-License-Identifier: GPL-2.0

//! Entries of the list of states.
//!
//! C's list points to the name and the callbacks of a state, and so into a module. A [`State`]
//! removes itself when it is dropped. If a module has leaked it, [`remove_states_of`] does so when
//! the module goes.

use super::{
    instance::{
        Callback,
        Instance,
        Node, //
    },
    Callbacks,
    HotplugLock,
    Section, //
};
use crate::{
    bindings,
    detach::Module,
    error::to_result,
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        Mutex, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::{
        self,
        transmute, //
    },
    ptr, //
};

/// A state, whatever its callbacks are.
///
/// # Invariants
///
/// - `number` is a multi-instance state of C that belongs to this alone.
/// - Each of its instances is in `nodes`.
#[pin_data]
struct Entry {
    number: bindings::cpuhp_state,
    #[pin]
    nodes: Mutex<KVec<Node>>,
}

impl Entry {
    /// Removes an instance. `calls`: runs its callback for each CPU that is online.
    ///
    /// # Safety
    ///
    /// `node` must be an instance of this state. If `calls`, its callback must not fail.
    unsafe fn remove(&self, node: Node, calls: bool) {
        // SAFETY: By the safety requirements. No callback is running any more when this returns.
        unsafe { bindings::__cpuhp_state_remove_instance(self.number, node.as_ptr(), calls) };
    }
}

/// The owner of a number in C's list.
///
/// # Invariants
///
/// If `module` is not null, the number is that of the [`State`] at `entry`, whose callbacks are
/// code of the module.
struct Owner {
    module: Atomic<*mut bindings::module>,
    entry: Atomic<*mut Entry>,
}

/// The owners of all numbers.
static OWNERS: [Owner; bindings::cpuhp_state_CPUHP_ONLINE as usize] = [const {
    Owner {
        // INVARIANT: It is null.
        module: Atomic::new(ptr::null_mut()),
        entry: Atomic::new(ptr::null_mut()),
    }
};
    bindings::cpuhp_state_CPUHP_ONLINE as usize];

/// A state of CPU hotplug, for [callbacks](Callbacks) of one type.
///
/// It has any number of instances: see [`Registration::instance`](super::Registration::instance).
/// It is dropped with the last one at the earliest, in a task that may sleep and that has not locked
/// CPU hotplug.
///
/// # Invariants
///
/// The callbacks of `entry` are those of an `Instance<T>`.
///
/// # Examples
///
/// See [`Registration::instance`](super::Registration::instance).
#[pin_data(PinnedDrop)]
#[doc(alias = "cpuhp_setup_state_multi")]
#[doc(alias = "cpuhp_remove_multi_state")]
pub struct State<T: Callbacks> {
    #[pin]
    entry: Entry,
    _callbacks: PhantomData<fn(T)>,
}

impl<T: Callbacks> State<T> {
    /// Makes a state that has no instance yet.
    ///
    /// `name` is shown in `/sys/devices/system/cpu/hotplug/states` and by the trace points of CPU
    /// hotplug. Call this from a task that may sleep and that has not locked CPU hotplug.
    ///
    /// # Errors
    ///
    /// - [`ENOSPC`]: all dynamic states of this [`Section`] are in use.
    /// - [`EBUSY`]: the fixed state is in use.
    /// - [`ENOMEM`]: there is no memory.
    ///
    /// # Examples
    ///
    /// See [`Registration::instance`](super::Registration::instance).
    pub fn new(name: &'static CStr) -> Result<Arc<Self>> {
        let [startup, teardown] = Instance::<T>::callbacks();
        let module = Module::of(startup as *const ()).as_ptr();

        let state = Arc::pin_init(
            try_pin_init!(Self {
                entry <- try_pin_init!(Entry {
                    nodes <- new_mutex!(KVec::new()),
                    // INVARIANT: The new state is used nowhere else, and has no instance.
                    number: setup_state(T::Section::STATE, name, startup, teardown)?,
                }? Error),
                _callbacks: PhantomData,
            }? Error),
            GFP_KERNEL,
        )?;
        if let Some(owner) = owner_of(state.entry.number) {
            owner
                .entry
                .store((&raw const state.entry).cast_mut(), Relaxed);
            // INVARIANT: `State` clears it before it is dropped.
            // ORDERING: Pairs with the acquire in `remove_states_of()`.
            owner.module.store(module, Release);
        }
        Ok(state)
    }

    /// Adds an instance. `calls`: runs its callback for each CPU that is online. `lock`: the caller
    /// holds the lock.
    ///
    /// No CPU goes down before `may_fail` is set: for each CPU that goes down later, the callback
    /// may fail.
    ///
    /// # Safety
    ///
    /// If this succeeds, `instance` must not move, and must be removed before it is dropped.
    pub(super) unsafe fn add(
        &self,
        instance: &Instance<T>,
        calls: bool,
        lock: Option<&HotplugLock>,
    ) -> Result {
        // SAFETY: By the safety requirements. The callbacks are those of the instance, by the type
        // invariants.
        unsafe {
            add(
                &self.entry,
                instance.node(),
                calls,
                &instance.may_fail,
                lock,
            )
        }
    }

    /// Removes an instance. `calls`: runs its callback for each CPU that is online.
    ///
    /// # Safety
    ///
    /// `instance` must be one of this state.
    pub(super) unsafe fn remove(&self, instance: &Instance<T>, calls: bool) {
        let node = instance.node();

        instance.may_fail.store(false, Relaxed);
        // SAFETY: By the safety requirements. The callback does not fail.
        unsafe { self.entry.remove(node, calls) };
        self.entry.nodes.lock().retain(|other| *other != node);
    }
}

#[pinned_drop]
impl<T: Callbacks> PinnedDrop for State<T> {
    fn drop(self: Pin<&mut Self>) {
        let number = self.entry.number;

        if let Some(owner) = owner_of(number) {
            owner.module.store(ptr::null_mut(), Relaxed);
        }
        // SAFETY: The state belongs to this alone, by the type invariants. It has no instance,
        // since each has a reference to this.
        unsafe { bindings::__cpuhp_remove_state(number, false) };
    }
}

/// Removes the states that a module has leaked, with their instances.
///
/// For `module!`. No callback is called. May sleep.
///
/// # Safety
///
/// The module is freed next, and no code of it runs but that of the caller.
#[doc(hidden)]
pub unsafe fn remove_states_of(module: &ThisModule) {
    if module.as_ptr().is_null() {
        return;
    }
    for owner in &OWNERS {
        // ORDERING: Pairs with the release in `State::new()`.
        if owner.module.load(Acquire) != module.as_ptr() {
            continue;
        }
        // INVARIANT: The state is removed.
        owner.module.store(ptr::null_mut(), Relaxed);
        // SAFETY: The state is valid, by the type invariants: it would clear `module` when it is
        // dropped, which is done by code of the module, and none runs.
        let entry = unsafe { &*owner.entry.load(Relaxed) };

        crate::pr_warn!("cpuhp: a module has left state {} behind\n", entry.number);
        // The lock is not held while one is removed, which locks CPU hotplug.
        let nodes = mem::take(&mut *entry.nodes.lock());
        for node in nodes {
            // SAFETY: It is an instance, by the type invariants, and no callback is called.
            unsafe { entry.remove(node, false) };
        }
        // SAFETY: The state belongs to `entry` alone, by the type invariants, and has no instance.
        unsafe { bindings::__cpuhp_remove_state(entry.number, false) };
    }
}

fn owner_of(number: bindings::cpuhp_state) -> Option<&'static Owner> {
    OWNERS.get(number as usize)
}

/// Makes a state of C to which instances can be added. Returns its number.
///
/// The name and the functions must be valid until the state is removed.
fn setup_state(
    state: bindings::cpuhp_state,
    name: &'static CStr,
    startup: Callback,
    teardown: Callback,
) -> Result<bindings::cpuhp_state> {
    type Single = unsafe extern "C" fn(cpu: c_uint) -> c_int;

    // SAFETY: Both are pointers to functions. With `multi_instance` set, C turns the pointer back
    // into one to a function of two parameters before it calls it.
    let startup = unsafe { transmute::<Callback, Single>(startup) };
    // SAFETY: As above.
    let teardown = unsafe { transmute::<Callback, Single>(teardown) };

    // SAFETY: The name and the functions are valid until the module of the callbacks is freed, and
    // the state is removed before that.
    let number = unsafe {
        bindings::__cpuhp_setup_state(
            state,
            name.as_char_ptr(),
            false,
            Some(startup),
            Some(teardown),
            true,
        )
    };

    to_result(number)?;
    // C returns 0 for a fixed state.
    Ok(if number == 0 { state } else { number })
}

/// As [`State::add`].
///
/// # Safety
///
/// The callbacks of `entry` may be called with `node`, now and, if this succeeds, until it is
/// removed.
// A module cannot call `__cpuhp_state_add_instance_cpuslocked()` itself, since it is not exported.
#[inline(never)]
unsafe fn add(
    entry: &Entry,
    node: Node,
    calls: bool,
    may_fail: &Atomic<bool>,
    lock: Option<&HotplugLock>,
) -> Result {
    entry.nodes.lock().push(node, GFP_KERNEL)?;

    let new_lock = lock.is_none().then(HotplugLock::new);
    // SAFETY: By the safety requirements. CPU hotplug is locked.
    let added = to_result(unsafe {
        bindings::__cpuhp_state_add_instance_cpuslocked(entry.number, node.as_ptr(), calls)
    });

    if added.is_ok() {
        may_fail.store(true, Relaxed);
    }
    drop(new_lock);
    if added.is_err() {
        entry.nodes.lock().retain(|other| *other != node);
    }
    added
}
