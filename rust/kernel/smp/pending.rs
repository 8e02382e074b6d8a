// SPDX-License-Identifier: GPL-2.0

//! Calls whose answer comes later.

use super::{
    caller::may_wait,
    csd::RawCsd,
    CallContext,
    CallError,
    Caller, //
};
use crate::{
    alloc::Flags,
    bindings,
    container_of,
    cpu::CpuId,
    prelude::*,
    processor::cpu_relax,
    static_lock_class,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta,
        Instant,
        Monotonic, //
    },
    types::Opaque, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};

/// The other CPU has not run the function to its end.
const UNDER_WAY: u32 = 0;
/// It has, and does not use the cell any more.
const DONE: u32 = 1;
/// It has not, and has to see to it that the cell is freed.
const LEFT: u32 = 2;

/// How many cells are [`LEFT`], or on their way to be freed.
static LEFT_BEHIND: Atomic<u32> = Atomic::new(0);

/// What does not depend on the function.
///
/// # Invariants
///
/// It is the beginning of a [`Cell`] in a [`KBox`], which belongs to a [`Pending`] if the state is
/// `DONE`, to the other CPU if it is `LEFT`, and to both if it is `UNDER_WAY`.
#[repr(C)]
struct Link {
    csd: RawCsd,
    work: Opaque<bindings::work_struct>,
    state: Atomic<u32>,
    /// Frees the cell.
    free: unsafe fn(NonNull<Link>),
}

/// What depends on the answer only.
#[repr(C)]
struct Head<R> {
    link: Link,
    /// Belongs to the other CPU until the state is `DONE`. Then there is an answer until it is taken.
    answer: UnsafeCell<Option<R>>,
}

/// A function on its way to another CPU, and its answer.
#[repr(C)]
struct Cell<F, R> {
    head: Head<R>,
    /// Belongs to the other CPU until the state is `DONE`.
    f: UnsafeCell<F>,
}

/// # Safety
///
/// `link` is the beginning of a `Cell<F, R>` that nobody else uses.
unsafe fn free<F, R>(link: NonNull<Link>) {
    // SAFETY: It came from a `KBox`, by the type invariants.
    drop(unsafe { KBox::from_raw(link.cast::<Cell<F, R>>().as_ptr()) });
}

/// # Safety
///
/// `info` is a `Cell<F, R>` that was sent to this CPU, and interrupts are off.
unsafe extern "C" fn run<F, R>(info: *mut c_void)
where
    F: FnMut(&CallContext) -> R,
{
    let cell = info.cast::<Cell<F, R>>();

    // SAFETY: The function is ours for now.
    let f = unsafe { &mut *(*cell).f.get() };
    // SAFETY: Interrupts are off until this returns.
    let answer = f(unsafe { CallContext::assume() });
    // SAFETY: The answer is ours for now.
    unsafe { *(*cell).head.answer.get() = Some(answer) };

    // SAFETY: `info` is not null.
    done(unsafe { NonNull::new_unchecked(cell.cast()) });
}

/// Gives a cell back to the `Pending`, or has it freed outside of the interrupt.
fn done(link: NonNull<Link>) {
    // ORDERING: Pairs with the acquire in `Pending::is_done()`: the answer is there. And with the
    // release of who has left it: all is as that has left it.
    // SAFETY: The cell lives at least until the state changes.
    if unsafe { (*link.as_ptr()).state.xchg(DONE, Full) } != LEFT {
        return;
    }
    // SAFETY: The cell is ours now, so this stays valid.
    let work = unsafe { (*link.as_ptr()).work.get() };
    // SAFETY: The work was set up by who has left it, and is queued once.
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
/// `work` is that of a [`Link`] that was left.
unsafe extern "C" fn free_later(work: *mut bindings::work_struct) {
    // SAFETY: By the safety requirements.
    let link = unsafe { container_of!(Opaque::cast_from(work), Link, work) };
    // SAFETY: It is not null.
    let link = unsafe { NonNull::new_unchecked(link.cast_mut()) };
    // SAFETY: The cell is ours until it is freed.
    let free = unsafe { (*link.as_ptr()).free };

    // SAFETY: Nobody else uses the cell.
    unsafe { free(link) };
    // ORDERING: Pairs with the acquire in `settle()`.
    LEFT_BEHIND.fetch_sub(1, Release);
}

/// Waits until no cell is left behind. May sleep.
pub(super) fn settle() {
    // ORDERING: Pairs with the release in `free_later()`.
    while LEFT_BEHIND.load(Acquire) != 0 {
        fsleep(Delta::from_millis(1));
    }
}

/// The answer of a call that does not wait.
///
/// When it is dropped before the answer has come, this waits for it, where waiting is allowed.
/// Elsewhere the other CPU sees to it that the memory is freed later, by a worker thread. Either way
/// nothing is freed that another CPU still uses, and neither the function nor its answer is dropped
/// in the interrupt.
///
/// # Invariants
///
/// The cell belongs to this, as `Link` says.
#[must_use = "to drop it is to wait for it"]
pub struct Pending<R> {
    head: NonNull<Head<R>>,
    _owns: PhantomData<R>,
}

// SAFETY: The answer may be sent, and the rest may be used from anywhere.
unsafe impl<R: Send> Send for Pending<R> {}
// SAFETY: By reference one can only ask whether it is done.
unsafe impl<R: Send> Sync for Pending<R> {}

/// Has `cpu` call `f`, and goes on. The answer is to be had from what this returns.
///
/// In any context but an NMI in which memory may be allocated with `flags`. `f` is called once, with
/// interrupts off. It must be short and must not sleep, and it borrows nothing: whoever calls may be
/// gone by then.
///
/// # Errors
///
/// - [`CallError::NoMemory`]
/// - [`CallError::Offline`], [`CallError::NoSuchCpu`]: `f` is not called.
///
/// # Examples
///
/// ```
/// use kernel::{cpumask::Cpumask, preempt::CpuPinned, smp::{call_async, Caller}};
///
/// let caller = Caller::new()?;
/// let mut answers = KVec::new();
/// for cpu in Cpumask::online() {
///     if let Ok(pending) = call_async(cpu, |ctx| ctx.cpu(), GFP_KERNEL) {
///         answers.push((cpu, pending), GFP_KERNEL)?;
///     }
/// }
/// for (cpu, pending) in answers {
///     assert!(caller.wait(pending) == cpu);
/// }
/// # Ok::<(), Error>(())
/// ```
#[doc(alias = "smp_call_function_single_async")]
pub fn call_async<F, R>(cpu: CpuId, f: F, flags: Flags) -> Result<Pending<R>, CallError>
where
    F: FnMut(&CallContext) -> R + Send + 'static,
    R: Send + 'static,
{
    let cell = KBox::new(
        Cell {
            head: Head {
                link: Link {
                    csd: RawCsd::new(),
                    work: Opaque::uninit(),
                    state: Atomic::new(UNDER_WAY),
                    free: free::<F, R>,
                },
                answer: UnsafeCell::new(None),
            },
            f: UnsafeCell::new(f),
        },
        flags,
    )?;
    let cell: *mut Cell<F, R> = KBox::into_raw(cell);

    // SAFETY: The cell is new, and is not freed before its state is `DONE`.
    let csd = unsafe { &(*cell).head.link.csd };
    // SAFETY: As above; `run()` gets what it asks for.
    if !unsafe { csd.send(cpu, run::<F, R>, cell.cast()) } {
        // SAFETY: Nobody else has got it.
        drop(unsafe { KBox::from_raw(cell) });
        return Err(CallError::not_called(cpu));
    }
    Ok(Pending {
        // INVARIANT: The cell is ours, and that of the other CPU until it is done.
        // SAFETY: It came from a box.
        head: unsafe { NonNull::new_unchecked(cell.cast()) },
        _owns: PhantomData,
    })
}

impl<R> Pending<R> {
    fn link(&self) -> &Link {
        // SAFETY: The cell lives as long as this, by the type invariants.
        unsafe { &(*self.head.as_ptr()).link }
    }

    /// Returns whether the answer is there.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::call_async};
    ///
    /// let pending = call_async(CpuId::current(), |_| (), GFP_KERNEL)?;
    /// while !pending.is_done() {
    ///     // Something else can be done here.
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    #[inline]
    pub fn is_done(&self) -> bool {
        // ORDERING: Pairs with the exchange in `done()`.
        self.link().state.load(Acquire) == DONE
    }

    /// Returns the answer if it is there, and this if not.
    ///
    /// # Errors
    ///
    /// - `self`: the answer is not there yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::call_async};
    ///
    /// let mut pending = call_async(CpuId::current(), |_| 3, GFP_KERNEL)?;
    /// let answer = loop {
    ///     match pending.poll() {
    ///         Ok(answer) => break answer,
    ///         Err(not_yet) => pending = not_yet,
    ///     }
    /// };
    /// assert_eq!(answer, 3);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn poll(self) -> Result<R, Self> {
        if !self.is_done() {
            return Err(self);
        }
        // SAFETY: It is done, so the answer is ours.
        let answer = unsafe { &mut *(*self.head.as_ptr()).answer.get() };

        // SAFETY: There is an answer until it is taken, which only this does, and it consumes `self`.
        Ok(unsafe { answer.take().unwrap_unchecked() })
    }

    fn wait_until_done(&self) {
        while !self.is_done() {
            cpu_relax();
        }
    }

    /// Leaves the cell to the other CPU. Returns whether that frees it.
    fn leave(&self) -> bool {
        // The exchange below puts this before it.
        LEFT_BEHIND.fetch_add(1, Relaxed);
        // SAFETY: Nobody uses the work before the state is `LEFT`.
        unsafe {
            bindings::init_work_with_key(
                self.link().work.get(),
                Some(free_later),
                false,
                c"smp::Pending".as_char_ptr(),
                static_lock_class!().as_ptr(),
            )
        };

        // ORDERING: Pairs with the exchange in `done()`.
        let left = self.link().state.cmpxchg(UNDER_WAY, LEFT, Full).is_ok();
        if !left {
            // Nothing was freed that `settle()` waits for.
            LEFT_BEHIND.fetch_sub(1, Relaxed);
        }
        left
    }
}

impl<R> Drop for Pending<R> {
    fn drop(&mut self) {
        if !self.is_done() {
            if may_wait() {
                self.wait_until_done();
            } else if self.leave() {
                return;
            }
        }
        let free = self.link().free;

        // SAFETY: The other CPU is done with the cell, so it is ours alone.
        unsafe { free(self.head.cast()) };
    }
}

impl Caller {
    /// Waits for the answer of `pending`.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}};
    ///
    /// let pending = call_async(CpuId::current(), |_| "later", GFP_KERNEL)?;
    /// assert_eq!(Caller::new()?.wait(pending), "later");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait<R>(&self, mut pending: Pending<R>) -> R {
        loop {
            match pending.poll() {
                Ok(answer) => return answer,
                Err(not_yet) => pending = not_yet,
            }
            cpu_relax();
        }
    }

    /// Waits for the answer of `pending`, for a limited time.
    ///
    /// # Errors
    ///
    /// - `pending`: the answer is not there yet. To drop it is to wait for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}, time::Delta};
    ///
    /// let caller = Caller::new()?;
    /// let pending = call_async(CpuId::current(), |_| "soon", GFP_KERNEL)?;
    /// match caller.wait_timeout(pending, Delta::from_millis(100)) {
    ///     Ok(answer) => assert_eq!(answer, "soon"),
    ///     Err(pending) => assert_eq!(caller.wait(pending), "soon"),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait_timeout<R>(&self, pending: Pending<R>, timeout: Delta) -> Result<R, Pending<R>> {
        // Whether it has timed out is seen by asking once more.
        let _ = self.join_timeout(core::slice::from_ref(&pending), timeout);
        pending.poll()
    }

    /// Waits until all answers are there.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, Caller}};
    ///
    /// let here = CpuId::current();
    /// let pending = [
    ///     call_async(here, |_| 1, GFP_KERNEL)?,
    ///     call_async(here, |_| 2, GFP_KERNEL)?,
    /// ];
    /// Caller::new()?.join(&pending);
    /// assert!(pending.map(|pending| pending.poll().ok()) == [Some(1), Some(2)]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join<R>(&self, pending: &[Pending<R>]) {
        pending.iter().for_each(Pending::wait_until_done);
    }

    /// Waits until all answers are there, for a limited time.
    ///
    /// # Errors
    ///
    /// - [`CallError::TimedOut`]: some are not there yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, smp::{call_async, CallError, Caller}, time::Delta};
    ///
    /// let pending = [call_async(CpuId::current(), |_| (), GFP_KERNEL)?];
    /// match Caller::new()?.join_timeout(&pending, Delta::from_millis(100)) {
    ///     Ok(()) => assert!(pending[0].is_done()),
    ///     Err(error) => assert!(error == CallError::TimedOut),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join_timeout<R>(&self, pending: &[Pending<R>], timeout: Delta) -> Result<(), CallError> {
        let start = Instant::<Monotonic>::now();

        for one in pending {
            while !one.is_done() {
                if start.elapsed() >= timeout {
                    return Err(CallError::TimedOut);
                }
                cpu_relax();
            }
        }
        Ok(())
    }
}
