// SPDX-License-Identifier: GPL-2.0

#include <linux/percpu.h>

/*
 * Rust has no address spaces. To cast a pointer from one to another, which GCC
 * warns about, it is an integer in between.
 */
#define to_percpu(ptr)		((void __percpu __force *)(uintptr_t)(ptr))
#define from_percpu(ptr)	((void __force *)(__force uintptr_t)(ptr))

__rust_helper void *rust_helper_this_cpu_ptr(void *base)
{
	return raw_cpu_ptr(to_percpu(base));
}

__rust_helper void *rust_helper_per_cpu_ptr(void *base, unsigned int cpu)
{
	return per_cpu_ptr(to_percpu(base), cpu);
}

__rust_helper void *rust_helper_alloc_percpu(size_t size, size_t align)
{
	return from_percpu(__alloc_percpu(size, align));
}
