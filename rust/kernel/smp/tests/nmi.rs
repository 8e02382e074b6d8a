// SPDX-License-Identifier: GPL-2.0

//! An NMI that a test makes.

use crate::{
    bindings,
    cpu::CpuId,
    error::to_result,
    preempt::{
        CpuGuard,
        CpuPinned, //
    },
    prelude::*,
    smp::testing::skip,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    },
    types::Opaque, //
};
use core::{
    arch::asm,
    mem::transmute,
    ptr, //
};

/// Whether the CPU has FRED in place of an IDT.
const CR4_FRED: usize = 1 << 32;

/// The name of the handler.
const NAME: &CStr = c"rust_smp_test";

/// The CPU whose next NMI calls a function.
static TARGET: Atomic<u32> = Atomic::new(u32::MAX);

/// The function.
static FUNC: Atomic<*mut ()> = Atomic::new(ptr::null_mut());

/// The handler, as C links it.
struct Action(Opaque<bindings::nmiaction>);

// SAFETY: C changes it, with a lock of its own.
unsafe impl Sync for Action {}

static ACTION: Action = Action(Opaque::uninit());

unsafe extern "C" fn handle(_type: c_uint, _regs: *mut bindings::pt_regs) -> c_int {
    if TARGET.load(Relaxed) != CpuId::current().as_u32() {
        return bindings::NMI_DONE as c_int;
    }
    let func = FUNC.xchg(ptr::null_mut(), Full);

    if func.is_null() {
        return bindings::NMI_DONE as c_int;
    }
    // SAFETY: `in_nmi()` has put it there.
    let func = unsafe { transmute::<*mut (), fn()>(func) };

    func();
    bindings::NMI_HANDLED as c_int
}

/// Calls `func` on this CPU in an NMI, or skips the test. Returns whether it was called. For the
/// thread of a test.
pub(crate) fn in_nmi(func: fn()) -> Result<bool> {
    let cr4: usize;

    // SAFETY: This only reads a register.
    unsafe { asm!("mov {}, cr4", out(reg) cr4, options(nomem, nostack, preserves_flags)) };
    if cr4 & CR4_FRED != 0 {
        skip("with FRED, vector 2 of an INT instruction is no NMI");
    }
    let action = ACTION.0.get();
    // SAFETY: This only computes an address.
    let list = unsafe { &raw mut (*action).list };
    let init = bindings::nmiaction {
        list: bindings::list_head {
            next: list,
            prev: list,
        },
        handler: Some(handle),
        flags: bindings::NMI_FLAG_FIRST as usize,
        name: NAME.as_char_ptr(),
        ..pin_init::zeroed()
    };

    // SAFETY: It is not registered: tests run one after the other.
    unsafe { action.write(init) };
    // SAFETY: It is initialized, and a static.
    to_result(unsafe { bindings::__register_nmi_handler(bindings::NMI_LOCAL, action) })?;

    let guard = CpuGuard::new();
    TARGET.store(guard.cpu().as_u32(), Relaxed);
    FUNC.xchg(func as *mut (), Full);
    // SAFETY: The CPU takes vector 2 of its IDT, which is that of NMIs, and returns here.
    unsafe { asm!("int 2") };
    let called = FUNC.xchg(ptr::null_mut(), Full).is_null();
    drop(guard);

    // SAFETY: The handler was registered above.
    unsafe { bindings::unregister_nmi_handler(bindings::NMI_LOCAL, NAME.as_char_ptr()) };
    Ok(called)
}
