// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls that work on memory, on a guest_memfd that the host maps:
 * each works as on other shared memory or is refused, and loses nothing.
 * Direct I/O is guest_memfd_direct_io_test's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "guest_memfd_map.h"

/* Of <linux/io_uring.h>, which does not build with tools/include. */
#define IORING_REGISTER_BUFFERS		0
#define SIZEOF_IO_URING_PARAMS		120

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define MMAP		GUEST_MEMFD_FLAG_MMAP

/*
 * It is a file: what is dropped from the page tables comes back as it was,
 * and only a punch loses contents.
 */
static void test_madvise(void)
{
	const bool thp = !access("/sys/kernel/mm/transparent_hugepage", F_OK);
	const struct {
		const char *name;
		int advice, err;
	} cases[] = {
		{ "NORMAL", MADV_NORMAL, 0 },
		{ "RANDOM", MADV_RANDOM, 0 },
		{ "SEQUENTIAL", MADV_SEQUENTIAL, 0 },
		{ "WILLNEED", MADV_WILLNEED, 0 },
		{ "DONTNEED", MADV_DONTNEED, 0 },
		{ "FREE", MADV_FREE, EINVAL },
		{ "COLD", MADV_COLD, 0 },
		{ "PAGEOUT", MADV_PAGEOUT, 0 },
		{ "POPULATE_READ", MADV_POPULATE_READ, 0 },
		{ "POPULATE_WRITE", MADV_POPULATE_WRITE, 0 },
		{ "DONTFORK", MADV_DONTFORK, 0 },
		{ "DOFORK", MADV_DOFORK, 0 },
		{ "WIPEONFORK", MADV_WIPEONFORK, EINVAL },
		{ "DONTDUMP", MADV_DONTDUMP, 0 },
		{ "DODUMP", MADV_DODUMP, 0 },
		{ "HUGEPAGE", MADV_HUGEPAGE, thp ? 0 : EINVAL },
		{ "NOHUGEPAGE", MADV_NOHUGEPAGE, thp ? 0 : EINVAL },
		{ "COLLAPSE", MADV_COLLAPSE, EINVAL },
	};
	int fd, i;
	void *mem = map_filled(&fd);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_ERRNO(madvise(mem, size, cases[i].advice), cases[i].err,
			     "MADV_%s", cases[i].name);
		expect_filled(mem, cases[i].name);
		expect_blocks(fd, NR_PAGES, "after advice");
	}
	/* An error that can be corrected moves the page away, if it can move. */
	EXPECT(madvise(mem, page_size, MADV_SOFT_OFFLINE) < 0,
	       "MADV_SOFT_OFFLINE should fail");
	expect_filled(mem, "SOFT_OFFLINE");
	unmap(mem, fd);
}

/* MADV_REMOVE is a punch by address. */
static void test_madvise_remove(void)
{
	int fd;
	void *mem = map_filled(&fd);

	EXPECT_ERRNO(madvise(mem + page_size, 2 * page_size, MADV_REMOVE), 0,
		     "MADV_REMOVE of two pages");
	expect_blocks(fd, NR_PAGES - 2, "after MADV_REMOVE");
	expect_zero(mem, page_size, 2 * page_size, "removed pages");
	stamp_fill(mem + page_size, page_size, 2 * page_size, SEED);
	expect_filled(mem, "around removed pages");

	mlock(mem, size);
	EXPECT_ERRNO(madvise(mem, page_size, MADV_REMOVE), EINVAL,
		     "MADV_REMOVE of locked memory");
	expect_filled(mem, "refused MADV_REMOVE");
	unmap(mem, fd);
}

/* Clean page cache of other files goes; here there is no other copy. */
static void test_drop_caches(void)
{
	int fd;
	void *mem = map_filled(&fd);

	munmap(mem, size);
	trigger_compaction();
	if (write_file("/proc/sys/vm/drop_caches", "3"))
		note_skipped("drop_caches: %s", strerror(errno));
	EXPECT_EQ(posix_fadvise(fd, 0, size, POSIX_FADV_DONTNEED), 0,
		  "posix_fadvise(DONTNEED)");
	expect_blocks(fd, NR_PAGES, "after drop_caches");
	mem = gmem_map(fd, 0, size);
	expect_filled(mem, "drop_caches");
	unmap(mem, fd);
}

static void test_mremap(void)
{
	int fd;
	void *mem = map_filled(&fd), *to = map_anonymous(size, SIZE_2M), *copy;

	EXPECT(mremap(mem, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
	       "mremap to another address should work, errno %d", errno);
	expect_filled(to, "moved");
	EXPECT(mremap(to, size, size / 2, 0) == to, "shrinking should work");
	mem = mremap(to, size / 2, 2 * size, MREMAP_MAYMOVE);
	TEST_ASSERT(mem != MAP_FAILED, "growing should work, errno %d", errno);
	expect_filled(mem, "shrunk and grown");
	EXPECT_EQ(touch_read(mem + size), BUS_ADRERR, "SIGBUS past the end");

	copy = mremap(mem, 0, size, MREMAP_MAYMOVE);
	TEST_ASSERT(copy != MAP_FAILED, "mremap() of length 0 should duplicate");
	expect_filled(copy, "duplicate");
	munmap(mem, 2 * size);
	expect_filled(copy, "the other one unmapped");
	unmap(copy, fd);
}

static void test_mlock(void)
{
	int fd;
	void *mem = map_new(&fd, GMEM_SHARED);

	EXPECT_ERRNO(mlock(mem, size), 0, "mlock");
	expect_blocks(fd, NR_PAGES, "after mlock");
	stamp_fill(mem, 0, size, SEED);
	EXPECT_ERRNO(gmem_punch(fd, 0, page_size), 0, "punch a locked page");
	expect_blocks(fd, NR_PAGES - 1, "after a punch of a locked page");
	expect_zero(mem, 0, page_size, "punched while locked");
	stamp_fill(mem, 0, page_size, SEED);
	EXPECT_ERRNO(munlock(mem, size), 0, "munlock");
	expect_filled(mem, "locked and unlocked");

	EXPECT_ERRNO(mlock2(mem, size, MLOCK_ONFAULT), 0, "mlock on fault");
	unmap(mem, fd);
}

/* A call of one's own pid goes the way of every other one. */
static void test_process_vm(void)
{
	int fd;
	void *mem = map_filled(&fd), *copy = map_anonymous(size, SIZE_2M);
	struct iovec here = { copy, size }, there = { mem, size };

	EXPECT_EQ(process_vm_readv(getpid(), &here, 1, &there, 1, 0), size,
		  "bytes of process_vm_readv");
	expect_filled(copy, "process_vm_readv");
	gmem_punch(fd, 0, size);
	EXPECT_EQ(process_vm_writev(getpid(), &here, 1, &there, 1, 0), size,
		  "bytes of process_vm_writev");
	expect_filled(mem, "process_vm_writev into a hole");
	unmap(mem, fd);

	mem = map_new(&fd, MMAP);
	there.iov_base = mem;
	EXPECT_ERRNO(process_vm_readv(getpid(), &here, 1, &there, 1, 0),
		     EFAULT, "process_vm_readv of what is not shared");
	EXPECT_ERRNO(process_vm_writev(getpid(), &here, 1, &there, 1, 0),
		     EFAULT, "process_vm_writev of what is not shared");
	EXPECT_ERRNO(getcwd(mem, page_size) ? 0 : -1, EFAULT,
		     "a system call that writes to what is not shared");
	unmap(mem, fd);
	munmap(copy, size);
}

/*
 * vmsplice() takes pages the way that O_DIRECT does, and needs no disk: the
 * pipe holds the pages themselves, also those that are punched meanwhile.
 */
static void test_vmsplice(void)
{
	int fd, pipes[2];
	void *mem = map_filled(&fd), *copy = map_anonymous(size, SIZE_2M);
	struct iovec iov = { mem, 4 * page_size };

	TEST_ASSERT(!pipe(pipes), "pipe() should work, errno %d", errno);
	EXPECT_EQ(vmsplice(pipes[1], &iov, 1, 0), 4 * page_size, "vmsplice");
	EXPECT_ERRNO(gmem_punch(fd, 0, 4 * page_size), 0, "punch them");
	expect_zero(mem, 0, 4 * page_size, "punched while in a pipe");
	EXPECT_EQ(read(pipes[0], copy, 4 * page_size), 4 * page_size,
		  "read the pipe");
	EXPECT_EQ(stamp_check(copy, 0, 4 * page_size, SEED), 4 * page_size,
		  "end of the good pages out of the pipe");

	/* Back, by a copy. */
	EXPECT_EQ(write(pipes[1], copy, 4 * page_size), 4 * page_size, "write");
	EXPECT_EQ(read(pipes[0], mem, 4 * page_size), 4 * page_size,
		  "read(2) into the mapping");
	expect_filled(mem, "read(2) into the mapping");
	close(pipes[0]);
	close(pipes[1]);
	munmap(copy, size);
	unmap(mem, fd);
}

/* Pinned for good, a page could not be punched: as for any other file. */
static void test_fixed_buffers(void)
{
	uint64_t params[SIZEOF_IO_URING_PARAMS / sizeof(uint64_t)] = {};
	int ring = syscall(__NR_io_uring_setup, 4, params), fd;
	struct iovec iov = { .iov_len = size };

	if (ring < 0) {
		note_skipped("io_uring: %s", strerror(errno));
		return;
	}
	iov.iov_base = map_filled(&fd);
	EXPECT_ERRNO(syscall(__NR_io_uring_register, ring,
			     IORING_REGISTER_BUFFERS, &iov, 1), EOPNOTSUPP,
		     "register a fixed buffer");
	expect_filled(iov.iov_base, "refused as a fixed buffer");
	close(ring);
	unmap(iov.iov_base, fd);
}

static void test_userfaultfd(void)
{
	const uint64_t modes[] = {
		UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
		UFFDIO_REGISTER_MODE_MINOR,
	};
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC), fd, i;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {};
	void *mem;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api)) {
		note_skipped("userfaultfd: %s", strerror(errno));
		return;
	}
	mem = map_filled(&fd);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		reg.range.start = (uintptr_t)mem;
		reg.range.len = size;
		reg.mode = modes[i];
		EXPECT_ERRNO(ioctl(uffd, UFFDIO_REGISTER, &reg), EINVAL,
			     "userfaultfd registration, mode %#lx", modes[i]);
	}
	expect_filled(mem, "refused by userfaultfd");
	close(uffd);
	unmap(mem, fd);
}

/* There is no storage: fsync() is refused, and so is what would call it. */
static void test_msync(void)
{
	int fd;
	void *mem = map_filled(&fd);

	EXPECT_ERRNO(msync(mem, size, MS_ASYNC), 0, "msync(MS_ASYNC)");
	EXPECT_ERRNO(msync(mem, size, MS_SYNC), EINVAL, "msync(MS_SYNC)");
	EXPECT_ERRNO(msync(mem, size, MS_INVALIDATE), 0, "msync(MS_INVALIDATE)");
	expect_filled(mem, "msync");
	unmap(mem, fd);
}

int main(int argc, char *argv[])
{
	map_tests_begin();

	test_madvise();
	test_madvise_remove();
	test_drop_caches();
	test_mremap();
	test_mlock();
	test_process_vm();
	test_vmsplice();
	test_fixed_buffers();
	test_userfaultfd();
	test_msync();

	return map_tests_end();
}
