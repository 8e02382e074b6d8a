// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of cross-CPU calls in debugfs: reading smp/stats shows the table.
 * Writing 1 sets the counters to zero and switches them on, writing 0 switches
 * them off.
 */

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "stats.h"

DEFINE_STATIC_KEY_FALSE(smp_stats_key);

/* Each CPU counts its own events. */
static DEFINE_PER_CPU(u64, counts[SMP_COUNTERS]);

static const char * const columns[SMP_COUNTERS] = {
	[SMP_CSDS] = "csds",
	[SMP_IPIS] = "ipis",
	[SMP_BATCHED] = "batched",
	[SMP_POLLED] = "polled",
#ifdef CONFIG_SMP_RUST
	[SMP_FALLBACK_CSD] = "fallback_csd",
	[SMP_STORAGE_WAITS] = "storage_waits",
	[SMP_DYING] = "dying",
	[SMP_MOST_SLOTS] = "most_slots",
	[SMP_LONGEST_NS] = "longest_ns",
#endif
};

/* In any context. */
void smp_stats_add(enum smp_counter counter, u64 number)
{
	this_cpu_add(counts[counter], number);
}

#ifdef CONFIG_SMP_RUST
/* Sets a counter to a value, if that is the largest so far. In any context. */
void smp_stats_raise(enum smp_counter counter, u64 value)
{
	u64 most = this_cpu_read(counts[counter]);

	while (most < value && !this_cpu_try_cmpxchg(counts[counter], &most, value))
		;
}
#endif

/* What a CPU has counted. */
u64 smp_stats_read(enum smp_counter counter, unsigned int cpu)
{
	return READ_ONCE(per_cpu(counts[counter], cpu));
}

static int stats_show(struct seq_file *m, void *unused)
{
	unsigned int cpu, i;

	seq_puts(m, "cpu");
	for (i = 0; i < SMP_COUNTERS; i++)
		seq_printf(m, " %13s", columns[i]);
	seq_putc(m, '\n');
	for_each_possible_cpu(cpu) {
		seq_printf(m, "%3u", cpu);
		for (i = 0; i < SMP_COUNTERS; i++)
			seq_printf(m, " %13llu", smp_stats_read(i, cpu));
		seq_putc(m, '\n');
	}
#ifdef CONFIG_SMP_RUST
	seq_printf(m, "found for offline CPUs: %llu\n", smp_stats_offline());
#endif
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, stats_show, NULL);
}

static ssize_t stats_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	bool on;
	int err = kstrtobool_from_user(buf, len, &on);
	unsigned int cpu, i;

	if (err)
		return err;
	if (on) {
		for_each_possible_cpu(cpu)
			for (i = 0; i < SMP_COUNTERS; i++)
				WRITE_ONCE(per_cpu(counts[i], cpu), 0);
		static_branch_enable(&smp_stats_key);
	} else {
		static_branch_disable(&smp_stats_key);
	}
	return len;
}

static const struct file_operations stats_fops = {
	.open = stats_open,
	.read = seq_read,
	.write = stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init smp_stats_init(void)
{
	debugfs_create_file("stats", 0600, debugfs_create_dir("smp", NULL),
			    NULL, &stats_fops);
	return 0;
}
late_initcall(smp_stats_init);
