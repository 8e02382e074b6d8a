// SPDX-License-Identifier: GPL-2.0
/*
 * Requests as kernel/smp.c queues and runs them, with the llist of the kernel
 * tree: the loops over a queue are those of its design, one for each class.
 */

#include <linux/atomic.h>
#include <linux/llist.h>

#define LOCK 0x01
#define TYPE_SYNC 0x10
#define TYPE_MASK 0xf0

/* The layout of struct __call_single_data. */
struct csd {
	struct llist_node node;
	unsigned int flags;
	unsigned short src, dst;
	void (*func)(void *info);
	void *info;
};

bool c_send(struct llist_head *queue, struct csd *csd, void (*func)(void *),
	    void *info, bool wait)
{
	csd->flags = LOCK | (wait ? TYPE_SYNC : 0);
	csd->func = func;
	csd->info = info;
	return llist_add(&csd->node, queue);
}

static void unlock(struct csd *csd)
{
	if (!(READ_ONCE(csd->flags) & LOCK))
		__builtin_trap();
	/* Pairs with the acquire in c_wait(): the sender sees what was done. */
	smp_store_release(&csd->flags, 0);
}

bool c_drain(struct llist_head *queue)
{
	struct llist_node *entry, *next, *prev = NULL, *first;

	first = llist_reverse_order(llist_del_all(queue));
	if (!first)
		return false;

	for (entry = first; entry; entry = next) {
		struct csd *csd = llist_entry(entry, struct csd, node);

		next = entry->next;
		if ((READ_ONCE(csd->flags) & TYPE_MASK) != TYPE_SYNC) {
			prev = entry;
			continue;
		}
		if (prev)
			prev->next = next;
		else
			first = next;
		csd->func(csd->info);
		unlock(csd);
	}
	for (entry = first; entry; entry = next) {
		struct csd *csd = llist_entry(entry, struct csd, node);
		void (*func)(void *) = csd->func;
		void *info = csd->info;

		next = entry->next;
		unlock(csd);
		func(info);
	}
	return true;
}

void c_wait(struct csd *csd)
{
	/* Pairs with the release in unlock(). */
	while (smp_load_acquire(&csd->flags) & LOCK)
		__builtin_ia32_pause();
}
