// SPDX-License-Identifier: GPL-2.0

//! Allocations that an owner shares with the CPUs that it has sent them to.
//!
//! An allocation must not be freed while another CPU uses it, and its owner cannot always wait for
//! that CPU: the owner may be dropped in an interrupt or under a spinlock, or be leaked. So the
//! owner and each use have a reference. A drop of the owner never waits. If uses are left, the
//! allocation is *detached*: it belongs to the targets, and is freed when the last use ends.
//!
//! # Modules
//!
//! The code and the statics of a module are `'static`, but are freed when it is unloaded. A type of
//! `smp`, `irq_work` or `cpuhp` that runs code of its caller later follows one of two rules:
//!
//! - A value that is *sent* holds a reference to the module of its code until that code has
//!   returned: [`smp::Csd`](crate::smp::Csd), [`smp::StaticCsd`](crate::smp::StaticCsd),
//!   [`smp::call_async`](crate::smp::call_async), [`smp::send`](crate::smp::send), and the same of
//!   `irq_work`: `IrqWork`, `StaticIrqWork`, `queue()`. So a module cannot be unloaded while one of
//!   its values is in flight. It cannot send a value while it is being unloaded, or after its
//!   initialization has failed; in the second case, `module!` waits for the values in flight. The
//!   module is that of the closure or handler. If that calls a function of another module by a
//!   pointer, it must keep that module itself.
//! - A value that stays *registered* until it is dropped holds no reference: the module could never
//!   be unloaded. If it is leaked, `module!` unregisters it when the module is unloaded, or when its
//!   initialization has failed: [`cpuhp::Registration`](crate::cpuhp::Registration).
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use crate::{
    alloc::Flags,
    bindings,
    container_of,
    prelude::*,
    static_lock_class,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    mem,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    }, //
};

#[cfg(not(CONFIG_MODULE_UNLOAD))]
use crate::sync::atomic::{
    Acquire,
    Atomic,
    Relaxed,
    Release, //
};

mod references;
pub(crate) mod sent;
mod uses;

use references::References;
pub(crate) use uses::Uses;

/// The module that some code belongs to, or null if the code is built in.
#[derive(Clone, Copy)]
pub(crate) struct Module(*mut bindings::module);

// SAFETY: C counts the references, on any CPU.
unsafe impl Send for Module {}
// SAFETY: As above.
unsafe impl Sync for Module {}

/// The number of references to all modules, if modules do not count them.
#[cfg(not(CONFIG_MODULE_UNLOAD))]
static REFERENCES: Atomic<usize> = Atomic::new(0);

impl Module {
    /// Returns the module of the code at `code`, which must be code of the caller, or of a module
    /// that the caller uses.
    // A module cannot call `__module_address()` itself, since it is not exported.
    #[inline(never)]
    pub(crate) fn of(code: *const ()) -> Self {
        let _guard = crate::sync::rcu::read_lock();

        // SAFETY: This is an RCU read-side critical section.
        Self(unsafe { bindings::__module_address(code as usize) })
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *mut bindings::module {
        self.0
    }

    /// Takes a reference. Returns false if the module is being unloaded.
    ///
    /// The caller must be code of the module, or of one that uses it.
    #[inline]
    pub(crate) fn get(self) -> bool {
        self.0.is_null() || self.get_loaded()
    }

    #[inline(never)]
    fn get_loaded(self) -> bool {
        // C checks the state before it counts: `module_init_failed()` waits for both.
        let _guard = crate::sync::rcu::read_lock();

        // SAFETY: The module is valid: the caller is code of it, or of one that uses it.
        let got = unsafe { bindings::try_module_get(self.0) };

        #[cfg(not(CONFIG_MODULE_UNLOAD))]
        if got {
            REFERENCES.add(1, Relaxed);
        }
        got
    }

    /// Takes another reference.
    ///
    /// # Safety
    ///
    /// There is one.
    #[inline]
    unsafe fn get_more(self) {
        if !self.0.is_null() {
            #[cfg(not(CONFIG_MODULE_UNLOAD))]
            REFERENCES.add(1, Relaxed);
            // SAFETY: By the safety requirements.
            unsafe { bindings::__module_get(self.0) };
        }
    }

    /// Drops a reference.
    ///
    /// # Safety
    ///
    /// The reference must come from [`get`](Self::get) or [`get_more`](Self::get_more). After this
    /// the code of the module may be freed, unless it runs in an RCU read-side critical section.
    #[inline]
    pub(crate) unsafe fn put(self) {
        if !self.0.is_null() {
            // SAFETY: By the safety requirements.
            unsafe { self.put_loaded() };
        }
    }

    /// # Safety
    ///
    /// As for [`put`](Self::put).
    #[inline(never)]
    unsafe fn put_loaded(self) {
        #[cfg(not(CONFIG_MODULE_UNLOAD))]
        // ORDERING: Pairs with the acquire in `module_init_failed()`.
        REFERENCES.fetch_sub(1, Release);
        // SAFETY: By the safety requirements.
        unsafe { bindings::module_put(self.0) };
    }
}

/// Waits until a module has no reference but that of its initialization, which has failed.
///
/// For `module!`. From now on the module cannot send a value, as when it is unloaded. May sleep,
/// until the last reference is dropped. Without `CONFIG_MODULE_UNLOAD` modules count no references:
/// this then waits for the values in flight of all modules.
///
/// # Safety
///
/// Called by the task that loads the module, when the initialization has failed: the code of the
/// module is freed next, whatever references there are.
#[doc(hidden)]
pub unsafe fn module_init_failed(module: &ThisModule) {
    let module = module.as_ptr();

    if module.is_null() {
        return;
    }
    // SAFETY: The module is valid; this only computes an address.
    let state = unsafe { &raw mut (*module).state };
    // C sets the same state next, before it frees the module.
    // SAFETY: The state belongs to the task that loads the module.
    unsafe { state.write_volatile(bindings::module_state_MODULE_STATE_GOING) };
    // A callback of CPU hotplug that was leaked may have seen the old state.
    // SAFETY: A task that loads a module may sleep.
    unsafe { bindings::synchronize_rcu() };

    #[cfg(CONFIG_MODULE_UNLOAD)]
    // SAFETY: The module is valid: its code is the caller.
    let references = || unsafe { bindings::module_refcount(module) };
    #[cfg(CONFIG_MODULE_UNLOAD)]
    // One reference is that of the initialization. A relaxed read suffices: C waits for an RCU grace
    // period next, and so for the code that has dropped the last reference.
    let is_used = || references() > 1;
    #[cfg(not(CONFIG_MODULE_UNLOAD))]
    // ORDERING: Pairs with the release in `Module::put_loaded()`.
    let is_used = || REFERENCES.load(Acquire) != 0;

    while is_used() {
        fsleep(Delta::from_millis(1));
    }
}

/// The part of an allocation that is the same for all values.
struct Header {
    references: References,
    module: Module,
    /// Drops the value, and frees the allocation after an RCU grace period.
    free: unsafe fn(NonNull<Header>),
    work: Opaque<bindings::work_struct>,
    rcu: Opaque<bindings::kvfree_rcu_head>,
}

/// An allocation that is shared.
#[repr(C)]
#[pin_data]
struct Shared<T> {
    header: Header,
    #[pin]
    value: T,
}

/// # Safety
///
/// `header` must be that of a [`Shared<T>`] to which there is no reference any more.
unsafe fn free<T>(header: NonNull<Header>) {
    let shared = header.cast::<Shared<T>>().as_ptr();

    // SAFETY: By the safety requirements, the value is used nowhere else.
    unsafe { ptr::drop_in_place(&raw mut (*shared).value) };
    // SAFETY: The allocation came from a `KBox`. Only C may still read it, in an RCU read-side
    // critical section.
    unsafe { free_after_grace_period(header) };
}

/// # Safety
///
/// `header` must begin an allocation of a [`KBox`] that is used only in RCU read-side critical
/// sections that have begun before.
#[inline(never)]
unsafe fn free_after_grace_period(header: NonNull<Header>) {
    // SAFETY: The header is valid, by the safety requirements; this only computes an address.
    let rcu = unsafe { Opaque::cast_into(&raw const (*header.as_ptr()).rcu) };

    // SAFETY: By the safety requirements.
    unsafe { bindings::kvfree_call_rcu(rcu, header.as_ptr().cast()) };
}

/// Has a worker free a detached allocation, since its last use may end in an interrupt.
///
/// # Safety
///
/// `header` must be that of a [`Shared`] to which there is no reference any more, and whose module
/// has one.
#[cold]
#[inline(never)]
unsafe fn free_later(header: NonNull<Header>) {
    // SAFETY: The allocation is valid, and used nowhere else, by the safety requirements.
    let work = unsafe { (*header.as_ptr()).work.get() };

    // SAFETY: The work is not queued: this happens once. It stays valid until it runs.
    unsafe { run_in_task(work, free_in_task) };
}

/// Has a worker call `func`.
///
/// # Safety
///
/// `work` is not queued, and stays valid until `func` is called with it, which is allowed.
#[inline(never)]
unsafe fn run_in_task(
    work: *mut bindings::work_struct,
    func: unsafe extern "C" fn(*mut bindings::work_struct),
) {
    // SAFETY: By the safety requirements.
    unsafe {
        bindings::init_work_with_key(
            work,
            Some(func),
            false,
            c"kernel::detach".as_char_ptr(),
            static_lock_class!().as_ptr(),
        )
    };
    // SAFETY: The work was set up, and stays valid until it runs.
    unsafe {
        bindings::queue_work_on(
            bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
            bindings::system_dfl_wq,
            work,
        )
    };
}

/// # Safety
///
/// `work` must have been queued by [`free_later`].
unsafe extern "C" fn free_in_task(work: *mut bindings::work_struct) {
    let work = Opaque::cast_from(work).cast_mut();
    // SAFETY: By the safety requirements.
    let header = unsafe { container_of!(work, Header, work) };
    // SAFETY: The header is valid until it is freed.
    let free = unsafe { (*header).free };
    // SAFETY: As above.
    let module = unsafe { (*header).module };

    // SAFETY: It is not null, and there is no reference to it any more.
    unsafe { free(NonNull::new_unchecked(header)) };
    // SAFETY: This is the reference of the last use. The code of the module has returned.
    unsafe { module.put() };
}

/// The reference of an owner.
///
/// # Invariants
///
/// The header is that of a valid [`Shared`], of which this has one reference.
struct Reference(NonNull<Header>);

impl Reference {
    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: The allocation is valid, by the type invariants.
        unsafe { self.0.as_ref() }
    }

    /// Returns whether a [`Use`] is left. If not, the caller sees what all of them have written.
    #[inline]
    fn is_used(&self) -> bool {
        self.header().references.are_more_than_one()
    }
}

impl Drop for Reference {
    #[inline]
    fn drop(&mut self) {
        let Header {
            references, free, ..
        } = self.header();

        if references.drop_one() {
            // SAFETY: That was the last reference.
            unsafe { free(self.0) };
        }
    }
}

/// The owner of a value that is shared with the CPUs that it is sent to.
///
/// The drop does not wait. If there is no [`Use`], it drops the value. Otherwise the value is
/// detached: a worker drops it after the last use.
///
/// # Invariants
///
/// The reference is that of a [`Shared<T>`].
pub(crate) struct Owner<T> {
    reference: Reference,
    _value: PhantomData<T>,
}

// SAFETY: The value may be dropped by any task, and may be used by several.
unsafe impl<T: Send + Sync> Send for Owner<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Owner<T> {}

impl<T> Owner<T> {
    /// Allocates a value. `code` is the code that runs when it is sent: each use keeps its module.
    pub(crate) fn new<E>(value: impl PinInit<T, E>, code: *const (), flags: Flags) -> Result<Self>
    where
        T: 'static,
        Error: From<E>,
    {
        let header = Header {
            references: References::one(),
            module: Module::of(code),
            free: free::<T>,
            work: Opaque::uninit(),
            rcu: Opaque::uninit(),
        };
        let shared = KBox::pin_init(
            try_pin_init!(Shared {
                header,
                value <- value,
            }? E),
            flags,
        )?;
        // SAFETY: The value is not moved again.
        let shared = KBox::into_raw(unsafe { Pin::into_inner_unchecked(shared) });

        Ok(Self {
            // INVARIANT: This is the reference with which the allocation began.
            // SAFETY: It came from a box.
            reference: Reference(unsafe { NonNull::new_unchecked(shared.cast()) }),
            _value: PhantomData,
        })
    }

    /// Takes a reference for a CPU that the value is sent to. In any context.
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module of the code is being unloaded.
    #[inline]
    pub(crate) fn start_use(&self) -> Result<Use<T>> {
        let header = self.reference.header();

        if !header.module.get() {
            return Err(ENODEV);
        }
        header.references.take_one();
        Ok(Use {
            // INVARIANT: These are the references that were just taken.
            shared: self.reference.0.cast(),
        })
    }

    /// Takes references for `count` CPUs that the value is sent to: at least one. Each of them takes
    /// the returned pointer back once, by [`Use::from_raw`].
    ///
    /// # Errors
    ///
    /// - [`ENODEV`]: the module of the code is being unloaded.
    pub(crate) fn start_uses(&self, count: u32) -> Result<*mut T> {
        let first = self.start_use()?;

        for _ in 1..count {
            first.another().into_raw();
        }
        Ok(first.into_raw())
    }

    /// Returns whether a [`Use`] is left. If not, the caller sees what all of them have written.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.reference.is_used()
    }

    /// Turns this into an owner that has access to a part of the value only.
    pub(crate) fn into_part<U>(self, part: impl FnOnce(&T) -> &U) -> Part<U>
    where
        T: Send + Sync,
    {
        let value = NonNull::from(part(&self));

        Part {
            // INVARIANT: The part lives as long as the whole.
            value,
            reference: self.reference,
        }
    }
}

impl<T> Deref for Owner<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        let shared = self.reference.0.cast::<Shared<T>>();

        // SAFETY: The allocation is valid, and a `Shared<T>`, by the type invariants.
        unsafe { &(*shared.as_ptr()).value }
    }
}

/// The owner of an allocation, with access to a part of its value.
///
/// # Invariants
///
/// `value` is valid as long as `reference` is.
pub(crate) struct Part<U> {
    reference: Reference,
    value: NonNull<U>,
}

// SAFETY: Any task may drop the whole value, by the bounds of `into_part()`, and may use the part.
unsafe impl<U: Sync> Send for Part<U> {}
// SAFETY: As above.
unsafe impl<U: Sync> Sync for Part<U> {}

impl<U> Part<U> {
    /// As [`Owner::is_used`].
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.reference.is_used()
    }
}

impl<U> Deref for Part<U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: By the type invariants.
        unsafe { self.value.as_ref() }
    }
}

/// One use of a value by a CPU that it was sent to.
///
/// The drop ends the use. If it was the last reference, a worker drops the value later.
///
/// # Invariants
///
/// `shared` is a valid allocation, of which this has one reference. It also has one of the module.
pub(crate) struct Use<T> {
    shared: NonNull<Shared<T>>,
}

impl<T> Use<T> {
    /// Takes references for another CPU.
    fn another(&self) -> Self {
        let header = self.shared.cast::<Header>();
        // SAFETY: The allocation is valid, by the type invariants.
        let Header {
            references, module, ..
        } = unsafe { header.as_ref() };

        // SAFETY: There is one, by the type invariants.
        unsafe { module.get_more() };
        references.take_one();
        Self {
            // INVARIANT: These are the references that were just taken.
            shared: self.shared,
        }
    }

    /// Turns the use into a pointer for C. [`from_raw`](Self::from_raw) takes it back.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut T {
        // SAFETY: The allocation is valid, by the type invariants; this only computes an address.
        let value = unsafe { &raw mut (*self.shared.as_ptr()).value };

        mem::forget(self);
        value
    }

    /// Takes back a use from C.
    ///
    /// # Safety
    ///
    /// `value` must come from [`into_raw`](Self::into_raw), which this undoes, once.
    #[inline]
    pub(crate) unsafe fn from_raw(value: *mut T) -> Self {
        // SAFETY: By the safety requirements, the value is in a `Shared<T>`.
        let shared = unsafe { container_of!(value, Shared<T>, value) };

        Self {
            // INVARIANT: The pointer has the references of the use that it comes from.
            // SAFETY: It is not null.
            shared: unsafe { NonNull::new_unchecked(shared) },
        }
    }
}

impl<T> Deref for Use<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The allocation is valid, by the type invariants.
        unsafe { &(*self.shared.as_ptr()).value }
    }
}

impl<T> Drop for Use<T> {
    #[inline]
    fn drop(&mut self) {
        let header = self.shared.cast::<Header>();
        // SAFETY: The allocation is valid, by the type invariants.
        let Header {
            references, module, ..
        } = unsafe { header.as_ref() };
        // The allocation may be freed once the reference is dropped.
        let module = *module;

        if references.drop_one() {
            // SAFETY: That was the last reference. The module still has one, which `free_in_task()`
            // drops.
            unsafe { free_later(header) };
        } else {
            // SAFETY: By the type invariants. This runs with interrupts off, in an RCU read-side
            // critical section, or in code of a module that has another reference.
            unsafe { module.put() };
        }
    }
}
