// SPDX-License-Identifier: GPL-2.0
/*
 * What system calls cost that interrupt the other CPUs of a process: a thread on each
 * of them spins meanwhile, as it must to be interrupted.
 *
 * Prints as smp_bench does. Under QEMU, PAUSE lets the next CPU have its turn.
 */

#define _GNU_SOURCE

#include <limits.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOPS 200
#define ROUNDS 5

static atomic_int ready;
static char *page;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void go_to(int cpu)
{
	cpu_set_t *set = CPU_ALLOC(cpu + 1);
	size_t size = CPU_ALLOC_SIZE(cpu + 1);

	CPU_ZERO_S(size, set);
	CPU_SET_S(cpu, size, set);
	if (sched_setaffinity(0, size, set))
		fail("sched_setaffinity");
	CPU_FREE(set);
}

static void *spin(void *cpu)
{
	go_to((intptr_t)cpu);
	atomic_fetch_add(&ready, 1);
	for (;;)
		__builtin_ia32_pause();
}

static void membarrier(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		fail("membarrier");
}

/* A page that may be written less is flushed from all TLBs. */
static void protect(void)
{
	*page = 1;
	if (mprotect(page, getpagesize(), PROT_READ) ||
	    mprotect(page, getpagesize(), PROT_READ | PROT_WRITE))
		fail("mprotect");
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void measure(const char *name, void (*call)(void))
{
	unsigned long long least = ULLONG_MAX;
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		unsigned long long took, start = now();

		for (j = 0; j < LOOPS; j++)
			call();
		took = now() - start;
		if (took < least)
			least = took;
	}
	printf("smp_bench_user: %s: cost %.2f\n", name, (double)least / LOOPS);
}

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;
	intptr_t cpu;

	go_to(0);
	for (cpu = 1; cpu < cpus; cpu++)
		if (pthread_create(&thread, NULL, spin, (void *)cpu))
			fail("pthread_create");
	while (atomic_load(&ready) < cpus - 1)
		sched_yield();
	page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		fail("membarrier");
	measure("membarrier, all run", membarrier);
	measure("mprotect, all run", protect);
	puts("smp_bench_user: end: 2 figures");
	return 0;
}
