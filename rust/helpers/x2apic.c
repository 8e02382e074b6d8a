// SPDX-License-Identifier: GPL-2.0

/* The inline functions and macros that arch/x86/kernel/apic/x2apic/ uses. */
#ifdef CONFIG_X2APIC_RUST

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <asm/apic.h>
#include "../../arch/x86/kernel/apic/local.h"
#include "../../arch/x86/kernel/apic/x2apic/x2apic_send.h"

__rust_helper void rust_helper_weak_wrmsr_fence(void)
{
	weak_wrmsr_fence();
}

__rust_helper void rust_helper_native_x2apic_icr_write(u32 low, u32 id)
{
	native_x2apic_icr_write(low, id);
}

__rust_helper void rust_helper_x2apic_send_fenced(u32 low, u32 id)
{
	weak_wrmsr_fence();
	native_x2apic_icr_write(low, id);
}

__rust_helper unsigned int
rust_helper_x2apic_next_and(int n, const struct cpumask *a,
			    const struct cpumask *b)
{
	return cpumask_next_and(n, a, b);
}

#ifdef CONFIG_X2APIC_RUST_KUNIT_TEST
__rust_helper unsigned int
rust_helper_x2apic_prepare_icr(int vector, unsigned int dest)
{
	return __prepare_ICR(0, vector, dest);
}
#endif

#endif /* CONFIG_X2APIC_RUST */
