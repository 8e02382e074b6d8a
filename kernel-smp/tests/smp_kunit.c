// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of cross-CPU function calls: what <linux/smp.h> promises to callers.
 *
 * A function that runs in an interrupt only records, the test compares. What is
 * recorded is static: a csd of a test that fails may stay in a queue.
 */

#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/smp.h>

/* Longer than anything here takes. Only a test that fails waits so long. */
#define LIMIT_MS 10000

/* The thread of the test is on "here". */
static int here, other;

/* What the functions have seen. */
static struct cpumask ran;
static atomic_t runs, irqs_on, in_wrong_task;
static int word, seen_word;

static struct cpumask mask;
static atomic_t held, let_go;

static void note(void *info)
{
	if (!irqs_disabled())
		atomic_inc(&irqs_on);
	if (info == &word)
		seen_word = word;
	cpumask_set_cpu(smp_processor_id(), &ran);
	/* Pairs with comes_to(). */
	smp_mb__before_atomic();
	atomic_inc(&runs);
}

/* Whether a counter comes to a value before the limit. */
static bool comes_to(atomic_t *counter, int value)
{
	unsigned long end = jiffies + msecs_to_jiffies(LIMIT_MS);

	/* Pairs with note(). */
	while (atomic_read_acquire(counter) != value) {
		if (time_after(jiffies, end))
			return false;
		cond_resched();
	}
	return true;
}

/* Keeps its CPU until the test lets it go. */
static void hold(void *info)
{
	int ms;

	atomic_inc(&held);
	for (ms = 0; ms < LIMIT_MS && !atomic_read(&let_go); ms++)
		mdelay(1);
}

/* Without a wait: the next call is in the queue as long as the other CPU is held. */
static void hold_other(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, smp_call_function_single(other, hold, NULL, false), 0);
	KUNIT_EXPECT_TRUE(test, comes_to(&held, 1));
}

static int smp_test_init(struct kunit *test)
{
	here = cpumask_first(cpu_online_mask);
	other = cpumask_next(here, cpu_online_mask);
	if (other >= nr_cpu_ids)
		kunit_skip(test, "needs two CPUs");
	cpumask_clear(&ran);
	cpumask_clear(&mask);
	atomic_set(&runs, 0);
	atomic_set(&irqs_on, 0);
	atomic_set(&in_wrong_task, 0);
	atomic_set(&held, 0);
	atomic_set(&let_go, 0);
	word = 0;
	seen_word = -1;
	return set_cpus_allowed_ptr(current, cpumask_of(here));
}

static void single_runs_on_its_target(struct kunit *test)
{
	word = 42;
	KUNIT_EXPECT_EQ(test, smp_call_function_single(other, note, &word, true), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, cpumask_of(other)));
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&irqs_on), 0);
	KUNIT_EXPECT_EQ(test, seen_word, 42);
}

static void single_runs_on_its_own_cpu(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, smp_call_function_single(here, note, NULL, false), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, cpumask_of(here)));
	KUNIT_EXPECT_EQ(test, atomic_read(&irqs_on), 0);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

static void single_needs_no_wait(struct kunit *test)
{
	hold_other(test);
	KUNIT_EXPECT_EQ(test, smp_call_function_single(other, note, NULL, false), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 0);
	atomic_set(&let_go, 1);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 1));
}

static void calls_to_no_cpu_are_refused(struct kunit *test)
{
	static call_single_data_t csd = CSD_INIT(note, NULL);
	static const int none[] = { -1, INT_MAX, INT_MIN };
	int i;

	for (i = 0; i < ARRAY_SIZE(none); i++) {
		KUNIT_EXPECT_EQ(test, smp_call_function_single(none[i], note, NULL, true), -ENXIO);
		KUNIT_EXPECT_EQ(test, smp_call_function_single(none[i], note, NULL, false), -ENXIO);
		KUNIT_EXPECT_EQ(test, smp_call_function_single_async(none[i], &csd), -ENXIO);
	}
	KUNIT_EXPECT_EQ(test, smp_call_function_single(nr_cpu_ids, note, NULL, true), -ENXIO);
	KUNIT_EXPECT_EQ(test, smp_call_function_any(&mask, note, NULL, 1), -ENXIO);
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 0);

	/* The csd that was refused is free. */
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csd), 0);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 1));
}

static void queued_csd_is_busy(struct kunit *test)
{
	static call_single_data_t csd = CSD_INIT(note, NULL);

	hold_other(test);
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csd), 0);
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csd), -EBUSY);
	atomic_set(&let_go, 1);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 1));
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csd), 0);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 2));
}

static void send_again(void *info);

static call_single_data_t again = CSD_INIT(send_again, NULL);
static atomic_t refused;

static void send_again(void *info)
{
	if (smp_processor_id() == other && smp_call_function_single_async(here, &again))
		atomic_inc(&refused);
	note(NULL);
}

static void running_csd_is_free(struct kunit *test)
{
	atomic_set(&refused, 0);
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &again), 0);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 2));
	KUNIT_EXPECT_EQ(test, atomic_read(&refused), 0);
	cpumask_set_cpu(here, &mask);
	cpumask_set_cpu(other, &mask);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, &mask));
}

#define CSDS 16

static int order[CSDS];

static void note_turn(void *info)
{
	order[atomic_read(&runs)] = (long)info;
	note(NULL);
}

static void csds_run_in_order(struct kunit *test)
{
	static call_single_data_t csds[CSDS];
	int i;

	hold_other(test);
	for (i = 0; i < CSDS; i++) {
		INIT_CSD(&csds[i], note_turn, (void *)(long)i);
		KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csds[i]), 0);
	}
	atomic_set(&let_go, 1);
	KUNIT_ASSERT_TRUE(test, comes_to(&runs, CSDS));
	for (i = 0; i < CSDS; i++)
		KUNIT_EXPECT_EQ(test, order[i], i);
}

static void any_prefers_its_own_cpu(struct kunit *test)
{
	cpumask_copy(&mask, cpu_online_mask);
	KUNIT_EXPECT_EQ(test, smp_call_function_any(&mask, note, NULL, 1), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, cpumask_of(here)));
}

static void any_takes_a_cpu_of_the_mask(struct kunit *test)
{
	cpumask_set_cpu(other, &mask);
	KUNIT_EXPECT_EQ(test, smp_call_function_any(&mask, note, NULL, 1), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, &mask));
}

/* Bits of CPUs that do not exist are ignored. */
static void many_leaves_its_own_cpu_out(struct kunit *test)
{
	cpumask_setall(&mask);
	word = 7;
	smp_call_function_many(&mask, note, &word, true);
	cpumask_andnot(&mask, cpu_online_mask, cpumask_of(here));
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, &mask));
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), cpumask_weight(&mask));
	KUNIT_EXPECT_EQ(test, atomic_read(&irqs_on), 0);
	KUNIT_EXPECT_EQ(test, seen_word, 7);
}

static void many_to_none_returns(struct kunit *test)
{
	smp_call_function_many(&mask, note, NULL, true);
	smp_call_function_many(cpumask_of(here), note, NULL, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 0);
}

static void all_others_are_called(struct kunit *test)
{
	smp_call_function(note, NULL, true);
	cpumask_andnot(&mask, cpu_online_mask, cpumask_of(here));
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, &mask));
	smp_call_function(note, NULL, false);
	KUNIT_EXPECT_TRUE(test, comes_to(&runs, 2 * cpumask_weight(&mask)));
}

static void each_cpu_is_called_once(struct kunit *test)
{
	on_each_cpu(note, NULL, true);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, cpu_online_mask));
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), num_online_cpus());
	KUNIT_EXPECT_EQ(test, atomic_read(&irqs_on), 0);
}

static bool is_even(int cpu, void *info)
{
	return !(cpu % 2);
}

static void condition_picks_cpus(struct kunit *test)
{
	int cpu;

	on_each_cpu_cond(is_even, note, NULL, true);
	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ(test, cpumask_test_cpu(cpu, &ran), is_even(cpu, NULL));

	cpumask_clear(&ran);
	on_each_cpu_cond_mask(is_even, note, NULL, true, cpumask_of(1));
	KUNIT_EXPECT_TRUE(test, cpumask_empty(&ran));
}

static int note_in_task(void *info)
{
	if (!in_task() || irqs_disabled())
		atomic_inc(&in_wrong_task);
	cpumask_set_cpu(raw_smp_processor_id(), &ran);
	return 17;
}

static void on_cpu_runs_in_a_task(struct kunit *test)
{
	int ret, beyond;

	cpus_read_lock();
	ret = smp_call_on_cpu(other, note_in_task, NULL, false);
	beyond = smp_call_on_cpu(nr_cpu_ids, note_in_task, NULL, false);
	cpus_read_unlock();
	KUNIT_EXPECT_EQ(test, ret, 17);
	KUNIT_EXPECT_EQ(test, beyond, -ENXIO);
	KUNIT_EXPECT_TRUE(test, cpumask_equal(&ran, cpumask_of(other)));
	KUNIT_EXPECT_EQ(test, atomic_read(&in_wrong_task), 0);
}

/* The function in front of that of the kick has run, too. */
static void kick_waits_for_all_others(struct kunit *test)
{
	static call_single_data_t csd = CSD_INIT(note, NULL);

	hold_other(test);
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(other, &csd), 0);
	atomic_set(&let_go, 1);
	kick_all_cpus_sync();
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 1);
}

static void offline_cpu_is_refused(struct kunit *test)
{
	static call_single_data_t csd = CSD_INIT(note, NULL);
	int cpu = cpumask_last(cpu_online_mask), ret;

	ret = remove_cpu(cpu);
	if (ret)
		kunit_skip(test, "CPU %d cannot go offline: %d", cpu, ret);
	cpumask_set_cpu(cpu, &mask);
	KUNIT_EXPECT_EQ(test, smp_call_function_single(cpu, note, NULL, true), -ENXIO);
	KUNIT_EXPECT_EQ(test, smp_call_function_single(cpu, note, NULL, false), -ENXIO);
	KUNIT_EXPECT_EQ(test, smp_call_function_single_async(cpu, &csd), -ENXIO);
	KUNIT_EXPECT_EQ(test, smp_call_function_any(&mask, note, NULL, 1), -ENXIO);
	smp_call_function_many(&mask, note, NULL, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&runs), 0);
	on_each_cpu(note, NULL, true);
	KUNIT_EXPECT_FALSE(test, cpumask_test_cpu(cpu, &ran));

	KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
	KUNIT_EXPECT_EQ(test, smp_call_function_single(cpu, note, NULL, true), 0);
	KUNIT_EXPECT_TRUE(test, cpumask_test_cpu(cpu, &ran));
}

static struct kunit_case smp_cases[] = {
	KUNIT_CASE(single_runs_on_its_target),
	KUNIT_CASE(single_runs_on_its_own_cpu),
	KUNIT_CASE(single_needs_no_wait),
	KUNIT_CASE(calls_to_no_cpu_are_refused),
	KUNIT_CASE(queued_csd_is_busy),
	KUNIT_CASE(running_csd_is_free),
	KUNIT_CASE(csds_run_in_order),
	KUNIT_CASE(any_prefers_its_own_cpu),
	KUNIT_CASE(any_takes_a_cpu_of_the_mask),
	KUNIT_CASE(many_leaves_its_own_cpu_out),
	KUNIT_CASE(many_to_none_returns),
	KUNIT_CASE(all_others_are_called),
	KUNIT_CASE(each_cpu_is_called_once),
	KUNIT_CASE(condition_picks_cpus),
	KUNIT_CASE(on_cpu_runs_in_a_task),
	KUNIT_CASE(kick_waits_for_all_others),
	KUNIT_CASE_SLOW(offline_cpu_is_refused),
	{ }
};

static struct kunit_suite smp_suite = {
	.name = "smp",
	.init = smp_test_init,
	.test_cases = smp_cases,
};

kunit_test_suite(smp_suite);

MODULE_DESCRIPTION("KUnit tests of cross-CPU function calls");
MODULE_LICENSE("GPL");
