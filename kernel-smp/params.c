// SPDX-License-Identifier: GPL-2.0
/*
 * Boot parameters, module parameters, and the variables and static keys that
 * they set.
 */

#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

#include "smp_rust.h"

/* How many CPUs to bring up at boot. */
unsigned int setup_max_cpus = NR_CPUS;
EXPORT_SYMBOL(setup_max_cpus);

#ifndef CONFIG_FORCE_NR_CPUS
/* No CPU has this number or a higher one. */
unsigned int nr_cpu_ids __read_mostly = NR_CPUS;
EXPORT_SYMBOL(nr_cpu_ids);
#endif

void __weak __init arch_disable_smp_support(void)
{
}

static int __init nosmp(char *str)
{
	setup_max_cpus = 0;
	arch_disable_smp_support();
	return 0;
}
early_param("nosmp", nosmp);

static int __init nrcpus(char *str)
{
	int nr;

	if (get_option(&str, &nr) && nr > 0 && nr < nr_cpu_ids)
		set_nr_cpu_ids(nr);
	return 0;
}
early_param("nr_cpus", nrcpus);

static int __init maxcpus(char *str)
{
	get_option(&str, &setup_max_cpus);
	if (!setup_max_cpus)
		arch_disable_smp_support();
	return 0;
}
early_param("maxcpus", maxcpus);

/* On: the IPI mask of a task is stored in place of the pointer to it. */
DEFINE_STATIC_KEY_FALSE(ipi_mask_inlined);

void __init smp_enable_inlined_ipi_mask(void)
{
	static_branch_enable(&ipi_mask_inlined);
}

#ifdef CONFIG_SMP_RUST_KUNIT_TEST
/* How often the tests of CPU hotplug take each CPU down. */
int smp_test_cycles = 5;
module_param_named(test_cycles, smp_test_cycles, int, 0444);

/* How often all CPUs call all with interrupts off. */
unsigned int smp_test_rounds = 2000;
module_param_named(test_rounds, smp_test_rounds, uint, 0444);
#endif

#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG

DEFINE_STATIC_KEY_MAYBE(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT, csdlock_debug_enabled);

static int __init csdlock_debug(char *str)
{
	int on;

	if (get_option(&str, &on)) {
		if (on)
			static_branch_enable(&csdlock_debug_enabled);
		else
			static_branch_disable(&csdlock_debug_enabled);
	}
	return 1;
}
__setup("csdlock_debug=", csdlock_debug);

/* Report a csd that is locked for longer than this; 0: never. */
ulong csd_lock_timeout = 5000; /* ms */
module_param(csd_lock_timeout, ulong, 0644);

/* Panic when one is locked for longer than this; 0: never. */
int panic_on_ipistall; /* ms */
module_param(panic_on_ipistall, int, 0644);

#endif /* CONFIG_CSD_LOCK_WAIT_DEBUG */
