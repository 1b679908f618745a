/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of mappings begin with: a VM, and files of it that are mapped
 * and filled.
 */
#ifndef SELFTEST_KVM_GUEST_MEMFD_MAP_H
#define SELFTEST_KVM_GUEST_MEMFD_MAP_H

#include <sys/mman.h>

#include "guest_memfd.h"

#define NR_PAGES	16
#define SEED		7

static struct kvm_vm *vm;
static uint64_t size;

static inline void *map_new(int *fd, uint64_t flags)
{
	return gmem_map_new(vm, size, flags, fd);
}

static inline void *map_filled(int *fd)
{
	void *mem = map_new(fd, GMEM_SHARED);

	stamp_fill(mem, 0, size, SEED);
	return mem;
}

static inline void unmap(void *mem, int fd)
{
	munmap(mem, size);
	close(fd);
}

static inline void expect_filled(void *mem, const char *when)
{
	EXPECT_EQ(stamp_check(mem, 0, size, SEED), size,
		  "%s: first offset that lost its contents", when);
}

static inline void expect_zero(void *mem, uint64_t offset, uint64_t len,
			       const char *when)
{
	EXPECT_EQ(zero_check(mem + offset, offset, len), offset + len,
		  "%s: first offset that is not zero", when);
}

static inline void expect_blocks(int fd, uint64_t pages, const char *when)
{
	EXPECT_EQ(gmem_blocks(fd), pages * (page_size / 512), "st_blocks %s",
		  when);
}

static inline void map_tests_begin(void)
{
	require_gmem_flags(GMEM_SHARED);
	size = NR_PAGES * page_size;
	vm = vm_create_barebones();
}

static inline int map_tests_end(void)
{
	kvm_vm_free(vm);
	return test_verdict();
}

#endif /* SELFTEST_KVM_GUEST_MEMFD_MAP_H */
