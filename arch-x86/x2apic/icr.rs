// SPDX-License-Identifier: GPL-2.0

//! The interrupt command register in x2APIC mode, as far as IPIs to running CPUs need it.
//!
//! Source: Intel SDM, volume 3, "Interrupt Command Register in x2APIC Mode".
//!
//! C header: [`arch/x86/include/asm/apicdef.h`](srctree/arch/x86/include/asm/apicdef.h)

use core::hint::assert_unchecked;
use kernel::{
    bindings,
    bitfield,
    num::Bounded,
    prelude::*, //
};

/// How the local APICs read the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the APIC ID of one CPU.
    Physical,
    /// As a cluster, and a set of CPUs in it.
    Logical,
}

impl From<Bounded<u64, 1>> for Mode {
    #[inline]
    fn from(bit: Bounded<u64, 1>) -> Self {
        if bit.into_bool() {
            Self::Logical
        } else {
            Self::Physical
        }
    }
}

impl From<Mode> for Bounded<u64, 1> {
    #[inline]
    fn from(mode: Mode) -> Self {
        Self::from(mode == Mode::Logical)
    }
}

/// The kind of interrupt at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The interrupt with the given vector.
    Fixed,
    /// A non-maskable interrupt; there the vector is zero.
    Nmi,
}

impl TryFrom<Bounded<u64, 3>> for Delivery {
    type Error = Error;

    #[inline]
    fn try_from(bits: Bounded<u64, 3>) -> Result<Self> {
        match bits.get() {
            0b000 => Ok(Self::Fixed),
            0b100 => Ok(Self::Nmi),
            _ => Err(EINVAL),
        }
    }
}

impl From<Delivery> for Bounded<u64, 3> {
    #[inline]
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Fixed => Self::new::<0b000>(),
            Delivery::Nmi => Self::new::<0b100>(),
        }
    }
}

bitfield! {
    /// A value of the register.
    ///
    /// All other bits are zero: an edge, and no shorthand for the destination.
    pub(crate) struct Icr(u64) {
        /// An APIC ID of the kind given by `mode`.
        63:32 destination;
        /// How `destination` is read.
        11:11 mode => Mode;
        /// The kind of interrupt.
        10:8 delivery ?=> Delivery;
        /// The vector of a fixed interrupt.
        7:0 vector;
    }
}

static_assert!(Icr::MODE_MASK == bindings::APIC_DEST_LOGICAL as u64);
static_assert!(Icr::DELIVERY_MASK == bindings::APIC_DM_FIXED_MASK as u64);
static_assert!(Icr::VECTOR_MASK == bindings::APIC_VECTOR_MASK as u64);

/// The destination of an IPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The CPU with this APIC ID.
    Physical(u32),
    /// CPUs of one cluster: its number in bits 31 to 16, a bit for each CPU below.
    Logical(u32),
}

/// The vector of an IPI. [`Vector::NMI`] stands for a non-maskable interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vector(u8);

impl Vector {
    /// The number of the NMI exception, which no interrupt has.
    pub(crate) const NMI: Self = Self(bindings::NMI_VECTOR as u8);

    /// Takes a vector as C passes it.
    ///
    /// # Safety
    ///
    /// `vector` is at least 0 and at most 255.
    #[inline]
    pub(crate) unsafe fn from_c(vector: c_int) -> Self {
        // Saves the instruction that would clear the upper bits.
        // SAFETY: By the safety requirements.
        unsafe { assert_unchecked((0..=0xff).contains(&vector)) };

        Self(vector as u8)
    }
}

impl Icr {
    /// Returns the value that sends `vector` to `destination`.
    #[inline]
    pub(crate) fn send(destination: Destination, vector: Vector) -> Self {
        let (mode, id) = match destination {
            Destination::Physical(id) => (Mode::Physical, id),
            Destination::Logical(id) => (Mode::Logical, id),
        };
        let icr = Self::zeroed().with_destination(id).with_mode(mode);

        if vector == Vector::NMI {
            icr.with_delivery(Delivery::Nmi)
        } else {
            icr.with_delivery(Delivery::Fixed).with_vector(vector.0)
        }
    }
}
