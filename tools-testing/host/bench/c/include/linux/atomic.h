/* SPDX-License-Identifier: GPL-2.0 */
/* The accesses of the kernel that llist.h and half.c use, on this machine. */
#ifndef _BENCH_ATOMIC_H
#define _BENCH_ATOMIC_H

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
/* The users of these say what pairs with what. */
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
/* As above. */
#define smp_store_release(p, value) __atomic_store_n(p, value, __ATOMIC_RELEASE)
#define xchg(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, value)					\
	__atomic_compare_exchange_n(p, old, value, 0, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_RELAXED)

#endif
