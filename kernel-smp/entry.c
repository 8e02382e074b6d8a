// SPDX-License-Identifier: GPL-2.0
/*
 * The entry points of <linux/smp.h> that call another CPU.
 *
 * Each hands its caller's address on, for trace points and warnings: Rust has no
 * word for it. Being C, they can be traced and probed by name as they always could.
 */

#include <linux/bug.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/smp.h>

#include "smp_rust.h"

/* A driver's bug, that would otherwise go unseen: nothing is run. */
void smp_warn_no_function(unsigned long callsite, call_single_data_t *csd)
{
	if (callsite)
		WARN_ONCE(1, "smp: %pS calls a CPU without a function, csd %p\n",
			  (void *)callsite, csd);
	else
		WARN_ONCE(1, "smp: csd %p was queued without a function\n", csd);
}

static void smp_do_nothing(void *info)
{
}

/* Out of line: what is called instead of no function. */
static noinline __cold smp_call_func_t
smp_no_function(unsigned long callsite, call_single_data_t *csd)
{
	smp_warn_no_function(callsite, csd);
	return smp_do_nothing;
}

#define checked(func)	(likely(func) ? (func) : smp_no_function(_RET_IP_, NULL))

int smp_call_function_single(int cpu, smp_call_func_t func, void *info, bool wait)
{
	return smp_single(cpu, checked(func), info, wait, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function_single);

int smp_call_function_single_async(int cpu, call_single_data_t *csd)
{
	if (unlikely(!csd->func))
		csd->func = smp_no_function(_RET_IP_, csd);
	return smp_single_async(cpu, csd, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_function_single_async);

int smp_call_function_any(const struct cpumask *mask, smp_call_func_t func,
			  void *info, int wait)
{
	return smp_single_any(mask, checked(func), info, wait, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_function_any);

void smp_call_function_many(const struct cpumask *mask, smp_call_func_t func,
			    void *info, bool wait)
{
	smp_call_function_many_cond(mask, checked(func), info,
				    wait ? SCF_WAIT : 0, NULL, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function_many);

void smp_call_function(smp_call_func_t func, void *info, int wait)
{
	smp_call_function_many_cond(cpu_online_mask, checked(func), info,
				    wait ? SCF_WAIT : 0, NULL, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function);

void on_each_cpu_cond_mask(smp_cond_func_t cond_func, smp_call_func_t func,
			   void *info, bool wait, const struct cpumask *mask)
{
	smp_call_function_many_cond(mask, checked(func), info,
				    SCF_RUN_LOCAL | (wait ? SCF_WAIT : 0),
				    cond_func, _RET_IP_);
}
EXPORT_SYMBOL(on_each_cpu_cond_mask);

void kick_all_cpus_sync(void)
{
	smp_kick_all(_RET_IP_);
}
EXPORT_SYMBOL_GPL(kick_all_cpus_sync);

void __smp_call_single_queue(int cpu, struct llist_node *node)
{
	smp_single_queue(cpu, node, _RET_IP_);
}

int smp_call_on_cpu(unsigned int cpu, int (*func)(void *), void *par, bool phys)
{
	return smp_on_cpu(cpu, func, par, phys, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_on_cpu);

/* This one is Rust as it is; only the export has to be said in C. */
EXPORT_SYMBOL_GPL(wake_up_all_idle_cpus);
