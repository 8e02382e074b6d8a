// SPDX-License-Identifier: GPL-2.0
/*
 * Variables that debuggers and crash scripts look up, with the names and types
 * that they have in kernel/smp.c. Rust reads and writes them.
 */

#include <linux/percpu.h>
#include <linux/smp.h>

#include "smp_rust.h"

/* queue.rs: the queue of each CPU. */
DEFINE_PER_CPU_SHARED_ALIGNED(struct llist_head, call_single_queue);

/* cfd.rs: the data of a CPU for multi-CPU calls. */
DEFINE_PER_CPU_ALIGNED(struct call_function_data, cfd_data);

#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG

/* stall/record.rs: what a CPU runs; NULL: nothing. */
DEFINE_PER_CPU(call_single_data_t *, cur_csd);
DEFINE_PER_CPU(smp_call_func_t, cur_csd_func);
DEFINE_PER_CPU(void *, cur_csd_info);

/* Stands in cur_csd for a call of a CPU to itself, which has no csd. */
call_single_data_t smp_local_csd;

/* stall/resend.rs: 1 if a backtrace may be asked for: at most one between two flushes. */
DEFINE_PER_CPU(atomic_t, trigger_backtrace) = ATOMIC_INIT(1);

/* stall/watch.rs: how many waits were reported, and how many of these go on. */
atomic_t csd_bug_count = ATOMIC_INIT(0);
atomic_t n_csd_lock_stuck = ATOMIC_INIT(0);

#endif /* CONFIG_CSD_LOCK_WAIT_DEBUG */
