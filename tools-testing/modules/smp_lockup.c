// SPDX-License-Identifier: GPL-2.0
/*
 * A lockup to look at: a driver on CPU 2 polls a device with interrupts off, and
 * the device never answers. CPUs 0 and 1 call all CPUs, and wait for CPU 2.
 */

#include <linux/completion.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/smp.h>

static bool answered;
static DECLARE_COMPLETION(polls);

static noinline int driver_polls_device(void *unused)
{
	complete(&polls);
	local_irq_disable();
	while (!READ_ONCE(answered))
		cpu_relax();
	local_irq_enable();
	return 0;
}

static void update_copy(void *unused)
{
}

static noinline int update_all_copies(void *unused)
{
	preempt_disable();
	smp_call_function_many(cpu_online_mask, update_copy, NULL, true);
	preempt_enable();
	return 0;
}

static int __init smp_lockup_init(void)
{
	static int (*const run[])(void *) = { update_all_copies, update_all_copies, driver_polls_device };
	struct task_struct *tasks[ARRAY_SIZE(run)];
	int cpu;

	/* All before CPU 2 hangs: another task may be needed to create one. */
	for (cpu = 0; cpu < ARRAY_SIZE(run); cpu++) {
		tasks[cpu] = kthread_create_on_cpu(run[cpu], NULL, cpu, "lockup/%u");
		if (IS_ERR(tasks[cpu])) {
			while (cpu--)
				kthread_stop(tasks[cpu]);
			return -ENOMEM;
		}
	}
	wake_up_process(tasks[2]);
	wait_for_completion(&polls);
	wake_up_process(tasks[1]);
	wake_up_process(tasks[0]);
	return 0;
}
module_init(smp_lockup_init);

MODULE_DESCRIPTION("A lockup of CPUs that call one with interrupts off");
MODULE_LICENSE("GPL");
