// SPDX-License-Identifier: GPL-2.0

//! The set of CPUs that a task has sent a call to and waits for.
//!
//! It belongs to the task, since the task may be preempted while it waits. If a set of CPUs is no
//! longer than a pointer, it is stored in place of the pointer.

use crate::static_key::static_branch_unlikely;
use core::{
    alloc::Layout,
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    alloc::{
        allocator::Kmalloc,
        Allocator,
        NumaNode, //
    },
    bindings,
    cpumask::Cpumask,
    helpers,
    prelude::*, //
};

/// The set of `init_task`, for which no fork has allocated one.
struct InitTaskMask(UnsafeCell<MaybeUninit<bindings::cpumask>>);

// SAFETY: Only `init_task` uses it, and a task runs on one CPU at a time.
unsafe impl Sync for InitTaskMask {}

static INIT_TASK_MASK: InitTaskMask = InitTaskMask(UnsafeCell::new(MaybeUninit::zeroed()));

/// Returns whether a set of CPUs is stored in place of the pointer to it.
#[inline]
fn inlined() -> bool {
    static_branch_unlikely!(bindings::ipi_mask_inlined)
}

/// Returns the place of the pointer to the set of `task`, or of the set itself.
///
/// # Safety
///
/// `task` is a valid task.
#[inline]
unsafe fn place_of(task: *mut bindings::task_struct) -> *mut *mut bindings::cpumask {
    // SAFETY: The task is valid, by the safety requirements. The members of the union are one
    // place.
    unsafe { &raw mut (*task).ipi_mask }.cast()
}

/// Returns the set of the current task.
///
/// The caller is in task context, and uses the set for one call at a time. In a context that causes
/// a warning, an interrupt may overwrite the set: the CPUs in it are then wrong, but it stays valid
/// memory.
#[inline]
pub(crate) fn of_current<'a>() -> &'a mut Cpumask {
    // SAFETY: There is always a current task.
    let task = unsafe { helpers::percpu::get_current() };
    // SAFETY: The task is valid while it runs.
    let place = unsafe { place_of(task) };

    let mask = if inlined() {
        place.cast()
    } else {
        // SAFETY: Only the task itself uses the pointer while it runs.
        let mask = unsafe { *place };
        if mask.is_null() {
            INIT_TASK_MASK.0.get().cast()
        } else {
            mask
        }
    };

    // SAFETY: Each of the three is a set of CPUs that only this task uses, and that lives as long.
    unsafe { Cpumask::from_raw_mut(mask) }
}

/// The size of a set of CPUs, in bytes.
#[inline]
fn layout() -> Layout {
    // SAFETY: The size has no requirements.
    let size = unsafe { bindings::cpumask_size() };

    // SAFETY: The alignment is that of a type, and the size is at most that of `struct cpumask`.
    unsafe { Layout::from_size_align_unchecked(size, align_of::<bindings::cpumask>()) }
}

/// Allocates the set of a new task.
///
/// # Errors
///
/// - `-ENOMEM`: there is no memory. The fork fails.
///
/// # Safety
///
/// `task` is a valid task that does not run yet.
#[export]
pub(crate) unsafe extern "C" fn smp_task_ipi_mask_alloc(task: *mut bindings::task_struct) -> c_int {
    if inlined() {
        return 0;
    }

    match Kmalloc::alloc(layout(), GFP_KERNEL, NumaNode::NO_NODE) {
        Ok(mask) => {
            // SAFETY: The task is valid, by the safety requirements.
            let place = unsafe { place_of(task) };
            // SAFETY: A task that does not run has no user of the pointer.
            unsafe { *place = mask.as_ptr().cast() };
            0
        }
        Err(_) => ENOMEM.to_errno(),
    }
}

/// Frees the set of a task that has ended.
///
/// # Safety
///
/// `task` is a valid task that does not run any more, and was given a set.
#[export]
pub(crate) unsafe extern "C" fn smp_task_ipi_mask_free(task: *mut bindings::task_struct) {
    if inlined() {
        return;
    }

    // SAFETY: The task is valid, by the safety requirements.
    let place = unsafe { place_of(task) };
    // SAFETY: A task that does not run has no user of the pointer.
    let mask = unsafe { *place };
    // SAFETY: The set was allocated by `smp_task_ipi_mask_alloc()`, or is null.
    unsafe { bindings::kfree(mask.cast()) };
}
