// SPDX-License-Identifier: GPL-2.0

//! A remote procedure call of two asynchronous ones, as `SCF_PRIM_SINGLE_RPC` of
//! `kernel/scftorture.c`: the target answers by a call of the CPU that has asked.

use crate::{
    cpu::CpuId,
    cpumask::Cpumask,
    preempt::CpuPinned,
    prelude::*,
    smp::{
        testing::check_eq,
        CallContext,
        CallError,
        Caller,
        Csd,
        Handler, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// The way back: runs on the CPU that has asked.
struct Reply {
    answer: Atomic<u32>,
    answered: Atomic<bool>,
}

impl Handler for Reply {
    fn handle(&self, _context: &CallContext) {
        // ORDERING: Pairs with the acquire in `rpc()`.
        self.answered.store(true, Release);
    }
}

/// The way there: runs on the target.
struct Ask {
    from: CpuId,
    reply: Csd<Reply>,
}

impl Handler for Ask {
    fn handle(&self, context: &CallContext) {
        let number = context.cpu().as_u32();

        self.reply.handler().answer.store(number, Relaxed);
        // If the CPU has gone offline, there is no answer.
        let _ = self.reply.post(self.from);
    }
}

/// Asks `cpu` for its number.
fn rpc(caller: &Caller, cpu: CpuId) -> Result<u32, CallError> {
    let reply = Reply {
        answer: Atomic::new(u32::MAX),
        answered: Atomic::new(false),
    };
    let ask = Ask {
        from: CpuId::current(),
        reply: Csd::new(reply, GFP_KERNEL).map_err(|_| CallError::NoMemory)?,
    };
    let ask = Csd::new(ask, GFP_KERNEL).map_err(|_| CallError::NoMemory)?;
    let reply = &ask.handler().reply;

    ask.post(cpu)?;
    ask.wait(caller);
    reply.wait(caller);
    // ORDERING: Pairs with the release in `Reply::handle()`.
    match reply.handler().answered.load(Acquire) {
        true => Ok(reply.handler().answer.load(Relaxed)),
        false => Err(CallError::Offline),
    }
}

#[kunit_tests(rust_smp_port_scftorture)]
mod cases {
    use super::*;

    #[test]
    fn each_cpu_answers() -> Result {
        let caller = Caller::new()?;

        for _ in 0..10 {
            for cpu in Cpumask::online() {
                check_eq!(rpc(&caller, cpu), Ok(cpu.as_u32()));
            }
        }
        Ok(())
    }
}
