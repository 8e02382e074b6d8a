// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of all families, on any kernel/smp.c, with CPU hotplug, and a
 * ledger of them: each accepted call runs exactly once on each of its targets, and
 * sees what its source wrote. A synchronous caller sees what the function wrote.
 * Asynchronous calls from one CPU to another run in the order of sending. A caller
 * with interrupts off is an RCU reader: no grace period that began meanwhile ends
 * before its interrupts are on.
 *
 * Loading returns when "calls" calls are made. The last line of the log is the
 * verdict. Parameters are named as those of scftorture.
 */

#define pr_fmt(fmt) "smp-torture: " fmt

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/torture.h>
#include <linux/vmalloc.h>

static long calls = 1000000;
module_param(calls, long, 0444);
MODULE_PARM_DESC(calls, "How many calls are made");

torture_param(int, nthreads, -1, "# threads, -1 for as many as there are CPUs");
torture_param(int, onoff_holdoff, 0, "Time after start before CPU hotplug begins (s)");
torture_param(int, onoff_interval, 0, "Time between CPU hotplug operations (jiffies), 0 for none");
torture_param(int, stutter, 0, "Number of jiffies to run and to pause, 0 for no pauses");
torture_param(int, longwait, 0, "Include functions of up to this many us");
torture_param(int, verbose, 0, "Print more");
torture_param(int, weight_single, 20, "Weight of calls to one CPU");
torture_param(int, weight_single_wait, 20, "The same, and waiting");
torture_param(int, weight_single_rpc, 5, "The same, with a completion");
torture_param(int, weight_single_async, 20, "Weight of asynchronous calls in a csd of the caller");
torture_param(int, weight_any_wait, 10, "Weight of calls to any CPU of a set");
torture_param(int, weight_many, 5, "Weight of calls to many");
torture_param(int, weight_many_wait, 5, "The same, and waiting");
torture_param(int, weight_all, 2, "Weight of calls to all others");
torture_param(int, weight_all_wait, 2, "The same, and waiting");
torture_param(int, weight_cond_wait, 5, "Weight of calls to each CPU, with a condition");
torture_param(int, weight_changing_wait, 5, "Weight of calls to a set that changes");
torture_param(int, weight_on_cpu, 2, "Weight of calls in a task");
torture_param(int, weight_irq_work, 5, "Weight of IRQ work");
torture_param(int, weight_wake_up, 5, "Weight of wake-ups of a task on another CPU");
torture_param(int, weight_irqs_off, 0, "Weight of waiting calls with interrupts off");

enum family {
	SINGLE, SINGLE_WAIT, SINGLE_RPC, SINGLE_ASYNC, ANY_WAIT, MANY, MANY_WAIT,
	ALL, ALL_WAIT, COND_WAIT, CHANGING_WAIT, ON_CPU, IRQ_WORK, WAKE_UP,
	IRQS_OFF, FAMILIES
};

static const struct {
	const char *name;
	int *weight;
} families[FAMILIES] = {
	[SINGLE] = { "single", &weight_single },
	[SINGLE_WAIT] = { "single_wait", &weight_single_wait },
	[SINGLE_RPC] = { "single_rpc", &weight_single_rpc },
	[SINGLE_ASYNC] = { "single_async", &weight_single_async },
	[ANY_WAIT] = { "any_wait", &weight_any_wait },
	[MANY] = { "many", &weight_many },
	[MANY_WAIT] = { "many_wait", &weight_many_wait },
	[ALL] = { "all", &weight_all },
	[ALL_WAIT] = { "all_wait", &weight_all_wait },
	[COND_WAIT] = { "cond_wait", &weight_cond_wait },
	[CHANGING_WAIT] = { "changing_wait", &weight_changing_wait },
	[ON_CPU] = { "on_cpu", &weight_on_cpu },
	[IRQ_WORK] = { "irq_work", &weight_irq_work },
	[WAKE_UP] = { "wake_up", &weight_wake_up },
	[IRQS_OFF] = { "irqs_off", &weight_irqs_off },
};

/* The number of asynchronous calls of a thread that may be in flight. */
#define ENTRIES 16

/* A call. Its source writes it while "left" is 0. */
struct entry {
	unsigned long word[2];
	/* The number of CPUs on which it has not run yet. */
	atomic_t left;
	/* The CPUs on which it may run, and has run. */
	struct cpumask may, ran;
	/* Its number among the calls of its thread from CPU "from" to this CPU, or 0. */
	unsigned long turn;
	int from;
	struct thread *thread;
	bool may_sleep, rpc;
	struct completion done;
	call_single_data_t csd;
	struct irq_work work;
};

struct thread {
	struct task_struct *task;
	struct torture_random_state rand;
	struct entry *entries;
	/* The number of the last call that was sent, and that has run, for each pair of CPUs. */
	unsigned long *sent, *seen;
	struct cpumask mask;
	long made[FAMILIES], refused;
	u64 slowest;
	long slow[40];
};

static struct thread *threads;
static struct cpumask changing;
static atomic_long_t made, invoked, astray, left_threads;
static DECLARE_COMPLETION(all_made);
static struct task_struct *sleeper;

/*
 * The data that readers use: one of two, in turn. When it has been replaced, and a
 * grace period has ended, its "ends" is incremented.
 */
static struct replaced {
	unsigned long ends;
} replaced[2];
static struct replaced __rcu *in_use;
static struct task_struct *replacer;
static long replacements;

static void fault(const char *what)
{
	if (atomic_long_inc_return(&astray) <= 10)
		pr_alert("!!! %s on CPU %d\n", what, raw_smp_processor_id());
}

static unsigned long *pair(unsigned long *table, int from, int to)
{
	return &table[from * nr_cpu_ids + to];
}

/* The function of all calls. */
static void run(void *info)
{
	struct entry *e = info;
	int cpu = raw_smp_processor_id();

	atomic_long_inc(&invoked);
	if (e->word[0] != ~e->word[1])
		fault("what was written is not seen");
	if (!e->may_sleep && !irqs_disabled())
		fault("interrupts are on");
	if (!cpumask_test_cpu(cpu, &e->may))
		fault("a call came to the wrong CPU");
	if (cpumask_test_and_set_cpu(cpu, &e->ran))
		fault("a call ran twice");
	if (e->turn) {
		unsigned long *seen = pair(e->thread->seen, e->from, cpu);

		if (*seen >= e->turn)
			fault("a call was overtaken");
		*seen = e->turn;
	}
	if (longwait && !(e->word[0] & 1023))
		udelay(e->word[0] % longwait);
	if (e->rpc)
		complete(&e->done);
	/* Pairs with is_free(). */
	smp_mb__before_atomic();
	if (atomic_dec_return(&e->left) < 0)
		fault("a call ran that was over");
}

static int run_in_task(void *info)
{
	run(info);
	return 0;
}

static void run_irq_work(struct irq_work *work)
{
	run(container_of(work, struct entry, work));
}

static bool wanted(int cpu, void *info)
{
	struct entry *e = info;

	return (e->word[0] >> (cpu % BITS_PER_LONG)) & 1;
}

static bool is_free(struct entry *e)
{
	/* Pairs with run(). */
	return !atomic_read_acquire(&e->left) && !irq_work_is_busy(&e->work);
}

/* Waits for an entry that is not in use. */
static struct entry *get_entry(struct thread *t)
{
	for (;;) {
		struct entry *e = &t->entries[torture_random(&t->rand) % ENTRIES];

		if (is_free(e)) {
			e->word[0] = torture_random(&t->rand);
			e->word[1] = ~e->word[0];
			e->turn = 0;
			e->may_sleep = false;
			e->rpc = false;
			cpumask_clear(&e->may);
			cpumask_clear(&e->ran);
			return e;
		}
		cond_resched();
	}
}

/* Marks the call as over. */
static void put_entry(struct entry *e)
{
	atomic_set(&e->left, 0);
}

static void expect(struct entry *e, int cpu)
{
	cpumask_set_cpu(cpu, &e->may);
	atomic_set(&e->left, 1);
}

/* Checks a synchronous call that has returned: it has run on its target, or was refused. */
static void check(struct thread *t, struct entry *e, int ret)
{
	if (ret) {
		t->refused++;
		if (ret != -ENXIO || !cpumask_empty(&e->ran))
			fault("a call that was refused ran");
	} else if (cpumask_weight(&e->ran) != 1) {
		fault("a call that was waited for did not run");
	}
	put_entry(e);
}

static void random_mask(struct thread *t, struct cpumask *mask)
{
	int cpu;

	cpumask_clear(mask);
	for_each_possible_cpu(cpu)
		if (torture_random(&t->rand) & 16)
			cpumask_set_cpu(cpu, mask);
}

/* Multi-CPU calls to a known set of CPUs, asynchronous or synchronous. */
static void call_many(struct thread *t, struct entry *e, enum family family)
{
	bool wait = family == MANY_WAIT || family == ALL_WAIT;
	bool all = family == ALL || family == ALL_WAIT;

	random_mask(t, &t->mask);
	cpus_read_lock();
	migrate_disable();
	cpumask_and(&e->may, all ? cpu_online_mask : &t->mask, cpu_online_mask);
	cpumask_clear_cpu(smp_processor_id(), &e->may);
	atomic_set(&e->left, cpumask_weight(&e->may));
	if (all)
		smp_call_function(run, e, wait);
	else
		smp_call_function_many(&t->mask, run, e, wait);
	migrate_enable();
	cpus_read_unlock();
	if (wait) {
		if (!cpumask_equal(&e->may, &e->ran))
			fault("a call to many did not run on all");
		put_entry(e);
	}
}

/* Calls with a condition, or with a mask that changes meanwhile. The online CPUs are unknown. */
static void call_some(struct thread *t, struct entry *e, enum family family)
{
	int cpu;

	cpumask_copy(&e->may, cpu_possible_mask);
	atomic_set(&e->left, nr_cpu_ids);
	if (family == COND_WAIT) {
		random_mask(t, &t->mask);
		for_each_possible_cpu(cpu)
			if (!cpumask_test_cpu(cpu, &t->mask) || !wanted(cpu, e))
				cpumask_clear_cpu(cpu, &e->may);
		on_each_cpu_cond_mask(wanted, run, e, true, &t->mask);
	} else {
		cpu = torture_random(&t->rand) % nr_cpu_ids;
		if (torture_random(&t->rand) & 16)
			cpumask_set_cpu(cpu, &changing);
		else
			cpumask_clear_cpu(cpu, &changing);
		smp_call_function_many(&changing, run, e, true);
	}
	/* run() checks that it runs on no other CPU. */
	put_entry(e);
}

static void send_single(struct thread *t, struct entry *e, int cpu)
{
	int ret;

	migrate_disable();
	e->thread = t;
	e->from = smp_processor_id();
	/* A call of a CPU to itself runs at once, and overtakes no other call. */
	e->turn = ++*pair(t->sent, e->from, cpu);
	ret = smp_call_function_single(cpu, run, e, false);
	migrate_enable();
	if (ret) {
		t->refused++;
		put_entry(e);
	}
}

/* Makes a synchronous call as an RCU reader, which the caller is with interrupts off. */
static int call_as_reader(struct thread *t, struct entry *e, int cpu)
{
	struct replaced *mine = rcu_dereference_sched(in_use);
	unsigned long ends = READ_ONCE(mine->ends);
	int ret = smp_call_function_single(cpu, run, e, true);
	int i;

	/* A grace period that ignores this reader needs some time to end. */
	if (!(torture_random(&t->rand) & 0x70))
		for (i = 0; i < 200 && READ_ONCE(mine->ends) == ends; i++)
			udelay(10);
	if (READ_ONCE(mine->ends) != ends)
		fault("a grace period ended before its reader");
	return ret;
}

static void make_call(struct thread *t, enum family family)
{
	struct entry *e = get_entry(t);
	int cpu = torture_random(&t->rand) % nr_cpu_ids;
	unsigned long flags;
	int ret;

	t->made[family]++;
	switch (family) {
	case SINGLE:
		expect(e, cpu);
		send_single(t, e, cpu);
		break;
	case SINGLE_WAIT:
		expect(e, cpu);
		check(t, e, smp_call_function_single(cpu, run, e, true));
		break;
	case SINGLE_RPC:
		expect(e, cpu);
		e->rpc = true;
		reinit_completion(&e->done);
		ret = smp_call_function_single(cpu, run, e, false);
		if (!ret)
			wait_for_completion(&e->done);
		else
			put_entry(e);
		t->refused += !!ret;
		break;
	case SINGLE_ASYNC:
		expect(e, cpu);
		ret = smp_call_function_single_async(cpu, &e->csd);
		if (ret) {
			if (ret != -ENXIO)
				fault("a csd that was free was busy");
			t->refused++;
			put_entry(e);
		}
		break;
	case ANY_WAIT:
		random_mask(t, &t->mask);
		cpumask_copy(&e->may, &t->mask);
		atomic_set(&e->left, 1);
		check(t, e, smp_call_function_any(&t->mask, run, e, 1));
		break;
	case MANY:
	case MANY_WAIT:
	case ALL:
	case ALL_WAIT:
		call_many(t, e, family);
		break;
	case COND_WAIT:
	case CHANGING_WAIT:
		call_some(t, e, family);
		break;
	case ON_CPU:
		expect(e, cpu);
		e->may_sleep = true;
		cpus_read_lock();
		ret = smp_call_on_cpu(cpu, run_in_task, e, false);
		cpus_read_unlock();
		check(t, e, ret);
		break;
	case IRQ_WORK:
		/* irq_work_queue_on() is not exported. */
		migrate_disable();
		expect(e, smp_processor_id());
		irq_work_queue(&e->work);
		migrate_enable();
		break;
	case WAKE_UP:
		put_entry(e);
		wake_up_process(sleeper);
		break;
	case IRQS_OFF:
		expect(e, cpu);
		local_irq_save(flags);
		ret = call_as_reader(t, e, cpu);
		local_irq_restore(flags);
		check(t, e, ret);
		break;
	case FAMILIES:
		break;
	}
}

static enum family pick(struct thread *t)
{
	unsigned long at, total = 0;
	int family;

	for (family = 0; family < FAMILIES; family++)
		total += *families[family].weight;
	at = torture_random(&t->rand) % total;
	for (family = 0; at >= *families[family].weight; family++)
		at -= *families[family].weight;
	return family;
}

static int caller(void *data)
{
	struct thread *t = data;
	int i;

	set_user_nice(current, MAX_NICE);
	while (!torture_must_stop() && atomic_long_inc_return(&made) <= calls) {
		enum family family = pick(t);
		u64 start = ktime_get_ns(), took;

		make_call(t, family);
		took = ktime_get_ns() - start;
		t->slowest = max(t->slowest, took);
		t->slow[min(ilog2(took | 1), (int)ARRAY_SIZE(t->slow) - 1)]++;
		cond_resched();
		stutter_wait("smp_torture");
	}
	for (i = 0; i < ENTRIES; i++)
		while (!is_free(&t->entries[i]))
			schedule_timeout_uninterruptible(1);
	if (atomic_long_dec_and_test(&left_threads))
		complete(&all_made);
	torture_kthread_stopping("smp_torture");
	return 0;
}

/* Sleeps, and is woken up by other CPUs. */
static int sleep(void *data)
{
	while (!torture_must_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(HZ);
	}
	torture_kthread_stopping("smp_torture_sleeper");
	return 0;
}

/* Waits for one grace period after the other. */
static int replace(void *data)
{
	int next = 1;

	set_user_nice(current, MAX_NICE);
	while (!torture_must_stop()) {
		rcu_assign_pointer(in_use, &replaced[next]);
		next = !next;
		synchronize_rcu_expedited();
		WRITE_ONCE(replaced[next].ends, replaced[next].ends + 1);
		replacements++;
		cond_resched();
	}
	torture_kthread_stopping("smp_torture_replacer");
	return 0;
}

static int set_up(struct thread *t)
{
	size_t pairs = array3_size(nr_cpu_ids, nr_cpu_ids, sizeof(*t->sent));
	int i;

	torture_random_init(&t->rand);
	t->entries = vzalloc(array_size(ENTRIES, sizeof(*t->entries)));
	t->sent = vzalloc(pairs);
	t->seen = vzalloc(pairs);
	if (!t->entries || !t->sent || !t->seen)
		return -ENOMEM;
	for (i = 0; i < ENTRIES; i++) {
		struct entry *e = &t->entries[i];

		init_completion(&e->done);
		INIT_CSD(&e->csd, run, e);
		e->work = IRQ_WORK_INIT_HARD(run_irq_work);
	}
	return 0;
}

static void report(void)
{
	long total[FAMILIES] = {}, refused = 0, slow[ARRAY_SIZE(threads->slow)] = {};
	u64 slowest = 0;
	int i, j;

	for (i = 0; i < nthreads; i++) {
		for (j = 0; j < FAMILIES; j++)
			total[j] += threads[i].made[j];
		for (j = 0; j < ARRAY_SIZE(slow); j++)
			slow[j] += threads[i].slow[j];
		refused += threads[i].refused;
		slowest = max(slowest, threads[i].slowest);
	}
	for (j = 0; j < FAMILIES; j++)
		if (total[j])
			pr_info("%s: %ld\n", families[j].name, total[j]);
	for (j = 0; j < ARRAY_SIZE(slow); j++)
		if (slow[j])
			pr_info("took up to %llu ns: %ld\n", (2ULL << j) - 1, slow[j]);
	if (weight_irqs_off)
		pr_info("grace periods: %ld\n", replacements);
	pr_info("refused %ld, invoked %ld, slowest %llu ns, ", refused,
		atomic_long_read(&invoked), slowest);
	torture_onoff_stats();
}

static void clean_up(void)
{
	bool ended;
	int i;

	if (torture_cleanup_begin())
		return;
	for (i = 0; threads && i < nthreads; i++)
		torture_stop_kthread(smp_torture, threads[i].task);
	torture_stop_kthread(smp_torture_sleeper, sleeper);
	torture_stop_kthread(smp_torture_replacer, replacer);
	if (threads) {
		report();
		for (i = 0; i < nthreads; i++) {
			vfree(threads[i].entries);
			vfree(threads[i].sent);
			vfree(threads[i].seen);
		}
		vfree(threads);
	}
	ended = atomic_long_read(&made) >= calls;
	pr_alert("--- End of test: %s: %ld calls, %ld astray\n",
		 ended && !atomic_long_read(&astray) ? "SUCCESS" : "FAILURE",
		 min(atomic_long_read(&made), calls), atomic_long_read(&astray));
	torture_cleanup_end();
}

static int __init smp_torture_init(void)
{
	int err, i;

	if (!torture_init_begin("smp", verbose))
		return -EBUSY;
	if (nthreads < 0)
		nthreads = num_online_cpus();
	cpumask_copy(&changing, cpu_possible_mask);
	rcu_assign_pointer(in_use, &replaced[0]);
	atomic_long_set(&left_threads, nthreads);
	err = -ENOMEM;
	threads = vzalloc(array_size(nthreads, sizeof(*threads)));
	if (!threads)
		goto unwind;
	for (i = 0; i < nthreads; i++) {
		err = set_up(&threads[i]);
		if (err)
			goto unwind;
	}
	err = torture_create_kthread(sleep, NULL, sleeper);
	if (err)
		goto unwind;
	if (weight_irqs_off > 0) {
		err = torture_create_kthread(replace, NULL, replacer);
		if (err)
			goto unwind;
	}
	if (stutter > 0) {
		err = torture_stutter_init(stutter, stutter);
		if (err)
			goto unwind;
	}
	if (onoff_interval > 0) {
		err = torture_onoff_init(onoff_holdoff * HZ, onoff_interval, NULL);
		if (err)
			goto unwind;
	}
	for (i = 0; i < nthreads; i++) {
		err = torture_create_kthread(caller, &threads[i], threads[i].task);
		if (err)
			goto unwind;
	}
	torture_init_end();
	wait_for_completion(&all_made);
	return 0;

unwind:
	torture_init_end();
	clean_up();
	return err;
}

module_init(smp_torture_init);
module_exit(clean_up);

MODULE_DESCRIPTION("Torture test of cross-CPU calls, with a ledger");
MODULE_LICENSE("GPL");
