/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel would have around the code under test, and the tests' view. */
#ifndef NATIVE_KERNEL_H
#define NATIVE_KERNEL_H

#include <linux/types.h>

/* Nodes allocated, at the moment and at most; those waiting for RCU are not. */
extern long nr_nodes, max_nodes;

/*
 * Allocations that may sleep fail when fail_nth (1 is the next) reaches 0, and
 * one out of fail_one_in at random; others fail with nowait_percent.
 */
extern unsigned int fail_nth, fail_one_in, nowait_percent;

/* splitmix64: seeded by a number, reproducible, one state a thread. */
extern __thread u64 rnd_state;
u64 rnd(void);
/* In [0, n). */
static inline u64 rnd_below(u64 n)
{
	return rnd() % n;
}

#endif
