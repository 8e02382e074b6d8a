// SPDX-License-Identifier: GPL-2.0
/*
 * smp_bench: the figures of a call: its cost, its distribution, its IPIs, its stack.
 */

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/tracepoint.h>
#include <trace/events/ipi.h>

#include "bench.h"

#define SAMPLES 1000

/* The size of the checked part of the stack, and the word that it is filled with. */
#define STACK 2048
#define PAINT 0x5aa5a55a5aa5a55aUL

void bench_synchronize(void)
{
	smp_call_function(bench_nothing, NULL, true);
	/* The other CPUs have run the function, and may still be in the interrupt. */
	udelay(5);
}

static void say_cost(const struct bench_case *c)
{
	u64 least = U64_MAX;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		u64 start = ktime_get_ns();

		for (j = 0; j < bench_loops; j++)
			c->run();
		least = min(least, bench_since(start));
		bench_synchronize();
	}
	bench_say(c, "", "cost", least, bench_loops);
}

static int compare(const void *a, const void *b)
{
	return cmp_int(*(const u32 *)a, *(const u32 *)b);
}

static void say_spread(const struct bench_case *c)
{
	static u32 samples[SAMPLES];
	int i;

	for (i = 0; i < SAMPLES; i++) {
		u64 start = ktime_get_ns();

		c->run();
		samples[i] = min_t(u64, bench_since(start), U32_MAX);
	}
	bench_synchronize();
	sort(samples, SAMPLES, sizeof(*samples), compare, NULL);
	bench_say(c, "", "p50", samples[SAMPLES / 2], 1);
	bench_say(c, "", "p99", samples[SAMPLES * 99 / 100], 1);
	bench_say(c, "", "p99.9", samples[SAMPLES * 999 / 1000], 1);
	bench_say(c, "", "max", samples[SAMPLES - 1], 1);
}

static atomic64_t ipis;
static int ipis_to;

static void saw_ipi(void *unused, unsigned int cpu, unsigned long callsite, void *callback)
{
	/* A reschedule IPI has no function. */
	if (callback && (ipis_to < 0 || cpu == ipis_to))
		atomic64_inc(&ipis);
}

static void saw_ipis(void *unused, const struct cpumask *mask, unsigned long callsite,
		     void *callback)
{
	if (ipis_to < 0)
		atomic64_add(cpumask_weight(mask), &ipis);
	else if (cpumask_test_cpu(ipis_to, mask))
		atomic64_inc(&ipis);
}

void bench_say_ipis(const struct bench_case *c, void (*prepare)(void), void (*run)(void), int to)
{
	u64 sent = 0;
	int i;

	ipis_to = to;
	if (register_trace_ipi_send_cpu(saw_ipi, NULL))
		return;
	if (register_trace_ipi_send_cpumask(saw_ipis, NULL))
		goto unregister;
	for (i = 0; i < bench_loops; i++) {
		u64 before;

		prepare();
		before = atomic64_read(&ipis);
		run();
		sent += atomic64_read(&ipis) - before;
	}
	bench_say(c, "", "ipis", sent, bench_loops);
	unregister_trace_ipi_send_cpumask(saw_ipis, NULL);
unregister:
	unregister_trace_ipi_send_cpu(saw_ipi, NULL);
	tracepoint_synchronize_unregister();
}

/*
 * Fills the stack below this function, makes the call, and checks how much of the
 * filling is overwritten. An interrupt uses the stack, too, so the least of many counts.
 */
static noinline unsigned long stack_used(void (*run)(void))
{
	unsigned long *top = (unsigned long *)current_stack_pointer;
	unsigned long *p;

	for (p = top - 1; p > top - STACK / sizeof(*p); p--)
		WRITE_ONCE(*p, PAINT);
	run();
	for (p++; p < top && READ_ONCE(*p) == PAINT; p++)
		;
	return (top - p) * sizeof(*p);
}

static void say_stack(const struct bench_case *c)
{
	unsigned long least = STACK;
	int i;

	for (i = 0; i < bench_loops; i++)
		least = min(least, stack_used(c->run));
	bench_synchronize();
	bench_say(c, "", "stack", least, 1);
}

void bench_call(const struct bench_case *c)
{
	say_cost(c);
	say_spread(c);
	bench_say_ipis(c, bench_synchronize, c->run, -1);
	say_stack(c);
}
