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

__rust_helper void *rust_helper_alloc_percpu_gfp(size_t size, size_t align,
						 gfp_t gfp)
{
	return from_percpu(__alloc_percpu_gfp(size, align, gfp));
}

__rust_helper void rust_helper_this_cpu_add_u32(u32 *base, u32 value)
{
	this_cpu_add(*(u32 __percpu *)to_percpu(base), value);
}

__rust_helper void rust_helper_this_cpu_add_u64(u64 *base, u64 value)
{
	this_cpu_add(*(u64 __percpu *)to_percpu(base), value);
}
