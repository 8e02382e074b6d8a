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
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

__rust_helper void rust_helper_arch_send_call_function_single_ipi(int cpu)
{
	arch_send_call_function_single_ipi(cpu);
}

__rust_helper void
rust_helper_arch_send_call_function_ipi_mask(const struct cpumask *mask)
{
	arch_send_call_function_ipi_mask(mask);
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

__rust_helper int rust_helper_cpu_to_node(int cpu)
{
	return cpu_to_node(cpu);
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

#ifdef CONFIG_SMP_RUST_KUNIT_TEST
__rust_helper int rust_helper_smp_test_preempt_count(void)
{
	return preempt_count();
}
#endif

#endif /* CONFIG_SMP_RUST */
