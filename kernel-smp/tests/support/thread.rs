// SPDX-License-Identifier: GPL-2.0

//! Threads of a test.

use super::fixture::leak;
use kernel::{
    bindings,
    cpu::CpuId,
    error::from_err_ptr,
    prelude::*,
    smp::testing::{
        becomes_true,
        bind,
        move_task, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    }, //
};

/// How far a thread is.
struct Progress {
    started: Atomic<bool>,
    go: Atomic<bool>,
    done: Atomic<bool>,
}

/// The function of a thread, and its argument.
struct Body<T: 'static> {
    cpu: CpuId,
    func: fn(&'static T),
    arg: &'static T,
    progress: &'static Progress,
}

/// A thread that is bound to a CPU.
///
/// A drop stops it, or leaves it running if its function does not return.
pub(crate) struct Thread {
    task: *mut bindings::task_struct,
    progress: &'static Progress,
}

impl Thread {
    /// Starts a thread that runs `func` with `arg` on `cpu`, and returns when it runs there.
    pub(crate) fn start<T: Sync>(
        cpu: CpuId,
        func: fn(&'static T),
        arg: &'static T,
    ) -> Result<Self> {
        let thread = Self::prepare(cpu, func, arg)?;

        thread.go();
        Ok(thread)
    }

    /// As [`Thread::start`], but the thread waits for [`Thread::go`] before it calls `func`. No
    /// thread can be started while a CPU is held: it may be the one that would create the thread.
    pub(crate) fn prepare<T: Sync>(
        cpu: CpuId,
        func: fn(&'static T),
        arg: &'static T,
    ) -> Result<Self> {
        let progress = leak(Progress {
            started: Atomic::new(false),
            go: Atomic::new(false),
            done: Atomic::new(false),
        })?;
        let body = leak(Body {
            cpu,
            func,
            arg,
            progress,
        })?;

        // SAFETY: `run()` gets a `Body<T>` that is never freed.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(run::<T>),
                core::ptr::from_ref(body).cast_mut().cast(),
                -1,
                c"smp_test".as_char_ptr(),
            )
        })?;
        let thread = Self { task, progress };

        // SAFETY: The thread has just been created, and only the drop of `thread` stops it.
        unsafe { bindings::wake_up_process(task) };
        if becomes_true(|| progress.started.load(Acquire)) {
            Ok(thread)
        } else {
            pr_err!("no thread starts on CPU {}\n", cpu.as_u32());
            Err(ETIMEDOUT)
        }
    }

    /// Lets a prepared thread call its function.
    pub(crate) fn go(&self) {
        self.progress.go.store(true, Release);
    }

    /// Returns whether the function has returned.
    pub(crate) fn is_done(&self) -> bool {
        self.progress.done.load(Acquire)
    }

    /// Waits until the function has returned. Returns false if it does not in a long time.
    #[must_use]
    pub(crate) fn finishes(&self) -> bool {
        becomes_true(|| self.is_done())
    }

    /// Moves the thread to another CPU.
    pub(crate) fn move_to(&self, cpu: CpuId) -> Result {
        // SAFETY: The task is valid until it is stopped, when this is dropped.
        unsafe { move_task(self.task, cpu) }
    }

    /// Wakes the thread up.
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    pub(crate) fn wake_up(&self) {
        // SAFETY: The task is valid until it is stopped, when this is dropped.
        unsafe { bindings::wake_up_process(self.task) };
    }

    /// Returns whether the thread sleeps, and its CPU has switched away from it.
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    pub(crate) fn sleeps(&self) -> bool {
        // SAFETY: The task is valid until it is stopped.
        let state = unsafe { (&raw const (*self.task).__state).read_volatile() };
        // SAFETY: As above.
        let queued = unsafe { (&raw const (*self.task).on_rq).read_volatile() };
        // SAFETY: As above.
        let running = unsafe { (&raw const (*self.task).on_cpu).read_volatile() };

        state != 0 && queued == 0 && running == 0
    }

    /// Returns the address of the link by which the scheduler queues a wake-up of the thread.
    #[cfg(all(CONFIG_TRACEPOINTS, CONFIG_KALLSYMS))]
    pub(crate) fn wake_entry(&self) -> usize {
        // SAFETY: The task is valid until it is stopped; this only computes an address.
        unsafe { &raw const (*self.task).wake_entry }.addr()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if self.finishes() {
            // SAFETY: The thread does not end before it is stopped, which only happens here.
            unsafe { bindings::kthread_stop(self.task) };
        } else {
            pr_err!("a thread of the test is stuck\n");
        }
    }
}

/// Sleeps for some jiffies, or until the thread is woken up.
pub(crate) fn sleep(jiffies: c_long) {
    // SAFETY: A thread may sleep.
    unsafe { bindings::schedule_timeout_interruptible(jiffies) };
}

/// # Safety
///
/// `data` is a `&'static Body<T>`.
unsafe extern "C" fn run<T: Sync + 'static>(data: *mut c_void) -> c_int {
    // SAFETY: By the safety requirements.
    let body = unsafe { &*data.cast_const().cast::<Body<T>>() };

    if bind(body.cpu).is_ok() {
        body.progress.started.store(true, Release);
        if becomes_true(|| body.progress.go.load(Acquire)) {
            (body.func)(body.arg);
        }
    }
    body.progress.done.store(true, Release);

    // `kthread_stop()` needs a thread that has not ended.
    // SAFETY: This is a kthread.
    while !unsafe { bindings::kthread_should_stop() } {
        sleep(1);
    }
    0
}

/// Keeps a CPU from being idle, so that calls to it come as interrupts.
pub(crate) struct Busy {
    enough: &'static Atomic<bool>,
    thread: Thread,
}

impl Busy {
    /// Keeps `cpu` busy until this is dropped.
    pub(crate) fn new(cpu: CpuId) -> Result<Self> {
        let enough = leak(Atomic::new(false))?;

        Ok(Self {
            enough,
            thread: Thread::start(
                cpu,
                |enough| {
                    let _ = becomes_true(|| enough.load(Acquire));
                },
                enough,
            )?,
        })
    }

    /// Returns whether the CPU is still kept busy: the wait of the thread has a bound.
    pub(crate) fn is_busy(&self) -> bool {
        !self.thread.is_done()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // The thread, a field, is dropped after this.
        self.enough.store(true, Release);
    }
}
