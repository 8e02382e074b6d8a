// SPDX-License-Identifier: GPL-2.0

//! Tasks, the workqueue, and what else can be in a queue.

use crate::{
    c_char, c_int, c_uint, c_void, cpumask,
    debug::{static_key, static_key_false},
    llist_node, machine, sys,
};
use std::{ffi::CStr, ptr};

#[repr(C)]
pub struct sched_class {
    _unused: u8,
}

pub static stop_sched_class: sched_class = sched_class { _unused: 0 };
static FAIR: sched_class = sched_class { _unused: 1 };

#[repr(C)]
pub struct task_struct {
    pub sched_class: *const sched_class,
    pub ipi_mask: *mut cpumask,
}

impl task_struct {
    pub(crate) fn new() -> Self {
        Self {
            sched_class: &FAIR,
            ipi_mask: ptr::null_mut(),
        }
    }
}

pub fn get_current() -> *mut task_struct {
    machine::current_task()
}

/// A set is one word, and so in the place of the pointer to it.
pub static mut ipi_mask_inlined: static_key_false = static_key::new(true);

pub fn smp_enable_inlined_ipi_mask() {}

pub fn kfree(_memory: *mut c_void) {
    unreachable!("no task has a set of its own");
}

pub fn wake_up_if_idle(_cpu: c_int) {}

pub fn local_softirq_pending() -> c_uint {
    machine::softirqs()
}

pub fn do_softirq_post_smp_call_flush(was_pending: c_uint) {
    machine::run_softirqs(was_pending);
}

pub fn hypervisor_pin_vcpu(_cpu: c_int) {}

#[repr(C)]
pub struct irq_work {
    pub node: crate::__call_single_node,
    pub func: Option<unsafe extern "C" fn(*mut irq_work)>,
}

pub unsafe fn irq_work_single(work: *mut c_void) {
    let work: *mut irq_work = work.cast();

    // SAFETY: As in C.
    if let Some(func) = unsafe { (*work).func } {
        // SAFETY: As above.
        unsafe { func(work) };
    }
}

pub fn irq_work_run() {}

/// There are no tasks to wake up, but their entries.
pub unsafe extern "C" fn sched_ttwu_pending(first: *mut c_void) {
    let mut entries = Vec::new();
    let mut entry: *mut llist_node = first.cast();

    while !entry.is_null() {
        entries.push(entry as usize);
        // SAFETY: As in C.
        entry = unsafe { (*entry).next };
    }
    machine::wake_up(entries);
}

pub type work_func_t = Option<unsafe extern "C" fn(*mut work_struct)>;

#[repr(C)]
pub struct work_struct {
    func: work_func_t,
}

#[repr(C)]
pub struct completion {
    done: u32,
}

#[repr(C)]
pub struct lock_class_key {
    _unused: u8,
}

#[repr(C)]
pub struct workqueue_struct {
    _unused: u8,
}

pub static mut system_percpu_wq: *mut workqueue_struct = ptr::null_mut();

pub unsafe fn init_completion(completion: *mut completion) {
    // SAFETY: As in C.
    unsafe { (&raw mut (*completion).done).write(0) };
}

unsafe fn done(completion: *mut completion) -> crate::memory::Place {
    // SAFETY: As in C.
    unsafe { crate::memory::Place::new(&raw mut (*completion).done) }
}

pub unsafe fn complete(completion: *mut completion) {
    // SAFETY: As in C.
    unsafe { done(completion) }.store(1, crate::memory::Order::Release);
}

pub unsafe fn wait_for_completion(completion: *mut completion) {
    // SAFETY: As in C.
    let done = unsafe { done(completion) };

    while done.load(crate::memory::Order::Acquire) == 0 {
        machine::relax();
    }
}

pub unsafe fn init_work_with_key(
    work: *mut work_struct,
    func: work_func_t,
    _on_stack: bool,
    _name: *const c_char,
    _key: *mut lock_class_key,
) {
    // SAFETY: As in C.
    unsafe { (&raw mut (*work).func).write(func) };
}

pub unsafe fn destroy_work_on_stack(_work: *mut work_struct) {}

/// Each work item has a worker of its own.
pub unsafe fn queue_work_on(
    cpu: c_int,
    _queue: *mut workqueue_struct,
    work: *mut work_struct,
) -> bool {
    struct Work(*mut work_struct);
    // SAFETY: The task that queues it waits for it.
    unsafe impl Send for Work {}
    let work = Work(work);
    let machine = machine::of_current();

    sys::thread::spawn(move || {
        let Work(work) = { work };
        machine.run_on(cpu as u32, || {
            // SAFETY: As in C.
            unsafe { (*work).func.unwrap()(work) };
        });
    });
    true
}

pub static mut setup_max_cpus: c_uint = 0;

pub fn set_nr_cpu_ids(_nr: c_uint) {}
pub fn idle_threads_init() {}
pub fn cpuhp_threads_init() {}
pub fn bringup_nonboot_cpus(_max: c_uint) {}
pub fn smp_cpus_done(_max: c_uint) {}

/// # Safety
///
/// `text` is a string that ends with a NUL.
pub unsafe fn panic(text: *const c_char) -> ! {
    // SAFETY: By the safety requirements.
    panic!(
        "{}",
        unsafe { CStr::from_ptr(text.cast()) }.to_string_lossy()
    )
}

pub fn num_online_nodes() -> c_uint {
    1
}
