// SPDX-License-Identifier: GPL-2.0

//! Waiting for an atomic variable to change.

use super::{
    ordering::{
        AcquireOrRelaxed,
        OrderingType, //
    },
    Acquire,
    Atomic,
    AtomicBasicOps,
    AtomicType,
    Relaxed, //
};
use crate::{
    helpers,
    processor::cpu_relax, //
};
use core::mem::transmute_copy;

impl<T: AtomicType> Atomic<T>
where
    T::Repr: AtomicBasicOps,
{
    /// Loads the variable again and again, until `cond` returns true for its value. Returns that
    /// value.
    ///
    /// Each load has the ordering that is given. With [`Acquire`], if another CPU has written the
    /// value with a release, the caller sees what that CPU did before. The wait has no bound. On
    /// arm64 it sleeps until the variable is written, if that has 32 or 64 bits.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{Acquire, Atomic};
    ///
    /// let flags = Atomic::new(0x10u32);
    /// assert_eq!(flags.cond_load(|flags| flags & 0x01 == 0, Acquire), 0x10);
    /// ```
    #[inline]
    #[doc(alias = "smp_cond_load_acquire")]
    #[doc(alias = "smp_cond_load_relaxed")]
    pub fn cond_load<Ordering: AcquireOrRelaxed>(
        &self,
        mut cond: impl FnMut(T) -> bool,
        _: Ordering,
    ) -> T {
        loop {
            let value = match Ordering::TYPE {
                OrderingType::Acquire => self.load(Acquire),
                _ => self.load(Relaxed),
            };

            if cond(value) {
                return value;
            }
            self.wait_for_write(value);
        }
    }

    /// Waits for a while, or until the variable is written, if it still has the value `value`.
    #[inline]
    fn wait_for_write(&self, value: T) {
        let ptr = self.as_ptr();

        match size_of::<T>() {
            4 => {
                // SAFETY: It has this size, and the bits of an integer.
                let value = unsafe { transmute_copy::<T, u32>(&value) };

                // SAFETY: The pointer is valid and aligned as long as `self` is borrowed.
                unsafe { helpers::barrier::cmpwait_relaxed_u32(ptr.cast(), value) };
            }
            8 => {
                // SAFETY: It has this size, and the bits of an integer or a pointer.
                let value = unsafe { transmute_copy::<T, u64>(&value) };

                // SAFETY: As above.
                unsafe { helpers::barrier::cmpwait_relaxed_u64(ptr.cast(), value) };
            }
            _ => cpu_relax(),
        }
    }
}
