// SPDX-License-Identifier: GPL-2.0
/*
 * The C part of the reports of csds that are locked for too long.
 *
 * Only the registers that an NMI has interrupted show whether a CPU had
 * interrupts off. What counts is the last NMI before smp_stall_found(), which is
 * the one for the backtrace, unless another one came in between.
 */

#include <linux/bug.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/ptrace.h>
#include <linux/sched/isolation.h>
#include <linux/workqueue.h>

#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

#include "smp_rust.h"

static DEFINE_PER_CPU(int, smp_stall_nmi);

/* Lets each NMI on @cpu record the interrupt state from now on. */
void smp_stall_ask(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(smp_stall_nmi, cpu), SMP_STALL_ASKED);
}

/* Returns what the last NMI on @cpu has recorded, and ends the recording. */
enum smp_stall_nmi smp_stall_found(unsigned int cpu)
{
	return xchg(&per_cpu(smp_stall_nmi, cpu), SMP_STALL_NO_NMI);
}

#ifdef CONFIG_X86
/*
 * Runs before the handler that prints the backtrace, and handles no NMI. If the
 * CPU was in a guest, the registers are those of KVM, which forwards the NMI with
 * interrupts off: they do not show the state of the guest.
 */
static int smp_stall_nmi_handler(unsigned int cmd, struct pt_regs *regs)
{
	int *state = this_cpu_ptr(&smp_stall_nmi);

	if (READ_ONCE(*state) == SMP_STALL_NO_NMI)
		return NMI_DONE;

	if (perf_guest_state())
		WRITE_ONCE(*state, SMP_STALL_ASKED);
	else if (regs_irqs_disabled(regs))
		WRITE_ONCE(*state, SMP_STALL_IRQS_OFF);
	else
		WRITE_ONCE(*state, SMP_STALL_IRQS_ON);
	return NMI_DONE;
}
NOKPROBE_SYMBOL(smp_stall_nmi_handler);

static void __init smp_stall_init_nmi(void)
{
	register_nmi_handler(NMI_LOCAL, smp_stall_nmi_handler, NMI_FLAG_FIRST,
			     "smp_stall");
}
#else
/* No handler sees the registers, so no report says whether interrupts were off. */
static void __init smp_stall_init_nmi(void)
{
}
#endif

/* panic_on_ipistall: the report names this file, as it names kernel/smp.c in C. */
void smp_stall_bug_on(bool too_long)
{
	BUG_ON(too_long);
}

/* An asynchronous call has no waiter that would report a lost IPI. */
static DEFINE_PER_CPU(struct delayed_work, smp_stall_work);
/*
 * Its workers are bound: an unbound one may be woken on a CPU that is stuck in an
 * interrupt, and looks idle.
 */
static struct workqueue_struct *smp_stall_wq;
/* When the last look began, in jiffies. */
static unsigned long smp_stall_looked = INITIAL_JIFFIES;

/*
 * Looks at the pools of all CPUs. The worker of each CPU can do so, since another
 * CPU may be stuck.
 */
static void smp_stall_look(struct work_struct *work)
{
	unsigned long timeout = READ_ONCE(csd_lock_timeout);
	unsigned long period = timeout ? msecs_to_jiffies(timeout) : 5 * HZ;
	unsigned long last = READ_ONCE(smp_stall_looked);
	struct delayed_work *own = to_delayed_work(work);
	unsigned int cpu;

	if (time_after_eq(jiffies, last + period / 2) &&
	    try_cmpxchg(&smp_stall_looked, &last, jiffies)) {
		for_each_possible_cpu(cpu)
			smp_report_late(cpu);
	}
	queue_delayed_work_on(own->cpu, smp_stall_wq, own, period);
}

static int smp_stall_online(unsigned int cpu)
{
	struct delayed_work *work = per_cpu_ptr(&smp_stall_work, cpu);

	INIT_DELAYED_WORK(work, smp_stall_look);
	if (housekeeping_cpu(cpu, HK_TYPE_TIMER))
		queue_delayed_work_on(cpu, smp_stall_wq, work, HZ);
	return 0;
}

static int smp_stall_offline(unsigned int cpu)
{
	cancel_delayed_work_sync(per_cpu_ptr(&smp_stall_work, cpu));
	return 0;
}

static int __init smp_stall_init(void)
{
	if (!static_key_enabled(&csdlock_debug_enabled))
		return 0;
	smp_stall_wq = alloc_workqueue("smp_stall", WQ_PERCPU | WQ_CPU_INTENSIVE, 0);
	if (!smp_stall_wq)
		return -ENOMEM;
	smp_stall_init_nmi();
	return min(cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "smp/stall:online",
				     smp_stall_online, smp_stall_offline), 0);
}
early_initcall(smp_stall_init);
