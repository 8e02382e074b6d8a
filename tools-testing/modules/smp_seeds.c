// SPDX-License-Identifier: GPL-2.0
/*
 * Three promises, put to the test on any kernel/smp.c: each says at the end of
 * loading, in one line, whether it was kept.
 *
 * CPU 1 is called by threads on CPU 0. Whatever a broken promise makes wait,
 * waits for HOLD_MS at most; only "irqsoff" can hang for ever.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>

#define HOLD_MS 3000

static char *promise = "nowait";
module_param(promise, charp, 0444);
MODULE_PARM_DESC(promise, "nowait, exact or irqsoff");

static int calls = 9;
module_param(calls, int, 0444);
MODULE_PARM_DESC(calls, "nowait: how many calls; irqsoff: how many rounds");

static void raise_flag(bool *flag)
{
	/* Pairs with is_raised(). */
	smp_store_release(flag, true);
}

static bool is_raised(bool *flag)
{
	/* Pairs with raise_flag(). */
	return smp_load_acquire(flag);
}

struct gate {
	bool entered, open, left;
};

/* Runs on CPU 1, and keeps it until the gate is opened. */
static void hold(void *info)
{
	struct gate *gate = info;
	int ms;

	raise_flag(&gate->entered);
	for (ms = 0; ms < HOLD_MS && !is_raised(&gate->open); ms++)
		mdelay(1);
	raise_flag(&gate->left);
}

static atomic_t counted;

static void count(void *info)
{
	atomic_inc(&counted);
}

static bool becomes_true(bool *flag)
{
	int ms;

	for (ms = 0; ms < HOLD_MS && !is_raised(flag); ms++)
		usleep_range(1000, 2000);
	return is_raised(flag);
}

struct job {
	int (*run)(struct job *job);
	int cpu;
	int result;
	bool begun, done;
	struct completion ended;
};

static int job_thread(void *data)
{
	struct job *job = data;

	job->result = job->run(job);
	raise_flag(&job->done);
	complete(&job->ended);
	return 0;
}

static int start(struct job *job)
{
	struct task_struct *task;

	init_completion(&job->ended);
	task = kthread_create_on_cpu(job_thread, job, job->cpu, "smp_seeds/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}

/* Calls that nobody waits for return while a callback waits for their sender. */
static int nowait(struct job *job)
{
	static struct gate gate;
	int i, returned = 0;

	smp_call_function_single(1, hold, &gate, false);
	if (!becomes_true(&gate.entered))
		return -ETIMEDOUT;
	for (i = 0; i < calls; i++) {
		smp_call_function_single(1, count, NULL, false);
		if (!is_raised(&gate.left))
			returned++;
	}
	raise_flag(&gate.open);
	return returned;
}

static int call_many(struct job *job, bool wait)
{
	raise_flag(&job->begun);
	smp_call_function_many(cpumask_of(1), count, NULL, wait);
	return 0;
}

static int call_and_wait(struct job *job)
{
	return call_many(job, true);
}

static int call_again(struct job *job)
{
	return call_many(job, false);
}

/* A wait ends though the next request on the same way is stuck. */
static int exact(struct job *job)
{
	static struct gate first, second;
	static call_single_data_t csd[2] = {
		CSD_INIT(hold, &first), CSD_INIT(hold, &second),
	};
	static struct job waiter = { .run = call_and_wait };
	static struct job next = { .run = call_again };
	bool kept;

	smp_call_function_single_async(1, &csd[0]);
	if (!becomes_true(&first.entered) || start(&waiter) || !becomes_true(&waiter.begun))
		return -ETIMEDOUT;
	/* A module cannot see that the request is queued. */
	msleep(50);
	smp_call_function_single_async(1, &csd[1]);
	if (start(&next) || !becomes_true(&next.begun))
		return -ETIMEDOUT;
	raise_flag(&first.open);
	kept = becomes_true(&second.entered);
	kept &= becomes_true(&waiter.done) && !is_raised(&second.left);
	raise_flag(&second.open);
	wait_for_completion(&waiter.ended);
	wait_for_completion(&next.ended);
	return kept;
}

static int call_with_interrupts_off(struct job *job)
{
	int i;

	for (i = 0; i < calls; i++) {
		local_irq_disable();
		smp_call_function_single(!job->cpu, count, NULL, true);
		local_irq_enable();
	}
	return 0;
}

/* Two CPUs call each other with interrupts off. */
static int irqsoff(struct job *unused)
{
	static struct job job[2] = {
		{ .run = call_with_interrupts_off, .cpu = 0 },
		{ .run = call_with_interrupts_off, .cpu = 1 },
	};

	if (start(&job[0]) || start(&job[1]))
		return -ENOMEM;
	wait_for_completion(&job[0].ended);
	wait_for_completion(&job[1].ended);
	return atomic_read(&counted) == 2 * calls;
}

static int __init smp_seeds_init(void)
{
	static struct job job;

	if (!strcmp(promise, "nowait")) {
		job.run = nowait;
	} else if (!strcmp(promise, "exact")) {
		job.run = exact;
		job.cpu = 2;
	} else if (!strcmp(promise, "irqsoff")) {
		job.run = irqsoff;
		job.cpu = 2;
	} else {
		return -EINVAL;
	}
	if (num_online_cpus() < 3 || start(&job))
		return -ENODEV;
	wait_for_completion(&job.ended);
	pr_info("smp_seeds: %s: %d\n", promise, job.result);
	return job.result < 0 ? job.result : 0;
}
module_init(smp_seeds_init);

static void __exit smp_seeds_exit(void)
{
	kick_all_cpus_sync();
}
module_exit(smp_seeds_exit);

MODULE_DESCRIPTION("Promises of cross-CPU calls, put to the test");
MODULE_LICENSE("GPL");
