// SPDX-License-Identifier: GPL-2.0

//! Holding a CPU, delays, and values that record where they are dropped.

use crate::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    helpers,
    prelude::*,
    smp::{
        call_async,
        caller::may_wait,
        raw::RawCsd,
        testing::becomes_true,
        CallContext,
        Caller,
        Pending, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed,
            Release, //
        },
        Arc, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};
use core::marker::PhantomData;

/// A gate at which a function waits on another CPU.
pub(crate) struct Gate {
    reached: Atomic<bool>,
    open: Atomic<bool>,
    passed: Atomic<u32>,
}

impl Gate {
    pub(crate) fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self {
                reached: Atomic::new(false),
                open: Atomic::new(false),
                passed: Atomic::new(0),
            },
            GFP_KERNEL,
        )?)
    }

    /// Waits until it is opened, in any context. Returns false if that takes too long.
    pub(crate) fn pass(&self) -> bool {
        self.reached.store(true, Release);
        let opened = becomes_true(|| self.open.load(Acquire));
        self.passed.add(1, Relaxed);
        opened
    }

    /// Returns how often it was passed.
    pub(crate) fn passed(&self) -> u32 {
        self.passed.load(Relaxed)
    }

    /// Waits until a function has reached it.
    #[must_use]
    pub(crate) fn is_reached(&self) -> bool {
        becomes_true(|| self.reached.load(Acquire))
    }

    pub(crate) fn open(&self) {
        self.open.store(true, Release);
    }
}

/// Has `cpu` wait at a gate and then call `more`, with interrupts off. The answer is whether the
/// gate was opened.
pub(crate) fn hold(
    cpu: CpuId,
    mut more: impl FnMut() + Send + 'static,
) -> Result<(Arc<Gate>, Pending<bool>)> {
    let gate = Gate::new()?;
    let theirs = gate.clone();
    let hold = move |_: &CallContext| {
        let passed = theirs.pass();
        more();
        passed
    };
    let held = call_async(cpu, hold, GFP_KERNEL)?;

    if gate.is_reached() {
        Ok((gate, held))
    } else {
        gate.open();
        Err(ETIMEDOUT)
    }
}

/// Calls CPUs one after the other, without an allocation: that is not allowed in an interrupt.
struct Ping {
    csd: RawCsd,
    answered: Atomic<bool>,
}

impl Ping {
    /// Calls `cpu` and waits for the answer. Returns false if that takes a long time.
    fn send(&self, cpu: CpuId) -> bool {
        self.answered.store(false, Relaxed);
        // SAFETY: The last call was answered, and this waits for the answer.
        let sent = unsafe { RawCsd::send(&raw const self.csd, cpu, Self::answer, self.info()) };

        let soon = sent && becomes_true(|| self.answered.load(Acquire));
        if !soon {
            pr_err!("CPU {} does not answer\n", cpu.as_u32());
        }
        while sent && !self.answered.load(Acquire) {}
        soon
    }

    fn info(&self) -> *mut c_void {
        core::ptr::from_ref(self).cast_mut().cast()
    }

    /// # Safety
    ///
    /// `info` is a `Self` that waits for this.
    unsafe extern "C" fn answer(info: *mut c_void) {
        let this = info.cast_const().cast::<Self>();

        // SAFETY: By the safety requirements.
        unsafe { (*this).answered.store(true, Release) };
    }
}

/// How often each CPU answers while a [`Delay`] lasts.
const ANSWERS: u32 = 100;

/// A delay in a function, so that a test that does not wait for the function is too early.
///
/// It is counted in answers of all CPUs, and the CPU of the test runs no other task meanwhile. So
/// the test runs for a while before the delay is over, no matter how slow the CPUs are.
pub(crate) struct Delay {
    over: Atomic<bool>,
}

impl Delay {
    pub(crate) const fn new() -> Self {
        Self {
            over: Atomic::new(false),
        }
    }

    /// Starts it. To be called by the test, whose task keeps the CPU from now on.
    pub(crate) fn begin(&self) {
        // SAFETY: There is always a current task.
        let task = unsafe { helpers::percpu::get_current() };

        // SAFETY: The task runs.
        unsafe { bindings::sched_set_fifo(task) };
        self.over.store(false, Relaxed);
    }

    /// Waits until it is over. In any context, if the other CPUs have interrupts on.
    pub(crate) fn last(&self) {
        let ping = Ping {
            csd: RawCsd::new(),
            answered: Atomic::new(true),
        };

        for _ in 0..ANSWERS {
            if self.over.load(Relaxed) {
                return;
            }
            udelay(Delta::from_micros(10));
            for cpu in Cpumask::online() {
                if !ping.send(cpu) {
                    return;
                }
            }
        }
    }

    /// Ends it early. To be called when the test has recorded whether it has waited.
    pub(crate) fn end(&self) {
        self.over.store(true, Relaxed);
    }
}

/// How often values were dropped, and how often in a wrong context.
pub(crate) struct Drops {
    right: Atomic<u32>,
    wrong: Atomic<u32>,
}

impl Drops {
    pub(crate) fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self {
                right: Atomic::new(0),
                wrong: Atomic::new(0),
            },
            GFP_KERNEL,
        )?)
    }

    /// Returns how often it was dropped in a task with interrupts on, and nowhere else.
    pub(crate) fn count(&self) -> Option<u32> {
        (self.wrong.load(Acquire) == 0).then_some(self.right.load(Acquire))
    }

    /// Waits until there were `count` of them, or a wrong one. Returns what [`Self::count()`] does.
    pub(crate) fn after(&self, count: u32) -> Option<u32> {
        let _ = becomes_true(|| self.count().is_none_or(|now| now >= count));
        self.count()
    }
}

/// A value that records when and where it is dropped.
pub(crate) struct Dropped(pub(crate) Arc<Drops>);

impl Dropped {
    /// Does nothing; a closure that calls it captures the value.
    pub(crate) fn touch(&self) {}
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if may_wait() {
            self.0.right.fetch_add(1, Full);
        } else {
            self.0.wrong.fetch_add(1, Full);
        }
    }
}

/// A place for a value that another CPU takes out in an interrupt.
struct Slot<T>(Atomic<*mut c_void>, PhantomData<T>);

// SAFETY: Only one CPU gets the value, which may be sent.
unsafe impl<T: Send> Sync for Slot<T> {}
// SAFETY: As above.
unsafe impl<T: Send> Send for Slot<T> {}

impl<T> Slot<T> {
    fn new() -> Result<Arc<Self>> {
        let slot = Self(Atomic::new(core::ptr::null_mut()), PhantomData);

        Ok(Arc::new(slot, GFP_KERNEL)?)
    }

    fn put(&self, value: T) -> Result {
        let value = KBox::into_raw(KBox::new(value, GFP_KERNEL)?);

        self.0.store(value.cast(), Release);
        Ok(())
    }

    fn take(&self) -> Option<KBox<T>> {
        let value = self.0.xchg(core::ptr::null_mut(), Full);

        // SAFETY: It came from a box, and is taken out once.
        (!value.is_null()).then(|| unsafe { KBox::from_raw(value.cast()) })
    }

    fn is_empty(&self) -> bool {
        self.0.load(Acquire).is_null()
    }
}

/// Has `cpu` drop, in an interrupt, what `send` has sent there: it is queued behind the function
/// that drops it. Returns whether it was dropped.
pub(crate) fn drop_in_interrupt<T: Send + 'static>(
    cpu: CpuId,
    caller: &Caller,
    send: impl FnOnce() -> Result<T>,
) -> Result<bool> {
    let slot = Slot::new()?;
    let theirs = slot.clone();
    let (held, busy) = hold(cpu, move || drop(theirs.take()))?;

    let sent = send().and_then(|value| slot.put(value));
    held.open();
    sent?;
    Ok(caller.wait(busy) && slot.is_empty())
}
