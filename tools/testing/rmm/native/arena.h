/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port of the core that tests link: physical memory is an array, and every
 * access to it is checked against the granule's PAS.
 */
#ifndef NATIVE_ARENA_H
#define NATIVE_ARENA_H

#include <stdio.h>

#include "rmm_port.h"

#define RAM_BASE	0x40000000ull
/* Some more granules, elsewhere. */
#define RAM2_BASE	0x880000000ull
#define RAM2_PAGES	16

/* What QEMU's CPUs have, see shared/facts/cca.md. */
#define FEATURE0	0x28f34317f34ull
#define NR_AUX		2

struct arena {
	u64 pages;
	u8 *mem;
	u8 *pas;
	int mapped;
	bool locked;
	unsigned long runs;
	/* The last invalidation. */
	u16 tlbi_vmid;
	u64 tlbi_ipa, tlbi_size;
	unsigned long tlbis;
	enum rmm_inject injected;
	unsigned long injections;
	/* What a REC does when it runs; by default an IRQ comes. */
	void (*run)(struct rmm_vcpu *v, struct rmm_trap *trap);
	/* Granules of RAM that are of another PAS from the start. */
	u64 foreign_pa;
	/* A granule that may go with contents. */
	u64 dirty_pa;
};

extern struct arena arena;

/* New memory of that many pages, all NS, and rmm_init(). */
void arena_init(u64 pages, u64 feature0);
/* Its contents, whoever owns it. */
void *arena_va(u64 pa);
/* For "nothing changed": memory and granules. */
void arena_save(void);
bool arena_is_saved(void);

/* Say what is wrong and end the test. */
#define fail(fmt, ...) do {						\
	printf("%s:%d: " fmt "\n", __FILE__, __LINE__, ##__VA_ARGS__);	\
	arena_fail();							\
} while (0)

#define expect(cond, fmt, ...) do {					\
	if (!(cond))							\
		fail("%s: " fmt, #cond, ##__VA_ARGS__);			\
} while (0)

#define expect_eq(a, b) do {						\
	u64 __a = (a), __b = (b);					\
	if (__a != __b)							\
		fail("%s is %#llx, should be %#llx", #a,		\
		     (unsigned long long)__a, (unsigned long long)__b);	\
} while (0)

void arena_fail(void) __attribute__((noreturn));

struct test {
	const char *name;
	void (*run)(void);
};

/* Each test in a process of its own; the exit status of the program. */
int run_tests(const char *program, const struct test *tests, unsigned int nr);

#endif
