// SPDX-License-Identifier: GPL-2.0

//! Running a callback in an interrupt.

use super::{
    calls::Callback,
    fixture::leak, //
};
use core::cell::UnsafeCell;
use kernel::{
    bindings,
    prelude::*,
    smp::testing::becomes_true,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::Delta, //
};

/// The interrupt in which a timer runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A hard interrupt.
    Hard,
    /// A softirq.
    Soft,
}

/// A timer that runs a callback.
#[repr(C)]
pub(crate) struct Timer<T: 'static> {
    timer: UnsafeCell<bindings::hrtimer>,
    callback: &'static T,
    done: Atomic<bool>,
    mode: bindings::hrtimer_mode,
}

// SAFETY: The timer is handed to functions of C only, and all CPUs may use the callback.
unsafe impl<T: Sync> Sync for Timer<T> {}

impl<T: Callback> Timer<T> {
    /// Makes a timer, which is never freed.
    pub(crate) fn new(callback: &'static T, level: Level) -> Result<&'static Self> {
        let mode = match level {
            Level::Hard => bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_HARD,
            Level::Soft => bindings::hrtimer_mode_HRTIMER_MODE_REL_PINNED_SOFT,
        };
        let timer = leak(Self {
            timer: UnsafeCell::new(Default::default()),
            callback,
            done: Atomic::new(false),
            mode,
        })?;

        // SAFETY: The timer is new, and is never freed.
        unsafe {
            bindings::hrtimer_setup(
                timer.timer.get(),
                Some(expire::<T>),
                bindings::CLOCK_MONOTONIC as i32,
                mode,
            )
        };
        Ok(timer)
    }

    /// Runs the callback once on this CPU. Returns false if it does not end in a long time.
    ///
    /// The caller is a task that stays on its CPU.
    #[must_use]
    pub(crate) fn run(&'static self) -> bool {
        self.start(Delta::ZERO);
        becomes_true(|| self.done.load(Acquire))
    }

    /// Has the callback run once on this CPU, after `delay`.
    ///
    /// The caller is a task that stays on its CPU, and the callback is not due.
    pub(crate) fn start(&'static self, delay: Delta) {
        let delay = delay.as_nanos();

        self.done.store(false, Relaxed);
        // SAFETY: The timer is set up, and not running.
        unsafe { bindings::hrtimer_start_range_ns(self.timer.get(), delay, 0, self.mode) };
    }
}

/// # Safety
///
/// `timer` is that of a [`Timer<T>`].
unsafe extern "C" fn expire<T: Callback>(
    timer: *mut bindings::hrtimer,
) -> bindings::hrtimer_restart {
    // CAST: It is the first field.
    // SAFETY: By the safety requirements; a `Timer` is never freed.
    let timer = unsafe { &*timer.cast_const().cast::<Timer<T>>() };

    timer.callback.call();
    timer.done.store(true, Release);
    bindings::hrtimer_restart::HRTIMER_NORESTART
}
