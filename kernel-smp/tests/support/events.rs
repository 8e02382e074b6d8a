// SPDX-License-Identifier: GPL-2.0

//! The sending of csds and IPIs, as the trace points show it.

use super::{
    calls::enter,
    fixture::leak,
    seen::Seen, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    cpumask::Cpumask,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

/// The function of the calls that count in a [`Seen`].
pub(crate) fn callback() -> usize {
    enter::<Seen> as *const () as usize
}

/// How many events are kept.
const EVENTS: usize = 128;

/// The sending of a csd or of an IPI.
pub(crate) struct Event {
    /// The target.
    cpu: Atomic<u32>,
    callsite: Atomic<usize>,
    /// The function of a csd, or one of the constants below.
    func: Atomic<usize>,
}

impl Event {
    /// Stands for several CPUs.
    const SEVERAL: u32 = u32::MAX;

    /// An IPI, instead of a function.
    const IPI: usize = 0;

    /// One of the CPUs of an IPI for several, instead of a function.
    const ONE_OF_SEVERAL: usize = 1;

    /// Whether it is an IPI.
    pub(crate) fn is_ipi(&self) -> bool {
        self.func.load(Relaxed) == Self::IPI
    }

    /// Whether it is a csd that counts in a [`Seen`].
    pub(crate) fn is_csd(&self) -> bool {
        self.func.load(Relaxed) == callback()
    }

    /// Whether it is for `cpu` alone.
    pub(crate) fn is_for(&self, cpu: CpuId) -> bool {
        self.cpu.load(Relaxed) == cpu.as_u32()
    }

    /// Whether it is for several CPUs.
    pub(crate) fn is_for_several(&self) -> bool {
        self.cpu.load(Relaxed) == Self::SEVERAL
    }

    /// Whether `cpu` is one of the CPUs that an IPI for several is for.
    pub(crate) fn is_among_several(&self, cpu: CpuId) -> bool {
        self.func.load(Relaxed) == Self::ONE_OF_SEVERAL && self.is_for(cpu)
    }

    /// Whether the call came from the function at this address.
    pub(crate) fn is_from(&self, function: usize) -> bool {
        let callsite = self.callsite.load(Relaxed);
        let mut size = 0;
        let mut offset = 0;

        // SAFETY: Both places are valid; any number may be looked up.
        let found =
            unsafe { bindings::kallsyms_lookup_size_offset(callsite, &mut size, &mut offset) };

        // A call is not the first instruction, and returns behind itself.
        found != 0 && offset != 0 && callsite.wrapping_sub(offset) == function
    }
}

/// A list of events.
pub(crate) struct Events {
    len: Atomic<u32>,
    events: [Event; EVENTS],
}

impl Events {
    /// Makes an empty list, which is never freed.
    pub(crate) fn new() -> Result<&'static Self> {
        leak(Self {
            len: Atomic::new(0),
            events: [const {
                Event {
                    cpu: Atomic::new(0),
                    callsite: Atomic::new(0),
                    func: Atomic::new(0),
                }
            }; EVENTS],
        })
    }

    /// Empties the list.
    pub(crate) fn clear(&self) {
        self.len.store(0, Relaxed);
    }

    /// Returns the events. The probe is no longer registered, or adds no events now.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().take(self.len.load(Acquire) as usize)
    }

    /// Returns how many csds were sent that count in a [`Seen`].
    pub(crate) fn csds(&self) -> usize {
        self.iter().filter(|event| event.is_csd()).count()
    }

    /// Returns how many IPIs were sent to `cpu` alone.
    pub(crate) fn ipis_for(&self, cpu: CpuId) -> usize {
        let for_cpu = |event: &&Event| event.is_ipi() && event.is_for(cpu);

        self.iter().filter(for_cpu).count()
    }

    /// Returns how many IPIs were sent to `cpu`, alone or with others.
    pub(crate) fn ipis_reaching(&self, cpu: CpuId) -> usize {
        let with_others = self.iter().filter(|event| event.is_among_several(cpu));

        self.ipis_for(cpu) + with_others.count()
    }

    /// Adds a csd for `cpu`.
    pub(crate) fn add_csd(&self, cpu: u32, callsite: usize, func: usize) {
        self.add(cpu, callsite, func);
    }

    /// Adds an IPI for `cpu`.
    pub(crate) fn add_ipi(&self, cpu: u32, callsite: usize) {
        self.add(cpu, callsite, Event::IPI);
    }

    /// Adds an IPI for the CPUs of `mask`.
    pub(crate) fn add_ipis(&self, mask: &Cpumask, callsite: usize) {
        self.add(Event::SEVERAL, callsite, Event::IPI);
        for cpu in mask {
            self.add(cpu.as_u32(), callsite, Event::ONE_OF_SEVERAL);
        }
    }

    fn add(&self, cpu: u32, callsite: usize, func: usize) {
        let at = self.len.fetch_add(1, Full);

        if let Some(event) = self.events.get(at as usize) {
            event.cpu.store(cpu, Relaxed);
            event.callsite.store(callsite, Relaxed);
            event.func.store(func, Relaxed);
        }
    }
}
