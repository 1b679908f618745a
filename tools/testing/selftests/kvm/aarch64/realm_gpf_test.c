// SPDX-License-Identifier: GPL-2.0-only
/*
 * Granule protection faults: a process that has a delegated page mapped, which
 * only the model's own file lets it have, is stopped at each access to it, by
 * itself and by the kernel in its name; and nobody else notices.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "guest_memfd.h"
#include "realm.h"
#include "rmm.h"

#define PAGE_FILE	"/sys/kernel/debug/kvm/rmi/page"

static uint64_t delegated, leaked, held;

static void *map_page(int *fd)
{
	void *page;

	*fd = open(PAGE_FILE, O_RDWR);
	TEST_ASSERT(*fd >= 0, PAGE_FILE " should open, errno %d", errno);
	page = mmap(NULL, SIZE_4K, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	TEST_ASSERT(page != MAP_FAILED, PAGE_FILE " should be mapped, errno %d",
		    errno);
	return page;
}

static void unmap_page(void *page, int fd)
{
	munmap(page, SIZE_4K);
	close(fd);
	rmm_expect_granules(delegated, leaked, "without the page");
	EXPECT_EQ(rmm_held(), held, "granules by the RMM's count");
}

/* Where in the page, from the first byte to the last word. */
static void test_by_itself(void *page)
{
	static const unsigned int offsets[] = { 0, 8, 2048, 4088 };
	int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		EXPECT_EQ(touch_read(page + offsets[i]), BUS_OBJERR,
			  "si_code of a load at %u", offsets[i]);
		EXPECT_EQ(touch_write(page + offsets[i]), BUS_OBJERR,
			  "si_code of a store at %u", offsets[i]);
	}
}

static void test_by_kernel(void *page)
{
	struct iovec good, bad = { page, 8 };
	uint64_t word = 5;
	int fds[2];

	good = (struct iovec){ &word, sizeof(word) };
	EXPECT_ERRNO(pipe(fds), 0, "pipe");
	EXPECT_ERRNO(write(fds[1], page, 8), EFAULT, "write() from it");
	EXPECT_ERRNO(write(fds[1], page, SIZE_4K), EFAULT,
		     "write() of all of it");
	EXPECT_EQ(write(fds[1], &word, 8), 8, "write() of something else");
	EXPECT_ERRNO(read(fds[0], page, 8), EFAULT, "read() to it");
	EXPECT_ERRNO(readlink("/proc/self/exe", page, 8), EFAULT,
		     "readlink() to it");
	EXPECT_ERRNO(open(page, O_RDONLY), EFAULT, "open() of a name in it");
	EXPECT_ERRNO(process_vm_readv(getpid(), &bad, 1, &good, 1, 0), EFAULT,
		     "process_vm_readv() to it");
	EXPECT_ERRNO(process_vm_readv(getpid(), &good, 1, &bad, 1, 0), EFAULT,
		     "process_vm_readv() from it");
	close(fds[0]);
	close(fds[1]);
}

/* As most would: no handler. */
static void test_other_process(void *page)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		signal(SIGBUS, SIG_DFL);
		_exit(READ_ONCE(*(char *)page));
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid()");
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
	       "a process without a handler should end by SIGBUS, status %#x",
	       status);
}

/* Much more than the pages that were delegated. */
static void test_memory_is_usable(void)
{
	uint64_t size = min(read_meminfo_kb("MemAvailable") / 2 * 1024,
			    SIZE_1G / 4) & -SIZE_2M;
	void *mem = map_anonymous(size, SIZE_2M);

	EXPECT_EQ(zero_check(mem, 0, size), size, "where memory is not zero");
	stamp_fill(mem, 0, size, 9);
	EXPECT_EQ(stamp_check(mem, 0, size, 9), size, "where memory is wrong");
	munmap(mem, size);
}

static void test_mmap_errors(int fd)
{
	EXPECT(mmap(NULL, SIZE_4K, PROT_READ, MAP_PRIVATE, fd, 0) ==
	       MAP_FAILED && errno == EINVAL, "a private mapping, errno %d",
	       errno);
	EXPECT(mmap(NULL, 2 * SIZE_4K, PROT_READ, MAP_SHARED, fd, 0) ==
	       MAP_FAILED && errno == EINVAL, "two pages, errno %d", errno);
	EXPECT(mmap(NULL, SIZE_4K, PROT_READ, MAP_SHARED, fd, SIZE_4K) ==
	       MAP_FAILED && errno == EINVAL, "the second page, errno %d",
	       errno);
}

int main(int argc, char *argv[])
{
	int fd, round;
	void *page;

	require_realms();
	require_rmm_model();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	held = rmm_held();
	for (round = 0; round < 20; round++) {
		page = map_page(&fd);
		EXPECT_EQ(rmm_delegated(), delegated + 1,
			  "granules delegated with the page");
		EXPECT_EQ(rmm_held(), held + 1,
			  "granules by the RMM's count with the page");
		test_mmap_errors(fd);
		test_by_itself(page);
		test_by_kernel(page);
		test_other_process(page);
		test_by_itself(page);
		unmap_page(page, fd);
	}
	test_memory_is_usable();
	return test_verdict();
}
