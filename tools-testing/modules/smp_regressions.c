// SPDX-License-Identifier: GPL-2.0
/*
 * Regressions that kernel/smp.c has had, tested on any kernel/smp.c. Each test
 * prints one line with its result at the end of loading. The numbers are those of
 * Documentation/dev-tools/smp/regressions.rst.
 *
 * CPU 1 is the target of all calls. With a regression that CPU may hang, and the
 * guest may not end.
 */

#define pr_fmt(fmt) "smp_regressions: " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>

#define TARGET 1
#define PATIENCE_MS 8000

static int number;
module_param(number, int, 0444);
MODULE_PARM_DESC(number, "1: many senders, 2: no such CPU, 6: csds for an offline CPU, 7: two senders of one csd, 16: a condition that calls, 17: preempted waiters");

static int rounds = 20000;
module_param(rounds, int, 0444);
MODULE_PARM_DESC(rounds, "How many calls each sender makes; 6: how often CPU 1 goes down, 17: how often the sender is preempted");

static call_single_data_t csd;
static atomic_t accepted, refused, ran, wrong, senders, ready;

static void count(void *info)
{
	atomic_inc(&ran);
}

static int count_in_task(void *info)
{
	atomic_inc(&ran);
	return 0;
}

/* Waits until all accepted calls have run, or for about PATIENCE_MS. */
static void synchronize(void)
{
	int ms;

	for (ms = 0; ms < PATIENCE_MS && atomic_read(&ran) < atomic_read(&accepted); ms++)
		usleep_range(1000, 2000);
}

/* Lets "send" run in a thread for each CPU of "mask" but the target, and on that CPU if "bound". */
static void run_for(const struct cpumask *mask, bool bound, int (*send)(void *))
{
	struct task_struct *task;
	int cpu;

	for_each_cpu(cpu, mask) {
		if (cpu == TARGET)
			continue;
		task = kthread_create(send, NULL, "regression/%d", cpu);
		if (IS_ERR(task)) {
			atomic_inc(&wrong);
			continue;
		}
		if (bound)
			kthread_bind(task, cpu);
		atomic_inc(&senders);
		wake_up_process(task);
	}
	while (atomic_read(&senders))
		usleep_range(1000, 2000);
}

static int send_many(void *unused)
{
	int i;

	for (i = 0; i < rounds; i++) {
		if (smp_call_function_single(TARGET, count, NULL, false))
			atomic_inc(&refused);
		else
			atomic_inc(&accepted);
		cond_resched();
	}
	atomic_dec(&senders);
	return 0;
}

/* A csd of many senders was in one list twice. */
static void many_senders(void)
{
	run_for(cpu_possible_mask, false, send_many);
	synchronize();
	pr_info("1: %d accepted, %d ran, %d refused, %d wrong\n", atomic_read(&accepted),
		atomic_read(&ran), atomic_read(&refused), atomic_read(&wrong));
}

static void must_refuse(int ret)
{
	if (ret != -ENXIO)
		atomic_inc(&wrong);
}

/* Per-CPU data was looked up for a number that is not that of a CPU. */
static void no_such_cpu(void)
{
	const int numbers[] = { -1, INT_MIN, INT_MAX, nr_cpu_ids, nr_cpu_ids + 1, 65536, TARGET };
	int i, wait;

	atomic_add(remove_cpu(TARGET) != 0, &wrong);
	for (wait = 0; wait <= 1; wait++) {
		must_refuse(smp_call_function_any(cpu_none_mask, count, NULL, wait));
		must_refuse(smp_call_function_any(cpumask_of(TARGET), count, NULL, wait));
		for (i = 0; i < ARRAY_SIZE(numbers); i++)
			must_refuse(smp_call_function_single(numbers[i], count, NULL, wait));
		preempt_disable();
		smp_call_function_many(cpu_none_mask, count, NULL, wait);
		smp_call_function_many(cpumask_of(TARGET), count, NULL, wait);
		preempt_enable();
		on_each_cpu_mask(cpu_none_mask, count, NULL, wait);
		on_each_cpu_mask(cpumask_of(TARGET), count, NULL, wait);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		must_refuse(smp_call_function_single_async(numbers[i], &csd));
	must_refuse(smp_call_on_cpu(nr_cpu_ids, count_in_task, NULL, false));
	must_refuse(smp_call_on_cpu(TARGET, count_in_task, NULL, false));
	atomic_add(add_cpu(TARGET) != 0, &wrong);
	pr_info("2: %d wrong answers, %d ran\n", atomic_read(&wrong), atomic_read(&ran));
}

static void (*queue_on)(int cpu, struct llist_node *node);

/* Modules cannot call the function that queues a csd for an offline CPU by name. */
static int find_queue_on(void)
{
	struct kprobe probe = { .symbol_name = "__smp_call_single_queue" };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	queue_on = (void *)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

/* A csd for an offline CPU was not reported. */
static void csds_for_an_offline_cpu(void)
{
	int i, locked = 0;

	if (find_queue_on()) {
		pr_err("6: __smp_call_single_queue() is not found\n");
		return;
	}
	for (i = 0; i < rounds; i++) {
		atomic_add(remove_cpu(TARGET) != 0, &wrong);
		csd.node.u_flags = CSD_FLAG_LOCK | CSD_TYPE_ASYNC;
		preempt_disable();
		queue_on(TARGET, &csd.node.llist);
		preempt_enable();
		atomic_set(&accepted, i + 1);
		atomic_add(add_cpu(TARGET) != 0, &wrong);
		if (csd.node.u_flags & CSD_FLAG_LOCK)
			synchronize();
		if (csd.node.u_flags & CSD_FLAG_LOCK) {
			locked++;
			break;
		}
	}
	pr_info("6: %d sent, %d ran, %d still locked, %d wrong answers\n",
		atomic_read(&accepted), atomic_read(&ran), locked, atomic_read(&wrong));
}

static bool is_locked(void)
{
	/* Pairs with the release of the unlock. */
	return smp_load_acquire(&csd.node.u_flags) & CSD_FLAG_LOCK;
}

static int send_one_csd(void *unused)
{
	int i;

	for (i = 1; i <= rounds; i++) {
		atomic_inc(&ready);
		while (atomic_read(&ready) < 2 * i)
			cond_resched();
		if (smp_call_function_single_async(TARGET, &csd))
			atomic_inc(&refused);
		else
			atomic_inc(&accepted);
		while (is_locked())
			cond_resched();
	}
	atomic_dec(&senders);
	return 0;
}

/* The check whether a csd is in use does not lock it: two senders both pass the check. */
static void two_senders_of_one_csd(void)
{
	struct cpumask two = CPU_MASK_NONE;

	cpumask_set_cpu(2, &two);
	cpumask_set_cpu(3, &two);
	run_for(&two, true, send_one_csd);
	synchronize();
	pr_info("7: %d accepted, %d ran, %d refused, %d wrong\n", atomic_read(&accepted),
		atomic_read(&ran), atomic_read(&refused), atomic_read(&wrong));
}

static void do_nothing(void *info)
{
}

static bool asks_by_call(int cpu, void *info)
{
	on_each_cpu_mask(cpumask_of(cpu), do_nothing, NULL, true);
	return true;
}

/* A call by a condition overwrites the mask of the call that evaluates the condition. */
static void condition_calls(void)
{
	on_each_cpu_cond_mask(asks_by_call, count, NULL, true, cpu_online_mask);
	pr_info("16: %d of %d ran\n", atomic_read(&ran), num_online_cpus());
}

#define HOG_MS 150
#define SLOW_MS 50

static u64 began;
static bool hog_is_done;

static void note_time(void *info)
{
	WRITE_ONCE(began, sched_clock());
}

/* The argument of a call is its number, which a report shows. */
static int call_while_preempted(void *unused)
{
	unsigned long number;
	u64 sent;

	set_user_nice(current, MAX_NICE);
	for (number = 1; !READ_ONCE(hog_is_done); number++) {
		sent = sched_clock();
		smp_call_function_single(TARGET, note_time, (void *)number, true);
		if (READ_ONCE(began) > sent + SLOW_MS * NSEC_PER_MSEC)
			pr_info("call 0x%lx began late\n", number);
		atomic_inc(&accepted);
	}
	atomic_dec(&senders);
	return 0;
}

/* Keeps its CPU busy for longer than a wait may take. */
static int hog(void *unused)
{
	int i;

	sched_set_fifo(current);
	for (i = 0; i < rounds; i++) {
		mdelay(HOG_MS);
		usleep_range(1000, 1000 + get_random_u32_below(2000));
	}
	WRITE_ONCE(hog_is_done, true);
	atomic_dec(&senders);
	return 0;
}

/* A waiter that was preempted between its reads of the lock and the clock gave a false report. */
static void preempted_waiters(void)
{
	int (*const threads[])(void *) = { call_while_preempted, hog };
	struct task_struct *task;
	int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		task = kthread_create(threads[i], NULL, "regression/%d", i);
		if (IS_ERR(task)) {
			hog_is_done = true;
			break;
		}
		kthread_bind(task, 2);
		atomic_inc(&senders);
		wake_up_process(task);
	}
	while (atomic_read(&senders))
		usleep_range(1000, 2000);
	pr_info("17: %d times preempted, %s\n", rounds,
		atomic_read(&accepted) > rounds ? "many calls" : "few calls");
}

static int __init smp_regressions_init(void)
{
	if (num_possible_cpus() < 4)
		return -ENODEV;
	INIT_CSD(&csd, count, NULL);
	switch (number) {
	case 1:
		many_senders();
		return 0;
	case 2:
		no_such_cpu();
		return 0;
	case 6:
		csds_for_an_offline_cpu();
		return 0;
	case 7:
		two_senders_of_one_csd();
		return 0;
	case 16:
		condition_calls();
		return 0;
	case 17:
		preempted_waiters();
		return 0;
	}
	return -EINVAL;
}
module_init(smp_regressions_init);

static void __exit smp_regressions_exit(void)
{
	kick_all_cpus_sync();
}
module_exit(smp_regressions_exit);

MODULE_DESCRIPTION("Regressions of cross-CPU calls");
MODULE_LICENSE("GPL");
