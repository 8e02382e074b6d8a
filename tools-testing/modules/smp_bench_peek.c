// SPDX-License-Identifier: GPL-2.0
/*
 * What cpus_peek_for_pending_ipi() costs, which the governor of power domains calls, for sets of
 * CPUs with empty queues. Each figure is a line, as those of smp_bench. The function is not
 * exported: its address is that of a kprobe, which is removed at once.
 */

#define pr_fmt(fmt) "smp_bench_peek: " fmt

#include <linux/cpumask.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>

#define TRIES 100
#define CALLS 100

static bool (*peek)(const struct cpumask *mask);
static struct cpumask some;

static bool empty(const struct cpumask *mask)
{
	return false;
}

/* The least that CALLS calls have taken, in ns. */
static u64 time_calls(bool (*func)(const struct cpumask *mask))
{
	u64 least = U64_MAX;
	int i, j;

	for (i = 0; i < TRIES; i++) {
		u64 start = ktime_get_ns();

		for (j = 0; j < CALLS; j++) {
			OPTIMIZER_HIDE_VAR(func);
			func(&some);
		}
		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

/* Of the first @cpus CPUs. What the loop itself takes is not in the figure. */
static void measure(unsigned int cpus)
{
	u64 taken;

	cpumask_clear(&some);
	while (cpus--)
		cpumask_set_cpu(cpus, &some);
	taken = time_calls(peek);
	taken -= min(taken, time_calls(empty));
	pr_info("peek at %u: cost %llu.%02llu\n", cpumask_weight(&some), taken / CALLS, taken % CALLS);
}

static int __init smp_bench_peek_init(void)
{
	struct kprobe probe = { .symbol_name = "cpus_peek_for_pending_ipi" };
	int error;

	/* The address is behind the endbr, and where that is needed it is not called. */
	if (!IS_ENABLED(CONFIG_KPROBES) || IS_ENABLED(CONFIG_CFI) || cpu_feature_enabled(X86_FEATURE_IBT)) {
		pr_info("peek: lacks an address\n");
		pr_info("end: 0 figures\n");
		return 0;
	}
	error = register_kprobe(&probe);
	if (error)
		return error;
	peek = (void *)probe.addr;
	unregister_kprobe(&probe);
	measure(1);
	measure(num_online_cpus());
	pr_info("end: 2 figures\n");
	return 0;
}
module_init(smp_bench_peek_init);

static void __exit smp_bench_peek_exit(void)
{
}
module_exit(smp_bench_peek_exit);

MODULE_DESCRIPTION("What a look at the queues of other CPUs costs");
MODULE_LICENSE("GPL");
