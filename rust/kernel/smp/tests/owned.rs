// SPDX-License-Identifier: GPL-2.0

//! Csds in an object that the handler gets.

use super::fixture::{
    hold,
    Dropped,
    Drops,
    Gate, //
};
use crate::{
    preempt::CpuPinned,
    prelude::*,
    smp::{
        impl_has_csd,
        send,
        testing::{
            becomes_true,
            check,
            check_eq,
            two_cpus,
            Cpus, //
        },
        CallContext,
        CallError,
        Caller,
        OwnedCsd,
        OwnedHandler,
        Sent, //
    },
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc, //
    }, //
};
use core::ptr::NonNull;

#[cfg(CONFIG_HOTPLUG_CPU)]
use crate::smp::testing::Down;

/// What the handlers of an object did.
struct Log {
    runs: Atomic<u32>,
    cpu: Atomic<u32>,
    drops: Arc<Drops>,
}

impl Log {
    fn new() -> Result<Arc<Self>> {
        let log = Self {
            runs: Atomic::new(0),
            cpu: Atomic::new(u32::MAX),
            drops: Drops::new()?,
        };
        Ok(Arc::new(log, GFP_KERNEL)?)
    }

    fn ran(&self, context: &CallContext) {
        self.cpu.store(context.cpu().as_u32(), Relaxed);
        self.runs.add(1, Relaxed);
    }
}

/// An object that several tasks have, with two csds.
struct Shared {
    log: Arc<Log>,
    gate: Arc<Gate>,
    passes: OwnedCsd<Self, 0>,
    goes_on: OwnedCsd<Self, 1>,
    left: Atomic<u32>,
    _dropped: Dropped,
}

impl_has_csd! {
    impl HasCsd<Self, 0> for Shared { self.passes }
    impl HasCsd<Self, 1> for Shared { self.goes_on }
}

impl Shared {
    fn new(log: &Arc<Log>, gate: &Arc<Gate>) -> Result<Arc<Self>> {
        let shared = Self {
            log: log.clone(),
            gate: gate.clone(),
            passes: OwnedCsd::new(),
            goes_on: OwnedCsd::new(),
            left: Atomic::new(0),
            _dropped: Dropped(log.drops.clone()),
        };
        Ok(Arc::new(shared, GFP_KERNEL)?)
    }
}

/// Waits at a gate.
impl OwnedHandler<0> for Shared {
    type Pointer = Arc<Self>;

    fn handle(this: Sent<'_, Arc<Self>>, context: &CallContext) {
        this.gate.pass();
        this.log.ran(context);
    }
}

/// Sends the pointer on, to the same CPU, until none is left.
impl OwnedHandler<1> for Shared {
    type Pointer = Arc<Self>;

    fn handle(this: Sent<'_, Arc<Self>>, context: &CallContext) {
        this.log.ran(context);
        if this.left.fetch_sub(1, Relaxed) > 1 {
            let sent = send::<_, 1>(this.into_inner(), context.cpu());
            // It was the last: the drop is recorded as one in an interrupt.
            drop(sent);
        }
    }
}

/// An object that one task has, or one CPU.
struct Own {
    log: Arc<Log>,
    csd: OwnedCsd<Self>,
    _dropped: Dropped,
}

impl_has_csd! {
    impl HasCsd<Self> for Own { self.csd }
}

impl OwnedHandler for Own {
    type Pointer = Pin<KBox<Self>>;

    fn handle(this: Sent<'_, Pin<KBox<Self>>>, context: &CallContext) {
        this.log.ran(context);
    }
}

impl Own {
    fn new(log: &Arc<Log>) -> Result<Pin<KBox<Self>>> {
        let own = Self {
            log: log.clone(),
            csd: OwnedCsd::new(),
            _dropped: Dropped(log.drops.clone()),
        };
        Ok(KBox::pin(own, GFP_KERNEL)?)
    }
}

/// An object that counts its references itself, in a box.
struct Counted {
    references: Atomic<u32>,
    log: Arc<Log>,
    csd: OwnedCsd<Self>,
    freed: Arc<Atomic<u32>>,
}

impl_has_csd! {
    impl HasCsd<Self> for Counted { self.csd }
}

// SAFETY: The object is in a box, and is freed with its last reference.
unsafe impl AlwaysRefCounted for Counted {
    fn inc_ref(&self) {
        self.references.add(1, Relaxed);
    }

    unsafe fn dec_ref(object: NonNull<Self>) {
        // SAFETY: There is a reference, by the safety requirements.
        if unsafe { object.as_ref() }.references.fetch_sub(1, Full) == 1 {
            // SAFETY: That was the last one, and the object came from a box.
            let object = unsafe { KBox::from_raw(object.as_ptr()) };

            object.freed.add(1, Relaxed);
        }
    }
}

impl OwnedHandler for Counted {
    type Pointer = ARef<Self>;

    fn handle(this: Sent<'_, ARef<Self>>, context: &CallContext) {
        this.log.ran(context);
    }
}

impl Counted {
    fn new(log: &Arc<Log>, freed: &Arc<Atomic<u32>>) -> Result<ARef<Self>> {
        let counted = Self {
            references: Atomic::new(1),
            log: log.clone(),
            csd: OwnedCsd::new(),
            freed: freed.clone(),
        };
        let counted = KBox::into_raw(KBox::new(counted, GFP_KERNEL)?);

        // SAFETY: A box is not null.
        let counted = unsafe { NonNull::new_unchecked(counted) };
        // SAFETY: This is the reference with which the object begins.
        Ok(unsafe { ARef::from_raw(counted) })
    }
}

#[kunit_tests(rust_smp_owned)]
mod cases {
    use super::*;

    fn error_of<T>(result: Result<(), (CallError, T)>) -> Option<CallError> {
        result.err().map(|(error, _)| error)
    }

    #[test]
    fn the_handler_gets_a_pointer_and_the_sender_keeps_its_own() -> Result {
        let there = two_cpus()?.there;
        let log = Log::new()?;
        let gate = Gate::new()?;
        let shared = Shared::new(&log, &gate)?;

        gate.open();
        let sent = send::<_, 0>(shared.clone(), there);
        let ran = becomes_true(|| log.runs.load(Relaxed) == 1);
        let early = log.drops.count();
        drop(shared);

        check!(sent.is_ok());
        check!(ran);
        check_eq!(log.cpu.load(Relaxed), there.as_u32());
        check_eq!(early, Some(0));
        check_eq!(log.drops.after(1), Some(1));
        Ok(())
    }

    #[test]
    fn an_object_whose_last_pointer_a_handler_drops_is_dropped_in_a_task() -> Result {
        let there = two_cpus()?.there;
        let log = Log::new()?;
        let gate = Gate::new()?;

        let sent = send::<_, 0>(Shared::new(&log, &gate)?, there);
        let entered = gate.is_reached();
        let early = log.drops.count();
        gate.open();

        check!(sent.is_ok());
        check!(entered);
        check_eq!(early, Some(0));
        check_eq!(log.drops.after(1), Some(1));
        check_eq!(log.runs.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn an_object_in_a_box_is_given_away() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let log = Log::new()?;

        for (n, cpu) in [(1, there), (2, here)] {
            let sent = send(Own::new(&log)?, cpu);

            check!(sent.is_ok());
            check_eq!(log.drops.after(n), Some(n));
            check_eq!(log.runs.load(Relaxed), n);
            check_eq!(log.cpu.load(Relaxed), cpu.as_u32());
        }
        Ok(())
    }

    #[test]
    fn an_object_that_counts_its_references_is_freed_with_the_last_one() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let log = Log::new()?;
        let freed = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let kept = Counted::new(&log, &freed)?;

        let mut ran = [false; 2];
        for (ran, (n, cpu)) in ran.iter_mut().zip([(1, there), (2, here)]) {
            let sent = send(kept.clone(), cpu).is_ok();
            *ran = sent && becomes_true(|| log.runs.load(Relaxed) == n);
        }
        let one_left = becomes_true(|| kept.references.load(Relaxed) == 1);
        let early = freed.load(Relaxed);
        let given_away = send(kept, there);
        let dropped = becomes_true(|| freed.load(Relaxed) != 0);

        check_eq!(ran, [true, true]);
        check!(one_left);
        check_eq!(early, 0);
        check!(given_away.is_ok());
        check!(dropped);
        check_eq!((log.runs.load(Relaxed), freed.load(Relaxed)), (3, 1));
        Ok(())
    }

    #[test]
    fn a_pointer_comes_back_while_the_csd_is_queued() -> Result {
        let Cpus { here, there } = two_cpus()?;
        let caller = Caller::new()?;
        let log = Log::new()?;
        let gate = Gate::new()?;
        let shared = Shared::new(&log, &gate)?;

        gate.open();
        let (held, busy) = hold(there, || ())?;
        let first = send::<_, 0>(shared.clone(), there);
        let again = [there, here].map(|cpu| error_of(send::<_, 0>(shared.clone(), cpu)));
        held.open();
        let ran = becomes_true(|| log.runs.load(Relaxed) == 1);
        let early = log.drops.count();
        drop(shared);

        check!(caller.wait(busy));
        check!(first.is_ok());
        check_eq!(again, [Some(CallError::Busy); 2]);
        check!(ran);
        check_eq!(early, Some(0));
        check_eq!(log.drops.after(1), Some(1));
        check_eq!(log.runs.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn an_object_that_two_cpus_handle_at_once_is_dropped_once() -> Result {
        let cpus = two_cpus()?;
        let third = cpus.third();
        let log = Log::new()?;
        let gate = Gate::new()?;
        let shared = Shared::new(&log, &gate)?;

        let first = send::<_, 0>(shared.clone(), cpus.there);
        let entered = gate.is_reached();
        let second = send::<_, 0>(shared, third);
        let early = log.drops.count();
        gate.open();
        let dropped = log.drops.after(1);

        check!(first.is_ok() && second.is_ok());
        check!(entered);
        check_eq!(early, Some(0));
        check_eq!(dropped, Some(1));
        check_eq!(log.runs.load(Relaxed), 2);
        Ok(())
    }

    #[test]
    fn a_handler_can_send_its_pointer_on() -> Result {
        const TIMES: u32 = 10;
        let there = two_cpus()?.there;
        let log = Log::new()?;
        let shared = Shared::new(&log, &Gate::new()?)?;

        shared.left.store(TIMES, Relaxed);
        let sent = send::<_, 1>(shared, there);

        check!(sent.is_ok());
        check_eq!(log.drops.after(1), Some(1));
        check_eq!(log.runs.load(Relaxed), TIMES);
        check_eq!(log.cpu.load(Relaxed), there.as_u32());
        Ok(())
    }

    #[cfg(CONFIG_HOTPLUG_CPU)]
    #[test]
    fn a_pointer_comes_back_if_the_cpu_is_offline() -> Result {
        let cpu = two_cpus()?.there;
        let log = Log::new()?;
        let down = Down::new(cpu)?;
        let refused = send(Own::new(&log)?, cpu);
        drop(down);

        let Err((error, own)) = refused else {
            return Err(EINVAL);
        };
        check_eq!(error, CallError::Offline);
        check_eq!(log.drops.count(), Some(0));
        check!(send(own, cpu).is_ok());
        check_eq!(log.drops.after(1), Some(1));
        check_eq!(log.runs.load(Relaxed), 1);
        Ok(())
    }
}
