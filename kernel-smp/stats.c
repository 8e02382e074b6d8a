// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in debugfs: reading smp/stats shows the table. Writing 1 sets the
 * counters to zero and switches them on, writing 0 switches them off.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/seq_file.h>

#include "smp_rust.h"

DEFINE_STATIC_KEY_FALSE(smp_stats_key);

/* The columns, in the order of the counters in stats.rs. */
static const char * const columns[] = {
	"csds", "ipis", "batched", "polled", "fallback_csd", "storage_waits",
	"dying", "most_slots", "longest_ns",
};

static int stats_show(struct seq_file *m, void *unused)
{
	unsigned int cpu, i;

	seq_puts(m, "cpu");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		seq_printf(m, " %13s", columns[i]);
	seq_putc(m, '\n');
	for_each_possible_cpu(cpu) {
		seq_printf(m, "%3u", cpu);
		for (i = 0; i < ARRAY_SIZE(columns); i++)
			seq_printf(m, " %13llu", smp_stats_count(cpu, i));
		seq_putc(m, '\n');
	}
	seq_printf(m, "found for offline CPUs: %llu\n", smp_stats_offline());
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

	if (err)
		return err;
	if (on) {
		smp_stats_clear();
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
