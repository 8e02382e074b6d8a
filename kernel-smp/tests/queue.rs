// SPDX-License-Identifier: GPL-2.0

//! The csd, the queue and the pool.

mod csd;
mod order;
mod peek;
mod pool;
mod push_take;

#[cfg(not(CONFIG_PREEMPT_RT))]
mod softirq;

#[cfg(CONFIG_FAIL_SMP)]
mod pool_fallback;
