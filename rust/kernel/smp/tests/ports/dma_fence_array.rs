// SPDX-License-Identifier: GPL-2.0

//! A fence that is signaled when all fences of an array are, by an IRQ work that has a reference to
//! it, as in `drivers/dma-buf/dma-fence-array.c`.

use crate::{
    cpumask::Cpumask,
    irq_work::{
        impl_has_irq_work,
        queue,
        OwnedHandler,
        OwnedIrqWork,
        WorkContext, //
    },
    prelude::*,
    smp::{
        testing::{
            check,
            check_eq, //
        },
        tests::fixture::{
            Dropped,
            Drops, //
        },
        Caller,
        Sent, //
    },
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The fence of an array.
struct Array {
    pending: Atomic<u32>,
    /// How often the array was signaled, and how often its work was not queued.
    signaled: Arc<[Atomic<u32>; 2]>,
    work: OwnedIrqWork<Self>,
    _dropped: Dropped,
}

impl_has_irq_work! {
    impl HasIrqWork<Self> for Array { self.work }
}

impl OwnedHandler for Array {
    type Pointer = Arc<Self>;

    /// Signals the array, and puts its reference.
    fn handle(this: Sent<'_, Arc<Self>>, _context: &WorkContext) {
        let [signaled, _] = &*this.signaled;

        signaled.add(1, Relaxed);
    }
}

/// Called with a reference to the array when one of its fences is signaled, in any context.
///
/// If two are signaled at once, the reference that is put here may be the last, as in C.
fn fence_is_signaled(array: Arc<Array>) {
    if array.pending.fetch_sub(1, Full) == 1 {
        if let Err((_, array)) = queue(array) {
            let [_, refused] = &*array.signaled;
            refused.add(1, Relaxed);
        }
    }
}

#[kunit_tests(rust_smp_port_dma_fence_array)]
mod cases {
    use super::*;

    #[test]
    fn the_array_is_signaled_once_and_its_last_reference_is_put() -> Result {
        let caller = Caller::new()?;
        let drops = Drops::new()?;
        let counts = Arc::new([Atomic::new(0), Atomic::new(0)], GFP_KERNEL)?;
        let fences = Cpumask::online().iter().count();
        let array = Arc::new(
            Array {
                pending: Atomic::new(fences as u32),
                signaled: counts.clone(),
                work: OwnedIrqWork::new(GFP_KERNEL)?,
                _dropped: Dropped(drops.clone()),
            },
            GFP_KERNEL,
        )?;

        // A fence of each CPU is signaled there, in an interrupt. It has the only reference.
        let mut last = Some(array);
        for (left, cpu) in (0..fences).rev().zip(Cpumask::online().iter()) {
            let mut one = match left {
                0 => last.take(),
                _ => last.clone(),
            };
            caller.call(cpu, |_| one.take().map(fence_is_signaled))?;
        }
        let dropped = drops.after(1);
        let [signaled, refused] = &*counts;

        check_eq!(dropped, Some(1));
        check_eq!(signaled.load(Relaxed), 1);
        check!(refused.load(Relaxed) == 0);
        Ok(())
    }
}
