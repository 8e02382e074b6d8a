// SPDX-License-Identifier: GPL-2.0
/*
 * The settings of the faults that fault.rs injects: boot parameters and debugfs
 * files, as Documentation/fault-injection/ describes them.
 *
 * Each fault has two more files: "from" and "to", the source and the target of
 * the call. -1 stands for any CPU.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/init.h>

#include "smp_rust.h"

struct smp_fault smp_faults[SMP_FAULTS] = {
	[0 ... SMP_FAULTS - 1] = {
		.attr = FAULT_ATTR_INITIALIZER,
		.from = -1,
		.to = -1,
	},
};

/* How long an IPI is delayed, in ns. */
u64 smp_fault_delay = 200000;

bool smp_fault_hits(enum smp_fault_kind kind, int from, int to)
{
	struct smp_fault *fault = &smp_faults[kind];

	if (!fault->attr.probability)
		return false;
	if (fault->from != -1 && fault->from != from)
		return false;
	if (fault->to != -1 && fault->to != to)
		return false;
	return should_fail_ex(&fault->attr, 1, FAULT_NOWARN);
}

/* Parsed by smp_fault_init(): that allocates, and a delay needs a clock that runs. */
static char *boot_settings[SMP_FAULTS] __initdata;

#define SMP_FAULT_PARAM(name, kind)					\
	static int __init setup_##name(char *str)			\
	{								\
		boot_settings[kind] = str;				\
		return 1;						\
	}								\
	__setup(#name "=", setup_##name)

SMP_FAULT_PARAM(fail_smp_pool, SMP_FAULT_NO_FREE_SLOT);
SMP_FAULT_PARAM(fail_smp_drop, SMP_FAULT_DROP);
SMP_FAULT_PARAM(fail_smp_delay, SMP_FAULT_DELAY);
SMP_FAULT_PARAM(fail_smp_reorder, SMP_FAULT_REORDER);
SMP_FAULT_PARAM(fail_smp_duplicate, SMP_FAULT_DUPLICATE);
SMP_FAULT_PARAM(fail_smp_burst, SMP_FAULT_BURST);

static int cpu_get(void *data, u64 *val)
{
	*val = (s64)READ_ONCE(*(int *)data);
	return 0;
}

static int cpu_set(void *data, u64 val)
{
	int cpu = (int)val;

	if (cpu != -1 && !(cpu >= 0 && cpu < nr_cpu_ids))
		return -EINVAL;
	WRITE_ONCE(*(int *)data, cpu);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(cpu_fops, cpu_get, cpu_set, "%lld\n");

static int __init smp_fault_init(void)
{
	static const char * const names[SMP_FAULTS] = {
		[SMP_FAULT_NO_FREE_SLOT] = "fail_smp_pool",
		[SMP_FAULT_DROP]	= "fail_smp_drop",
		[SMP_FAULT_DELAY]	= "fail_smp_delay",
		[SMP_FAULT_REORDER]	= "fail_smp_reorder",
		[SMP_FAULT_DUPLICATE]	= "fail_smp_duplicate",
		[SMP_FAULT_BURST]	= "fail_smp_burst",
	};
	int i;

	smp_fault_init_timers();
	for (i = 0; i < SMP_FAULTS; i++) {
		struct smp_fault *fault = &smp_faults[i];
		struct dentry *dir;

		if (boot_settings[i])
			setup_fault_attr(&fault->attr, boot_settings[i]);
		dir = fault_create_debugfs_attr(names[i], NULL, &fault->attr);
		if (IS_ERR(dir))
			continue;
		debugfs_create_file_unsafe("from", 0600, dir, &fault->from, &cpu_fops);
		debugfs_create_file_unsafe("to", 0600, dir, &fault->to, &cpu_fops);
		if (i == SMP_FAULT_DELAY)
			debugfs_create_u64("delay_ns", 0600, dir, &smp_fault_delay);
	}
	return 0;
}

/*
 * Before fs_initcall the clocksource is jiffies. It stands still while the CPU
 * that updates it waits with interrupts off, and a delay would not end.
 */
late_initcall(smp_fault_init);
