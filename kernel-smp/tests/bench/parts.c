// SPDX-License-Identifier: GPL-2.0
/*
 * smp_bench: the part of the source alone, and the part of the target.
 */

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/sort.h>

#include "bench.h"

static DEFINE_PER_CPU(call_single_data_t, csd) = CSD_INIT(bench_nothing, NULL);

static int compare(const void *a, const void *b)
{
	return cmp_int(*(const u32 *)a, *(const u32 *)b);
}

/*
 * A tenth of the times are shorter. The shortest may be that of a burst to a CPU that a
 * timer has just woken: it polls for a while, and needs no IPI.
 */
static u32 good_one(u32 times[LOOPS_MAX])
{
	sort(times, bench_loops, sizeof(*times), compare, NULL);
	return times[bench_loops / 10];
}

/* Only the sending is timed: the targets are idle, and have run the earlier calls. */
static void measure_sending(const struct bench_case *c)
{
	static u32 times[LOOPS_MAX];
	int i;

	for (i = 0; i < bench_loops; i++) {
		u64 start;

		bench_synchronize();
		start = ktime_get_ns();
		c->run();
		times[i] = bench_since(start);
	}
	bench_synchronize();
	bench_say(c, "", "cost", good_one(times), 1);
	bench_say_ipis(c, bench_synchronize, c->run, -1);
}

static void send_nowait(void)
{
	int cpu, cpus = num_online_cpus();

	for (cpu = 1; cpu < cpus; cpu++)
		smp_call_function_single(cpu, bench_nothing, NULL, false);
}

static void send_async(void)
{
	int cpu, cpus = num_online_cpus();

	for (cpu = 1; cpu < cpus; cpu++)
		smp_call_function_single_async(cpu, per_cpu_ptr(&csd, cpu));
}

static void send_many(void)
{
	smp_call_function(bench_nothing, NULL, false);
}

static void send_8_to_one(void)
{
	int i;

	for (i = 0; i < 8; i++)
		smp_call_function_single(TARGET, bench_nothing, NULL, false);
}

static bool runs;
static bool released;
static u64 released_at;

/* Sends a function that keeps the target busy until it is released, and returns when it runs. */
static void keep_target(call_single_data_t *with)
{
	/* The last use of the csd has ended before it is sent again. */
	bench_synchronize();
	WRITE_ONCE(runs, false);
	WRITE_ONCE(released, false);
	smp_call_function_single_async(TARGET, with);
	while (!READ_ONCE(runs))
		cpu_relax();
}

/* With interrupts off. */
static void hold(void *info)
{
	WRITE_ONCE(runs, true);
	while (!READ_ONCE(released))
		cpu_relax();
	released_at = ktime_get_ns();
}

static call_single_data_t hold_csd = CSD_INIT(hold, NULL);

static void hold_target(void)
{
	keep_target(&hold_csd);
}

static void release_target(void)
{
	WRITE_ONCE(released, true);
}

/* How long the target stays busy after its release, in ns. */
#define BUSY 20000

static void be_busy(void *info)
{
	hold(info);
	while (ktime_get_ns() - released_at < BUSY)
		cpu_relax();
}

static call_single_data_t busy_csd = CSD_INIT(be_busy, NULL);

/* As many calls as a pool has csds in Rust with up to 8 CPUs, including the fallback csd. */
static void measure_sending_to_busy(const struct bench_case *c)
{
	u64 least = U64_MAX;
	int i, j;

	for (i = 0; i < bench_loops; i++) {
		u64 start;

		keep_target(&busy_csd);
		start = ktime_get_ns();
		/* All of BUSY lies behind the start, and so a sender that waits never waits for less. */
		release_target();
		for (j = 0; j < 9; j++)
			smp_call_function_single(TARGET, bench_nothing, NULL, false);
		least = min(least, bench_since(start));
	}
	bench_synchronize();
	bench_say(c, "", "cost", least, 1);
}

#define DRAINED 64

static u64 drained_at;

static void note_end(void *info)
{
	/* Pairs with time_drain(): it reads "released_at" too. */
	smp_store_release(&drained_at, ktime_get_ns());
}

/* From the end of the function that keeps the target busy to the last of "entries". */
static u64 time_drain(int entries)
{
	static call_single_data_t queued[DRAINED];
	u64 least = U64_MAX;
	int i, j;

	for (i = 0; i < bench_loops; i++) {
		hold_target();
		WRITE_ONCE(drained_at, 0);
		for (j = 0; j < entries; j++) {
			INIT_CSD(&queued[j], j == entries - 1 ? note_end : bench_nothing, NULL);
			smp_call_function_single_async(TARGET, &queued[j]);
		}
		release_target();
		/* Pairs with note_end(). */
		while (!smp_load_acquire(&drained_at))
			cpu_relax();
		least = min(least, drained_at - released_at);
	}
	return least;
}

/* There is one interrupt for all entries. */
static void measure_drain(const struct bench_case *c)
{
	u64 one = time_drain(1), all = time_drain(DRAINED);

	if (all > one)
		bench_say(c, "", "cost", all - one, DRAINED - 1);
}

static DEFINE_PER_CPU(call_single_data_t, burst_csd[8]);

static void send_8(void *info)
{
	call_single_data_t *mine = this_cpu_ptr(burst_csd);
	int i;

	for (i = 0; i < 8; i++) {
		INIT_CSD(&mine[i], bench_nothing, NULL);
		smp_call_function_single_async(TARGET, &mine[i]);
	}
}

/* All CPUs but the target send to it, while it has interrupts off. */
static void send_from_all(void)
{
	static struct cpumask senders;

	cpumask_copy(&senders, cpu_online_mask);
	cpumask_clear_cpu(TARGET, &senders);
	on_each_cpu_mask(&senders, send_8, NULL, true);
	release_target();
}

static void measure_ipis(const struct bench_case *c)
{
	bench_say_ipis(c, hold_target, send_from_all, TARGET);
	bench_synchronize();
}

/*
 * A CPU that goes offline, from the steps before the flush of its queue to the step
 * after it: its tick, its timers and the flush. Both states belong to other machines.
 */
#define BEFORE_FLUSH CPUHP_AP_ARM_CACHE_B15_RAC_DYING
#define AFTER_FLUSH CPUHP_AP_ARM64_ISNDEP_STARTING
#define CYCLES 5

static u64 dying_since, dying_least;

static int before_flush(unsigned int cpu)
{
	dying_since = ktime_get_ns();
	return 0;
}

static int after_flush(unsigned int cpu)
{
	dying_least = min(dying_least, bench_since(dying_since));
	return 0;
}

static void measure_dying(const struct bench_case *c)
{
	int i, last = num_online_cpus() - 1;

	dying_least = U64_MAX;
	if (cpuhp_setup_state_nocalls(BEFORE_FLUSH, "smp_bench:before", NULL, before_flush))
		return;
	if (cpuhp_setup_state_nocalls(AFTER_FLUSH, "smp_bench:after", NULL, after_flush))
		goto remove;
	for (i = 0; i < CYCLES; i++) {
		if (remove_cpu(last) || add_cpu(last)) {
			dying_least = U64_MAX;
			break;
		}
	}
	cpuhp_remove_state_nocalls(AFTER_FLUSH);
	if (dying_least != U64_MAX)
		bench_say(c, "", "cost", dying_least, 1);
remove:
	cpuhp_remove_state_nocalls(BEFORE_FLUSH);
}

const struct bench_case bench_parts[] = {
	{ "sending only, no wait", measure_sending, send_nowait, .scale = true },
	{ "sending only, async", measure_sending, send_async, .scale = true },
	{ "sending only, many", measure_sending, send_many, .scale = true },
	{ "sending only, 8 to one", measure_sending, send_8_to_one },
	{ "sending only, 9 to a busy one", measure_sending_to_busy },
	{ "drain, an entry", measure_drain, .scale = true },
	{ "all send to one, interrupts off", measure_ipis, .traced = true },
	{ "going offline", measure_dying },
	{ }
};
