// SPDX-License-Identifier: GPL-2.0
/*
 * Marks regions for the plugin in tools-testing/transfers/, which counts the cache lines that move
 * between CPUs, and the atomic instructions, in each. Each line that is printed has the name of a
 * case, the number of its regions, and for how many calls one of them is.
 */

#define pr_fmt(fmt) "smp_transfers: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/smp.h>

/* The measuring thread is on CPU 0, and this is its target. */
#define TARGET 1
/* The CPU that lets TARGET leave hold(). */
#define RELEASER 2
/* More than twice as many as a pool has slots, which are used in turn: half of them have been used. */
#define REGIONS 30
#define TURNS 8
#define QUEUED 8
/* One more than a CPU has csds for, with few CPUs: 9 in Rust, 1 in C. */
#define TO_BUSY 10

/* Instructions that do nothing, which the plugin knows. */
static __always_inline void mark_begin(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long 0x5eed0000" ::: "memory");
}

static __always_inline void mark_end(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long 0x5eed0001" ::: "memory");
}

static void nothing(void *info)
{
}

/* Waits until the other CPUs have run what was sent to them, and what follows an interrupt. */
static void settle(void)
{
	kick_all_cpus_sync();
	udelay(100);
}

/* For calls that do not wait: the region ends when the function runs. */
static void end_region(void *info)
{
	mark_end();
}

/* Does nothing else until then. */
static void wait_for_end(void)
{
	udelay(100);
}

static void self(void)
{
	mark_begin();
	smp_call_function_single(0, nothing, NULL, true);
	mark_end();
}

static void one_wait(void)
{
	mark_begin();
	smp_call_function_single(TARGET, nothing, NULL, true);
	mark_end();
}

static void one_no_wait(void)
{
	mark_begin();
	smp_call_function_single(TARGET, end_region, NULL, false);
	wait_for_end();
}

static call_single_data_t csd = CSD_INIT(end_region, NULL);

static void one_csd(void)
{
	mark_begin();
	smp_call_function_single_async(TARGET, &csd);
	wait_for_end();
}

static void many_wait(void)
{
	mark_begin();
	smp_call_function(nothing, NULL, true);
	mark_end();
}

/* What comes last tells that all have run. */
static void each_no_wait(void)
{
	int cpu;

	mark_begin();
	for_each_online_cpu(cpu)
		if (cpu)
			smp_call_function_single(cpu, nothing, NULL, false);
	smp_call_function(nothing, NULL, true);
	mark_end();
}

static bool held, released;

static void hold(void *info)
{
	WRITE_ONCE(held, true);
	while (!READ_ONCE(released))
		cpu_relax();
}

static void hold_and_begin(void *info)
{
	hold(info);
	mark_begin();
}

/* Keeps the target in a function. */
static void hold_target(smp_call_func_t func)
{
	static call_single_data_t hold_csd;

	WRITE_ONCE(held, false);
	WRITE_ONCE(released, false);
	INIT_CSD(&hold_csd, func, NULL);
	smp_call_function_single_async(TARGET, &hold_csd);
	while (!READ_ONCE(held))
		cpu_relax();
}

static void drain(void)
{
	static call_single_data_t queued[QUEUED];
	int i;

	hold_target(hold_and_begin);
	for (i = 0; i < QUEUED; i++) {
		INIT_CSD(&queued[i], i == QUEUED - 1 ? end_region : nothing, NULL);
		smp_call_function_single_async(TARGET, &queued[i]);
	}
	WRITE_ONCE(released, true);
	wait_for_end();
}

static void release(void *info)
{
	udelay(50);
	WRITE_ONCE(released, true);
}

/* The last call at least waits for a csd, until the target has left the function that it is in. */
static void to_busy(void)
{
	static call_single_data_t release_csd = CSD_INIT(release, NULL);
	int i;

	hold_target(hold);
	smp_call_function_single_async(RELEASER, &release_csd);
	mark_begin();
	for (i = 1; i < TO_BUSY; i++)
		smp_call_function_single(TARGET, nothing, NULL, false);
	smp_call_function_single(TARGET, end_region, NULL, false);
	wait_for_end();
}

/* The controls: what the plugin must count is known. */
static struct {
	int turn ____cacheline_aligned;
	int in_line[2] ____cacheline_aligned;
	struct {
		int n ____cacheline_aligned;
	} apart[2];
} ping;

static void empty(void)
{
	mark_begin();
	mark_end();
}

enum { NOTHING, IN_LINE, APART };

static void write_own(int side, int what)
{
	if (what == IN_LINE)
		WRITE_ONCE(ping.in_line[side], 0);
	if (what == APART)
		WRITE_ONCE(ping.apart[side].n, 0);
}

static void take_turns(int side, int what)
{
	int turn;

	for (turn = side; turn < 2 * TURNS; turn += 2) {
		while (READ_ONCE(ping.turn) != turn)
			cpu_relax();
		write_own(side, what);
		WRITE_ONCE(ping.turn, turn + 1);
	}
}

static void pong(void *info)
{
	take_turns(1, (long)info);
	mark_end();
}

static void ping_pong(long what)
{
	static call_single_data_t pong_csd;

	INIT_CSD(&pong_csd, pong, (void *)what);
	WRITE_ONCE(ping.turn, -1);
	smp_call_function_single_async(TARGET, &pong_csd);
	/* The other side waits, and holds the line. */
	udelay(100);
	mark_begin();
	WRITE_ONCE(ping.turn, 0);
	take_turns(0, what);
	wait_for_end();
}

static void ping_pong_alone(void)
{
	ping_pong(NOTHING);
}

static void ping_pong_in_line(void)
{
	ping_pong(IN_LINE);
}

static void ping_pong_apart(void)
{
	ping_pong(APART);
}

static const struct {
	const char *name;
	void (*run)(void);
	int calls;
} cases[] = {
	{ "nothing", empty, 1 },
	{ "ping-pong", ping_pong_alone, 1 },
	{ "ping-pong, a variable of each side in one line", ping_pong_in_line, 1 },
	{ "ping-pong, a variable of each side in a line of its own", ping_pong_apart, 1 },
	{ "self, wait", self, 1 },
	{ "one, wait", one_wait, 1 },
	{ "one, no wait", one_no_wait, 1 },
	{ "one, async csd", one_csd, 1 },
	{ "all others, wait", many_wait, 1 },
	{ "each other, no wait, and then all, wait", each_no_wait, 1 },
	{ "drain", drain, QUEUED },
	{ "ten to a busy one, no wait", to_busy, TO_BUSY },
};

static DECLARE_COMPLETION(all_measured);

static int measure(void *unused)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (j = 0; j < REGIONS; j++) {
			settle();
			cases[i].run();
			settle();
		}
		pr_info("%s: regions %d of %d\n", cases[i].name, REGIONS, cases[i].calls);
	}
	complete(&all_measured);
	return 0;
}

static int __init smp_transfers_init(void)
{
	struct task_struct *task;

	if (num_online_cpus() < 3 || cpumask_last(cpu_online_mask) != num_online_cpus() - 1) {
		pr_err("needs three CPUs, and no gap in their numbers\n");
		return -ENODEV;
	}
	task = kthread_create_on_cpu(measure, NULL, 0, "smp_transfers/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&all_measured);
	/* The thread has left the module when this returns. */
	kthread_stop_put(task);
	return 0;
}
module_init(smp_transfers_init);

static void __exit smp_transfers_exit(void)
{
}
module_exit(smp_transfers_exit);

MODULE_DESCRIPTION("Regions in which cache lines that move are counted");
MODULE_LICENSE("GPL");
