/* SPDX-License-Identifier: GPL-2.0 */
/*
 * smp_bench: the definition of a case, and helpers for cases.
 */
#ifndef _SMP_BENCH_H
#define _SMP_BENCH_H

#include <linux/smp.h>
#include <linux/types.h>

/* A figure is the least of ROUNDS averages of "bench_loops" calls, or of "bench_loops" times. */
#define LOOPS_MAX 500
#define ROUNDS 5

extern unsigned int bench_loops;

/* The measuring thread is on CPU 0. Its target, if it has one, is CPU 1. */
#define TARGET 1

struct bench_case {
	const char *name;
	/* Prints the figures of the case with bench_say(). */
	void (*measure)(const struct bench_case *c);
	/* The measured function, if "measure" is for several cases. */
	void (*run)(void);
	/* The least numbers of CPUs and nodes of the machine. */
	int cpus, nodes;
	/* The figures come from trace points only. */
	bool traced;
	/* The figure is also measured for other numbers of CPUs. */
	bool scale;
};

/* Each array ends with a case without a name. */
extern const struct bench_case bench_calls[], bench_norov[], bench_parts[], bench_crowds[];

/* The figure is "sum" / "number". "more" is added to the name of the case. */
void bench_say(const struct bench_case *c, const char *more, const char *key, u64 sum, u64 number);

/* Returns the time since "start", less the cost of reading the clock. */
u64 bench_since(u64 start);

/* Prints the cost of a call, its distribution, and how many IPIs and how much stack it needs. */
void bench_call(const struct bench_case *c);

/*
 * Prints how many IPIs for calls "run" sends to CPU "to", or to any if that is negative.
 * The IPIs of "prepare", which runs before, are not counted.
 */
void bench_say_ipis(const struct bench_case *c, void (*prepare)(void), void (*run)(void), int to);

/* Waits for the other CPUs, which should be idle after this. */
void bench_synchronize(void);

void bench_nothing(void *info);

#endif /* _SMP_BENCH_H */
