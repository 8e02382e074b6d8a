// SPDX-License-Identifier: GPL-2.0
/*
 * Threads change the protection of pages that others write, one page each. When mprotect() has
 * taken the right to write away, no CPU may have a translation left that still has it: no write
 * may land in the page. Each change waits for a write first, so there is a translation to lose.
 *
 * usage: protect CHANGES-OF-EACH-THREAD
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_THREADS 64
#define LOOKS 2000

/* What a page is for: each writer has a counter in it. */
struct page {
	_Alignas(4096) atomic_ulong written[MAX_THREADS];
};

static struct page *pages;
static long threads, changes;
static atomic_bool stop;
static atomic_ulong landed;

/* A write that is refused is tried again. */
static void refused(int sig)
{
	(void)sig;
	sched_yield();
}

static void *writer(void *arg)
{
	long me = (long)arg;

	while (!atomic_load(&stop))
		for (long i = 0; i < threads; i++)
			atomic_fetch_add_explicit(&pages[i].written[me], 1, memory_order_relaxed);
	return NULL;
}

static unsigned long sum(struct page *page)
{
	unsigned long n = 0;

	for (long i = 0; i < threads; i++)
		n += atomic_load_explicit(&page->written[i], memory_order_relaxed);
	return n;
}

static void protect(struct page *page, int prot)
{
	if (mprotect(page, sizeof(*page), prot)) {
		perror("mprotect");
		exit(1);
	}
}

static void *changer(void *arg)
{
	struct page *page = &pages[(long)arg];

	for (long i = 0; i < changes; i++) {
		unsigned long before = sum(page);

		while (sum(page) == before)
			sched_yield();
		protect(page, PROT_READ);
		before = sum(page);
		for (int look = 0; look < LOOKS; look++) {
			if (sum(page) != before) {
				atomic_fetch_add(&landed, 1);
				break;
			}
		}
		protect(page, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), long number)
{
	int error = pthread_create(thread, NULL, function, (void *)number);

	if (error) {
		fprintf(stderr, "pthread_create: %s\n", strerror(error));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = refused };
	pthread_t writers[MAX_THREADS], changers[MAX_THREADS];

	changes = argc == 2 ? atol(argv[1]) : 0;
	if (changes <= 0) {
		fprintf(stderr, "usage: protect CHANGES-OF-EACH-THREAD\n");
		return 1;
	}
	threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	sigaction(SIGSEGV, &action, NULL);
	pages = mmap(NULL, threads * sizeof(*pages), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (long i = 0; i < threads; i++) {
		start(&writers[i], writer, i);
		start(&changers[i], changer, i);
	}
	for (long i = 0; i < threads; i++)
		pthread_join(changers[i], NULL);
	atomic_store(&stop, true);
	for (long i = 0; i < threads; i++)
		pthread_join(writers[i], NULL);
	if (atomic_load(&landed)) {
		printf("%lu of %ld times a write landed in a page that was read-only\n",
		       atomic_load(&landed), threads * changes);
		return 1;
	}
	printf("%ld threads took the right to write away %ld times, and no write landed\n",
	       threads, threads * changes);
	return 0;
}
