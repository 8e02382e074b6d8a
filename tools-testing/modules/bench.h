/* SPDX-License-Identifier: GPL-2.0 */
/*
 * smp_bench: what a case is, and what cases are made with.
 */
#ifndef _SMP_BENCH_H
#define _SMP_BENCH_H

#include <linux/smp.h>
#include <linux/types.h>

/* A figure is the least of ROUNDS averages of "bench_loops" calls, or of so many times. */
#define LOOPS_MAX 500
#define ROUNDS 5

extern unsigned int bench_loops;

/* The measuring thread is on CPU 0. Its target, if it has one, is CPU 1. */
#define TARGET 1

struct bench_case {
	const char *name;
	/* Says the figures of the case, all of them with bench_say(). */
	void (*measure)(const struct bench_case *c);
	/* What is measured, if "measure" is for several cases. */
	void (*run)(void);
	/* What the machine must have. */
	int cpus, nodes;
	/* Has it no figure but what trace points tell? */
	bool traced;
	/* Is it of interest how the figure changes with the number of CPUs? */
	bool scale;
};

/* Each array ends with a case without a name. */
extern const struct bench_case bench_calls[], bench_norov[], bench_parts[], bench_crowds[];

/* The figure is "sum" / "number". "more" is added to the name of the case. */
void bench_say(const struct bench_case *c, const char *more, const char *key, u64 sum, u64 number);

/* The time since "start", less the time that asking for it takes. */
u64 bench_since(u64 start);

/* Says what a call costs, how it is spread, how many IPIs and how much of the stack it takes. */
void bench_call(const struct bench_case *c);

/*
 * Says how many IPIs for calls "run" sends to CPU "to", or to any if that is negative.
 * What "prepare" sends before is not counted.
 */
void bench_say_ipis(const struct bench_case *c, void (*prepare)(void), void (*run)(void), int to);

/* Returns when all other CPUs have nothing to do. */
void bench_settle(void);

void bench_nothing(void *info);

#endif /* _SMP_BENCH_H */
