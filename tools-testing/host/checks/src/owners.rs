// SPDX-License-Identifier: GPL-2.0

//! The protocols of `kernel::smp` for what is sent: a csd that several CPUs post, the references to an
//! allocation, and the uses of a static.

use crate::{
    calls::{Flag, OwnCsd, Plain},
    world::{nothing, Body, Check, Plan},
};
use bindings::{c_void, machine, raw_smp_processor_id};
use kernel::{
    detach::{References, Uses},
    smp::{CallError, SharedCsd},
};
use std::sync::{
    atomic::{AtomicU32, Ordering},
    Arc,
};

/// All checks.
pub const CHECKS: &[Check] = &[
    Check::new("posted_from_two_cpus", 3, 2, |_| {
        let posted = Posted::new(note);
        let bodies = [1, 2].map(|cpu| {
            let posted = posted.clone();
            let body: Body = Box::new(move || {
                posted.wrote[cpu as usize].set();
                posted.post(0);
            });
            (cpu, body)
        });

        (
            bodies.into(),
            Box::new(move || {
                posted.all_ran();
                // Also of the CPU that has found it queued.
                assert_eq!(posted.seen.load(Ordering::Relaxed), 0b110);
            }),
        )
    }),
    Check::new("posted_by_its_handler", 2, 4, |_| {
        let posted = Posted::new(post_on);
        let sender = posted.clone();
        let body: Body = Box::new(move || {
            // The function on CPU 0 posts it here, while this CPU posts it again.
            sender.post(0);
            sender.post(0);
            while !sender.is_over() {
                machine::relax();
            }
        });

        (vec![(1, body)], Box::new(move || posted.all_ran()))
    }),
    Check::new("the_last_reference", 3, 2, |_| {
        let shared = Shared::new();
        let owner = shared.clone();
        let body: Body = Box::new(move || {
            for cpu in [1, 2] {
                owner.references.take_one();
                owner.send(cpu, read_and_drop);
            }
            assert_eq!(owner.value.read(), FIRST);
            owner.drop_one();
        });

        (
            vec![(0, body)],
            Box::new(move || assert_eq!(shared.frees.load(Ordering::Relaxed), 1)),
        )
    }),
    Check::new("an_owner_that_is_alone", 2, 3, |_| {
        until_unused(
            |shared| shared.references.take_one(),
            write_and_drop,
            |shared| shared.references.are_more_than_one(),
        )
    }),
    Check::new("a_static_is_used", 2, 3, |_| {
        until_unused(
            |shared| shared.uses.start(),
            write_and_end,
            |shared| shared.uses.is_used(),
        )
    }),
];

/// CPU 0 sends a value to CPU 1, and uses it again when that has ended its use.
fn until_unused(
    start: fn(&Shared),
    func: unsafe extern "C" fn(*mut c_void),
    is_used: fn(&Shared) -> bool,
) -> Plan {
    let shared = Shared::new();
    let body: Body = Box::new(move || {
        start(&shared);
        shared.send(1, func);
        while is_used(&shared) {
            machine::relax();
        }
        assert_eq!(shared.value.write(FIRST), SECOND);
    });

    (vec![(0, body)], nothing())
}

/// What a value is first, and what a CPU makes of it.
const FIRST: u32 = 3;
const SECOND: u32 = 4;

/// A csd that several CPUs post.
struct Posted {
    csd: SharedCsd,
    /// That of each CPU is set before it posts.
    wrote: [Arc<Flag>; 3],
    /// The CPUs whose flag a function has seen, a bit each.
    seen: AtomicU32,
    /// How often it was sent, or is about to be, and how often a function has ended.
    sent: AtomicU32,
    ended: AtomicU32,
}

impl Posted {
    fn new(func: unsafe extern "C" fn(*mut c_void)) -> Arc<Self> {
        let posted = Arc::new(Self {
            csd: SharedCsd::new(func),
            wrote: [Flag::new(), Flag::new(), Flag::new()],
            seen: AtomicU32::new(0),
            sent: AtomicU32::new(0),
            ended: AtomicU32::new(0),
        });

        posted.csd.access();
        posted
    }

    fn post(&self, cpu: u32) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self
            .csd
            .post(cpu, std::ptr::from_ref(self).cast_mut().cast())
        {
            assert_eq!(error, CallError::Busy);
            self.sent.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// # Safety
    ///
    /// `info` is that of a csd that was posted.
    unsafe fn begin<'a>(info: *mut c_void) -> &'a Self {
        // SAFETY: The checks keep it until all is over.
        let posted = unsafe { &*info.cast_const().cast::<Self>() };

        // SAFETY: By the safety requirements.
        unsafe { posted.csd.begin() };
        posted
    }

    fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed) == self.sent.load(Ordering::Relaxed)
    }

    fn all_ran(&self) {
        assert!(self.sent.load(Ordering::Relaxed) > 0);
        assert!(self.is_over());
    }
}

/// Notes whose flags are set.
unsafe extern "C" fn note(info: *mut c_void) {
    // SAFETY: It was posted.
    let posted = unsafe { Posted::begin(info) };

    for (cpu, wrote) in posted.wrote.iter().enumerate() {
        posted
            .seen
            .fetch_or(u32::from(wrote.is_set()) << cpu, Ordering::Relaxed);
    }
    posted.end();
}

/// On CPU 0, posts the csd on to CPU 1.
unsafe extern "C" fn post_on(info: *mut c_void) {
    // SAFETY: It was posted.
    let posted = unsafe { Posted::begin(info) };

    if raw_smp_processor_id() == 0 {
        posted.post(1);
    }
    posted.end();
}

/// A value that an owner shares.
struct Shared {
    references: References,
    uses: Uses,
    value: Plain,
    frees: AtomicU32,
}

impl Shared {
    fn new() -> Arc<Self> {
        let shared = Arc::new(Self {
            references: References::one(),
            uses: Uses::new(),
            value: Plain::default(),
            frees: AtomicU32::new(0),
        });

        shared.value.write(FIRST);
        shared
    }

    fn send(self: &Arc<Self>, cpu: u32, func: unsafe extern "C" fn(*mut c_void)) {
        let info = Arc::into_raw(self.clone()).cast_mut().cast();
        OwnCsd::with(func, info).send_last(cpu);
    }

    /// # Safety
    ///
    /// `info` is that of [`Self::send`], which this takes back.
    unsafe fn of(info: *mut c_void) -> Arc<Self> {
        // SAFETY: By the safety requirements.
        unsafe { Arc::from_raw(info.cast_const().cast()) }
    }

    /// Drops a reference, and frees the value with the last one.
    fn drop_one(&self) {
        if self.references.drop_one() {
            self.value.write(0);
            self.frees.fetch_add(1, Ordering::Relaxed);
        }
    }
}

unsafe extern "C" fn read_and_drop(info: *mut c_void) {
    // SAFETY: It was sent.
    let shared = unsafe { Shared::of(info) };

    assert_eq!(shared.value.read(), FIRST);
    shared.drop_one();
}

unsafe extern "C" fn write_and_drop(info: *mut c_void) {
    // SAFETY: It was sent.
    let shared = unsafe { Shared::of(info) };

    assert_eq!(shared.value.write(SECOND), FIRST);
    assert!(!shared.references.drop_one());
}

unsafe extern "C" fn write_and_end(info: *mut c_void) {
    // SAFETY: It was sent.
    let shared = unsafe { Shared::of(info) };

    assert_eq!(shared.value.write(SECOND), FIRST);
    shared.uses.end();
}
