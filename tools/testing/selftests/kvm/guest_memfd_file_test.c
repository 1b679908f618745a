// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest_memfd as a file: what KVM_CREATE_GUEST_MEMFD accepts, and how the
 * file answers to every system call but those that bind and map it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "guest_memfd.h"

#define NR_PAGES	16

static void test_create_flags(struct kvm_vm *vm)
{
	uint64_t accepted = vm_check_cap(vm, KVM_CAP_GUEST_MEMFD_FLAGS);
	int bit, fd;

	for (bit = 0; bit < 64; bit++) {
		uint64_t flag = 1ull << bit;

		fd = __vm_create_guest_memfd(vm, page_size, flag);
		EXPECT_ERRNO(fd, accepted & flag ? 0 : EINVAL,
			     "create with flag bit %d, accepted mask %#lx",
			     bit, accepted);
		if (fd >= 0)
			close(fd);
	}
}

static void test_create_sizes(struct kvm_vm *vm)
{
	const struct {
		uint64_t size;
		int err;
	} cases[] = {
		{ 0, EINVAL },
		{ 1, EINVAL },
		{ page_size - 1, EINVAL },
		{ page_size + 1, EINVAL },
		{ page_size + 512, EINVAL },
		{ SIZE_1T + 1, EINVAL },
		{ 1ull << 63, EINVAL },
		{ -page_size, EINVAL },
		{ -1ull, EINVAL },
		{ (1ull << 63) - 1, EINVAL },
		{ page_size, 0 },
		{ 3 * page_size, 0 },
		{ SIZE_1T, 0 },
		{ 1ull << 62, 0 },
		{ (1ull << 63) - page_size, 0 },
	};
	struct stat st;
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fd = __vm_create_guest_memfd(vm, cases[i].size, 0);
		EXPECT_ERRNO(fd, cases[i].err, "create with size %#lx",
			     cases[i].size);
		if (fd < 0)
			continue;
		EXPECT_ERRNO(fstat(fd, &st), 0, "fstat");
		EXPECT_EQ(st.st_size, cases[i].size, "st_size");
		close(fd);
	}
}

static void test_create_arguments(struct kvm_vm *vm)
{
	struct kvm_create_guest_memfd args = { .size = page_size };
	int fd;

	memset(args.reserved, 0xff, sizeof(args.reserved));
	fd = __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &args);
	EXPECT_ERRNO(fd, 0, "create with reserved[] not zero");
	close(fd);

	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, NULL), EFAULT,
		     "create with a NULL argument");
	EXPECT_ERRNO(ioctl(vm->kvm_fd, KVM_CREATE_GUEST_MEMFD, &args), EINVAL,
		     "create on /dev/kvm");
}

static void test_create_out_of_fds(struct kvm_vm *vm)
{
	struct rlimit old, none = { 0, 0 };
	int ret;

	ret = getrlimit(RLIMIT_NOFILE, &old);
	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("getrlimit()", ret));
	none.rlim_max = old.rlim_max;
	ret = setrlimit(RLIMIT_NOFILE, &none);
	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("setrlimit()", ret));
	EXPECT_ERRNO(__vm_create_guest_memfd(vm, page_size, 0), EMFILE,
		     "create with no file descriptor left");
	setrlimit(RLIMIT_NOFILE, &old);
}

static void test_stat(struct kvm_vm *vm, int fd)
{
	int other = vm_create_guest_memfd(vm, NR_PAGES * page_size, 0);
	struct stat st, st_other;

	EXPECT_ERRNO(fstat(fd, &st), 0, "fstat");
	EXPECT_ERRNO(fstat(other, &st_other), 0, "fstat of the second file");
	EXPECT(st.st_ino != st_other.st_ino,
	       "two files should have two inodes, both are %lu", st.st_ino);
	EXPECT_EQ(st.st_size, NR_PAGES * page_size, "st_size");
	EXPECT_EQ(st.st_blksize, page_size, "st_blksize");
	EXPECT_EQ(st.st_blocks, 0, "st_blocks of a new file");
	EXPECT(S_ISREG(st.st_mode), "should be a regular file, mode is %#o",
	       st.st_mode);
	close(other);
}

static void test_descriptor(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	char path[64];

	EXPECT_EQ(flags & O_ACCMODE, O_RDWR, "access mode");
	EXPECT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0, "close-on-exec");

	/* A second file would be a second view without a VM. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_ERRNO(open(path, O_RDWR), ENXIO, "open(%s)", path);
}

static void test_read_write(int fd)
{
	char buf[64] = "";
	struct iovec iov = { buf, sizeof(buf) };
	int pipes[2], ret;

	EXPECT_ERRNO(read(fd, buf, sizeof(buf)), EINVAL, "read");
	EXPECT_ERRNO(write(fd, buf, sizeof(buf)), EINVAL, "write");
	EXPECT_ERRNO(readv(fd, &iov, 1), EINVAL, "readv");
	EXPECT_ERRNO(writev(fd, &iov, 1), EINVAL, "writev");
	EXPECT_ERRNO(pread(fd, buf, sizeof(buf), 0), ESPIPE, "pread");
	EXPECT_ERRNO(pwrite(fd, buf, sizeof(buf), 0), ESPIPE, "pwrite");
	EXPECT_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE, "lseek");

	ret = pipe(pipes);
	TEST_ASSERT(!ret, __KVM_SYSCALL_ERROR("pipe()", ret));
	EXPECT_ERRNO(sendfile(pipes[1], fd, NULL, page_size), EINVAL,
		     "sendfile");
	EXPECT_ERRNO(splice(fd, NULL, pipes[1], NULL, page_size, 0), EINVAL,
		     "splice out");
	ret = write(pipes[1], buf, 1);
	TEST_ASSERT(ret == 1, __KVM_SYSCALL_ERROR("write()", ret));
	EXPECT_ERRNO(splice(pipes[0], NULL, fd, NULL, 1, 0), EINVAL,
		     "splice in");
	close(pipes[0]);
	close(pipes[1]);
}

static void test_mmap(int fd)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		EXPECT_ERRNO((long)mmap(NULL, page_size, prots[i],
					MAP_SHARED, fd, 0), ENODEV,
			     "mmap(MAP_SHARED, prot %d)", prots[i]);
		EXPECT_ERRNO((long)mmap(NULL, page_size, prots[i],
					MAP_PRIVATE, fd, 0), ENODEV,
			     "mmap(MAP_PRIVATE, prot %d)", prots[i]);
	}
}

/* In-place conversion, a call that kernels without it should not know. */
#define SET_MEMORY_ATTRIBUTES2	_IOC(_IOC_READ | _IOC_WRITE, KVMIO, 0xd2, 128)

static void test_other_calls(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct kvm_create_guest_memfd args = { .size = page_size };
	struct timespec times[2] = {};
	char attributes2[128] = "";

	EXPECT_ERRNO(ftruncate(fd, 0), EINVAL, "ftruncate to nothing");
	EXPECT_ERRNO(ftruncate(fd, NR_PAGES * page_size), EINVAL,
		     "ftruncate to the same size");
	EXPECT_ERRNO(ftruncate(fd, 2 * NR_PAGES * page_size), EINVAL,
		     "ftruncate to twice the size");
	EXPECT_ERRNO(fchmod(fd, 0777), EINVAL, "fchmod");
	EXPECT_ERRNO(fchown(fd, 1, 1), EINVAL, "fchown");
	EXPECT_ERRNO(futimens(fd, times), EINVAL, "futimens");
	EXPECT_ERRNO(fsync(fd), EINVAL, "fsync");
	EXPECT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EINVAL,
		     "F_ADD_SEALS");
	EXPECT_ERRNO(ioctl(fd, KVM_CREATE_GUEST_MEMFD, &args), ENOTTY,
		     "KVM ioctl on the file");
	EXPECT_ERRNO(ioctl(fd, KVM_CREATE_VM, 0), ENOTTY,
		     "KVM_CREATE_VM on the file");
	EXPECT_ERRNO(ioctl(fd, SET_MEMORY_ATTRIBUTES2, attributes2), ENOTTY,
		     "KVM_SET_MEMORY_ATTRIBUTES2");
	EXPECT_EQ(poll(&poll_fd, 1, 0), 1, "poll");
	EXPECT_EQ(poll_fd.revents, POLLIN | POLLOUT, "poll events");
}

#define KEEP	FALLOC_FL_KEEP_SIZE
#define PUNCH	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)

static void test_fallocate_modes(int fd)
{
	static const int modes[] = {
		0,
		FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
		0x80 | FALLOC_FL_KEEP_SIZE,
		(1 << 30) | FALLOC_FL_KEEP_SIZE,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		EXPECT_ERRNO(fallocate(fd, modes[i], 0, page_size), EOPNOTSUPP,
			     "fallocate(mode %#x)", modes[i]);
	EXPECT_EQ(gmem_blocks(fd), 0, "st_blocks after refused modes");
}

static void test_fallocate_ranges(int fd)
{
	const off_t page = page_size, end = NR_PAGES * page;
	const off_t last = LLONG_MAX & -page;
	const struct {
		int mode;
		off_t offset, len;
		int err;
	} cases[] = {
		{ KEEP, 0, 0, EINVAL },
		{ KEEP, -page, page, EINVAL },
		{ KEEP, 0, -page, EINVAL },
		{ KEEP, 1, page, EINVAL },
		{ KEEP, page / 2, page, EINVAL },
		{ KEEP, 0, page - 1, EINVAL },
		{ KEEP, page, page + 1, EINVAL },
		{ KEEP, end, page, EINVAL },
		{ KEEP, end - page, 2 * page, EINVAL },
		{ KEEP, end + page, page, EINVAL },
		{ KEEP, 0, end + page, EINVAL },
		{ KEEP, last - page, page, EINVAL },
		{ KEEP, last, page, EFBIG },
		{ KEEP, page, last, EFBIG },
		{ PUNCH, 0, 0, EINVAL },
		{ PUNCH, -page, page, EINVAL },
		{ PUNCH, 0, -page, EINVAL },
		{ PUNCH, 1, page, EINVAL },
		{ PUNCH, 0, page - 1, EINVAL },
		{ PUNCH, last, page, EFBIG },
		{ PUNCH, page, last, EFBIG },
		{ PUNCH, 0, page, 0 },
		{ PUNCH, end, page, 0 },
		{ PUNCH, end - page, 2 * page, 0 },
		{ PUNCH, end + page, page, 0 },
		{ PUNCH, last - page, page, 0 },
		{ PUNCH, 0, last, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_ERRNO(fallocate(fd, cases[i].mode, cases[i].offset,
				       cases[i].len), cases[i].err,
			     "fallocate(mode %d, offset %#lx, len %#lx)",
			     cases[i].mode, cases[i].offset, cases[i].len);
	EXPECT_EQ(gmem_blocks(fd), 0, "st_blocks after refused ranges");
}

static void test_blocks(struct kvm_vm *vm, int fd)
{
	const uint64_t unit = page_size / 512;
	const struct {
		int mode;
		uint64_t first, nr, blocks;
	} steps[] = {
		{ KEEP, 0, 1, 1 },
		{ KEEP, 0, 1, 1 },
		{ KEEP, 4, 4, 5 },
		{ KEEP, 2, 4, 7 },
		{ KEEP, 0, NR_PAGES, NR_PAGES },
		{ PUNCH, 3, 1, NR_PAGES - 1 },
		{ PUNCH, 3, 1, NR_PAGES - 1 },
		{ PUNCH, 2, 4, NR_PAGES - 4 },
		{ PUNCH, NR_PAGES - 1, 8, NR_PAGES - 5 },
		{ KEEP, 2, 2, NR_PAGES - 3 },
		{ PUNCH, 0, NR_PAGES, 0 },
	};
	bool counted = gmem_counts_blocks(vm);
	int i;

	if (!counted)
		note_skipped("st_blocks: not kept by this kernel");

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		EXPECT_ERRNO(fallocate(fd, steps[i].mode,
				       steps[i].first * page_size,
				       steps[i].nr * page_size), 0,
			     "step %d: mode %d of %lu pages at %lu", i,
			     steps[i].mode, steps[i].nr, steps[i].first);
		EXPECT_EQ(gmem_blocks(fd), counted * steps[i].blocks * unit,
			  "st_blocks after step %d", i);
	}
}

static int nr_ticks;

static void tick(int sig)
{
	WRITE_ONCE(nr_ticks, nr_ticks + 1);
}

/* The timer repeats: a tick before the system call starts is not the last. */
static void test_interrupted_allocate(struct kvm_vm *vm)
{
	const struct itimerval every_20ms = { { 0, 20000 }, { 0, 20000 } };
	const struct itimerval never = {};
	struct sigaction action = { .sa_handler = tick };
	int fd = vm_create_guest_memfd(vm, SIZE_1T, 0);

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every_20ms, NULL);
	EXPECT_ERRNO(gmem_allocate(fd, 0, SIZE_1T), EINTR,
		     "fallocate of 1 TiB, a signal every 20 ms");
	setitimer(ITIMER_REAL, &never, NULL);
	EXPECT(READ_ONCE(nr_ticks), "a signal should have been handled");
	EXPECT_ERRNO(gmem_punch(fd, 0, SIZE_1T), 0, "punch of 1 TiB");
	EXPECT_EQ(gmem_blocks(fd), 0, "st_blocks after the punch");
	close(fd);
}

/*
 * The folios are on the unevictable list, and compaction leaves them where
 * they are: nothing is lost, and a migration would warn in the console.
 */
static void test_unmovable(struct kvm_vm *vm)
{
	const uint64_t size = 8 * SIZE_2M;
	uint64_t before, during, blocks;
	int fd = vm_create_guest_memfd(vm, size, 0);

	trigger_compaction();
	before = read_meminfo_kb("Unevictable");
	EXPECT_ERRNO(gmem_allocate(fd, 0, size), 0, "fallocate of 16 MiB");
	blocks = gmem_blocks(fd);
	trigger_compaction();
	during = read_meminfo_kb("Unevictable");
	EXPECT(during >= before + size / 2048,
	       "16 MiB should be unevictable: /proc/meminfo had %lu kB before and has %lu kB",
	       before, during);
	EXPECT_EQ(gmem_blocks(fd), blocks, "st_blocks after compaction");
	close(fd);
}

static void test_type(unsigned long type, uint64_t flags)
{
	struct kvm_vm *vm = vm_create_barebones_type(type);
	int fd = vm_create_guest_memfd(vm, NR_PAGES * page_size, 0);

	test_create_flags(vm);
	test_create_sizes(vm);
	test_create_arguments(vm);
	test_create_out_of_fds(vm);
	test_stat(vm, fd);
	test_descriptor(fd);
	test_read_write(fd);
	test_mmap(fd);
	test_other_calls(fd);
	test_fallocate_modes(fd);
	test_fallocate_ranges(fd);
	test_blocks(vm, fd);
	test_interrupted_allocate(vm);
	test_unmovable(vm);

	close(fd);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	test_gmem_vm_types(test_type);
	return test_verdict();
}
