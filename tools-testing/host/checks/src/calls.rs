// SPDX-License-Identifier: GPL-2.0

//! Calls as C makes them, with an argument that tells what became of them.

use bindings::{
    c_int, c_void, cpumask, machine,
    memory::{Order, Place},
};
use std::sync::{
    atomic::{AtomicU32, Ordering},
    Arc,
};

/// Memory that is written by one CPU at a time, and not while others read it. loom checks that.
#[derive(Default)]
pub struct Plain {
    value: std::cell::UnsafeCell<u32>,
    #[cfg(feature = "loom")]
    watch: loom::cell::UnsafeCell<()>,
}

// SAFETY: That it is used so is what is checked.
unsafe impl Sync for Plain {}
// SAFETY: As above.
unsafe impl Send for Plain {}

impl Plain {
    /// Writes the value, and returns what was there.
    pub fn write(&self, value: u32) -> u32 {
        // SAFETY: This is what is checked.
        let write = || std::mem::replace(unsafe { &mut *self.value.get() }, value);

        #[cfg(feature = "loom")]
        if !bindings::memory::backend::learning() {
            return self.watch.with_mut(|_| write());
        }
        write()
    }

    /// Reads the value.
    pub fn read(&self) -> u32 {
        // SAFETY: This is what is checked.
        let read = || unsafe { *self.value.get() };

        #[cfg(feature = "loom")]
        if !bindings::memory::backend::learning() {
            return self.watch.with(|_| read());
        }
        read()
    }
}

/// What is written before a call, changed by it, and read after it.
#[derive(Default)]
pub struct Argument {
    value: Plain,
    /// How often it was called, and on which CPUs, in no order with anything.
    calls: AtomicU32,
    cpus: AtomicU32,
    wrong: AtomicU32,
    then: Option<Box<dyn Fn() + Send + Sync>>,
}

/// What the sender writes.
const ASKED: u32 = 7;
/// What the function that is called makes of it.
const ANSWERED: u32 = 8;

impl Argument {
    /// Makes an argument, and writes what is to be seen.
    pub fn new() -> Arc<Self> {
        Self::and_then(None)
    }

    /// The same; the function that is called then does `then`.
    pub fn calling(then: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Self::and_then(Some(Box::new(then)))
    }

    fn and_then(then: Option<Box<dyn Fn() + Send + Sync>>) -> Arc<Self> {
        let argument = Arc::new(Self {
            then,
            ..Self::default()
        });

        argument.value.write(ASKED);
        argument
    }

    /// As C passes it.
    pub fn info(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Uses the memory again after a call that was waited for: its effect is there.
    pub fn answered(&self) {
        assert_eq!(self.value.write(ASKED), ANSWERED);
    }

    /// Returns how often it was called.
    pub fn calls(&self) -> u32 {
        assert_eq!(
            self.wrong.load(Ordering::Relaxed),
            0,
            "the argument was not seen as written"
        );
        self.calls.load(Ordering::Relaxed)
    }

    /// Returns the CPUs on which it was called, a bit each.
    pub fn cpus(&self) -> u32 {
        self.cpus.load(Ordering::Relaxed)
    }
}

/// Something that one CPU waits for another to do, without seeing what it did.
#[derive(Default)]
pub struct Flag(std::cell::UnsafeCell<u32>);

// SAFETY: It is used as an atomic.
unsafe impl Sync for Flag {}
// SAFETY: As above.
unsafe impl Send for Flag {}

impl Flag {
    /// Makes one that is not set.
    pub fn new() -> Arc<Self> {
        let flag = Arc::<Self>::default();

        flag.place().load(Order::Relaxed);
        flag
    }

    fn place(&self) -> Place {
        // SAFETY: The checks keep flags until all is over.
        unsafe { Place::new(self.0.get()) }
    }

    /// Sets it.
    pub fn set(&self) {
        self.place().store(1, Order::Relaxed);
    }

    /// Returns whether it is set.
    pub fn is_set(&self) -> bool {
        self.place().load(Order::Relaxed) != 0
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        while !self.is_set() {
            machine::relax();
        }
    }
}

/// The function that is called on one CPU.
pub unsafe extern "C" fn answer(info: *mut c_void) {
    // SAFETY: The caller passes an argument that lives until the call is over.
    let argument = unsafe { &*info.cast_const().cast::<Argument>() };

    argument.note();
    if argument.value.write(ANSWERED) != ASKED {
        argument.wrong.fetch_add(1, Ordering::Relaxed);
    }
    if let Some(then) = &argument.then {
        then();
    }
}

/// The function that is called on many CPUs, who only read.
pub unsafe extern "C" fn look(info: *mut c_void) {
    // SAFETY: As in `answer()`.
    let argument = unsafe { &*info.cast_const().cast::<Argument>() };

    argument.note();
    if argument.value.read() != ASKED {
        argument.wrong.fetch_add(1, Ordering::Relaxed);
    }
}

impl Argument {
    fn note(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.cpus
            .fetch_or(1 << bindings::raw_smp_processor_id(), Ordering::Relaxed);
    }

    /// Ends the use by those who only looked.
    pub fn looked(&self) {
        assert_eq!(self.value.write(0), ASKED);
    }
}

/// `smp_call_function_single()`.
pub fn single(cpu: u32, argument: &Argument, wait: bool) -> c_int {
    single_with(cpu as c_int, answer, argument.info(), wait)
}

/// The same, of any function.
pub fn single_with(
    cpu: c_int,
    func: unsafe extern "C" fn(*mut c_void),
    info: *mut c_void,
    wait: bool,
) -> c_int {
    // SAFETY: The checks keep arguments until all is over.
    unsafe { bindings::smp_single(cpu, Some(func), info, wait, 0) }
}

/// `smp_call_function_many()`.
pub fn many(
    mask: *const cpumask,
    func: unsafe extern "C" fn(*mut c_void),
    argument: &Argument,
    wait: bool,
) {
    let flags = if wait { bindings::SCF_WAIT } else { 0 };

    // SAFETY: As above.
    unsafe {
        bindings::smp_call_function_many_cond(mask, Some(func), argument.info(), flags, None, 0)
    };
}

/// A set of CPUs that is never freed.
pub fn set(bits: usize) -> *mut cpumask {
    Box::leak(Box::new(cpumask { bits: [bits] }))
}

/// A csd of the caller's own.
#[repr(C, align(32))]
pub struct OwnCsd(bindings::__call_single_data);

impl OwnCsd {
    /// Makes one that calls with `argument`.
    pub fn new(argument: &Argument) -> Box<Self> {
        Self::with(answer, argument.info())
    }

    /// Makes one that calls `func`.
    pub fn with(func: unsafe extern "C" fn(*mut c_void), info: *mut c_void) -> Box<Self> {
        Box::new(Self(bindings::__call_single_data {
            node: bindings::__call_single_node {
                llist: bindings::llist_node {
                    next: std::ptr::null_mut(),
                },
                __bindgen_anon_1: bindings::__call_single_node__bindgen_ty_1 { u_flags: 0 },
                src: 0,
                dst: 0,
            },
            func: Some(func),
            info,
        }))
    }

    /// Has it call `func` from now on.
    #[cfg(not(feature = "loom"))]
    pub fn call(&mut self, func: unsafe extern "C" fn(*mut c_void), info: *mut c_void) {
        self.0.func = Some(func);
        self.0.info = info;
    }

    /// `smp_call_function_single_async()`.
    pub fn send(&mut self, cpu: u32) -> c_int {
        // SAFETY: The checks keep csds until all is over.
        unsafe { bindings::smp_single_async(cpu as c_int, &mut self.0, 0) }
    }

    /// Sends it for the last time. It is never freed.
    pub fn send_last(mut self: Box<Self>, cpu: u32) {
        assert_eq!(self.send(cpu), 0);
        Box::leak(self);
    }
}

// SAFETY: It is one CPU's at a time.
unsafe impl Send for OwnCsd {}
