// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/smp.h>

#ifndef CONFIG_SMP
__rust_helper void
rust_helper_smp_call_function_many(const struct cpumask *mask,
				   smp_call_func_t func, void *info, bool wait)
{
	smp_call_function_many(mask, func, info, wait);
}

__rust_helper int
rust_helper_smp_call_function_any(const struct cpumask *mask,
				  smp_call_func_t func, void *info, int wait)
{
	return smp_call_function_any(mask, func, info, wait);
}
#endif

/* The inline functions and macros that only kernel/smp/ uses. */
#ifdef CONFIG_SMP_RUST

#include <linux/hypervisor.h>
#include <linux/interrupt.h>
#include <linux/jump_label.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/topology.h>
#include <linux/workqueue.h>
#include <trace/events/csd.h>
#include <trace/events/ipi.h>
#include "../../kernel/smp/smp_rust.h"

__rust_helper void rust_helper_arch_send_call_function_single_ipi(int cpu)
{
	arch_send_call_function_single_ipi(cpu);
}

__rust_helper void
rust_helper_arch_send_call_function_ipi_mask(const struct cpumask *mask)
{
	arch_send_call_function_ipi_mask(mask);
}

__rust_helper bool rust_helper_smp_csdlock_debug(void)
{
#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG
	return static_branch_unlikely(&csdlock_debug_enabled);
#else
	return false;
#endif
}

__rust_helper bool rust_helper_smp_stats_enabled(void)
{
#ifdef CONFIG_SMP_RUST_STATS
	return static_branch_unlikely(&smp_stats_key);
#else
	return false;
#endif
}

__rust_helper bool rust_helper_smp_ipi_mask_inlined(void)
{
	return static_branch_unlikely(&ipi_mask_inlined);
}

__rust_helper struct cpumask **rust_helper_smp_task_ipi_mask(struct task_struct *task)
{
	return &ACCESS_PRIVATE(task, ipi_mask).ipi_mask_ptr;
}

__rust_helper size_t rust_helper_cpumask_size(void)
{
	return cpumask_size();
}

__rust_helper bool
rust_helper_zalloc_cpumask_var_node(cpumask_var_t *mask, int cpu)
{
	return zalloc_cpumask_var_node(mask, GFP_KERNEL, cpu_to_node(cpu));
}

__rust_helper unsigned int
rust_helper_sched_numa_find_nth_cpu(const struct cpumask *mask, int n, int cpu)
{
	return sched_numa_find_nth_cpu(mask, n, cpu_to_node(cpu));
}

__rust_helper unsigned int rust_helper_local_softirq_pending(void)
{
	return local_softirq_pending();
}

__rust_helper void rust_helper_do_softirq_post_smp_call_flush(unsigned int was)
{
	do_softirq_post_smp_call_flush(was);
}

__rust_helper void rust_helper_hypervisor_pin_vcpu(int cpu)
{
	hypervisor_pin_vcpu(cpu);
}

__rust_helper void rust_helper_destroy_work_on_stack(struct work_struct *work)
{
	destroy_work_on_stack(work);
}

__rust_helper void rust_helper_set_nr_cpu_ids(unsigned int nr)
{
	set_nr_cpu_ids(nr);
}

__rust_helper void rust_helper_smp_cpus_done(unsigned int max_cpus)
{
	smp_cpus_done(max_cpus);
}

__rust_helper int rust_helper_num_online_nodes(void)
{
	return num_online_nodes();
}

__rust_helper bool rust_helper_trace_csd_queue_cpu_enabled(void)
{
	return __trace_csd_queue_cpu_enabled();
}

__rust_helper bool rust_helper_trace_csd_function_entry_enabled(void)
{
	return __trace_csd_function_entry_enabled();
}

__rust_helper bool rust_helper_trace_csd_function_exit_enabled(void)
{
	return __trace_csd_function_exit_enabled();
}

__rust_helper bool rust_helper_trace_ipi_send_cpu_enabled(void)
{
	return __trace_ipi_send_cpu_enabled();
}

__rust_helper bool rust_helper_trace_ipi_send_cpumask_enabled(void)
{
	return __trace_ipi_send_cpumask_enabled();
}

#endif /* CONFIG_SMP_RUST */
