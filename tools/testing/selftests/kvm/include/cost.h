/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Costs of work as a table of rows, in instructions.
 *
 * Made for an emulated machine with one CPU whose clock counts instructions, as
 * QEMU's does with -icount shift=0,sleep=off; elsewhere the numbers are
 * nanoseconds.  Each row holds the least that any round has cost.
 */
#ifndef SELFTEST_KVM_COST_H
#define SELFTEST_KVM_COST_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct cost {
	const char *name;
	const char *per;		/* "/page": what @count counts */
	uint64_t count;
	double least;
};

static inline uint64_t cost_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ul + ts.tv_nsec;
}

static inline void cost_record(struct cost *cost, uint64_t spent)
{
	double value = (double)spent / cost->count;

	if (!cost->least || value < cost->least)
		cost->least = value;
}

#define TIMED(cost, work)			\
do {						\
	uint64_t __start = cost_clock();	\
						\
	work;					\
	cost_record(cost, cost_clock() - __start); \
} while (0)

/* By the clock; the least of some rounds, as interrupts count, too. */
static inline uint64_t cost_of_million_instructions(uint64_t (*clock)(void))
{
	uint64_t least = UINT64_MAX, count, start, spent;
	int i;

	for (i = 0; i < 8; i++) {
		count = 500 * 1000;
		start = clock();
#ifdef __aarch64__
		asm volatile("1: subs %0, %0, #1\n\t"
			     "b.ne 1b" : "+r"(count) : : "cc");
#else
		asm volatile("1: dec %0\n\t"
			     "jnz 1b" : "+r"(count) : : "cc");
#endif
		spent = clock() - start;
		if (spent < least)
			least = spent;
	}
	return least;
}

/* What the clock counts that has spent so much on a million instructions. */
static inline const char *cost_unit(uint64_t million, const char *otherwise)
{
	return million > 990 * 1000 && million < 1010 * 1000 ? "instructions" :
							       otherwise;
}

/* One "name value unit" a line */
static inline void cost_print(const struct cost *costs, int nr)
{
	const char *unit =
		cost_unit(cost_of_million_instructions(cost_clock), "ns");

	for (; nr--; costs++)
		printf("%-28s %15.0f %s%s\n", costs->name, costs->least, unit,
		       costs->per);
}

#endif /* SELFTEST_KVM_COST_H */
