/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C and the Rust files of this directory use of each other.
 *
 * What the rest of the kernel calls is declared where C declares it, above all
 * in <linux/smp.h>.
 */
#ifndef _KERNEL_SMP_SMP_RUST_H
#define _KERNEL_SMP_SMP_RUST_H

#include <linux/atomic.h>
#include <linux/cpumask_types.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "fault.h"
#include "stats.h"

struct cpumask;
struct llist_node;

/* kernel/sched/stop_task.c */
extern const struct sched_class stop_sched_class;

/* Rust. @callsite is the caller of the entry point. */
int smp_single(int cpu, smp_call_func_t func, void *info, bool wait,
	       unsigned long callsite);
int smp_single_any(const struct cpumask *mask, smp_call_func_t func, void *info,
		   bool wait, unsigned long callsite);
int smp_single_async(int cpu, call_single_data_t *csd, unsigned long callsite);
void smp_single_queue(int cpu, struct llist_node *node, unsigned long callsite);
void smp_call_function_many_cond(const struct cpumask *mask,
				 smp_call_func_t func, void *info,
				 unsigned int scf_flags,
				 smp_cond_func_t cond_func,
				 unsigned long callsite);
int __smp_call_on_cpu(unsigned int cpu, int (*func)(void *), void *par,
		      bool phys, unsigned long callsite);
void __wake_up_all_idle_cpus(void);

/* entry.c. @callsite is 0, or @csd is NULL, if it is not known. */
void smp_warn_no_function(unsigned long callsite, call_single_data_t *csd);

/* Flags of smp_call_function_many_cond(). */
#define SCF_WAIT	1U	/* return when all of them have run */
#define SCF_RUN_LOCAL	2U	/* on this CPU too, if it is in the mask */

/* trace.c */
void smp_trace_csd_queue_cpu(unsigned int cpu, unsigned long callsite,
			     smp_call_func_t func, call_single_data_t *csd);
void smp_trace_csd_function_entry(smp_call_func_t func,
				  call_single_data_t *csd);
void smp_trace_csd_function_exit(smp_call_func_t func,
				 call_single_data_t *csd);
void smp_trace_ipi_send_cpu(unsigned int cpu, unsigned long callsite);
void smp_trace_ipi_send_cpumask(const struct cpumask *mask,
				unsigned long callsite);

/* data.c */
struct call_function_data {
	call_single_data_t __percpu *csd;
	/* The sequence number of the last synchronous call. */
	unsigned int seq;
	cpumask_var_t cpumask_ipi;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct llist_head, call_single_queue);
DECLARE_PER_CPU_ALIGNED(struct call_function_data, cfd_data);

#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG
DECLARE_PER_CPU(call_single_data_t *, cur_csd);
DECLARE_PER_CPU(smp_call_func_t, cur_csd_func);
DECLARE_PER_CPU(void *, cur_csd_info);
DECLARE_PER_CPU(atomic_t, trigger_backtrace);
extern call_single_data_t smp_local_csd;
extern atomic_t csd_bug_count;
extern atomic_t n_csd_lock_stuck;
#endif

/* params.c */
extern struct static_key_false ipi_mask_inlined;
void smp_enable_inlined_ipi_mask(void);

#ifdef CONFIG_SMP_RUST_KUNIT_TEST
extern int smp_test_cycles;
extern unsigned int smp_test_rounds;
#endif

#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG
#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT
extern struct static_key_true csdlock_debug_enabled;
#else
extern struct static_key_false csdlock_debug_enabled;
#endif
extern ulong csd_lock_timeout;
extern int panic_on_ipistall;

/* stall.c: what an NMI has found on a CPU. */
enum smp_stall_nmi {
	SMP_STALL_NO_NMI,
	SMP_STALL_ASKED,
	SMP_STALL_IRQS_OFF,
	SMP_STALL_IRQS_ON
};

void smp_stall_ask(unsigned int cpu);
enum smp_stall_nmi smp_stall_found(unsigned int cpu);
void smp_stall_bug_on(bool too_long);

/* pool.rs */
void smp_report_late(unsigned int cpu);
#endif

#endif /* _KERNEL_SMP_SMP_RUST_H */
