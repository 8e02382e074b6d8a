// SPDX-License-Identifier: GPL-2.0
/*
 * What a call costs, on any kernel/smp.c. Under QEMU's -icount shift=0 a
 * nanosecond of the guest is an instruction, summed over all CPUs in turn.
 *
 * Prints, for each way to call, the least of ROUNDS averages of LOOPS calls.
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/smp.h>

#define LOOPS 500
#define ROUNDS 5

static void do_nothing(void *info)
{
}

static DEFINE_PER_CPU(call_single_data_t, csd);
static unsigned int next_cpu;

static void self_wait(void)
{
	smp_call_function_single(0, do_nothing, NULL, true);
}

static void self_nowait(void)
{
	smp_call_function_single(0, do_nothing, NULL, false);
}

static void one_wait(void)
{
	smp_call_function_single(1, do_nothing, NULL, true);
}

static void one_nowait(void)
{
	smp_call_function_single(1, do_nothing, NULL, false);
}

static void each_nowait(void)
{
	next_cpu = next_cpu % (num_online_cpus() - 1) + 1;
	smp_call_function_single(next_cpu, do_nothing, NULL, false);
}

static void each_async(void)
{
	next_cpu = next_cpu % (num_online_cpus() - 1) + 1;
	while (smp_call_function_single_async(next_cpu, per_cpu_ptr(&csd, next_cpu)) == -EBUSY)
		cpu_relax();
}

static void many_wait(void)
{
	smp_call_function(do_nothing, NULL, true);
}

static void many_nowait(void)
{
	smp_call_function(do_nothing, NULL, false);
}

static void all_wait(void)
{
	on_each_cpu(do_nothing, NULL, true);
}

/* Only the sending is timed: the targets are idle, and done with the last. */
static u64 burst(void (*send)(int cpu), int cpus)
{
	u64 least = U64_MAX;
	int i, cpu;

	for (i = 0; i < LOOPS; i++) {
		u64 start;

		smp_call_function(do_nothing, NULL, true);
		smp_call_function(do_nothing, NULL, true);
		start = ktime_get_ns();
		for (cpu = 1; cpu < cpus; cpu++)
			send(cpu);
		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

static void send_nowait(int cpu)
{
	smp_call_function_single(cpu, do_nothing, NULL, false);
}

static void send_async(int cpu)
{
	smp_call_function_single_async(cpu, per_cpu_ptr(&csd, cpu));
}

static const struct {
	const char *name;
	void (*call)(void);
} cases[] = {
	{ "self, wait", self_wait },
	{ "self, no wait", self_nowait },
	{ "one, wait", one_wait },
	{ "one, no wait", one_nowait },
	{ "each in turn, no wait", each_nowait },
	{ "each in turn, async", each_async },
	{ "many, wait", many_wait },
	{ "many, no wait", many_nowait },
	{ "on each, wait", all_wait },
};

static int measure(void *unused)
{
	int i, j, k;

	for_each_possible_cpu(i)
		*per_cpu_ptr(&csd, i) = (call_single_data_t)CSD_INIT(do_nothing, NULL);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 least = U64_MAX;

		for (j = 0; j < ROUNDS; j++) {
			u64 start = ktime_get_ns();

			for (k = 0; k < LOOPS; k++)
				cases[i].call();
			least = min(least, ktime_get_ns() - start);
			smp_call_function(do_nothing, NULL, true);
		}
		pr_info("smp_cost: %s: %llu\n", cases[i].name, least / LOOPS);
	}
	pr_info("smp_cost: sending only, no wait: %llu\n", burst(send_nowait, num_online_cpus()));
	pr_info("smp_cost: sending only, async: %llu\n", burst(send_async, num_online_cpus()));
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static struct task_struct *task;

static int __init smp_cost_init(void)
{
	task = kthread_create_on_cpu(measure, NULL, 0, "smp_cost/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}
module_init(smp_cost_init);

static void __exit smp_cost_exit(void)
{
	kthread_stop(task);
	kick_all_cpus_sync();
}
module_exit(smp_cost_exit);

MODULE_DESCRIPTION("What a cross-CPU call costs");
MODULE_LICENSE("GPL");
