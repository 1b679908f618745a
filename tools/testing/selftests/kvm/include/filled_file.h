/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that has pages at its end, and what is to become of it where a call
 * fails or does its work: for tests in which allocations fail.
 */
#ifndef SELFTEST_KVM_FILLED_FILE_H
#define SELFTEST_KVM_FILLED_FILE_H

#include <sys/mman.h>

#include "guest_memfd.h"

#define NR_PAGES	80
#define NR_FILLED	8
#define SIZE		(NR_PAGES * page_size)
#define FILLED		(SIZE - NR_FILLED * page_size)	/* where they begin */
#define HOLE		(3 * page_size)	/* where one is touched */
#define RANGE		(FILLED - 7 * page_size)	/* where eight are */
#define RANGE_SIZE	(8 * page_size)
#define SEED		5
#define VALUE		77

static struct kvm_vm *vm;

/* The file, and a mapping of it that has its page tables. */
static int file;
static void *view;

static inline void open_file(void)
{
	file = vm_create_guest_memfd(vm, SIZE, GMEM_SHARED);
}

static inline void close_file(void)
{
	close(file);
}

static inline void expect_pages(uint64_t min, uint64_t max, const char *when)
{
	uint64_t pages = gmem_blocks(file) * 512 / page_size;

	EXPECT(pages >= min && pages <= max,
	       "%s: file should have %lu to %lu pages, has %lu", when, min,
	       max, pages);
}

static inline void open_filled(void)
{
	open_file();
	view = gmem_map(file, 0, SIZE);
	stamp_fill(view + FILLED, FILLED, SIZE - FILLED, SEED);
}

static inline void close_filled(void)
{
	munmap(view, SIZE);
	close_file();
}

static inline void expect_filled(const char *when)
{
	EXPECT_EQ(stamp_check(view + FILLED, FILLED, SIZE - FILLED, SEED),
		  SIZE, "%s: first offset that lost its contents", when);
}

static inline void expect_zero_hole(const char *when)
{
	EXPECT_EQ(zero_check(view + HOLE, HOLE, page_size), HOLE + page_size,
		  "%s: first offset of the new page that is not zero", when);
}

static inline void only_filled(const char *when)
{
	expect_pages(NR_FILLED, NR_FILLED, when);
	expect_filled(when);
}

static inline void hole_is_zero(const char *when)
{
	expect_pages(NR_FILLED + 1, NR_FILLED + 1, when);
	expect_filled(when);
	expect_zero_hole(when);
}

/* Eight pages from RANGE on, the last of which is filled already. */
static inline void some_populated(const char *when)
{
	expect_pages(NR_FILLED, NR_FILLED + 7, when);
	expect_filled(when);
}

static inline void all_populated(const char *when)
{
	expect_pages(NR_FILLED + 7, NR_FILLED + 7, when);
	EXPECT_EQ(zero_check(view + RANGE, RANGE, FILLED - RANGE), FILLED,
		  "%s: first offset of new pages that is not zero", when);
	expect_filled(when);
}

#endif /* SELFTEST_KVM_FILLED_FILE_H */
