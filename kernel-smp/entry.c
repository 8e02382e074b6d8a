// SPDX-License-Identifier: GPL-2.0
/*
 * The entry points of <linux/smp.h> that call another CPU.
 *
 * Those that queue csds pass on the address of their caller, for trace points and
 * warnings: Rust has no _RET_IP_. As C functions they can be traced and probed by name.
 */

#include <linux/bug.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>
#include <linux/smp.h>

#include "smp_rust.h"

/* A bug of the caller: nothing is run. */
void smp_warn_no_function(unsigned long callsite, call_single_data_t *csd)
{
	if (callsite)
		WARN_ONCE(1, "smp: %pS calls a CPU without a function, csd %p\n",
			  (void *)callsite, csd);
	else
		WARN_ONCE(1, "smp: csd %p was queued without a function\n", csd);
}

static void do_nothing(void *unused)
{
}

/*
 * The same calls without a function. Out of line and called last, so that the
 * entry points need no stack frame.
 */
static noinline __cold int single_no_function(int cpu, void *info, bool wait,
					      unsigned long callsite)
{
	smp_warn_no_function(callsite, NULL);
	return smp_single(cpu, do_nothing, info, wait, callsite);
}

static noinline __cold int any_no_function(const struct cpumask *mask,
					   void *info, bool wait,
					   unsigned long callsite)
{
	smp_warn_no_function(callsite, NULL);
	return smp_single_any(mask, do_nothing, info, wait, callsite);
}

static noinline __cold int async_no_function(int cpu, call_single_data_t *csd,
					     unsigned long callsite)
{
	smp_warn_no_function(callsite, csd);
	csd->func = do_nothing;
	return smp_single_async(cpu, csd, callsite);
}

static noinline __cold void many_no_function(const struct cpumask *mask,
					     void *info, unsigned int scf_flags,
					     smp_cond_func_t cond_func,
					     unsigned long callsite)
{
	smp_warn_no_function(callsite, NULL);
	smp_call_function_many_cond(mask, do_nothing, info, scf_flags,
				    cond_func, callsite);
}

static __always_inline void many(const struct cpumask *mask,
				 smp_call_func_t func, void *info,
				 unsigned int scf_flags,
				 smp_cond_func_t cond_func,
				 unsigned long callsite)
{
	if (likely(func))
		smp_call_function_many_cond(mask, func, info, scf_flags,
					    cond_func, callsite);
	else
		many_no_function(mask, info, scf_flags, cond_func, callsite);
}

int smp_call_function_single(int cpu, smp_call_func_t func, void *info, bool wait)
{
	if (unlikely(!func))
		return single_no_function(cpu, info, wait, _RET_IP_);
	return smp_single(cpu, func, info, wait, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function_single);

int smp_call_function_single_async(int cpu, call_single_data_t *csd)
{
	if (unlikely(!csd->func))
		return async_no_function(cpu, csd, _RET_IP_);
	return smp_single_async(cpu, csd, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_function_single_async);

int smp_call_function_any(const struct cpumask *mask, smp_call_func_t func,
			  void *info, int wait)
{
	if (unlikely(!func))
		return any_no_function(mask, info, wait, _RET_IP_);
	return smp_single_any(mask, func, info, wait, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_function_any);

void smp_call_function_many(const struct cpumask *mask, smp_call_func_t func,
			    void *info, bool wait)
{
	many(mask, func, info, wait ? SCF_WAIT : 0, NULL, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function_many);

void smp_call_function(smp_call_func_t func, void *info, int wait)
{
	many(cpu_online_mask, func, info, wait ? SCF_WAIT : 0, NULL, _RET_IP_);
}
EXPORT_SYMBOL(smp_call_function);

void on_each_cpu_cond_mask(smp_cond_func_t cond_func, smp_call_func_t func,
			   void *info, bool wait, const struct cpumask *mask)
{
	many(mask, func, info, SCF_RUN_LOCAL | (wait ? SCF_WAIT : 0), cond_func,
	     _RET_IP_);
}
EXPORT_SYMBOL(on_each_cpu_cond_mask);

void kick_all_cpus_sync(void)
{
	/*
	 * Make what the caller changed, such as a function pointer of the idle
	 * loop, visible before the CPUs are kicked, also to a CPU that polls and
	 * needs no IPI.
	 */
	smp_mb();
	many(cpu_online_mask, do_nothing, NULL, SCF_WAIT, NULL, _RET_IP_);
}
EXPORT_SYMBOL_GPL(kick_all_cpus_sync);

void __smp_call_single_queue(int cpu, struct llist_node *node)
{
	smp_single_queue(cpu, node, _RET_IP_);
}

int smp_call_on_cpu(unsigned int cpu, int (*func)(void *), void *par, bool phys)
{
	return __smp_call_on_cpu(cpu, func, par, phys, _RET_IP_);
}
EXPORT_SYMBOL_GPL(smp_call_on_cpu);

void wake_up_all_idle_cpus(void)
{
	__wake_up_all_idle_cpus();
}
EXPORT_SYMBOL_GPL(wake_up_all_idle_cpus);
