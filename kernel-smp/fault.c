// SPDX-License-Identifier: GPL-2.0
/*
 * Injected faults of cross-CPU calls: boot parameters and debugfs files, as
 * Documentation/fault-injection/ describes them, say which IPIs are dropped,
 * delayed, reordered, sent twice or in bursts.
 *
 * Each fault has two more files: "from" and "to", the source and the target of
 * the call. -1 stands for any CPU.
 */

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "fault.h"

/* The number of IPIs in a burst. */
#define BURST 8

/* The number of IPIs that a CPU can delay at a time. Others are sent at once. */
#define HELD_MAX 8

#define NO_CPU (-1)

struct smp_fault smp_faults[SMP_FAULTS] = {
	[0 ... SMP_FAULTS - 1] = {
		.attr = FAULT_ATTR_INITIALIZER,
		.from = -1,
		.to = -1,
	},
};

/* How long an IPI is delayed, in ns. */
static u64 delay_ns = 200000;

static void start_timer(struct irq_work *work);

/*
 * The IPIs that a CPU delays. The IRQ work starts the timer, since the sender of
 * an IPI may hold the locks of timers.
 */
struct held_ipis {
	struct irq_work work;
	struct hrtimer timer;
	/* The CPUs to which IPIs are due, in the order of sending, or NO_CPU. */
	int cpus[HELD_MAX];
	/* Whether they are sent in reverse order. */
	bool swapped;
	/* When they are sent; never, if there are none. */
	u64 due;
};

static DEFINE_PER_CPU(struct held_ipis, held_ipis) = {
	.work = IRQ_WORK_INIT_HARD(start_timer),
	.cpus = { [0 ... HELD_MAX - 1] = NO_CPU },
	.due = U64_MAX,
};

/* Whether this CPU is injecting a fault: what the framework does may send IPIs. */
static DEFINE_PER_CPU(bool, injecting);

bool smp_fault_hits(enum smp_fault_kind kind, int from, int to)
{
	struct smp_fault *fault = &smp_faults[kind];

	if (!fault->attr.probability)
		return false;
	if (fault->from != -1 && fault->from != from)
		return false;
	if (fault->to != -1 && fault->to != to)
		return false;
	return should_fail_ex(&fault->attr, 1, FAULT_NOWARN);
}

/* On the CPU that holds them, or when that is offline. */
static void send_held(struct held_ipis *held)
{
	bool swapped = READ_ONCE(held->swapped);
	int i;

	WRITE_ONCE(held->due, U64_MAX);
	for (i = 0; i < HELD_MAX; i++) {
		int *place = &held->cpus[swapped ? HELD_MAX - 1 - i : i];
		int cpu = xchg(place, NO_CPU);

		if (cpu != NO_CPU)
			arch_send_call_function_single_ipi(cpu);
	}
}

static void start_timer(struct irq_work *work)
{
	struct held_ipis *held = container_of(work, struct held_ipis, work);

	/* The timers of a CPU on its way down have moved to another one. */
	if (!cpu_online(smp_processor_id()))
		send_held(held);
	else
		hrtimer_start(&held->timer, ns_to_ktime(READ_ONCE(delay_ns)),
			      HRTIMER_MODE_REL_PINNED_HARD);
}

static enum hrtimer_restart time_is_up(struct hrtimer *timer)
{
	send_held(container_of(timer, struct held_ipis, timer));
	return HRTIMER_NORESTART;
}

/* Sends the IPIs of this CPU whose delay is over, with interrupts off. */
void smp_fault_send_due(void)
{
	struct held_ipis *held = this_cpu_ptr(&held_ipis);

	if (ktime_get_mono_fast_ns() >= READ_ONCE(held->due))
		send_held(held);
}

static void hold(int cpu, bool swap)
{
	struct held_ipis *held = this_cpu_ptr(&held_ipis);
	int i;

	for (i = 0; i < HELD_MAX; i++)
		if (READ_ONCE(held->cpus[i]) == NO_CPU)
			break;
	if (i == HELD_MAX) {
		arch_send_call_function_single_ipi(cpu);
		return;
	}
	WRITE_ONCE(held->cpus[i], cpu);
	WRITE_ONCE(held->swapped, swap);
	WRITE_ONCE(held->due, ktime_get_mono_fast_ns() + READ_ONCE(delay_ns));
	irq_work_queue(&held->work);
}

static void send_or_inject(int from, int to)
{
	int number = 1;

	if (smp_fault_hits(SMP_FAULT_DROP, from, to)) {
		number = 0;
	} else if (smp_fault_hits(SMP_FAULT_DELAY, from, to)) {
		hold(to, false);
		number = 0;
	} else if (smp_fault_hits(SMP_FAULT_REORDER, from, to)) {
		hold(to, true);
		number = 0;
	} else if (smp_fault_hits(SMP_FAULT_DUPLICATE, from, to)) {
		number = 2;
	} else if (smp_fault_hits(SMP_FAULT_BURST, from, to)) {
		number = BURST;
	}
	while (number--)
		arch_send_call_function_single_ipi(to);
}

/**
 * smp_send_ipi() - Send the IPI of a call, or inject a fault.
 * @cpu: The target, which is a possible CPU.
 *
 * Context: Any. An NMI and a CPU that is not online inject no fault.
 */
void smp_send_ipi(int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (in_nmi() || !cpu_online(smp_processor_id()) || __this_cpu_read(injecting)) {
		arch_send_call_function_single_ipi(cpu);
	} else {
		__this_cpu_write(injecting, true);
		send_or_inject(smp_processor_id(), cpu);
		__this_cpu_write(injecting, false);
	}
	local_irq_restore(flags);
}

/**
 * smp_send_ipi_mask() - Send the IPIs of a call to many CPUs, or inject faults.
 * @mask: The targets.
 *
 * Context: As smp_send_ipi().
 */
void smp_send_ipi_mask(const struct cpumask *mask)
{
	int cpu;

	for_each_cpu(cpu, mask)
		smp_send_ipi(cpu);
}

/* Parsed by smp_fault_init(): that allocates, and a delay needs a clock that runs. */
static char *boot_settings[SMP_FAULTS] __initdata;

#define SMP_FAULT_PARAM(name, kind)					\
	static int __init setup_##name(char *str)			\
	{								\
		boot_settings[kind] = str;				\
		return 1;						\
	}								\
	__setup(#name "=", setup_##name)

SMP_FAULT_PARAM(fail_smp_drop, SMP_FAULT_DROP);
SMP_FAULT_PARAM(fail_smp_delay, SMP_FAULT_DELAY);
SMP_FAULT_PARAM(fail_smp_reorder, SMP_FAULT_REORDER);
SMP_FAULT_PARAM(fail_smp_duplicate, SMP_FAULT_DUPLICATE);
SMP_FAULT_PARAM(fail_smp_burst, SMP_FAULT_BURST);
#ifdef CONFIG_SMP_RUST
SMP_FAULT_PARAM(fail_smp_pool, SMP_FAULT_NO_FREE_SLOT);
#endif

static int cpu_get(void *data, u64 *val)
{
	*val = (s64)READ_ONCE(*(int *)data);
	return 0;
}

static int cpu_set(void *data, u64 val)
{
	int cpu = (int)val;

	if (cpu != -1 && !(cpu >= 0 && cpu < nr_cpu_ids))
		return -EINVAL;
	WRITE_ONCE(*(int *)data, cpu);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(cpu_fops, cpu_get, cpu_set, "%lld\n");

static const char * const names[SMP_FAULTS] __initconst = {
	[SMP_FAULT_DROP] = "fail_smp_drop",
	[SMP_FAULT_DELAY] = "fail_smp_delay",
	[SMP_FAULT_REORDER] = "fail_smp_reorder",
	[SMP_FAULT_DUPLICATE] = "fail_smp_duplicate",
	[SMP_FAULT_BURST] = "fail_smp_burst",
#ifdef CONFIG_SMP_RUST
	[SMP_FAULT_NO_FREE_SLOT] = "fail_smp_pool",
#endif
};

static int __init smp_fault_init(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		hrtimer_setup(&per_cpu(held_ipis, cpu).timer, time_is_up, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	for (i = 0; i < SMP_FAULTS; i++) {
		struct smp_fault *fault = &smp_faults[i];
		struct dentry *dir;

		if (boot_settings[i])
			setup_fault_attr(&fault->attr, boot_settings[i]);
		dir = fault_create_debugfs_attr(names[i], NULL, &fault->attr);
		if (IS_ERR(dir))
			continue;
		debugfs_create_file_unsafe("from", 0600, dir, &fault->from, &cpu_fops);
		debugfs_create_file_unsafe("to", 0600, dir, &fault->to, &cpu_fops);
		if (i == SMP_FAULT_DELAY)
			debugfs_create_u64("delay_ns", 0600, dir, &delay_ns);
	}
	return 0;
}

/*
 * Before fs_initcall the clocksource is jiffies. It stands still while the CPU
 * that updates it waits with interrupts off, and a delay would not end.
 */
late_initcall(smp_fault_init);
