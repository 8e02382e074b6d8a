// SPDX-License-Identifier: GPL-2.0

//! C inline functions and macros.
//!
//! For each there is a C function in `rust/helpers/`, and its binding. If
//! `CONFIG_RUST_INLINE_HELPERS` is off, as it is with GCC, a use of the binding is a call. The
//! functions of the paths of cross-CPU calls are therefore written in Rust here, with the name, the
//! arguments and the contract of the binding. All others, and those that a configuration changes,
//! are the bindings themselves. There is a module for each subject.
//!
//! Only this knows the assembly of an architecture. To add one, add a folder like `helpers/x86/`.

#[cfg(not(CONFIG_DEBUG_PER_CPU_MAPS))]
pub mod cpumask;
#[cfg(CONFIG_DEBUG_PER_CPU_MAPS)]
pub use bindings as cpumask;

#[cfg(not(CONFIG_PROVE_LOCKING))]
pub mod lockdep;
#[cfg(CONFIG_PROVE_LOCKING)]
pub use bindings as lockdep;

#[cfg(all(CONFIG_X86_64, CONFIG_SMP, not(CONFIG_UML), not(testlib)))]
mod x86;
#[cfg(all(CONFIG_X86_64, CONFIG_SMP, not(CONFIG_UML), not(testlib)))]
pub use x86::{
    atomic,
    barrier,
    irqflags,
    percpu,
    preempt,
    smp, //
};

#[cfg(not(all(CONFIG_X86_64, CONFIG_SMP, not(CONFIG_UML), not(testlib))))]
pub use {
    bindings as atomic,
    bindings as barrier,
    bindings as irqflags,
    bindings as percpu,
    bindings as preempt,
    bindings as smp, //
};

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;
