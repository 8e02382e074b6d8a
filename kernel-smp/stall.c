// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a CPU had interrupts off when the NMI for its backtrace came: the
 * registers that the NMI has interrupted say it, and nobody else can know.
 */

#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>

#include <asm/nmi.h>

#include "smp_rust.h"

static DEFINE_PER_CPU(int, smp_stall_nmi);

/* The next NMI of @cpu is to say it. */
void smp_stall_ask(unsigned int cpu)
{
	WRITE_ONCE(per_cpu(smp_stall_nmi, cpu), SMP_STALL_ASKED);
}

/* What has it said? */
enum smp_stall_nmi smp_stall_found(unsigned int cpu)
{
	return xchg(&per_cpu(smp_stall_nmi, cpu), SMP_STALL_NO_NMI);
}

/* Runs before the one that prints the backtrace, and claims no NMI. */
static int smp_stall_nmi_handler(unsigned int cmd, struct pt_regs *regs)
{
	if (__this_cpu_read(smp_stall_nmi) == SMP_STALL_ASKED)
		__this_cpu_write(smp_stall_nmi, regs_irqs_disabled(regs) ?
				 SMP_STALL_IRQS_OFF : SMP_STALL_IRQS_ON);
	return NMI_DONE;
}
NOKPROBE_SYMBOL(smp_stall_nmi_handler);

static int __init smp_stall_init(void)
{
	if (static_key_enabled(&smp_csdlock_debug_key))
		register_nmi_handler(NMI_LOCAL, smp_stall_nmi_handler,
				     NMI_FLAG_FIRST, "smp_stall");
	return 0;
}
early_initcall(smp_stall_init);
