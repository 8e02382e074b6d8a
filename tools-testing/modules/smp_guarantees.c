// SPDX-License-Identifier: GPL-2.0
/*
 * Guarantees, tested on any kernel/smp.c. Each test prints one line with its
 * result at the end of loading.
 *
 * Threads on CPU 0 call CPU 1. Without the guarantee, a wait lasts HOLD_MS at
 * most; only "irqsoff" can hang.
 *
 * "panic" makes CPU 0 panic in an NMI: with panic_force_cpu= the kernel then calls
 * that CPU, which is to handle the panic. In "nmi", NMIs on CPU 0 send IPIs while
 * it sends IPIs itself.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <asm/apic.h>

#define HOLD_MS 8000
#define ROUNDS 40

static char *guarantee = "nowait";
module_param(guarantee, charp, 0444);
MODULE_PARM_DESC(guarantee, "nowait, exact, irqsoff, panic or nmi");

static int calls = 9;
module_param(calls, int, 0444);
MODULE_PARM_DESC(calls, "nowait, nmi: how many calls; irqsoff: how many rounds");

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

/* Runs on CPU 1, and keeps it busy until the gate is opened. */
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
	bool done;
	struct completion go, ended;
};

static int job_thread(void *data)
{
	struct job *job = data;

	wait_for_completion(&job->go);
	job->result = job->run(job);
	raise_flag(&job->done);
	kthread_complete_and_exit(&job->ended, 0);
}

/* Must not run while CPU 1 is held: the thread may be created there. */
static int prepare(struct job *job)
{
	struct task_struct *task;

	init_completion(&job->go);
	init_completion(&job->ended);
	task = kthread_create_on_cpu(job_thread, job, job->cpu, "guarantee/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}

static void start(struct job *job)
{
	complete(&job->go);
}

static void finish(struct job *job)
{
	wait_for_completion(&job->ended);
}

/* Asynchronous calls return while a callback waits for their sender. */
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

static bool first_queued, second_begun;

/* When this runs for CPU 2, which is not called, the csd for CPU 1 is queued. */
static bool first_use(int cpu, void *info)
{
	if (cpu == 2)
		raise_flag(&first_queued);
	return cpu == 1;
}

/* When this runs for CPU 1, preemption is off until its csd is locked. */
static bool second_use(int cpu, void *info)
{
	if (cpu == 1)
		raise_flag(&second_begun);
	return cpu == 1;
}

static int call_and_wait(struct job *job)
{
	on_each_cpu_cond_mask(first_use, count, NULL, true, cpu_online_mask);
	return 0;
}

static int call_again(struct job *job)
{
	on_each_cpu_cond_mask(second_use, count, NULL, false, cpu_online_mask);
	return 0;
}

/* A wait ends even if the next use of the same per-pair csd does not end. */
static int exact(struct job *job)
{
	static struct gate first, second;
	static call_single_data_t csd[2] = {
		CSD_INIT(hold, &first), CSD_INIT(hold, &second),
	};
	static struct job waiter = { .run = call_and_wait };
	static struct job next = { .run = call_again };
	bool set_up, exact;

	if (prepare(&waiter))
		return -ENOMEM;
	if (prepare(&next)) {
		start(&waiter);
		finish(&waiter);
		return -ENOMEM;
	}
	smp_call_function_single_async(1, &csd[0]);
	set_up = becomes_true(&first.entered);
	start(&waiter);
	set_up &= becomes_true(&first_queued);
	smp_call_function_single_async(1, &csd[1]);
	start(&next);
	set_up &= becomes_true(&second_begun) && !is_raised(&first.left);
	raise_flag(&first.open);
	set_up &= becomes_true(&second.entered);
	exact = becomes_true(&waiter.done) && !is_raised(&second.left);
	raise_flag(&second.open);
	finish(&waiter);
	finish(&next);
	return set_up ? exact : -ETIMEDOUT;
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

	if (prepare(&job[0]))
		return -ENOMEM;
	start(&job[0]);
	if (prepare(&job[1])) {
		finish(&job[0]);
		return -ENOMEM;
	}
	start(&job[1]);
	finish(&job[0]);
	finish(&job[1]);
	return atomic_read(&counted) == 2 * calls;
}

static int panic_on_cpu_0(unsigned int type, struct pt_regs *regs)
{
	if (smp_processor_id() == 0)
		nmi_panic(regs, "smp_guarantees: CPU 0 was told to panic");
	return NMI_DONE;
}

static int panic_in_nmi(struct job *job)
{
	int err = register_nmi_handler(NMI_LOCAL, panic_on_cpu_0, 0, "smp_guarantees");

	if (err)
		return err;
	__apic_send_IPI_mask(cpumask_of(0), NMI_VECTOR);
	msleep(HOLD_MS);
	unregister_nmi_handler(NMI_LOCAL, "smp_guarantees");
	return 0;
}

static struct cpumask others;
static atomic_t nmis;

/* CPU 0 may be sending to a mask itself just then. */
static int send_from_cpu_0(unsigned int type, struct pt_regs *regs)
{
	if (smp_processor_id())
		return NMI_DONE;
	__apic_send_IPI_mask(&others, IRQ_WORK_VECTOR);
	atomic_inc(&nmis);
	return NMI_HANDLED;
}

static void count_and_send_nmi(void *info)
{
	atomic_inc(&counted);
	if (smp_processor_id() == 1)
		__apic_send_IPI_mask(cpumask_of(0), NMI_VECTOR);
}

static unsigned int interrupts_of(unsigned int cpu)
{
	return READ_ONCE(per_cpu(irq_stat, cpu).counts[IRQ_COUNT_IRQ_WORK]);
}

/*
 * Whether the IPIs of an NMI arrive. The vector is that of IRQ work, of which
 * there is little else; with ROUNDS of them, chance does not look like success.
 */
static bool ipis_arrive(void)
{
	static unsigned int before[NR_CPUS];
	unsigned int cpu;
	int round, ms;

	for (round = 0; round < ROUNDS; round++) {
		for_each_cpu(cpu, &others)
			before[cpu] = interrupts_of(cpu);
		__apic_send_IPI_mask(cpumask_of(0), NMI_VECTOR);
		for_each_cpu(cpu, &others) {
			for (ms = 0; interrupts_of(cpu) == before[cpu]; mdelay(1))
				if (ms++ == HOLD_MS / ROUNDS)
					return false;
		}
	}
	return true;
}

/* Calls to all others from CPU 0, and NMIs on it that send to all others, too. */
static int mask_in_nmi(struct job *job)
{
	int err = register_nmi_handler(NMI_LOCAL, send_from_cpu_0, 0, "smp_guarantees");
	bool arrived;
	int i;

	if (err)
		return err;
	cpumask_copy(&others, cpu_online_mask);
	cpumask_clear_cpu(0, &others);
	for (i = 0; i < calls; i++) {
		preempt_disable();
		smp_call_function_many(&others, count_and_send_nmi, NULL, i % 2);
		preempt_enable();
	}
	kick_all_cpus_sync();
	arrived = ipis_arrive();
	unregister_nmi_handler(NMI_LOCAL, "smp_guarantees");
	pr_info("smp_guarantees: %d calls and %d NMIs\n", calls, atomic_read(&nmis));
	return arrived && atomic_read(&nmis) > 1 &&
	       atomic_read(&counted) == calls * cpumask_weight(&others);
}

static int __init smp_guarantees_init(void)
{
	static struct job job;

	if (!strcmp(guarantee, "nowait")) {
		job.run = nowait;
	} else if (!strcmp(guarantee, "exact")) {
		job.run = exact;
		job.cpu = 2;
	} else if (!strcmp(guarantee, "irqsoff")) {
		job.run = irqsoff;
		job.cpu = 2;
	} else if (!strcmp(guarantee, "panic")) {
		job.run = panic_in_nmi;
		job.cpu = 1;
	} else if (!strcmp(guarantee, "nmi")) {
		job.run = mask_in_nmi;
	} else {
		return -EINVAL;
	}
	if (num_online_cpus() < 3 || prepare(&job))
		return -ENODEV;
	start(&job);
	finish(&job);
	pr_info("smp_guarantees: %s: %d\n", guarantee, job.result);
	return job.result < 0 ? job.result : 0;
}
module_init(smp_guarantees_init);

static void __exit smp_guarantees_exit(void)
{
	kick_all_cpus_sync();
}
module_exit(smp_guarantees_exit);

MODULE_DESCRIPTION("Tests the guarantees of cross-CPU calls");
MODULE_LICENSE("GPL");
