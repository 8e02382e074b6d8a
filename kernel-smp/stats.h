/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of cross-CPU calls. While they are off, each is one patched jump.
 */
#ifndef _KERNEL_SMP_STATS_H
#define _KERNEL_SMP_STATS_H

#include <linux/jump_label.h>
#include <linux/kconfig.h>
#include <linux/types.h>

/* In the order of the table. */
enum smp_counter {
	SMP_CSDS,	/* csds and other entries that this CPU has queued on others */
	SMP_IPIS,	/* IPIs that it has sent */
	SMP_BATCHED,	/* entries without an IPI, since the queue was not empty */
	SMP_POLLED,	/* entries without an IPI, since the target polled in its idle loop */
#ifdef CONFIG_SMP_RUST
	SMP_FALLBACK_CSD,
	SMP_STORAGE_WAITS,
	SMP_DYING,
	SMP_MOST_SLOTS,
	SMP_LONGEST_NS,
#endif
	SMP_COUNTERS
};

DECLARE_STATIC_KEY_FALSE(smp_stats_key);

void smp_stats_add(enum smp_counter counter, u64 number);
u64 smp_stats_read(enum smp_counter counter, unsigned int cpu);
#ifdef CONFIG_SMP_RUST
void smp_stats_raise(enum smp_counter counter, u64 value);
u64 smp_stats_offline(void);
#endif

/* Adds a number, which is computed only if the counters are on. */
#define smp_count(counter, number)					\
	do {								\
		if (IS_ENABLED(CONFIG_SMP_STATS) &&			\
		    static_branch_unlikely(&smp_stats_key))		\
			smp_stats_add(counter, number);			\
	} while (0)

#endif
