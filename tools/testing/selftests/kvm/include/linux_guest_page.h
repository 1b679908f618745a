/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What linux_guest/init.c fills its pages with, and guest_memfd_linux looks for
 * in the guest's memory: each word depends on the number of the page, so that a
 * page in another's place does not pass.
 */
#ifndef SELFTEST_KVM_LINUX_GUEST_PAGE_H
#define SELFTEST_KVM_LINUX_GUEST_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page of the guest's kernel or of the host's may be a multiple of it. */
#define LINUX_PAGE_SIZE		4096
#define LINUX_PAGE_WORDS	(LINUX_PAGE_SIZE / sizeof(uint64_t))
#define LINUX_PAGE_MAGIC	0x67756573746d656dull
#define LINUX_PAGE_FACTOR	0x9e3779b97f4a7c15ull

static inline uint64_t linux_page_word(uint64_t number, size_t i)
{
	return (number * LINUX_PAGE_WORDS + i) * LINUX_PAGE_FACTOR;
}

static inline void linux_page_fill(uint64_t *page, uint64_t number)
{
	size_t i;

	page[0] = LINUX_PAGE_MAGIC;
	page[1] = number;
	for (i = 2; i < LINUX_PAGE_WORDS; i++)
		page[i] = linux_page_word(number, i);
}

/* Is this page one that linux_page_fill() filled, and whole? Its number in page[1]. */
static inline bool linux_page_is_filled(const uint64_t *page)
{
	size_t i;

	if (page[0] != LINUX_PAGE_MAGIC)
		return false;
	for (i = 2; i < LINUX_PAGE_WORDS; i++)
		if (page[i] != linux_page_word(page[1], i))
			return false;
	return true;
}

#endif /* SELFTEST_KVM_LINUX_GUEST_PAGE_H */
