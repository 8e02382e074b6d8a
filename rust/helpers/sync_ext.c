// SPDX-License-Identifier: GPL-2.0

#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <asm/barrier.h>

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

__rust_helper unsigned int
rust_helper_smp_cond_load_acquire_clear(unsigned int *ptr, unsigned int bits)
{
	return smp_cond_load_acquire(ptr, !(VAL & bits));
}

__rust_helper unsigned int
rust_helper_smp_cond_load_acquire_not(unsigned int *ptr, unsigned int value)
{
	return smp_cond_load_acquire(ptr, VAL != value);
}
