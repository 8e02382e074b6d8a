// SPDX-License-Identifier: GPL-2.0

//! Assertions about the context, checked by lockdep.
//!
//! Without lockdep they do nothing.
//!
//! C header: [`include/linux/lockdep.h`](srctree/include/linux/lockdep.h)

use crate::helpers;

/// Warns, once, if interrupts are disabled on this CPU.
///
/// # Examples
///
/// ```
/// kernel::lockdep::assert_irqs_enabled();
/// ```
#[inline]
#[doc(alias = "lockdep_assert_irqs_enabled")]
pub fn assert_irqs_enabled() {
    // SAFETY: The assertion may be made in any context.
    unsafe { helpers::lockdep::lockdep_assert_irqs_enabled() }
}

/// Warns, once, if interrupts are enabled on this CPU.
///
/// # Examples
///
/// ```
/// use kernel::interrupt::local_interrupt_disable;
///
/// let _irq = local_interrupt_disable();
/// kernel::lockdep::assert_irqs_disabled();
/// ```
#[inline]
#[doc(alias = "lockdep_assert_irqs_disabled")]
pub fn assert_irqs_disabled() {
    // SAFETY: The assertion may be made in any context.
    unsafe { helpers::lockdep::lockdep_assert_irqs_disabled() }
}

/// Warns, once, if the current task, or an interrupt in it, holds a spinning lock.
///
/// Spinlocks, raw spinlocks and rwlocks are spinning locks; mutexes, RCU and local locks are not.
/// The warning also prints the held locks. Without `CONFIG_LOCKDEP` this does nothing.
///
/// # Examples
///
/// ```
/// kernel::lockdep::assert_no_spinning_lock_held();
/// ```
#[inline]
pub fn assert_no_spinning_lock_held() {
    #[cfg(CONFIG_LOCKDEP)]
    if crate::warn_on_once!(holds_spinning_lock()) {
        crate::do_once_lite! {
            // SAFETY: The current task does not take or release locks meanwhile.
            unsafe { bindings::debug_show_held_locks(helpers::percpu::get_current()) };
        }
    }
}

/// Returns whether the current task, or an interrupt in it, holds a spinning lock.
///
/// Returns false without `CONFIG_LOCKDEP`, and after lockdep has turned itself off.
///
/// # Examples
///
/// ```
/// assert!(!kernel::lockdep::holds_spinning_lock());
/// ```
#[inline]
pub fn holds_spinning_lock() -> bool {
    #[cfg(CONFIG_LOCKDEP)]
    return spinning_lock_is_held();
    #[cfg(not(CONFIG_LOCKDEP))]
    false
}

#[cfg(CONFIG_LOCKDEP)]
fn spinning_lock_is_held() -> bool {
    let debug_locks = &raw const bindings::debug_locks;
    // SAFETY: The variable is an `int` of C; a stale value is fine.
    if unsafe { debug_locks.read_volatile() } == 0 {
        return false;
    }

    // SAFETY: There is always a current task.
    let task = unsafe { helpers::percpu::get_current() };
    // SAFETY: The task is valid; this only computes an address.
    let depth = unsafe { &raw const (*task).lockdep_depth };
    // SAFETY: As above.
    let held: *const [bindings::held_lock] = unsafe { &raw const (*task).held_locks };
    // SAFETY: Only the task and its interrupts change the number, and an interrupt restores it.
    let depth = unsafe { depth.read_volatile() };

    // An interrupt may write to entries that are not in use, so no reference is made to the array.
    let in_use = usize::try_from(depth).unwrap_or(0).min(held.len());
    (0..in_use).any(|number| {
        let lock = held.cast::<bindings::held_lock>().wrapping_add(number);
        // SAFETY: The entry is in use, so an interrupt does not change it.
        let lock = unsafe { lock.read_volatile() };

        // SAFETY: The map of a lock that is held is valid.
        lock.check() != 0 && unsafe { is_spinning(lock.instance) }
    })
}

/// Returns whether the lock with this map is a spinning lock.
///
/// Other CPUs may write to the map, which caches the lock's classes, so no reference is made to it.
///
/// # Safety
///
/// `map` must be valid.
#[cfg(CONFIG_LOCKDEP)]
unsafe fn is_spinning(map: *const bindings::lockdep_map) -> bool {
    // SAFETY: By the safety requirements; this only computes an address.
    let lock_type = unsafe { &raw const (*map).lock_type };
    // SAFETY: As above.
    let wait_type = unsafe { &raw const (*map).wait_type_inner };
    // SAFETY: The field is valid. It is written when the lock is set up.
    let lock_type = u32::from(unsafe { lock_type.read_volatile() });
    // SAFETY: As above.
    let wait_type = u32::from(unsafe { wait_type.read_volatile() });

    lock_type == bindings::lockdep_lock_type_LD_LOCK_NORMAL
        && (bindings::lockdep_wait_type_LD_WAIT_SPIN..=bindings::lockdep_wait_type_LD_WAIT_CONFIG)
            .contains(&wait_type)
}
