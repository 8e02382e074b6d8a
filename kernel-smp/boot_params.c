// SPDX-License-Identifier: GPL-2.0
/*
 * The boot parameters that say how many CPUs there are, and the variables that they
 * set. Both implementations use this file.
 */

#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/smp.h>

/* How many CPUs to bring up at boot. */
unsigned int setup_max_cpus = NR_CPUS;
EXPORT_SYMBOL(setup_max_cpus);

#if (NR_CPUS > 1) && !defined(CONFIG_FORCE_NR_CPUS)
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
