// SPDX-License-Identifier: GPL-2.0

//! Values of the register.

use crate::icr::{
    Delivery,
    Destination::{
        Logical,
        Physical, //
    },
    Icr,
    Mode,
    Vector, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// Takes a vector as C passes it.
fn vector(number: u8) -> Vector {
    // SAFETY: The number is 0 to 255.
    unsafe { Vector::from_c(i32::from(number)) }
}

#[kunit_tests(x2apic_icr)]
mod cases {
    use super::*;

    #[test]
    fn a_destination_and_a_vector_give_the_value_of_the_manual() {
        const NMI: u8 = bindings::NMI_VECTOR as u8;
        let table = [
            // One CPU by its APIC ID: the first, those around 8 bits, the last.
            (Physical(0), 0xfb, 0x0000_0000_0000_00fb),
            (Physical(1), 0xfd, 0x0000_0001_0000_00fd),
            (Physical(0xff), 0xfb, 0x0000_00ff_0000_00fb),
            (Physical(0x100), 0xfb, 0x0000_0100_0000_00fb),
            (Physical(0xffff_fffe), 0xfb, 0xffff_fffe_0000_00fb),
            // CPUs of a cluster: one, the last one, all, in the first and the last cluster.
            (Logical(0x0000_0001), 0xfb, 0x0000_0001_0000_08fb),
            (Logical(0x0000_8000), 0xfc, 0x0000_8000_0000_08fc),
            (Logical(0x0001_0001), 0xfb, 0x0001_0001_0000_08fb),
            (Logical(0x0001_ffff), 0xfc, 0x0001_ffff_0000_08fc),
            (Logical(0xffff_ffff), 0xfc, 0xffff_ffff_0000_08fc),
            // Vectors: the first that is legal, the first for devices, the last.
            (Physical(5), 0x10, 0x0000_0005_0000_0010),
            (Physical(5), 0x20, 0x0000_0005_0000_0020),
            (Physical(5), 0xff, 0x0000_0005_0000_00ff),
            (Logical(5), 0xff, 0x0000_0005_0000_08ff),
            // The NMI is a way of delivery, and its vector is zero.
            (Physical(0), NMI, 0x0000_0000_0000_0400),
            (Physical(0x100), NMI, 0x0000_0100_0000_0400),
            (Logical(0x0002_0004), NMI, 0x0002_0004_0000_0c00),
            (Logical(0xffff_ffff), NMI, 0xffff_ffff_0000_0c00),
        ];

        for (destination, number, value) in table {
            assert_eq!(Icr::send(destination, vector(number)).into_raw(), value);
        }
    }

    #[test]
    fn each_vector_gives_the_value_that_c_gives() {
        for number in 0..=u8::MAX {
            for (destination, mode) in [
                (Physical(0), bindings::APIC_DEST_PHYSICAL),
                (Logical(0), bindings::APIC_DEST_LOGICAL),
            ] {
                // SAFETY: This only computes a value.
                let low = unsafe { bindings::x2apic_prepare_icr(i32::from(number), mode) };
                let icr = Icr::send(destination, vector(number));

                assert_eq!(icr.into_raw(), u64::from(low));
            }
        }
    }

    #[test]
    fn fields_read_as_they_were_written() {
        let icr = Icr::send(Logical(0x0003_0010), vector(0xfb));

        assert_eq!(icr.destination().get(), 0x0003_0010);
        assert_eq!(icr.mode(), Mode::Logical);
        assert_eq!(icr.delivery(), Ok(Delivery::Fixed));
        assert_eq!(icr.vector().get(), 0xfb);

        let icr = Icr::send(Physical(7), Vector::NMI);

        assert_eq!(icr.destination().get(), 7);
        assert_eq!(icr.mode(), Mode::Physical);
        assert_eq!(icr.delivery(), Ok(Delivery::Nmi));
        assert_eq!(icr.vector().get(), 0);
    }

    #[test]
    fn ways_of_delivery_that_start_or_stop_a_cpu_are_not_known() {
        // Lowest priority, SMI, remote read, INIT, start-up, external.
        for bits in [1, 2, 3, 5, 6, 7] {
            assert!(Icr::from_raw(bits << Icr::DELIVERY_SHIFT)
                .delivery()
                .is_err());
        }
    }
}
