// SPDX-License-Identifier: GPL-2.0

//! Callbacks as an instance of a state.

use super::{
    instance::Instance,
    Callbacks,
    HotplugLock,
    State, //
};
use crate::{
    prelude::*,
    sync::Arc, //
};

/// Callbacks that are run as CPUs come online and go offline, until this is dropped.
///
/// It must be dropped in a task that may sleep and that has not locked CPU hotplug: not in a
/// callback, nor where a [`HotplugLock`](super::HotplugLock) is held. The drop runs
/// [`Callbacks::teardown`] once for each CPU that is online. When it returns, no callback is running
/// and none will be run.
///
/// If it is leaked, its callbacks go on to run. A module that leaks it can be unloaded: no callback
/// is run from then on.
///
/// # Invariants
///
/// `instance` is one of `state`, whose list links to it: it does not move.
///
/// # Examples
///
/// A count of the CPUs that are online.
///
/// ```
/// use kernel::{
///     cpuhp::{Callbacks, Online, OnlineCpu, Registration},
///     sync::atomic::{Atomic, Relaxed},
/// };
///
/// struct Users {
///     cpus: Atomic<u32>,
/// }
///
/// impl Callbacks for Users {
///     type Section = Online;
///
///     fn startup(&self, _cpu: &OnlineCpu) -> Result {
///         self.cpus.add(1, Relaxed);
///         Ok(())
///     }
///
///     fn teardown(&self, _cpu: &OnlineCpu) -> Result {
///         self.cpus.fetch_sub(1, Relaxed);
///         Ok(())
///     }
/// }
///
/// let users = try_init!(Users { cpus: Atomic::new(0) }? Error);
/// let registration = KBox::pin_init(Registration::new(c"example:online", users), GFP_KERNEL)?;
/// assert!(registration.callbacks().cpus.load(Relaxed) > 0);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "the callbacks run until it is dropped"]
#[pin_data(PinnedDrop)]
#[doc(alias = "cpuhp_setup_state")]
pub struct Registration<T: Callbacks> {
    state: Arc<State<T>>,
    calls: bool,
    #[pin]
    instance: Instance<T>,
}

impl<T: Callbacks> Registration<T> {
    /// Registers callbacks with a state of their own, and runs [`Callbacks::startup`] once for each
    /// CPU that is online.
    ///
    /// Call this from a task that may sleep and that has not locked CPU hotplug: not from a
    /// callback, nor where a [`HotplugLock`](super::HotplugLock) is held.
    ///
    /// # Errors
    ///
    /// - Those of [`State::new`].
    /// - Those of [`Registration::instance`].
    ///
    /// # Examples
    ///
    /// See [`Registration`].
    pub fn new(
        name: &'static CStr,
        callbacks: impl PinInit<T, Error>,
    ) -> impl PinInit<Self, Error> {
        Self::make(move || State::new(name), callbacks, true, None)
    }

    /// As [`new`](Self::new), but runs no callback now, nor when the registration is dropped.
    ///
    /// For one CPU, the first callback may be [`Callbacks::teardown`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     cpuhp::{Callbacks, Online, OnlineCpu, Registration},
    ///     sync::atomic::{Atomic, Relaxed},
    /// };
    ///
    /// struct Changes {
    ///     count: Atomic<u32>,
    /// }
    ///
    /// impl Callbacks for Changes {
    ///     type Section = Online;
    ///
    ///     fn startup(&self, _cpu: &OnlineCpu) -> Result {
    ///         self.count.add(1, Relaxed);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let changes = try_init!(Changes { count: Atomic::new(0) }? Error);
    /// let changes = Registration::new_nocalls(c"example:changes", changes);
    /// let changes = KBox::pin_init(changes, GFP_KERNEL)?;
    /// // The number of CPUs that have come online since.
    /// let _ = changes.callbacks().count.load(Relaxed);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "cpuhp_setup_state_nocalls")]
    pub fn new_nocalls(
        name: &'static CStr,
        callbacks: impl PinInit<T, Error>,
    ) -> impl PinInit<Self, Error> {
        Self::make(move || State::new(name), callbacks, false, None)
    }

    /// Registers callbacks as an instance of `state`, and runs [`Callbacks::startup`] once for each
    /// CPU that is online.
    ///
    /// May be called where [`new`](Self::new) may.
    ///
    /// # Errors
    ///
    /// - [`ENOMEM`]: there is no memory.
    /// - Those of `callbacks`.
    /// - Those of [`Callbacks::startup`]. [`Callbacks::teardown`] is then called for the CPUs for
    ///   which `startup` returned no error.
    ///
    /// # Examples
    ///
    /// Devices that share a state.
    ///
    /// ```
    /// use kernel::cpuhp::{Callbacks, Online, Registration, State};
    ///
    /// struct Device;
    ///
    /// impl Callbacks for Device {
    ///     type Section = Online;
    /// }
    ///
    /// let state = State::new(c"example:devices")?;
    /// let first = Registration::instance(state.clone(), try_init!(Device {}? Error));
    /// let first = KBox::pin_init(first, GFP_KERNEL)?;
    /// let second = Registration::instance(state, try_init!(Device {}? Error));
    /// let second = KBox::pin_init(second, GFP_KERNEL)?;
    /// # drop((first, second));
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "cpuhp_state_add_instance")]
    #[doc(alias = "cpuhp_state_remove_instance")]
    pub fn instance(
        state: Arc<State<T>>,
        callbacks: impl PinInit<T, Error>,
    ) -> impl PinInit<Self, Error> {
        Self::make(move || Ok(state), callbacks, true, None)
    }

    /// As [`instance`](Self::instance), but runs no callback now, nor when the registration is
    /// dropped.
    ///
    /// # Examples
    ///
    /// See [`instance`](Self::instance) and [`new_nocalls`](Self::new_nocalls).
    #[doc(alias = "cpuhp_state_add_instance_nocalls")]
    #[doc(alias = "cpuhp_state_remove_instance_nocalls")]
    pub fn instance_nocalls(
        state: Arc<State<T>>,
        callbacks: impl PinInit<T, Error>,
    ) -> impl PinInit<Self, Error> {
        Self::make(move || Ok(state), callbacks, false, None)
    }

    /// As [`instance`](Self::instance), where the caller holds the lock: what it has seen of the CPUs
    /// is still so when the callbacks are registered.
    ///
    /// `state` must not be dropped before `lock` is. The registration is dropped after that, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::cpuhp::{Callbacks, HotplugLock, Online, Registration, State};
    ///
    /// struct Device;
    ///
    /// impl Callbacks for Device {
    ///     type Section = Online;
    /// }
    ///
    /// let state = State::new(c"example:locked")?;
    /// let lock = HotplugLock::new();
    /// let cpus = lock.online().weight();
    /// let device = Registration::instance_locked(&lock, &state, try_init!(Device {}? Error));
    /// let device = KBox::pin_init(device, GFP_KERNEL)?;
    ///
    /// // A callback was run for this number of CPUs.
    /// assert!(cpus > 0);
    /// drop(lock);
    /// drop(device);
    /// # Ok::<(), Error>(())
    /// ```
    #[doc(alias = "cpuhp_state_add_instance_cpuslocked")]
    pub fn instance_locked<'a, I: PinInit<T, Error>>(
        lock: &'a HotplugLock,
        state: &Arc<State<T>>,
        callbacks: I,
    ) -> impl PinInit<Self, Error> + use<'a, T, I> {
        let state = state.clone();

        Self::make(move || Ok(state), callbacks, true, Some(lock))
    }

    fn make<'a, S, I>(
        state: S,
        callbacks: I,
        calls: bool,
        lock: Option<&'a HotplugLock>,
    ) -> impl PinInit<Self, Error> + use<'a, T, S, I>
    where
        S: FnOnce() -> Result<Arc<State<T>>>,
        I: PinInit<T, Error>,
    {
        try_pin_init!(Self {
            instance <- Instance::new(callbacks),
            calls,
            state: state()?,
            // INVARIANT: After this, `instance` is one of `state`.
            // SAFETY: It does not move, and the drop removes it.
            _: { unsafe { state.add(&instance, *calls, lock) }? },
        }? Error)
    }

    /// Returns the callbacks that were registered.
    ///
    /// # Examples
    ///
    /// See [`Registration`].
    pub fn callbacks(&self) -> &T {
        &self.instance.callbacks
    }
}

#[pinned_drop]
impl<T: Callbacks> PinnedDrop for Registration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants.
        unsafe { self.state.remove(&self.instance, self.calls) };
    }
}
