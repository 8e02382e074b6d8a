// SPDX-License-Identifier: GPL-2.0

//! Which CPU executes.

use qemu_plugin::{qemu_plugin_get_registers, RegisterDescriptor, Result};
use std::sync::OnceLock;

/// The base of GS, and what it is exchanged with where a kernel is entered and left.
static BASES: OnceLock<[RegisterDescriptor<'static>; 2]> = OnceLock::new();

/// Addresses from here on are the kernel's.
const KERNEL: u64 = 1 << 63;

/// Finds the registers that a CPU is known by. Called for each CPU; they are the same for all.
pub fn find_registers() -> Result<()> {
    let registers = qemu_plugin_get_registers()?;
    let find = |name| {
        let found = registers.iter().find(|register| register.name == name);

        found
            .cloned()
            .unwrap_or_else(|| panic!("transfers: QEMU has no register {name}"))
    };

    BASES.get_or_init(|| ["gs_base", "k_gs_base"].map(find));
    Ok(())
}

/// The kernel's GS base of each CPU that was seen, in the order in which they were.
#[derive(Default)]
pub struct Cpus(Vec<u64>);

impl Cpus {
    /// Returns a number for the CPU that executes.
    ///
    /// From a callback that can read registers.
    pub fn current(&mut self) -> u32 {
        let bases = BASES.get().unwrap().iter().map(|register| {
            let bytes = register.read().unwrap();
            u64::from_le_bytes(bytes.try_into().unwrap())
        });
        let base = bases.into_iter().find(|base| *base >= KERNEL).unwrap_or(0);
        let known = self.0.iter().position(|known| *known == base);

        known.unwrap_or_else(|| {
            self.0.push(base);
            self.0.len() - 1
        }) as u32
    }
}
