// SPDX-License-Identifier: GPL-2.0

//! Firmware that runs on CPU 0 only, and is called by a task there while no CPU comes or goes, as by
//! `dell_smm_call()` of `drivers/hwmon/dell-smm-hwmon.c`.

use crate::{
    cpu::CpuId,
    cpuhp::HotplugLock,
    prelude::*,
    smp::{
        testing::check_eq,
        Caller, //
    }, //
};

/// The registers of a call of the firmware.
struct Registers {
    eax: u32,
    ebx: u32,
}

/// Calls the firmware, on the CPU that it needs.
fn smm(registers: &mut Registers) -> Result {
    if CpuId::current().as_u32() != 0 {
        return Err(EBUSY);
    }
    registers.ebx = registers.eax + 1;
    Ok(())
}

/// Calls the firmware from any task that may sleep.
fn smm_call(registers: &mut Registers) -> Result {
    let caller = Caller::new()?;
    let first = CpuId::from_u32(0).ok_or(ENXIO)?;
    let lock = HotplugLock::new();

    if !lock.is_online(first) {
        return Err(ENXIO);
    }
    caller.call_in_task_phys(first, || smm(registers))?
}

#[kunit_tests(rust_smp_port_dell_smm_hwmon)]
mod cases {
    use super::*;

    #[test]
    fn the_firmware_is_called_on_cpu_0() -> Result {
        let mut registers = Registers { eax: 5, ebx: 0 };

        smm_call(&mut registers)?;
        check_eq!(registers.ebx, 6);
        Ok(())
    }
}
