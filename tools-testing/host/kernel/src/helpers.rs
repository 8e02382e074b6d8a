// SPDX-License-Identifier: GPL-2.0

//! C inline functions, which are all bindings here.

pub use {
    bindings as barrier,
    bindings as cpumask,
    bindings as irqflags,
    bindings as lockdep,
    bindings as percpu,
    bindings as preempt,
    bindings as smp, //
};
