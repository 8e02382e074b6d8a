/* SPDX-License-Identifier: GPL-2.0 */
/* The types of the kernel that llist.h uses, on this machine. */
#ifndef _BENCH_TYPES_H
#define _BENCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct llist_head;
struct llist_node;

#endif
