// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters, the parameter csdlock_debug, and static keys.
 */

#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

#include "smp_rust.h"

/* On: the IPI mask of a task is stored in place of the pointer to it. */
DEFINE_STATIC_KEY_FALSE(ipi_mask_inlined);

void __init smp_enable_inlined_ipi_mask(void)
{
	static_branch_enable(&ipi_mask_inlined);
}

#ifdef CONFIG_SMP_RUST_KUNIT_TEST
/* How often the tests of CPU hotplug take each CPU down. */
int smp_test_cycles = 5;
module_param_named(test_cycles, smp_test_cycles, int, 0444);

/* How often all CPUs call all with interrupts off. */
unsigned int smp_test_rounds = 2000;
module_param_named(test_rounds, smp_test_rounds, uint, 0444);
#endif

#ifdef CONFIG_CSD_LOCK_WAIT_DEBUG

DEFINE_STATIC_KEY_MAYBE(CONFIG_CSD_LOCK_WAIT_DEBUG_DEFAULT, csdlock_debug_enabled);

static int __init csdlock_debug(char *str)
{
	int on;

	if (get_option(&str, &on)) {
		if (on)
			static_branch_enable(&csdlock_debug_enabled);
		else
			static_branch_disable(&csdlock_debug_enabled);
	}
	return 1;
}
__setup("csdlock_debug=", csdlock_debug);

/* Report a csd that is locked for longer than this; 0: never. */
ulong csd_lock_timeout = 5000; /* ms */
module_param(csd_lock_timeout, ulong, 0644);

/* Panic when one is locked for longer than this; 0: never. */
int panic_on_ipistall; /* ms */
module_param(panic_on_ipistall, int, 0644);

#endif /* CONFIG_CSD_LOCK_WAIT_DEBUG */
