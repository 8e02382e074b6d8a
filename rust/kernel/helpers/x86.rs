// SPDX-License-Identifier: GPL-2.0

//! The assembly of x86-64.
//!
//! C headers: [`arch/x86/include/asm/`](srctree/arch/x86/include/asm/)

#[cfg(not(any(CONFIG_KASAN, CONFIG_KCSAN, CONFIG_KMSAN)))]
pub mod atomic;
#[cfg(any(CONFIG_KASAN, CONFIG_KCSAN, CONFIG_KMSAN))]
pub use bindings as atomic;

#[cfg(not(CONFIG_KCSAN))]
pub mod barrier;
#[cfg(CONFIG_KCSAN)]
pub use bindings as barrier;

#[cfg(not(any(CONFIG_DEBUG_IRQFLAGS, CONFIG_PARAVIRT_XXL, CONFIG_TRACE_IRQFLAGS)))]
pub mod irqflags;
#[cfg(any(CONFIG_DEBUG_IRQFLAGS, CONFIG_PARAVIRT_XXL, CONFIG_TRACE_IRQFLAGS))]
pub use bindings as irqflags;

pub mod percpu;

#[cfg(CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS)]
pub mod preempt;
#[cfg(not(CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS))]
pub use bindings as preempt;

pub mod smp;
