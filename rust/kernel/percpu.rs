// SPDX-License-Identifier: GPL-2.0

//! Per-CPU variables.
//!
//! A per-CPU variable is declared with [`define_per_cpu!`], and accessed through the constant
//! [`StaticPerCpu`] of the same name: by [`StaticPerCpu::this_cpu`] on the CPU itself, which takes
//! a proof that the caller stays there, or by [`StaticPerCpu::get`] on any CPU. One that is
//! allocated is a [`DynamicPerCpu`], with the same methods. To add to a number needs no proof: see
//! [`StaticPerCpu::num`].
//!
//! Other CPUs, and interrupts on the same CPU, may access a variable at any time. The methods
//! therefore return a shared reference, and the type must be [`Sync`]: use
//! [`Atomic`](crate::sync::atomic::Atomic) for plain values.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    helpers,
    page::PAGE_SIZE,
    prelude::*, //
};

mod dynamic;
mod numeric;

#[cfg(CONFIG_RUST_SMP_KUNIT_TEST)]
mod tests;

pub use self::{
    dynamic::DynamicPerCpu,
    numeric::{
        Number,
        PerCpuNumeric, //
    }, //
};
pub use crate::define_per_cpu;
pub use crate::preempt::{
    CpuGuard,
    CpuPinned, //
};

/// A per-CPU variable, declared with [`define_per_cpu!`].
///
/// # Invariants
///
/// `symbol` is the address of a `static` in the per-CPU section, or was returned by
/// `alloc_percpu_gfp()`. It must not be accessed there: the `T` of each possible CPU is at that address
/// plus the offset of the CPU.
///
/// # Examples
///
/// See [`define_per_cpu!`].
pub struct StaticPerCpu<T> {
    symbol: *mut T,
}

impl<T> Clone for StaticPerCpu<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StaticPerCpu<T> {}

impl<T> StaticPerCpu<T> {
    /// Makes the handle of a per-CPU symbol. For use by [`define_per_cpu!`] and [`DynamicPerCpu`] only.
    ///
    /// Does not compile for a type that is aligned above a page: the per-CPU areas, and the part of
    /// them that a module gets, start at pages.
    ///
    /// # Safety
    ///
    /// `symbol` must be the address of a `static` in one of the per-CPU sections, or come from
    /// `alloc_percpu_gfp()`: then the variable is not accessed after it is freed.
    #[doc(hidden)]
    pub const unsafe fn new(symbol: *mut T) -> Self {
        const {
            assert!(
                align_of::<T>() <= PAGE_SIZE,
                "a per-CPU variable is aligned to a page at most"
            )
        };

        // INVARIANT: By the safety requirements.
        Self { symbol }
    }

    /// Makes the handle of a per-CPU variable that C defines.
    ///
    /// Does not compile for a `T` that has another size than the variable, or a higher alignment.
    ///
    /// # Safety
    ///
    /// `symbol` must be the address of a per-CPU variable of the kernel, made by `DEFINE_PER_CPU`.
    /// Each value that C stores there must be a valid `T`, and C and Rust must agree on how it is
    /// accessed: if C may write it while Rust reads it, `T` is an atomic.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::bindings;
    /// use kernel::percpu::{CpuGuard, StaticPerCpu};
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    ///
    /// /// The thread that runs the softirqs of a CPU.
    /// const KSOFTIRQD: StaticPerCpu<Atomic<*mut bindings::task_struct>> =
    ///     // SAFETY: This is a per-CPU variable, and C reads and writes the whole pointer.
    ///     unsafe { StaticPerCpu::from_c(&raw mut bindings::ksoftirqd) };
    ///
    /// let guard = CpuGuard::new();
    /// assert!(!KSOFTIRQD.this_cpu(&guard).load(Relaxed).is_null());
    /// ```
    #[doc(alias = "DECLARE_PER_CPU")]
    pub const unsafe fn from_c<C>(symbol: *mut C) -> Self {
        const {
            assert!(
                size_of::<T>() == size_of::<C>() && align_of::<T>() <= align_of::<C>(),
                "C's type has another layout"
            )
        };

        // SAFETY: By the safety requirements.
        unsafe { Self::new(symbol.cast()) }
    }

    /// Returns the address of the variable of the CPU that the caller runs on.
    ///
    /// If the caller can move to another CPU, the address is that of some CPU's variable.
    ///
    /// # Examples
    ///
    /// See [`define_per_cpu!`].
    #[inline]
    pub fn this_cpu_ptr(self) -> *mut T {
        // SAFETY: `symbol` is a per-CPU address, by the type invariants.
        unsafe { helpers::percpu::this_cpu_ptr(self.symbol.cast::<c_void>()) }.cast()
    }

    /// Returns the address of the variable of `cpu`.
    ///
    /// # Safety
    ///
    /// `cpu` must be a possible CPU. Other CPUs have no variable.
    ///
    /// # Examples
    ///
    /// See [`StaticPerCpu::per_cpu`].
    #[inline]
    pub unsafe fn per_cpu_ptr(self, cpu: CpuId) -> *mut T {
        // SAFETY: `symbol` is a per-CPU address, by the type invariants, and `cpu` is possible.
        unsafe { helpers::percpu::per_cpu_ptr(self.symbol.cast::<c_void>(), cpu.as_u32()) }.cast()
    }
}

impl<T: Sync> StaticPerCpu<T> {
    /// Returns the variable of the CPU that the caller stays on.
    ///
    /// # Examples
    ///
    /// See [`define_per_cpu!`].
    #[inline]
    pub fn this_cpu<P: CpuPinned + ?Sized>(self, _pinned: &P) -> &T {
        // SAFETY: The current CPU is possible, and its variable lives as long as the kernel or the
        // module does.
        unsafe { &*self.this_cpu_ptr() }
    }

    /// Returns the variable of `cpu`, or [`None`] if the CPU is not possible.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpumask::Cpumask, percpu::define_per_cpu, sync::atomic::{Atomic, Relaxed}};
    ///
    /// define_per_cpu! {
    ///     static LEVEL: Atomic<u32> = Atomic::new(4);
    /// }
    ///
    /// let levels = Cpumask::possible().iter().filter_map(|cpu| LEVEL.get(cpu));
    /// assert_eq!(levels.map(|level| level.load(Relaxed)).max(), Some(4));
    /// ```
    #[inline]
    pub fn get(self, cpu: CpuId) -> Option<&'static T> {
        // SAFETY: The CPU is possible.
        Cpumask::possible()
            .test(cpu)
            .then(|| unsafe { self.per_cpu(cpu) })
    }

    /// Returns the variable of `cpu`.
    ///
    /// # Safety
    ///
    /// `cpu` must be a possible CPU.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{cpu::CpuId, percpu::define_per_cpu, sync::atomic::{Atomic, Relaxed}};
    ///
    /// define_per_cpu! {
    ///     static LEVEL: Atomic<u32> = Atomic::new(4);
    /// }
    ///
    /// // SAFETY: The CPU that runs this is possible.
    /// let level = unsafe { LEVEL.per_cpu(CpuId::current()) };
    /// assert_eq!(level.load(Relaxed), 4);
    /// ```
    #[inline]
    pub unsafe fn per_cpu(self, cpu: CpuId) -> &'static T {
        // SAFETY: `cpu` is possible, by the safety requirements.
        let ptr = unsafe { self.per_cpu_ptr(cpu) };

        // SAFETY: The variable lives as long as the kernel or the module does.
        unsafe { &*ptr }
    }
}

/// An alignment. For use by [`CacheAligned`] only.
#[doc(hidden)]
pub struct Align<const BYTES: usize>;

/// Gives the type of size zero that has the alignment of an [`Align`].
#[doc(hidden)]
pub trait Alignment {
    /// That type.
    type Unit;
}

/// `repr(align)` takes no constant, so there is a type for each number of bytes.
macro_rules! alignments {
    ($($bytes:literal)*) => {$(
        const _: () = {
            #[repr(align($bytes))]
            pub struct Unit;

            impl Alignment for Align<$bytes> {
                type Unit = Unit;
            }
        };
    )*};
}

// From 16 bytes of some PowerPC to 256 of s390. Another number does not compile.
alignments! { 16 32 64 128 256 512 1024 }

/// Gives a per-CPU variable a cache line of its own, of the size that the architecture defines.
#[doc(hidden)]
#[repr(C)]
pub struct CacheAligned<T>(
    T,
    [<Align<{ bindings::L1_CACHE_BYTES as usize }> as Alignment>::Unit; 0],
);

static_assert!(align_of::<CacheAligned<u8>>() == bindings::L1_CACHE_BYTES as usize);

impl<T> CacheAligned<T> {
    /// Makes a variable of `value`.
    ///
    /// # Examples
    ///
    /// See [`define_per_cpu!`].
    pub const fn new(value: T) -> Self {
        Self(value, [])
    }

    /// Returns the variable.
    #[inline]
    pub(crate) fn get(&self) -> &T {
        &self.0
    }

    /// Returns a mutable reference to the variable.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Gives a per-CPU variable the alignment of its type only.
#[doc(hidden)]
#[repr(transparent)]
pub struct Packed<T>(T);

impl<T> Packed<T> {
    /// Makes a variable of `value`.
    ///
    /// # Examples
    ///
    /// See [`define_per_cpu!`].
    pub const fn new(value: T) -> Self {
        Self(value)
    }
}

/// Declares per-CPU variables.
///
/// Each `static` becomes a constant [`StaticPerCpu`] of that name. The initial value is a constant,
/// and the same for each CPU. `#[shared_aligned]` and `#[aligned]` give a variable a cache line of
/// its own, as `DEFINE_PER_CPU_SHARED_ALIGNED` and `DEFINE_PER_CPU_ALIGNED` do: the first is for
/// variables that other CPUs write. A type that is aligned above a page does not compile.
///
/// # Examples
///
/// ```
/// use kernel::percpu::{define_per_cpu, CpuGuard};
/// use kernel::sync::atomic::{Atomic, Relaxed};
///
/// define_per_cpu! {
///     /// Events that this CPU has seen.
///     static SEEN: Atomic<u64> = Atomic::new(0);
///
///     /// Written by other CPUs.
///     #[shared_aligned]
///     static POSTED: Atomic<u64> = Atomic::new(7);
/// }
///
/// let guard = CpuGuard::new();
/// SEEN.this_cpu(&guard).add(1, Relaxed);
/// assert_eq!(SEEN.this_cpu(&guard).load(Relaxed), 1);
/// assert_eq!(POSTED.this_cpu(&guard).load(Relaxed), 7);
/// assert_eq!(
///     POSTED.this_cpu_ptr().align_offset(kernel::bindings::L1_CACHE_BYTES as usize),
///     0,
/// );
/// ```
#[macro_export]
#[doc(alias = "DEFINE_PER_CPU")]
#[doc(alias = "DEFINE_PER_CPU_ALIGNED")]
#[doc(alias = "DEFINE_PER_CPU_SHARED_ALIGNED")]
macro_rules! define_per_cpu {
    () => {};

    ($(#[doc = $doc:literal])* #[shared_aligned] $vis:vis static $name:ident: $ty:ty = $init:expr;
     $($rest:tt)*) => {
        $crate::define_per_cpu!(
            @define [$(#[doc = $doc])*] $vis $name, $ty, $init, CacheAligned,
            ".data..percpu..shared_aligned"
        );
        $crate::define_per_cpu!($($rest)*);
    };

    ($(#[doc = $doc:literal])* #[aligned] $vis:vis static $name:ident: $ty:ty = $init:expr;
     $($rest:tt)*) => {
        $crate::define_per_cpu!(
            @define [$(#[doc = $doc])*] $vis $name, $ty, $init, CacheAligned,
            ".data..percpu..shared_aligned"
        );
        $crate::define_per_cpu!($($rest)*);
    };

    ($(#[doc = $doc:literal])* $vis:vis static $name:ident: $ty:ty = $init:expr;
     $($rest:tt)*) => {
        $crate::define_per_cpu!(
            @define [$(#[doc = $doc])*] $vis $name, $ty, $init, Packed, ".data..percpu"
        );
        $crate::define_per_cpu!($($rest)*);
    };

    (@define [$(#[$attr:meta])*] $vis:vis $name:ident, $ty:ty, $init:expr, $wrap:ident,
     $section:literal) => {
        $(#[$attr])*
        $vis const $name: $crate::percpu::StaticPerCpu<$ty> = {
            // A module has one per-CPU section. Without SMP there is none.
            #[cfg_attr(all(CONFIG_SMP, MODULE), link_section = ".data..percpu")]
            #[cfg_attr(all(CONFIG_SMP, not(MODULE)), link_section = $section)]
            static mut $name: $crate::percpu::$wrap<$ty> = $crate::percpu::$wrap::new($init);

            // SAFETY: The `static` is in a per-CPU section.
            unsafe { $crate::percpu::StaticPerCpu::new((&raw mut $name).cast::<$ty>()) }
        };
    };
}
