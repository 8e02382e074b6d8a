// SPDX-License-Identifier: GPL-2.0

//! Per-CPU variables.

use crate::cpu::CpuId;

pub use crate::define_per_cpu;
pub use crate::preempt::{CpuGuard, CpuPinned};

/// A variable of which each CPU has its own.
pub struct StaticPerCpu<T> {
    symbol: *mut T,
}

impl<T> Clone for StaticPerCpu<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StaticPerCpu<T> {}

impl<T> StaticPerCpu<T> {
    /// # Safety
    ///
    /// `symbol` is a `static` in the per-CPU section.
    pub const unsafe fn new(symbol: *mut T) -> Self {
        Self { symbol }
    }

    /// # Safety
    ///
    /// `symbol` is a variable of the bindings in the per-CPU section, with the layout of `T`.
    pub const unsafe fn from_c<C>(symbol: *mut C) -> Self {
        // SAFETY: By the safety requirements.
        unsafe { Self::new(symbol.cast()) }
    }

    /// Returns the address of the variable of this CPU.
    pub fn this_cpu_ptr(self) -> *mut T {
        bindings::this_cpu_ptr(self.symbol.cast()).cast()
    }
}

impl<T: Sync> StaticPerCpu<T> {
    /// Returns the variable of the CPU that the caller stays on.
    pub fn this_cpu<P: CpuPinned + ?Sized>(self, _pinned: &P) -> &T {
        // SAFETY: A CPU's variables live as long as the machine.
        unsafe { &*self.this_cpu_ptr() }
    }

    /// Returns the variable of `cpu`. All CPUs of the machine are possible.
    pub fn get(self, cpu: CpuId) -> Option<&'static T> {
        // SAFETY: As above.
        Some(unsafe { self.per_cpu(cpu) })
    }

    /// Returns the variable of `cpu`.
    ///
    /// # Safety
    ///
    /// `cpu` is a possible CPU.
    pub unsafe fn per_cpu(self, cpu: CpuId) -> &'static T {
        // SAFETY: As above.
        unsafe { &*bindings::per_cpu_ptr(self.symbol.cast(), cpu.as_u32()).cast() }
    }
}

/// Gives a variable a cache line of its own.
#[doc(hidden)]
#[repr(C, align(64))]
pub struct CacheAligned<T>(pub T);

/// Declares per-CPU variables.
#[macro_export]
macro_rules! define_per_cpu {
    ($($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;)*) => {
        $(
            // Whether it starts a cache line makes no difference here: all do.
            #[allow(dead_code)]
            const $name: $crate::percpu::StaticPerCpu<$ty> = {
                #[link_section = "percpu"]
                static mut $name: $crate::percpu::CacheAligned<$ty> =
                    $crate::percpu::CacheAligned($init);

                // SAFETY: The `static` is in the per-CPU section.
                unsafe { $crate::percpu::StaticPerCpu::new((&raw mut $name).cast::<$ty>()) }
            };
        )*
    };
}
