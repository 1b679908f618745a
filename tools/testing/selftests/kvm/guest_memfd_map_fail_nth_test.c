// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of a guest_memfd when allocations fail: mapping it, the first touch,
 * system calls that touch, and memory policies.
 *
 * A touch without memory does not end in a signal: the fault is tried again
 * until there is memory, or the OOM killer has made some.  A system call that
 * touches fails.
 */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <sys/syscall.h>

#include "fail_nth.h"
#include "filled_file.h"

#define MAXNODE		64		/* bits of a mask */

/* Far from everything: a mapping here needs page tables of its own. */
#define FAR		((void *)(64 * SIZE_1G))

static int pipes[2];

/* mmap() */

static void *map_far(void)
{
	return mmap(FAR, SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
}

static int map_file(void)
{
	return map_far() == FAR ? 0 : -1;
}

static void is_unmapped(const char *when)
{
	unsigned char there[NR_PAGES];

	EXPECT_ERRNO(mincore(FAR, SIZE, there), ENOMEM,
		     "%s: mincore() of what should not be mapped", when);
	only_filled(when);
}

static void is_mapped(const char *when)
{
	only_filled(when);
	EXPECT_EQ(stamp_check(FAR + FILLED, FILLED, SIZE - FILLED, SEED), SIZE,
		  "%s: end of the contents in the new mapping", when);
}

static void unmap_far(void)
{
	munmap(FAR, SIZE);
	close_filled();
}

/* The first touch of a mapping that has no page tables */

static void open_mapped(void)
{
	open_filled();
	TEST_ASSERT(!map_file(), "mmap() at %p should work, errno %d", FAR,
		    errno);
}

static int touch_for_read(void)
{
	EXPECT_EQ(touch_read(FAR + HOLE), 0, "SIGBUS code of a read");
	return 0;
}

static int touch_for_write(void)
{
	EXPECT_EQ(touch_write(FAR + HOLE), 0, "SIGBUS code of a write");
	return 0;
}

static int touch_filled(void)
{
	EXPECT_EQ(touch_read(FAR + FILLED), 0, "SIGBUS code of a read");
	return 0;
}

/* System calls that touch: what comes before the failure stays */

static int populate(void)
{
	return madvise(FAR + RANGE, RANGE_SIZE, MADV_POPULATE_WRITE);
}

static int lock(void)
{
	return mlock(FAR, SIZE);
}

static void some_locked(const char *when)
{
	expect_pages(NR_FILLED, NR_PAGES - 1, when);
	expect_filled(when);
}

static void all_locked(const char *when)
{
	expect_pages(NR_PAGES, NR_PAGES, when);
	EXPECT_EQ(zero_check(view, 0, FILLED), FILLED,
		  "%s: first offset of new pages that is not zero", when);
	expect_filled(when);
}

/* read(2) into the mapping: what it cannot copy stays in the pipe */

static void open_pipe(void)
{
	uint64_t word = VALUE;

	open_mapped();
	TEST_ASSERT(!pipe(pipes) && write(pipes[1], &word, 8) == 8,
		    "a pipe should work, errno %d", errno);
}

static int read_pipe(void)
{
	return read(pipes[0], FAR + HOLE, 8);
}

/* The copy may fail with the page there already. */
static void nothing_was_read(const char *when)
{
	expect_pages(NR_FILLED, NR_FILLED + 1, when);
	expect_filled(when);
	expect_zero_hole(when);
}

static void word_was_read(const char *when)
{
	uint64_t *word = view + HOLE;

	EXPECT_EQ(*word, VALUE, "%s: what read() should have copied", when);
	*word = 0;
	hole_is_zero(when);
}

static void close_pipe(void)
{
	close(pipes[0]);
	close(pipes[1]);
	unmap_far();
}

/* mbind(): of a file without a policy, and of part of one that has one */

static int set_policy(void *mem, uint64_t size, int mode)
{
	unsigned long mask = 1;

	return syscall(__NR_mbind, mem, size, mode, &mask, MAXNODE, 0);
}

static int policy_of(void *mem)
{
	int mode = -1;

	syscall(__NR_get_mempolicy, &mode, NULL, 0, mem, MPOL_F_ADDR);
	return mode;
}

/* The policy of the file, in the middle and around. */
static void expect_policies(int middle, int around, const char *when)
{
	EXPECT_EQ(policy_of(view), around, "%s: policy of the first page",
		  when);
	EXPECT_EQ(policy_of(view + HOLE - page_size), around,
		  "%s: policy before the middle", when);
	EXPECT_EQ(policy_of(view + HOLE), middle,
		  "%s: policy of the middle", when);
	EXPECT_EQ(policy_of(view + HOLE + page_size), around,
		  "%s: policy after the middle", when);
	only_filled(when);
}

static int bind_all(void)
{
	return set_policy(FAR, SIZE, MPOL_BIND);
}

static int bind_middle(void)
{
	return set_policy(FAR + HOLE, page_size, MPOL_PREFERRED);
}

static void open_bound(void)
{
	open_mapped();
	TEST_ASSERT(!bind_all(), "mbind() should work, errno %d", errno);
}

static void has_no_policy(const char *when)
{
	expect_policies(MPOL_DEFAULT, MPOL_DEFAULT, when);
}

static void all_bound(const char *when)
{
	expect_policies(MPOL_BIND, MPOL_BIND, when);
}

static void middle_preferred(const char *when)
{
	expect_policies(MPOL_PREFERRED, MPOL_BIND, when);
}

static const struct fail_call map_calls[] = {
	{ "mmap", open_filled, map_file, is_unmapped, is_mapped, unmap_far },
	{ "touch a hole by a read", open_mapped, touch_for_read, no_check,
	  hole_is_zero, unmap_far, .patience = 4 },
	{ "touch a hole by a write", open_mapped, touch_for_write, no_check,
	  hole_is_zero, unmap_far, .patience = 4 },
	{ "touch a page by a read", open_mapped, touch_filled, no_check,
	  only_filled, unmap_far, .patience = 4 },
	{ "populate 8 pages", open_mapped, populate, some_populated,
	  all_populated, unmap_far },
	{ "mlock", open_mapped, lock, some_locked, all_locked, unmap_far,
	  .err = EAGAIN },
	{ "read(2) into a hole", open_pipe, read_pipe, nothing_was_read,
	  word_was_read, close_pipe, .err = EFAULT },
};

static const struct fail_call policy_calls[] = {
	{ "mbind all", open_mapped, bind_all, has_no_policy, all_bound,
	  unmap_far },
	{ "mbind part of what is bound", open_bound, bind_middle, all_bound,
	  middle_preferred, unmap_far },
};

int main(int argc, char *argv[])
{
	require_gmem_flags(GMEM_SHARED);
	fail_nth_begin();
	vm = vm_create_barebones();

	fail_calls(map_calls, ARRAY_SIZE(map_calls));
	if (policy_of(&vm) < 0)
		note_skipped("mbind(): no NUMA policy in this kernel");
	else
		fail_calls(policy_calls, ARRAY_SIZE(policy_calls));

	fail_nth_end();
	kvm_vm_free(vm);
	return test_verdict();
}
