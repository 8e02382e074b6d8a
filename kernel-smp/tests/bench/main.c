// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of cross-CPU calls, on any kernel/smp.c. Under QEMU's -icount shift=0 a
 * nanosecond of the guest is an instruction, summed over all CPUs in turn.
 *
 * Loading returns when all cases are measured. Each figure is a line: the case, the
 * kind of figure, the figure. The last line has the number of figures.
 */

#define pr_fmt(fmt) "smp_bench: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sched/task.h>
#include <linux/stringify.h>

#include "bench.h"

static bool scale;
module_param(scale, bool, 0444);
MODULE_PARM_DESC(scale, "Only the cases that are measured for several numbers of CPUs");

unsigned int bench_loops = LOOPS_MAX;
module_param_named(loops, bench_loops, uint, 0444);
MODULE_PARM_DESC(loops, "How many calls a figure is made of, up to " __stringify(LOOPS_MAX));

static unsigned int figures;
static u64 clock_costs = U64_MAX;
static DECLARE_COMPLETION(all_measured);
static int result;

void bench_nothing(void *info)
{
}

void bench_say(const struct bench_case *c, const char *more, const char *key, u64 sum, u64 number)
{
	u64 hundredths = div64_u64(sum * 100 + number / 2, number);

	pr_info("%s%s: %s %llu.%02llu\n", c->name, more, key, hundredths / 100, hundredths % 100);
	figures++;
}

u64 bench_since(u64 start)
{
	u64 passed = ktime_get_ns() - start;

	return passed > clock_costs ? passed - clock_costs : 0;
}

static void calibrate(void)
{
	int i;

	for (i = 0; i < bench_loops; i++) {
		u64 start = ktime_get_ns();

		clock_costs = min(clock_costs, ktime_get_ns() - start);
	}
}

static const char *lacks(const struct bench_case *c)
{
	if (num_online_cpus() < c->cpus)
		return "CPUs";
	if (num_online_nodes() < c->nodes)
		return "nodes";
	if (c->traced && !IS_ENABLED(CONFIG_TRACEPOINTS))
		return "tracepoints";
	return NULL;
}

static int measure_all(const struct bench_case *c)
{
	for (; c->name; c++) {
		const char *what = lacks(c);
		unsigned int before = figures;

		if (scale && !c->scale)
			continue;
		if (what) {
			pr_info("%s: lacks %s\n", c->name, what);
			continue;
		}
		c->measure(c);
		if (figures == before) {
			pr_err("%s: no figure\n", c->name);
			return -ENODATA;
		}
	}
	return 0;
}

static int measure(void *unused)
{
	calibrate();
	result = measure_all(bench_norov);
	if (!result)
		result = measure_all(bench_calls);
	if (!result)
		result = measure_all(bench_crowds);
	if (!result)
		result = measure_all(bench_parts);
	if (!result)
		pr_info("end: %u figures\n", figures);
	complete(&all_measured);
	return 0;
}

static int __init smp_bench_init(void)
{
	struct task_struct *task;

	if (!bench_loops || bench_loops > LOOPS_MAX)
		return -EINVAL;
	/* The cases use the CPU numbers from 0 on, without checking the mask. */
	if (num_online_cpus() < 2 || cpumask_last(cpu_online_mask) != num_online_cpus() - 1) {
		pr_err("needs two CPUs, and no gap in their numbers\n");
		return -ENODEV;
	}
	task = kthread_create_on_cpu(measure, NULL, 0, "smp_bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&all_measured);
	kthread_stop_put(task);
	/* Waits for the last asynchronous calls. */
	kick_all_cpus_sync();
	return result;
}
module_init(smp_bench_init);

static void __exit smp_bench_exit(void)
{
}
module_exit(smp_bench_exit);

MODULE_DESCRIPTION("What cross-CPU calls cost");
#ifdef CONFIG_SMP_RUST
MODULE_INFO(implementation, "rust");
#else
MODULE_INFO(implementation, "c");
#endif
MODULE_LICENSE("GPL");
