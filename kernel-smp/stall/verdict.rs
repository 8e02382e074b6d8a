// SPDX-License-Identifier: GPL-2.0

//! The facts that a report states beyond those of C.

use crate::log::log;
use kernel::{
    cpu::CpuId,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::NSEC_PER_USEC, //
};

/// A fact about a wait that took too long.
///
/// Only what was observed: a CPU that turns interrupts on just after an IPI was sent again looks
/// like one whose first IPI was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Verdict {
    /// The wait is over, and the target has flushed its queue after the IPI was sent again.
    Over,
    /// The target has not flushed its queue since the IPI was sent again.
    NotFlushed,
    /// The target has flushed its queue since the IPI was sent again, and the csd is still locked.
    Flushed,
    /// The target runs the function of this csd, or of another entry of its queue.
    CallbackRunning,
    /// The target is offline: no IPI is sent again.
    Offline,
    /// The target had interrupts off when the NMI for its backtrace came.
    InterruptsOff,
    /// The target had interrupts on then.
    InterruptsOn,
}

impl Verdict {
    /// The number of verdicts.
    pub(crate) const NUMBER: usize = Self::InterruptsOn as usize + 1;

    /// Counts the verdict on report number `id`, and prints its line. `ns` is the time that the
    /// line states.
    #[cold]
    pub(super) fn give(self, id: i32, cpu: CpuId, ns: u64) {
        let (cpu, us) = (cpu.as_u32(), ns / NSEC_PER_USEC as u64);

        if let Some(count) = VERDICTS.get(self as usize) {
            count.add(1, Relaxed);
        }
        match self {
            Self::Over => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d flushed its queue within %llu us after the IPI was sent again.",
                id,
                cpu,
                us,
            ),
            Self::NotFlushed => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d has not flushed its queue in %llu us since the IPI was sent again.",
                id,
                cpu,
                us,
            ),
            Self::Flushed => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d flushed its queue within %llu us after the IPI was sent again, and the csd is still locked.",
                id,
                cpu,
                us,
            ),
            Self::CallbackRunning => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d is in a function that was called.",
                id,
                cpu,
            ),
            Self::Offline => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d is offline.",
                id,
                cpu,
            ),
            Self::InterruptsOff | Self::InterruptsOn => log!(
                "\x011",
                "csd: CSD lock (#%d): CPU#%02d had interrupts %s when the NMI came.",
                id,
                cpu,
                if self == Self::InterruptsOn { c"on" } else { c"off" }.as_char_ptr(),
            ),
        }
    }
}

/// How often each verdict was given, in their order.
static VERDICTS: [Atomic<u32>; Verdict::NUMBER] = [const { Atomic::new(0) }; Verdict::NUMBER];

/// Returns how often `verdict` was given.
#[cfg(all(CONFIG_FAIL_SMP, CONFIG_SMP_RUST_KUNIT_TEST))]
pub(crate) fn verdicts(verdict: Verdict) -> u32 {
    VERDICTS
        .get(verdict as usize)
        .map_or(0, |count| count.load(Relaxed))
}
