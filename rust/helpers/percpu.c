// SPDX-License-Identifier: GPL-2.0

#include <linux/percpu.h>

__rust_helper void *rust_helper_this_cpu_ptr(void *base)
{
	return raw_cpu_ptr((void __percpu *)base);
}

__rust_helper void *rust_helper_per_cpu_ptr(void *base, unsigned int cpu)
{
	return per_cpu_ptr((void __percpu *)base, cpu);
}

__rust_helper void *rust_helper_alloc_percpu(size_t size, size_t align)
{
	return (void __force *)__alloc_percpu(size, align);
}
