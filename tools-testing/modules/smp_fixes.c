// SPDX-License-Identifier: GPL-2.0
/*
 * What the first patches of the series mend: each of many threads makes a call of
 * smp_call_on_cpu() that is refused, and keeps its stack until this is unloaded.
 * With CONFIG_DEBUG_OBJECTS_WORK the debugfs file debug_objects/stats then says how
 * many work items are left on their stacks.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>

#define THREADS 64

static struct task_struct *threads[THREADS];
static atomic_t left = ATOMIC_INIT(THREADS);
static DECLARE_COMPLETION(all_called);
static int accepted;

static int nothing(void *info)
{
	return 0;
}

static int call(void *unused)
{
	if (smp_call_on_cpu(nr_cpu_ids, nothing, NULL, false) != -ENXIO)
		accepted++;
	if (atomic_dec_and_test(&left))
		complete(&all_called);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void smp_fixes_exit(void)
{
	int i;

	for (i = 0; i < THREADS && threads[i]; i++)
		kthread_stop(threads[i]);
}

static int __init smp_fixes_init(void)
{
	int i;

	for (i = 0; i < THREADS; i++) {
		struct task_struct *task = kthread_run(call, NULL, "smp_fixes/%d", i);

		if (IS_ERR(task)) {
			smp_fixes_exit();
			return PTR_ERR(task);
		}
		threads[i] = task;
	}
	wait_for_completion(&all_called);
	if (accepted) {
		smp_fixes_exit();
		return -EINVAL;
	}
	return 0;
}

module_init(smp_fixes_init);
module_exit(smp_fixes_exit);

MODULE_DESCRIPTION("Makes calls of smp_call_on_cpu() that are refused");
MODULE_LICENSE("GPL");
