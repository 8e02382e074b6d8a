// SPDX-License-Identifier: GPL-2.0
/*
 * smp_bench: calls of all families, one by one.
 */

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/processor.h>

#include "bench.h"

static DEFINE_PER_CPU(call_single_data_t, csd) = CSD_INIT(bench_nothing, NULL);

static int next_cpu(void)
{
	static unsigned int last;

	last = last % (num_online_cpus() - 1) + 1;
	return last;
}

static void self_wait(void)
{
	smp_call_function_single(0, bench_nothing, NULL, true);
}

static void self_nowait(void)
{
	smp_call_function_single(0, bench_nothing, NULL, false);
}

static void one_wait(void)
{
	smp_call_function_single(TARGET, bench_nothing, NULL, true);
}

static void one_nowait(void)
{
	smp_call_function_single(TARGET, bench_nothing, NULL, false);
}

static void send_async(int cpu)
{
	while (smp_call_function_single_async(cpu, per_cpu_ptr(&csd, cpu)) == -EBUSY)
		cpu_relax();
}

static void one_async(void)
{
	send_async(TARGET);
}

static void each_wait(void)
{
	smp_call_function_single(next_cpu(), bench_nothing, NULL, true);
}

static void each_nowait(void)
{
	smp_call_function_single(next_cpu(), bench_nothing, NULL, false);
}

static void each_async(void)
{
	send_async(next_cpu());
}

static void any_wait(void)
{
	smp_call_function_any(cpumask_of(TARGET), bench_nothing, NULL, true);
}

static void many_1_wait(void)
{
	smp_call_function_many(cpumask_of(TARGET), bench_nothing, NULL, true);
}

static void many_1_nowait(void)
{
	smp_call_function_many(cpumask_of(TARGET), bench_nothing, NULL, false);
}

/* The caller is on CPU 0, so two CPUs are called. */
static const struct cpumask first_three = { .bits = { 7 } };

static void many_2_wait(void)
{
	smp_call_function_many(&first_three, bench_nothing, NULL, true);
}

static void many_2_nowait(void)
{
	smp_call_function_many(&first_three, bench_nothing, NULL, false);
}

static void many_wait(void)
{
	smp_call_function(bench_nothing, NULL, true);
}

static void many_nowait(void)
{
	smp_call_function(bench_nothing, NULL, false);
}

static void all_wait(void)
{
	on_each_cpu(bench_nothing, NULL, true);
}

static void all_nowait(void)
{
	on_each_cpu(bench_nothing, NULL, false);
}

static bool is_odd(int cpu, void *info)
{
	return cpu & 1;
}

static void odd_wait(void)
{
	on_each_cpu_cond(is_odd, bench_nothing, NULL, true);
}

static int do_nothing_in_task(void *info)
{
	return 0;
}

static void task_wait(void)
{
	smp_call_on_cpu(TARGET, do_nothing_in_task, NULL, false);
}

const struct bench_case bench_calls[] = {
	{ "self, wait", bench_call, self_wait, .scale = true },
	{ "self, no wait", bench_call, self_nowait },
	{ "one, wait", bench_call, one_wait, .scale = true },
	{ "one, no wait", bench_call, one_nowait },
	{ "one, async", bench_call, one_async },
	{ "each in turn, wait", bench_call, each_wait },
	{ "each in turn, no wait", bench_call, each_nowait },
	{ "each in turn, async", bench_call, each_async },
	{ "any, wait", bench_call, any_wait },
	{ "many, 1 target, wait", bench_call, many_1_wait },
	{ "many, 1 target, no wait", bench_call, many_1_nowait },
	{ "many, 2 targets, wait", bench_call, many_2_wait, .cpus = 3 },
	{ "many, 2 targets, no wait", bench_call, many_2_nowait, .cpus = 3 },
	{ "many, wait", bench_call, many_wait, .scale = true },
	{ "many, no wait", bench_call, many_nowait, .scale = true },
	{ "on each, wait", bench_call, all_wait, .scale = true },
	{ "on each, no wait", bench_call, all_nowait },
	{ "on each odd one, wait", bench_call, odd_wait },
	{ "in a task of one, wait", bench_call, task_wait },
	{ }
};
