// SPDX-License-Identifier: GPL-2.0

//! What bindgen makes of the kernel's headers, as far as `kernel/smp/` needs it, for a machine whose
//! CPUs are threads.
//!
//! Names, layouts and values are those of the kernel. What the functions do is as simple as it can
//! be. What a kernel would warn about is kept by the machine, for the check to look at.

#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::missing_safety_doc,
    clippy::not_unsafe_ptr_arg_deref,
    missing_docs
)]

mod cpumask_ops;
mod debug;
pub mod machine;
pub mod memory;
mod percpu;
mod sys;
mod task;

pub use cpumask_ops::*;
pub use debug::*;
pub use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
pub use sys::{thread, Arc, Mutex};
pub use task::*;

pub const NR_CPUS: u32 = 64;
pub const SCF_WAIT: u32 = 1;
pub const SCF_RUN_LOCAL: u32 = 2;
pub const CSD_FLAG_LOCK: u32 = 0x01;
pub const CSD_TYPE_ASYNC: u32 = 0x00;
pub const CSD_TYPE_SYNC: u32 = 0x10;
pub const CSD_TYPE_IRQ_WORK: u32 = 0x20;
pub const CSD_TYPE_TTWU: u32 = 0x30;
pub const CSD_FLAG_TYPE_MASK: u32 = 0xf0;
/// Few, so that a check gets to the end of them.
pub const CONFIG_SMP_RUST_POOL_SLOTS: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct llist_node {
    pub next: *mut llist_node,
}

#[repr(C)]
pub struct llist_head {
    pub first: *mut llist_node,
}

#[repr(C)]
pub struct atomic_t {
    pub counter: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union __call_single_node__bindgen_ty_1 {
    pub u_flags: c_uint,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct __call_single_node {
    pub llist: llist_node,
    pub __bindgen_anon_1: __call_single_node__bindgen_ty_1,
    pub src: u16,
    pub dst: u16,
}

pub type smp_call_func_t = Option<unsafe extern "C" fn(info: *mut c_void)>;
pub type smp_cond_func_t = Option<unsafe extern "C" fn(cpu: c_int, info: *mut c_void) -> bool>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct __call_single_data {
    pub node: __call_single_node,
    pub func: smp_call_func_t,
    pub info: *mut c_void,
}

pub type call_single_data_t = __call_single_data;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct cpumask {
    pub bits: [usize; 1],
}

pub type cpumask_var_t = [cpumask; 1];

#[repr(C)]
pub struct call_function_data {
    pub csd: *mut call_single_data_t,
    pub seq: c_uint,
    pub cpumask_ipi: cpumask_var_t,
}

// What `data.c` defines.

#[link_section = "percpu"]
pub static mut call_single_queue: llist_head = llist_head {
    first: std::ptr::null_mut(),
};

#[link_section = "percpu"]
pub static mut cfd_data: call_function_data = call_function_data {
    csd: std::ptr::null_mut(),
    seq: 0,
    cpumask_ipi: [cpumask { bits: [0] }],
};

#[link_section = "percpu"]
pub static mut cur_csd: *mut call_single_data_t = std::ptr::null_mut();
#[link_section = "percpu"]
pub static mut cur_csd_func: smp_call_func_t = None;
#[link_section = "percpu"]
pub static mut cur_csd_info: *mut c_void = std::ptr::null_mut();
#[link_section = "percpu"]
pub static mut trigger_backtrace: atomic_t = atomic_t { counter: 1 };

pub static mut smp_local_csd: u8 = 0;
pub static mut csd_bug_count: atomic_t = atomic_t { counter: 0 };
pub static mut n_csd_lock_stuck: atomic_t = atomic_t { counter: 0 };

// The code under check.
extern "C" {
    pub fn smp_single(
        cpu: c_int,
        func: smp_call_func_t,
        info: *mut c_void,
        wait: bool,
        callsite: usize,
    ) -> c_int;
    pub fn smp_single_any(
        mask: *const cpumask,
        func: smp_call_func_t,
        info: *mut c_void,
        wait: bool,
        callsite: usize,
    ) -> c_int;
    pub fn smp_single_async(cpu: c_int, csd: *mut call_single_data_t, callsite: usize) -> c_int;
    pub fn smp_single_queue(cpu: c_int, node: *mut llist_node, callsite: usize);
    pub fn smp_call_function_many_cond(
        mask: *const cpumask,
        func: smp_call_func_t,
        info: *mut c_void,
        scf_flags: c_uint,
        cond_func: smp_cond_func_t,
        callsite: usize,
    );
    pub fn __smp_call_on_cpu(
        cpu: c_uint,
        func: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
        par: *mut c_void,
        phys: bool,
        callsite: usize,
    ) -> c_int;
    pub fn generic_smp_call_function_single_interrupt();
    pub fn flush_smp_call_function_queue();
    pub fn smpcfd_prepare_cpu(cpu: c_uint) -> c_int;
    pub fn smpcfd_dead_cpu(cpu: c_uint) -> c_int;
    pub fn smpcfd_dying_cpu(cpu: c_uint) -> c_int;
    pub fn cpus_peek_for_pending_ipi(mask: *const cpumask) -> bool;
    #[cfg(feature = "debug")]
    pub fn smp_report_late(cpu: c_uint);
}

pub fn raw_smp_processor_id() -> u32 {
    machine::this_cpu()
}

pub fn arch_send_call_function_single_ipi(cpu: c_int) {
    machine::send_ipi(cpu as u32);
}

/// The set must not be empty.
pub fn arch_send_call_function_ipi_mask(mask: *const cpumask) {
    let mut cpu = cpumask_next(-1, mask);

    if cpu >= NR_CPUS {
        machine::warn("an IPI to no CPU");
    }
    machine::note_send_to_many();
    while cpu < NR_CPUS {
        machine::send_ipi(cpu);
        cpu = cpumask_next(cpu as c_int, mask);
    }
}

/// No CPU polls in its idle loop.
pub fn call_function_single_prep_ipi(_cpu: c_int) -> bool {
    true
}

pub fn preempt_disable() {
    machine::preempt_disable();
}

pub fn preempt_enable() {
    machine::preempt_enable();
}

pub fn ct_irq_enter() {
    machine::nest();
}

pub fn ct_irq_exit() {
    machine::unnest();
}

pub fn local_irq_save() -> c_ulong {
    machine::local_irq_save()
}

pub fn local_irq_restore(flags: c_ulong) {
    machine::local_irq_restore(flags);
}

pub fn irqs_disabled() -> bool {
    machine::irqs_disabled()
}

pub fn in_task() -> bool {
    machine::hardirqs() == 0
}

pub fn in_hardirq() -> bool {
    machine::hardirqs() != 0
}

pub fn in_nmi() -> bool {
    false
}

pub static mut oops_in_progress: c_int = 0;
pub static mut early_boot_irqs_disabled: bool = false;

pub fn this_cpu_ptr(symbol: *mut c_void) -> *mut c_void {
    percpu::of(symbol, machine::this_cpu())
}

pub fn per_cpu_ptr(symbol: *mut c_void, cpu: c_uint) -> *mut c_void {
    percpu::of(symbol, cpu)
}

/// The flags of an allocation that may sleep.
pub const GFP_KERNEL: u32 = 0;

pub fn alloc_percpu_gfp(size: usize, align: usize, _gfp: u32) -> *mut c_void {
    percpu::alloc(size, align)
}

/// Allocates memory that is freed with the machine.
pub fn kzalloc(size: usize, align: usize) -> &'static mut [u8] {
    let first = percpu::of(percpu::alloc(size, align), 0);

    // SAFETY: The areas are never freed, and this part of the first one belongs to the caller alone.
    unsafe { std::slice::from_raw_parts_mut(first.cast(), size) }
}

/// All CPUs are on one node.
pub fn cpu_to_node(_cpu: c_int) -> c_int {
    0
}

pub unsafe fn cmpwait_relaxed_u32(_ptr: *mut u32, _value: u32) {
    machine::relax();
}

pub unsafe fn cmpwait_relaxed_u64(_ptr: *mut u64, _value: u64) {
    machine::relax();
}

pub fn lockdep_assert_irqs_enabled() {
    if machine::irqs_disabled() {
        machine::warn("interrupts are off");
    }
}

pub fn lockdep_assert_irqs_disabled() {
    if !machine::irqs_disabled() {
        machine::warn("interrupts are on");
    }
}

/// The entry point of C that passes on its caller.
///
/// # Safety
///
/// As for `smp_single_async()`.
pub unsafe fn smp_call_function_single_async(cpu: c_int, csd: *mut call_single_data_t) -> c_int {
    // SAFETY: By the safety requirements.
    unsafe { smp_single_async(cpu, csd, 0) }
}

/// Code that is not built in, of which there is none.
pub struct module;
