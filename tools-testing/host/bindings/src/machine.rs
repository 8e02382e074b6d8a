// SPDX-License-Identifier: GPL-2.0

//! A machine whose CPUs are threads.
//!
//! A CPU looks for IPIs wherever it waits, where it turns interrupts on, and, if it was asked to,
//! before each access to shared memory and each IPI that it sends. One that has nothing to do sleeps
//! until it gets one. NMIs are taken where IPIs may be, with interrupts on or off, by code that asks
//! for them.
//!
//! Several tasks can share a CPU. Then the task that has preemption or interrupts off owns it, and the
//! others wait.

use crate::{
    generic_smp_call_function_single_interrupt, percpu,
    sys::{self, Arc, AtomicBool, Condvar, Mutex, Ordering},
    task_struct,
};
use std::{
    cell::{Cell, UnsafeCell},
    sync::atomic::AtomicU32,
};

#[cfg(feature = "debug")]
use std::sync::atomic::AtomicU64;

/// How many CPUs there can be.
pub const CPUS: usize = 8;

/// One CPU, as the others see it.
struct Cpu {
    /// An IPI has come and was not yet handled.
    ipi: AtomicBool,
    /// An NMI has come, and what it does.
    nmi: AtomicBool,
    nmi_handler: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Whether the CPU is to stop when it has nothing to do.
    over: AtomicBool,
    /// How many IPIs were sent to it.
    ipis: AtomicU32,
    /// The softirqs that are pending, and what was so before each flush after which they ran.
    softirqs: AtomicU32,
    softirq_runs: std::sync::Mutex<Vec<u32>>,
    /// The tasks that were woken up at once, by their entries.
    woken_up: std::sync::Mutex<Vec<Vec<usize>>>,
    /// How many owners there are: one task at most, if tasks share CPUs.
    owned: Mutex<bool>,
    given_back: Condvar,
    idle: Mutex<()>,
    woken: Condvar,
}

/// The CPUs.
pub struct Machine {
    cpus: Vec<Cpu>,
    shared_cpus: bool,
    warnings: std::sync::Mutex<Vec<String>>,
    /// How often an IPI was sent to a set of CPUs.
    sends_to_many: AtomicU32,
    #[cfg(feature = "debug")]
    counters: [AtomicU64; crate::smp_counter_SMP_COUNTERS as usize],
    #[cfg(feature = "shuttle")]
    step: sys::AtomicU32,
}

/// The level at which RCU finds a task that is not idle.
const NOT_IDLE: u32 = 1 << 16;

/// The task that runs, and what its CPU does for it.
struct Task {
    machine: Arc<Machine>,
    cpu: Cell<u32>,
    /// How often preemption was disabled, and interrupts, and how many interrupts there are.
    preempt: Cell<u32>,
    irqs_off: Cell<bool>,
    hardirq: Cell<u32>,
    /// The level of interrupts as RCU counts it: 0 in the idle loop, 1 in an interrupt over that.
    nesting: Cell<u32>,
    /// Whether IPIs are handled before each access to memory.
    interruptible: Cell<bool>,
    /// Whether NMIs are.
    takes_nmis: Cell<bool>,
    /// What runs on this CPU as soon as the task waits.
    preemptor: Cell<Option<Box<dyn FnOnce()>>>,
    task: UnsafeCell<task_struct>,
}

sys::thread_local! {
    static CURRENT: Cell<*const Task> = Cell::new(std::ptr::null());
}

/// The task that runs; none in the thread that only looks.
fn current<'a>() -> Option<&'a Task> {
    let task = CURRENT.with(Cell::get);

    // SAFETY: A task is there as long as its thread names it.
    unsafe { task.as_ref() }
}

fn task<'a>() -> &'a Task {
    current().expect("this thread is no CPU")
}

impl Task {
    fn pins(&self) -> u32 {
        self.preempt.get() + u32::from(self.irqs_off.get()) + self.hardirq.get()
    }

    fn here(&self) -> &Cpu {
        &self.machine.cpus[self.cpu.get() as usize]
    }

    /// Makes a change that may be one to owning the CPU.
    fn pin(&self, change: impl FnOnce()) {
        if self.machine.shared_cpus && self.pins() == 0 {
            self.here().own();
        }
        change();
    }

    /// Makes a change that may be one to not owning the CPU any more.
    fn unpin(&self, change: impl FnOnce()) {
        change();
        if self.machine.shared_cpus && self.pins() == 0 {
            self.here().give_back();
        }
    }

    /// Goes one level up, as RCU counts it.
    fn nest(&self) {
        let step = if self.nesting.get() == 0 { 1 } else { 2 };

        self.nesting.set(self.nesting.get() + step);
    }

    /// Goes back to the level before.
    fn unnest(&self) {
        let step = if self.nesting.get() == 1 { 1 } else { 2 };

        self.nesting.set(self.nesting.get() - step);
    }

    /// Handles an IPI that has come, if interrupts are on.
    fn poll(&self) {
        if self.irqs_off.get() || !self.here().ipi.load(Ordering::Acquire) {
            return;
        }
        let interruptible = self.interruptible.replace(false);
        self.pin(|| {
            self.irqs_off.set(true);
            self.hardirq.set(self.hardirq.get() + 1);
            self.nest();
        });
        if self.here().ipi.swap(false, Ordering::AcqRel) {
            // SAFETY: Interrupts are off.
            unsafe { generic_smp_call_function_single_interrupt() };
        }
        self.unpin(|| {
            self.unnest();
            self.hardirq.set(self.hardirq.get() - 1);
            self.irqs_off.set(false);
        });
        self.interruptible.set(interruptible);
    }

    /// Handles an NMI that has come, if the task takes NMIs.
    fn take_nmi(&self) {
        if !self.takes_nmis.get() || !self.here().nmi.swap(false, Ordering::AcqRel) {
            return;
        }
        let handler = self.here().nmi_handler.lock().unwrap().take();
        let interruptible = self.interruptible.replace(false);
        let irqs_off = self.irqs_off.replace(true);
        self.takes_nmis.set(false);
        self.hardirq.set(self.hardirq.get() + 1);
        handler.expect("an NMI does something")();
        self.hardirq.set(self.hardirq.get() - 1);
        self.takes_nmis.set(true);
        self.irqs_off.set(irqs_off);
        self.interruptible.set(interruptible);
    }
}

impl Cpu {
    fn new() -> Self {
        Self {
            ipi: AtomicBool::new(false),
            nmi: AtomicBool::new(false),
            nmi_handler: std::sync::Mutex::default(),
            over: AtomicBool::new(false),
            ipis: AtomicU32::new(0),
            softirqs: AtomicU32::new(0),
            softirq_runs: std::sync::Mutex::default(),
            woken_up: std::sync::Mutex::default(),
            owned: Mutex::new(false),
            given_back: Condvar::new(),
            idle: Mutex::new(()),
            woken: Condvar::new(),
        }
    }

    fn own(&self) {
        let mut owned = self.owned.lock().unwrap();

        while *owned {
            owned = self.given_back.wait(owned).unwrap();
        }
        *owned = true;
    }

    fn own_if_free(&self) -> bool {
        !std::mem::replace(&mut *self.owned.lock().unwrap(), true)
    }

    fn give_back(&self) {
        *self.owned.lock().unwrap() = false;
        self.given_back.notify_one();
    }

    fn tell(&self, what: &AtomicBool) {
        what.swap(true, Ordering::AcqRel);
        drop(self.idle.lock().unwrap());
        self.woken.notify_all();
    }
}

/// Makes a machine of `cpus` CPUs. All are online, and none runs anything yet.
pub fn boot(cpus: usize, shared_cpus: bool) -> Arc<Machine> {
    assert!((1..=CPUS).contains(&cpus));
    percpu::set_up();
    crate::cpumask_ops::set_up(cpus);
    #[cfg(feature = "loom")]
    crate::memory::backend::begin();

    let machine = Arc::new(Machine {
        cpus: (0..cpus).map(|_| Cpu::new()).collect(),
        shared_cpus,
        warnings: std::sync::Mutex::default(),
        sends_to_many: AtomicU32::new(0),
        #[cfg(feature = "debug")]
        counters: Default::default(),
        #[cfg(feature = "shuttle")]
        step: sys::AtomicU32::new(0),
    });
    machine.run_on(0, || {
        for cpu in 0..cpus as u32 {
            // SAFETY: The CPU does nothing yet.
            assert_eq!(unsafe { crate::smpcfd_prepare_cpu(cpu) }, 0);
        }
    });
    machine
}

impl Machine {
    /// Runs `f` in a task on `cpu`, in this thread.
    pub fn run_on<R>(self: &Arc<Self>, cpu: u32, f: impl FnOnce() -> R) -> R {
        let task = Task {
            machine: self.clone(),
            cpu: Cell::new(cpu),
            preempt: Cell::new(0),
            irqs_off: Cell::new(false),
            hardirq: Cell::new(0),
            nesting: Cell::new(NOT_IDLE),
            interruptible: Cell::new(false),
            takes_nmis: Cell::new(false),
            preemptor: Cell::new(None),
            task: UnsafeCell::new(task_struct::new()),
        };
        let before = CURRENT.with(|current| current.replace(&task));
        let result = f();

        CURRENT.with(|current| current.set(before));
        assert_eq!(task.pins(), 0, "a task left the CPU pinned");
        result
    }

    /// Has `cpu` handle what comes until [`Machine::stop`] is called.
    pub fn idle(self: &Arc<Self>, cpu: u32) {
        self.run_on(cpu, || {
            let cpu = task().here();

            task().nesting.set(0);
            loop {
                task().poll();
                let mut asleep = cpu.idle.lock().unwrap();
                loop {
                    // In this order: what was sent before the end is handled.
                    let over = cpu.over.load(Ordering::Acquire);
                    if cpu.ipi.load(Ordering::Acquire) {
                        break;
                    }
                    if over {
                        return;
                    }
                    asleep = cpu.woken.wait(asleep).unwrap();
                }
            }
        });
    }

    /// Has `cpu` do `handler` in an NMI.
    pub fn send_nmi(&self, cpu: u32, handler: impl FnOnce() + Send + 'static) {
        let cpu = &self.cpus[cpu as usize];

        *cpu.nmi_handler.lock().unwrap() = Some(Box::new(handler));
        cpu.nmi.swap(true, Ordering::AcqRel);
    }

    /// Ends [`Machine::idle`] of `cpu`.
    pub fn stop(&self, cpu: u32) {
        let cpu = &self.cpus[cpu as usize];

        cpu.tell(&cpu.over);
    }

    /// How many CPUs there are.
    pub fn cpus(&self) -> u32 {
        self.cpus.len() as u32
    }

    /// What was warned about.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap().clone()
    }

    /// Takes what was warned about: the check has expected it.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap())
    }

    /// How many IPIs were sent to `cpu`.
    pub fn ipis(&self, cpu: u32) -> u32 {
        self.cpus[cpu as usize].ipis.load(Ordering::Relaxed)
    }

    /// How often an IPI was sent to a set of CPUs.
    pub fn sends_to_many(&self) -> u32 {
        self.sends_to_many.load(Ordering::Relaxed)
    }

    /// What was woken up at once on `cpu`, each time: the addresses of the entries.
    pub fn woken_up(&self, cpu: u32) -> Vec<Vec<usize>> {
        self.cpus[cpu as usize].woken_up.lock().unwrap().clone()
    }

    /// The softirqs that were pending on `cpu` before each flush after which softirqs ran.
    pub fn softirq_runs(&self, cpu: u32) -> Vec<u32> {
        self.cpus[cpu as usize].softirq_runs.lock().unwrap().clone()
    }

    /// What a counter of `stats.c` shows, of all CPUs.
    #[cfg(feature = "debug")]
    pub fn counter(&self, counter: crate::smp_counter) -> u64 {
        self.counters[counter as usize].load(Ordering::Relaxed)
    }

    /// Takes `cpu` down, as the stopper threads of all CPUs do it together. Only with shared CPUs.
    ///
    /// While they gather, each still handles IPIs.
    pub fn take_down(self: &Arc<Self>, cpu: u32) {
        assert!(self.shared_cpus);
        self.run_on(cpu, || {
            self.gather();
            task().cpu.set(cpu);
            task().irqs_off.set(true);
            crate::cpumask_ops::set_online(cpu, false);
            // SAFETY: Interrupts are off, and this stands for the stopper thread of the CPU.
            unsafe { crate::smpcfd_dying_cpu(cpu) };
            // What comes now is never handled.
            self.cpus[cpu as usize].ipi.store(false, Ordering::Release);
            task().irqs_off.set(false);
            for cpu in &self.cpus {
                cpu.give_back();
            }
        });
        // SAFETY: The CPU is down.
        unsafe { crate::smpcfd_dead_cpu(cpu) };
    }

    /// Takes `cpu` up again.
    pub fn bring_up(self: &Arc<Self>, cpu: u32) {
        // SAFETY: The CPU is down.
        assert_eq!(unsafe { crate::smpcfd_prepare_cpu(cpu) }, 0);
        crate::cpumask_ops::set_online(cpu, true);
        // It flushes its queue when it first leaves its idle loop.
        self.cpus[cpu as usize].tell(&self.cpus[cpu as usize].ipi);
    }

    /// Makes this thread the owner of all CPUs. An IPI that comes last is not handled any more.
    fn gather(&self) {
        let mut mine = vec![false; self.cpus.len()];

        while mine.contains(&false) {
            for (number, cpu) in self.cpus.iter().enumerate() {
                if mine[number] && cpu.ipi.swap(false, Ordering::AcqRel) {
                    task().cpu.set(number as u32);
                    task().irqs_off.set(true);
                    task().hardirq.set(1);
                    // SAFETY: Interrupts are off.
                    unsafe { generic_smp_call_function_single_interrupt() };
                    task().hardirq.set(0);
                    task().irqs_off.set(false);
                }
            }
            for (cpu, mine) in self.cpus.iter().zip(&mut mine) {
                *mine = *mine || cpu.own_if_free();
            }
            sys::thread::yield_now();
        }
    }
}

/// Handles IPIs before each access to memory, and before each IPI that is sent, while `f` runs.
pub fn interruptible<R>(f: impl FnOnce() -> R) -> R {
    let before = task().interruptible.replace(true);
    let result = f();

    task().interruptible.set(before);
    result
}

/// Takes NMIs before each access to memory, and before each IPI that is sent, while `f` runs.
pub fn with_nmis<R>(f: impl FnOnce() -> R) -> R {
    task().takes_nmis.set(true);
    let result = f();

    task().takes_nmis.set(false);
    result
}

/// Runs `f` with interrupts off.
pub fn with_interrupts_off<R>(f: impl FnOnce() -> R) -> R {
    let flags = local_irq_save();
    let result = f();

    local_irq_restore(flags);
    result
}

/// Runs `f` as the stopper thread.
pub fn as_stopper<R>(f: impl FnOnce() -> R) -> R {
    let task = current_task();
    // SAFETY: Only the task itself looks at its class.
    let before = unsafe { std::mem::replace(&mut (*task).sched_class, &crate::stop_sched_class) };
    let result = f();

    // SAFETY: As above.
    unsafe { (*task).sched_class = before };
    result
}

/// Makes softirqs of this CPU pending, a bit each.
pub fn raise_softirqs(softirqs: u32) {
    task().here().softirqs.fetch_or(softirqs, Ordering::Relaxed);
}

pub(crate) fn softirqs() -> u32 {
    task().here().softirqs.load(Ordering::Relaxed)
}

pub(crate) fn run_softirqs(were_pending: u32) {
    let cpu = task().here();

    assert!(irqs_disabled());
    cpu.softirqs.store(0, Ordering::Relaxed);
    cpu.softirq_runs.lock().unwrap().push(were_pending);
}

/// The counter of the machine of the task that runs.
#[cfg(feature = "debug")]
pub(crate) fn counter<'a>(counter: crate::smp_counter) -> &'a AtomicU64 {
    &task().machine.counters[counter as usize]
}

pub(crate) fn wake_up(entries: Vec<usize>) {
    assert!(irqs_disabled());
    task().here().woken_up.lock().unwrap().push(entries);
}

/// Has another task of this CPU do `f` once, as soon as this one waits with preemption on.
pub fn preempt_with(f: impl FnOnce() + 'static) {
    task().preemptor.set(Some(Box::new(f)));
}

/// A step of a wait for another CPU.
pub fn relax() {
    if cfg!(feature = "direct") {
        return std::hint::spin_loop();
    }
    if let Some(task) = current() {
        task.take_nmi();
        task.poll();
        if task.pins() == 0 {
            if let Some(preemptor) = task.preemptor.take() {
                task.machine.run_on(task.cpu.get(), preemptor);
            }
        }
    }
    sys::thread::yield_now();
}

pub(crate) fn before_access() {
    if cfg!(feature = "direct") {
        return;
    }
    if let Some(task) = current() {
        task.take_nmi();
        if task.interruptible.get() {
            task.poll();
        }
    }
}

/// A point at which another CPU may run.
#[cfg(feature = "shuttle")]
pub(crate) fn switch() {
    if let Some(task) = current() {
        task.machine.step.load(Ordering::SeqCst);
    }
}

/// Returns whether a variable at this address lives as long as an execution.
#[cfg(feature = "loom")]
pub(crate) fn is_lasting(address: usize) -> bool {
    extern "C" {
        // Where the linker says that the data of the program is.
        static __data_start: u8;
        static _end: u8;
    }
    let data = (&raw const __data_start) as usize..(&raw const _end) as usize;

    data.contains(&address) || percpu::contains(address)
}

pub(crate) fn warn(text: &str) {
    match current() {
        Some(task) => task.machine.warnings.lock().unwrap().push(text.to_owned()),
        None => panic!("{text}"),
    }
}

pub(crate) fn this_cpu() -> u32 {
    task().cpu.get()
}

pub(crate) fn preempt_disable() {
    let task = task();

    task.pin(|| task.preempt.set(task.preempt.get() + 1));
}

pub(crate) fn preempt_enable() {
    let task = task();

    task.unpin(|| task.preempt.set(task.preempt.get() - 1));
}

pub(crate) fn local_irq_save() -> u64 {
    let task = task();
    let off = task.irqs_off.get();

    if !off {
        task.pin(|| task.irqs_off.set(true));
    }
    u64::from(off)
}

pub(crate) fn local_irq_restore(flags: u64) {
    let task = task();

    if flags == 0 {
        task.unpin(|| task.irqs_off.set(false));
        task.poll();
    }
}

pub(crate) fn irqs_disabled() -> bool {
    task().irqs_off.get()
}

pub(crate) fn hardirqs() -> u32 {
    task().hardirq.get()
}

/// What `ct_irq_enter()` does.
pub(crate) fn nest() {
    task().nest();
}

/// What `ct_irq_exit()` does.
pub(crate) fn unnest() {
    task().unnest();
}

/// Whether `rcu_exp_handler()`, called here, takes the CPU for one that is no reader.
pub fn is_quiescent() -> bool {
    task().preempt.get() == 0 || task().nesting.get() <= 1
}

pub(crate) fn current_task() -> *mut task_struct {
    task().task.get()
}

pub(crate) fn send_ipi(cpu: u32) {
    before_access();
    let cpu = &task().machine.cpus[cpu as usize];

    cpu.ipis.fetch_add(1, Ordering::Relaxed);
    cpu.tell(&cpu.ipi);
}

pub(crate) fn note_send_to_many() {
    let sends = &task().machine.sends_to_many;

    sends.fetch_add(1, Ordering::Relaxed);
}

/// The machine of the task that runs.
pub fn of_current() -> Arc<Machine> {
    task().machine.clone()
}
