// SPDX-License-Identifier: GPL-2.0

#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>
#include <asm/processor.h>

__rust_helper void rust_helper_lockdep_assert_irqs_enabled(void)
{
	lockdep_assert_irqs_enabled();
}

__rust_helper unsigned long rust_helper_local_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

__rust_helper void rust_helper_local_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}

__rust_helper bool rust_helper_irqs_disabled(void)
{
	return irqs_disabled();
}

/* What smp_cond_load_acquire() does between two loads. */
__rust_helper void rust_helper_cmpwait_relaxed_u32(u32 *ptr, u32 value)
{
#ifdef __cmpwait_relaxed
	__cmpwait_relaxed(ptr, value);
#else
	cpu_relax();
#endif
}

__rust_helper void rust_helper_cmpwait_relaxed_u64(u64 *ptr, u64 value)
{
#if defined(__cmpwait_relaxed) && defined(CONFIG_64BIT)
	__cmpwait_relaxed(ptr, value);
#else
	cpu_relax();
#endif
}
