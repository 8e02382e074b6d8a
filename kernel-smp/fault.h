/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sending the IPIs of cross-CPU calls. With FAIL_SMP, faults are injected there.
 */
#ifndef _KERNEL_SMP_FAULT_H
#define _KERNEL_SMP_FAULT_H

#include <linux/compiler.h>
#include <linux/fault-inject.h>
#include <linux/smp.h>
#include <linux/types.h>

#ifdef CONFIG_FAIL_SMP

enum smp_fault_kind {
	SMP_FAULT_DROP,
	SMP_FAULT_DELAY,
	SMP_FAULT_REORDER,
	SMP_FAULT_DUPLICATE,
	SMP_FAULT_BURST,
#ifdef CONFIG_SMP_RUST
	SMP_FAULT_NO_FREE_SLOT,
#endif
	SMP_FAULTS
};

struct smp_fault {
	struct fault_attr attr;
	int from;
	int to;
};

extern struct smp_fault smp_faults[];

bool smp_fault_hits(enum smp_fault_kind kind, int from, int to);
void smp_fault_send_due(void);
void smp_send_ipi(int cpu);
void smp_send_ipi_mask(const struct cpumask *mask);

#else

static __always_inline void smp_send_ipi(int cpu)
{
	arch_send_call_function_single_ipi(cpu);
}

static __always_inline void smp_send_ipi_mask(struct cpumask *mask)
{
	arch_send_call_function_ipi_mask(mask);
}

#endif

#endif
