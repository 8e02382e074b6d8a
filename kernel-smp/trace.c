// SPDX-License-Identifier: GPL-2.0
/*
 * The trace points of cross-CPU calls. The functions are called only if the
 * trace point is on.
 */

#include <linux/smp.h>
#include <trace/events/ipi.h>

#define CREATE_TRACE_POINTS
#include <trace/events/csd.h>

#include "smp_rust.h"

void smp_trace_csd_queue_cpu(unsigned int cpu, unsigned long callsite,
			     smp_call_func_t func, call_single_data_t *csd)
{
	trace_call__csd_queue_cpu(cpu, callsite, func, csd);
}

void smp_trace_csd_function_entry(smp_call_func_t func,
				  call_single_data_t *csd)
{
	trace_call__csd_function_entry(func, csd);
}

void smp_trace_csd_function_exit(smp_call_func_t func,
				 call_single_data_t *csd)
{
	trace_call__csd_function_exit(func, csd);
}

void smp_trace_ipi_send_cpu(unsigned int cpu, unsigned long callsite)
{
	trace_call__ipi_send_cpu(cpu, callsite,
				 generic_smp_call_function_single_interrupt);
}

void smp_trace_ipi_send_cpumask(const struct cpumask *mask,
				unsigned long callsite)
{
	trace_call__ipi_send_cpumask(mask, callsite,
				     generic_smp_call_function_single_interrupt);
}
