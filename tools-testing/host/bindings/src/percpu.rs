// SPDX-License-Identifier: GPL-2.0

//! Per-CPU variables: the linker gathers their initial values, and each CPU gets a copy.

use crate::machine::CPUS;
use std::{
    alloc::{alloc_zeroed, Layout},
    ffi::c_void,
    sync::{
        atomic::{AtomicUsize, Ordering},
        OnceLock,
    },
};

extern "C" {
    // The bounds of the section `percpu`, from the linker.
    static __start_percpu: u8;
    static __stop_percpu: u8;
}

/// What is left in an area for allocations.
const DYNAMIC: usize = 1 << 16;

/// The address of the first area. They stay where they are, whichever machine there is.
static AREAS: OnceLock<usize> = OnceLock::new();

/// How much of the dynamic part of each area is in use.
static USED: AtomicUsize = AtomicUsize::new(0);

fn template() -> (usize, usize) {
    let start = (&raw const __start_percpu) as usize;

    (start, (&raw const __stop_percpu) as usize - start)
}

/// The size of an area. The first bytes of a cache line are the same in each.
fn size() -> usize {
    (template().1 + DYNAMIC).next_multiple_of(4096)
}

fn areas() -> usize {
    *AREAS.get_or_init(|| {
        let layout = Layout::from_size_align(size() * CPUS + 4096, 4096).unwrap();
        // SAFETY: The size is not 0.
        let areas = unsafe { alloc_zeroed(layout) } as usize;

        areas + template().0 % 4096
    })
}

/// Gives all variables their initial values, and frees what was allocated.
pub(crate) fn set_up() {
    let (start, len) = template();

    for cpu in 0..CPUS {
        let area = (areas() + cpu * size()) as *mut u8;

        // SAFETY: No CPU runs, and an area is that long.
        unsafe { area.write_bytes(0, size() - 4096) };
        // SAFETY: As above.
        unsafe { area.copy_from(start as *const u8, len) };
    }
    USED.store(len.next_multiple_of(64), Ordering::Relaxed);
}

#[cfg(feature = "loom")]
pub(crate) fn contains(address: usize) -> bool {
    (areas()..areas() + size() * CPUS).contains(&address)
}

/// Finds the variable of a CPU.
pub(crate) fn of(symbol: *mut c_void, cpu: u32) -> *mut c_void {
    (symbol as usize - template().0 + areas() + cpu as usize * size()) as *mut c_void
}

/// Allocates a variable for each CPU. It is freed with the machine.
pub(crate) fn alloc(len: usize, align: usize) -> *mut c_void {
    let used = USED.load(Ordering::Relaxed).next_multiple_of(align.max(64));

    assert!(used + len <= template().1 + DYNAMIC - 4096);
    USED.store(used + len, Ordering::Relaxed);
    (template().0 + used) as *mut c_void
}
