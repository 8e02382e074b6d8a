// SPDX-License-Identifier: GPL-2.0
/*
 * smp_bench: several CPUs that make synchronous calls at once, each "bench_loops" times. The
 * figure is the time for all of them, divided by the number of calls. If all CPUs call all, the
 * order is random, and the figure is the mean of many rounds. In the storm the calls are
 * asynchronous, and it is shown how long those took that had to wait for a csd, in the round
 * with the shortest longest wait: in the others a timer tick came in between.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "bench.h"

static struct cpumask senders;
/* The target of each sender; NO_CPU: all others in turn; STORM: these, asynchronously. */
static DEFINE_PER_CPU(int, partner);
#define NO_CPU (-1)
#define STORM (-2)

#define MESH_ROUNDS 50
#define STORM_ROUNDS 10

static DEFINE_PER_CPU(struct task_struct *, task);
static atomic_t to_come, to_end;
static u64 began, ended;
static DECLARE_COMPLETION(all_ended);

static int other_after(int cpu)
{
	cpu = (cpu + 1) % num_online_cpus();
	return cpu == raw_smp_processor_id() ? (cpu + 1) % num_online_cpus() : cpu;
}

static void call_others(void)
{
	int i, to = raw_smp_processor_id();

	for (i = 0; i < bench_loops; i++) {
		to = other_after(to);
		smp_call_function_single(to, bench_nothing, NULL, true);
	}
}

/* The calls of a CPU that took longer than "longest_send", in ns. */
struct waits {
	u64 calls, sum, longest;
};

static DEFINE_PER_CPU(struct waits, waits);
static u64 longest_send;

static void storm_others(void)
{
	int i, to = raw_smp_processor_id();

	for (i = 0; i < bench_loops; i++) {
		u64 start = ktime_get_ns(), took;

		to = other_after(to);
		smp_call_function_single(to, bench_nothing, NULL, false);
		took = bench_since(start);
		if (took <= longest_send)
			continue;
		this_cpu_inc(waits.calls);
		this_cpu_add(waits.sum, took);
		if (took > this_cpu_read(waits.longest))
			this_cpu_write(waits.longest, took);
	}
}

static void call_partner(int to)
{
	int i;

	for (i = 0; i < bench_loops; i++)
		smp_call_function_single(to, bench_nothing, NULL, true);
}

static int sender(void *unused)
{
	int to = this_cpu_read(partner);

	if (atomic_dec_and_test(&to_come))
		began = ktime_get_ns();
	/* All senders begin when the last one is here. */
	while (atomic_read(&to_come))
		cpu_relax();
	if (to == NO_CPU)
		call_others();
	else if (to == STORM)
		storm_others();
	else
		call_partner(to);
	if (atomic_dec_and_test(&to_end)) {
		ended = ktime_get_ns();
		complete(&all_ended);
	}
	/* The scheduler turns interrupts off: the others would wait for that. */
	while (to == STORM && atomic_read(&to_end))
		cpu_relax();
	return 0;
}

static void stop_senders(int until)
{
	int cpu;

	for_each_cpu(cpu, &senders) {
		if (cpu == until)
			break;
		kthread_stop_put(per_cpu(task, cpu));
	}
}

static int run_senders(void)
{
	int cpu;

	for_each_cpu(cpu, &senders) {
		struct task_struct *t = kthread_create_on_cpu(sender, NULL, cpu, "sender/%u");

		if (IS_ERR(t)) {
			stop_senders(cpu);
			return PTR_ERR(t);
		}
		per_cpu(task, cpu) = get_task_struct(t);
	}
	atomic_set(&to_come, cpumask_weight(&senders));
	atomic_set(&to_end, cpumask_weight(&senders));
	for_each_cpu(cpu, &senders)
		wake_up_process(per_cpu(task, cpu));
	wait_for_completion(&all_ended);
	for_each_cpu(cpu, &senders)
		kthread_stop_put(per_cpu(task, cpu));
	return 0;
}

static void measure_senders(const struct bench_case *c)
{
	u64 least = U64_MAX;
	int i;

	if (cpumask_empty(&senders))
		return;
	for (i = 0; i < ROUNDS; i++) {
		if (run_senders())
			return;
		least = min(least, ended - began);
	}
	bench_say(c, "", "cost", least, bench_loops * cpumask_weight(&senders));
}

/* Makes as many pairs of CPUs as possible. */
static void measure_pairs(const struct bench_case *c, bool across)
{
	static struct cpumask paired;
	int cpu, to;

	cpumask_clear(&senders);
	cpumask_clear(&paired);
	for_each_online_cpu(cpu) {
		for_each_online_cpu(to) {
			if (to <= cpu || cpumask_test_cpu(cpu, &paired) ||
			    cpumask_test_cpu(to, &paired) ||
			    (cpu_to_node(cpu) != cpu_to_node(to)) != across)
				continue;
			per_cpu(partner, cpu) = to;
			cpumask_set_cpu(cpu, &senders);
			cpumask_set_cpu(cpu, &paired);
			cpumask_set_cpu(to, &paired);
			break;
		}
	}
	measure_senders(c);
}

static void pairs_in_node(const struct bench_case *c)
{
	measure_pairs(c, false);
}

static void pairs_across_nodes(const struct bench_case *c)
{
	measure_pairs(c, true);
}

static void mesh(const struct bench_case *c)
{
	u64 sum = 0;
	int cpu, i;

	cpumask_copy(&senders, cpu_online_mask);
	for_each_online_cpu(cpu)
		per_cpu(partner, cpu) = NO_CPU;
	for (i = 0; i < MESH_ROUNDS; i++) {
		if (run_senders())
			return;
		sum += ended - began;
	}
	bench_say(c, "", "cost", sum, (u64)MESH_ROUNDS * bench_loops * cpumask_weight(&senders));
}

/*
 * A call that does not wait takes less than four times the least of those to a CPU that is idle.
 * One in the fallback csd takes more than twice as long.
 */
static void measure_longest_send(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < bench_loops; i++) {
		u64 start;

		bench_synchronize();
		start = ktime_get_ns();
		smp_call_function_single(TARGET, bench_nothing, NULL, false);
		least = min(least, bench_since(start));
	}
	longest_send = 4 * least;
}

static struct waits waits_of_all(void)
{
	struct waits all = {};
	int cpu;

	for_each_online_cpu(cpu) {
		struct waits *its = per_cpu_ptr(&waits, cpu);

		all.calls += its->calls;
		all.sum += its->sum;
		all.longest = max(all.longest, its->longest);
		memset(its, 0, sizeof(*its));
	}
	return all;
}

static void storm(const struct bench_case *c)
{
	struct waits shortest = { .longest = U64_MAX };
	int cpu, i;

	measure_longest_send();
	cpumask_copy(&senders, cpu_online_mask);
	for_each_online_cpu(cpu)
		per_cpu(partner, cpu) = STORM;
	waits_of_all();
	for (i = 0; i < STORM_ROUNDS; i++) {
		struct waits all;

		if (run_senders())
			return;
		all = waits_of_all();
		if (all.longest < shortest.longest)
			shortest = all;
	}
	bench_say(c, "", "waits", shortest.calls, 1);
	bench_say(c, "", "wait", shortest.sum, max(shortest.calls, 1));
	bench_say(c, "", "longest", shortest.longest, 1);
}

const struct bench_case bench_crowds[] = {
	{ "pairs in a node", pairs_in_node },
	{ "pairs across nodes", pairs_across_nodes, .nodes = 2 },
	{ "mesh", mesh },
	{ "storm", storm, .scale = true },
	{ }
};
