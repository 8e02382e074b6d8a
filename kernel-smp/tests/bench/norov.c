// SPDX-License-Identifier: GPL-2.0
/*
 * smp_bench: the five cases of the IPI benchmark that was sent to the lists in 2017.
 * A call is timed until its function begins, and until the call returns.
 */

#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

#include "bench.h"

static DEFINE_SPINLOCK(lock);
static u64 delivery;

static void note_delivery(void *info)
{
	u64 *sent = info;

	delivery += ktime_get_ns() - *sent;
}

static void take_lock(void *info)
{
	spin_lock(&lock);
	spin_unlock(&lock);
}

static void dry_run(void)
{
	u64 sent = ktime_get_ns();

	note_delivery(&sent);
}

static void self_ipi(void)
{
	u64 sent = ktime_get_ns();

	smp_call_function_single(0, note_delivery, &sent, true);
}

static void normal_ipi(void)
{
	u64 sent = ktime_get_ns();

	smp_call_function_single(TARGET, note_delivery, &sent, true);
}

static void broadcast_ipi(void)
{
	smp_call_function_many(cpu_online_mask, bench_nothing, NULL, true);
}

static void broadcast_lock(void)
{
	smp_call_function_many(cpu_online_mask, take_lock, NULL, true);
}

static void measure(const struct bench_case *c)
{
	u64 least = U64_MAX, soonest = U64_MAX;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		u64 start = ktime_get_ns();

		delivery = 0;
		for (j = 0; j < bench_loops; j++)
			c->run();
		least = min(least, bench_since(start));
		soonest = min(soonest, delivery);
		bench_synchronize();
	}
	bench_say(c, "", "cost", least, bench_loops);
	if (soonest)
		bench_say(c, ", delivery", "cost", soonest, bench_loops);
}

const struct bench_case bench_norov[] = {
	{ "dry run", measure, dry_run },
	{ "self IPI", measure, self_ipi },
	{ "normal IPI", measure, normal_ipi },
	{ "broadcast IPI", measure, broadcast_ipi },
	{ "broadcast lock", measure, broadcast_lock },
	{ }
};
