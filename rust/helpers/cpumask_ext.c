// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>

__rust_helper
unsigned int rust_helper_cpumask_next(int n, const struct cpumask *srcp)
{
	return cpumask_next(n, srcp);
}

__rust_helper
void rust_helper_cpumask_clear(struct cpumask *dstp)
{
	cpumask_clear(dstp);
}

__rust_helper
bool rust_helper_cpumask_and(struct cpumask *dstp, const struct cpumask *src1p,
			     const struct cpumask *src2p)
{
	return cpumask_and(dstp, src1p, src2p);
}

__rust_helper
void rust_helper_cpumask_or(struct cpumask *dstp, const struct cpumask *src1p,
			    const struct cpumask *src2p)
{
	cpumask_or(dstp, src1p, src2p);
}

__rust_helper
bool rust_helper_cpumask_andnot(struct cpumask *dstp,
				const struct cpumask *src1p,
				const struct cpumask *src2p)
{
	return cpumask_andnot(dstp, src1p, src2p);
}

__rust_helper
unsigned int rust_helper_num_online_cpus(void)
{
	return num_online_cpus();
}

__rust_helper
bool rust_helper_cpu_online(unsigned int cpu)
{
	return cpu_online(cpu);
}

__rust_helper
bool rust_helper_cpumask_equal(const struct cpumask *src1p,
			       const struct cpumask *src2p)
{
	return cpumask_equal(src1p, src2p);
}
