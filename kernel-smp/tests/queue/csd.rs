// SPDX-License-Identifier: GPL-2.0

//! The csd: its flag word and its fields.

use crate::{
    csd::{
        Csd,
        Flags,
        Kind, //
    },
    run,
    tests::support::{
        fixture::{
            blank_csd,
            csd_for, //
        },
        seen::Seen, //
    },
    wait::{
        self,
        Waiting, //
    }, //
};
use kernel::{
    bindings,
    prelude::*,
    smp::testing::{
        check,
        check_eq,
        require,
        require_eq, //
    }, //
};

/// All kinds of entries, and their bits in C.
const KINDS: [(Kind, u32); 4] = [
    (Kind::Async, bindings::CSD_TYPE_ASYNC),
    (Kind::Sync, bindings::CSD_TYPE_SYNC),
    (Kind::IrqWork, bindings::CSD_TYPE_IRQ_WORK),
    (Kind::Ttwu, bindings::CSD_TYPE_TTWU),
];

/// Returns the flag word.
fn raw_flags(csd: Csd) -> u32 {
    // SAFETY: The csd is never freed, and no other CPU uses it now.
    unsafe { (*csd.as_ptr()).node.__bindgen_anon_1.u_flags }
}

#[kunit_tests(smp_csd)]
mod cases {
    use super::*;

    #[test]
    fn a_csd_of_zeroes_is_unlocked_and_asynchronous() -> Result {
        let csd = blank_csd()?;

        check!(!csd.is_locked());
        check!(csd.kind() == Kind::Async);
        Ok(())
    }

    #[test]
    fn a_new_csd_is_locked_as_the_kind_that_c_knows() -> Result {
        for (kind, bits) in KINDS {
            let csd = blank_csd()?;

            csd.lock_new(kind);
            require!(csd.is_locked());
            require!(csd.kind() == kind);
            require_eq!(csd.type_bits(), bits);
            require_eq!(raw_flags(csd), bindings::CSD_FLAG_LOCK | bits);
        }
        Ok(())
    }

    #[test]
    fn type_bits_without_a_meaning_give_the_unknown_kind() -> Result {
        for bits in [0x40, 0x80, 0xf0] {
            let csd = blank_csd()?;

            // SAFETY: Only the test uses the csd.
            unsafe { (*csd.as_ptr()).node.__bindgen_anon_1.u_flags = bits };
            require!(csd.kind() == Kind::Unknown);
            require_eq!(csd.type_bits(), bits);
        }
        Ok(())
    }

    #[test]
    fn unlock_clears_the_lock_and_the_kind() -> Result {
        for (kind, _) in KINDS {
            let csd = blank_csd()?;

            csd.lock_new(kind);
            csd.unlock();
            require_eq!(raw_flags(csd), 0);
        }
        Ok(())
    }

    #[test]
    fn the_owner_locks_an_unlocked_csd_as_asynchronous() -> Result {
        let csd = blank_csd()?;

        // As a csd that C has unlocked.
        // SAFETY: Only the test uses the csd.
        unsafe { (*csd.as_ptr()).node.__bindgen_anon_1.u_flags = bindings::CSD_TYPE_SYNC };

        check!(csd.lock_if_unlocked());
        check!(csd.is_locked());
        check!(csd.kind() == Kind::Async);
        Ok(())
    }

    #[test]
    fn the_owner_cannot_lock_a_locked_csd_and_does_not_change_it() -> Result {
        for (kind, bits) in KINDS {
            let csd = blank_csd()?;

            csd.lock_new(kind);
            require!(!csd.lock_if_unlocked());
            require_eq!(raw_flags(csd), bindings::CSD_FLAG_LOCK | bits);
        }
        Ok(())
    }

    #[test]
    fn fill_records_the_function_and_its_argument() -> Result {
        let seen = Seen::new()?;
        let csd = csd_for(seen)?;

        // SAFETY: The call is one of a test, and may be made here.
        unsafe { run::here(csd.call()) };
        check_eq!(seen.runs(), 1);
        Ok(())
    }

    #[test]
    #[cfg(CONFIG_CSD_LOCK_WAIT_DEBUG)]
    fn fill_records_the_target_of_the_kinds_that_have_one() -> Result {
        let here = kernel::cpu::CpuId::current();

        for (kind, target) in [
            (Kind::Async, i32::from(here)),
            (Kind::Sync, i32::from(here)),
            (Kind::IrqWork, -1),
            (Kind::Ttwu, -1),
        ] {
            let csd = blank_csd()?;

            csd.lock_new(kind);
            csd.fill(csd.call(), here, here);
            check_eq!(csd.snapshot().target(), target);
        }
        Ok(())
    }

    #[test]
    fn a_wait_for_an_unlocked_csd_returns_at_once() -> Result {
        let csd = blank_csd()?;

        wait::until_over(csd, None, Waiting::Spin);
        csd.lock_pair(Some(7));
        check!(csd.is_locked());
        check!(csd.kind() == Kind::Sync);
        csd.unlock();
        wait::until_over(csd, None, Waiting::Spin);
        wait::until_over(csd, Some(Flags::sync(7)), Waiting::Spin);
        Ok(())
    }

    #[test]
    fn a_waiter_for_one_sequence_number_does_not_wait_for_the_next_one() -> Result {
        let flags = Some(Flags::sync(7));

        for next in [Some(8), None] {
            let csd = blank_csd()?;

            csd.lock_pair(Some(7));
            require!(!csd.is_over(flags));
            csd.unlock();
            require!(csd.is_over(flags));
            csd.lock_pair(next);
            require!(csd.is_locked());
            require!(csd.is_over(flags));
            require!(!csd.is_over(None));
            wait::until_over(csd, flags, Waiting::Spin);
        }
        Ok(())
    }

    #[test]
    fn the_sequence_number_is_no_part_of_the_kind() -> Result {
        for seq in [0, 1, 0xff_ffff, u32::MAX] {
            let csd = blank_csd()?;

            csd.lock_pair(Some(seq));
            require!(csd.kind() == Kind::Sync);
            require!(!csd.is_internal_async());
        }
        Ok(())
    }

    #[test]
    fn a_csd_of_a_pool_is_locked_once_until_it_is_unlocked() -> Result {
        let csd = blank_csd()?;

        for _ in 0..2 {
            require!(csd.try_lock());
            require!(csd.kind() == Kind::Async);
            require!(csd.is_internal_async());
            require!(!csd.try_lock());
            csd.unlock();
        }
        Ok(())
    }
}
