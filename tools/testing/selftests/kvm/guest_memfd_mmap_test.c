// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest_memfd that the host maps: which mappings there are, what a touch
 * finds, who shares it and for how long, and what a memory error does.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "guest_memfd_map.h"

#define MMAP		GUEST_MEMFD_FLAG_MMAP

/* Mapping */

static void test_flags(void)
{
	const uint64_t mask = kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS);
	struct kvm_vm *private;
	int fd;

	EXPECT_EQ(mask, GMEM_SHARED, "flags of /dev/kvm");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD_FLAGS), mask,
		  "flags of an ordinary VM");
	EXPECT_EQ(vm_check_cap(vm, KVM_CAP_GUEST_MEMFD), 1,
		  "KVM_CAP_GUEST_MEMFD of an ordinary VM");

	/* A file that is all shared and cannot be mapped: of no use, no harm. */
	fd = __vm_create_guest_memfd(vm, page_size,
				     GUEST_MEMFD_FLAG_INIT_SHARED);
	EXPECT_ERRNO(fd, 0, "create with INIT_SHARED alone");
	EXPECT_ERRNO((long)mmap(NULL, page_size, PROT_READ, MAP_SHARED, fd, 0),
		     ENODEV, "map it");
	close(fd);

	if (!has_private_vm())
		return;
	private = vm_create_barebones_type(private_vm_type());
	EXPECT_EQ(vm_check_cap(private, KVM_CAP_GUEST_MEMFD_FLAGS), MMAP,
		  "flags of a VM with private memory");
	EXPECT_ERRNO(__vm_create_guest_memfd(private, page_size, GMEM_SHARED),
		     EINVAL, "create with INIT_SHARED, private memory");
	fd = __vm_create_guest_memfd(private, page_size, MMAP);
	EXPECT_ERRNO(fd, 0, "create with MMAP, private memory");
	close(fd);
	kvm_vm_free(private);
}

static void test_mmap_arguments(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	const struct {
		const char *what;
		uint64_t create_flags;
		int prot, flags;
		off_t offset;
		int err;
	} cases[] = {
		{ "no MMAP", 0, rw, MAP_SHARED, 0, ENODEV },
		{ "no MMAP, private", 0, rw, MAP_PRIVATE, 0, ENODEV },
		{ "private", GMEM_SHARED, rw, MAP_PRIVATE, 0, EINVAL },
		{ "private, none shared", MMAP, rw, MAP_PRIVATE, 0, EINVAL },
		{ "execute", GMEM_SHARED, PROT_EXEC, MAP_SHARED, 0, EPERM },
		{ "synchronous", GMEM_SHARED, rw,
		  MAP_SHARED_VALIDATE | MAP_SYNC, 0, EOPNOTSUPP },
		{ "unaligned", GMEM_SHARED, rw, MAP_SHARED, 512, EINVAL },
		{ "none shared", MMAP, rw, MAP_SHARED, 0, 0 },
		{ "none shared, populate", MMAP, rw,
		  MAP_SHARED | MAP_POPULATE, 0, 0 },
		{ "no access", GMEM_SHARED, PROT_NONE, MAP_SHARED, 0, 0 },
		{ "read-only", GMEM_SHARED, PROT_READ, MAP_SHARED, 0, 0 },
		{ "validated", GMEM_SHARED, rw, MAP_SHARED_VALIDATE, 0, 0 },
		{ "last page", GMEM_SHARED, rw, MAP_SHARED, size - page_size,
		  0 },
		{ "at the end", GMEM_SHARED, rw, MAP_SHARED, size, 0 },
		{ "past the end", GMEM_SHARED, rw, MAP_SHARED, 8 * size, 0 },
	};
	void *mem;
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fd = vm_create_guest_memfd(vm, size, cases[i].create_flags);
		mem = mmap(NULL, 2 * page_size, cases[i].prot, cases[i].flags,
			   fd, cases[i].offset);
		EXPECT_ERRNO(mem == MAP_FAILED ? -1 : 0, cases[i].err,
			     "mmap: %s", cases[i].what);
		if (mem != MAP_FAILED)
			munmap(mem, 2 * page_size);
		close(fd);
	}
}

static void test_mprotect(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	int fd;
	void *mem = map_filled(&fd);

	EXPECT_ERRNO(mprotect(mem, size, rw | PROT_EXEC), EACCES,
		     "mprotect to executable");
	EXPECT_ERRNO(mprotect(mem, size, PROT_NONE), 0, "mprotect to none");
	EXPECT_ERRNO(mprotect(mem, size, PROT_READ), 0, "mprotect to read");
	EXPECT_ERRNO(mprotect(mem, page_size, rw), 0,
		     "mprotect a page to write");
	EXPECT_EQ(touch_write(mem), 0, "SIGBUS code of a write");
	expect_filled(mem, "mprotect");
	unmap(mem, fd);
}

/* What a touch finds */

/* Every access to every page is refused, and nothing is allocated by it. */
static void test_not_shared(void)
{
	unsigned int before = sigbus_count();
	int fd, i;
	void *mem = map_new(&fd, MMAP);

	EXPECT_ERRNO(gmem_allocate(fd, 0, size / 2), 0, "allocate half of it");
	for (i = 0; i < NR_PAGES; i++) {
		EXPECT_EQ(touch_read(mem + i * page_size), BUS_ADRERR,
			  "SIGBUS code of a read, page %d", i);
		EXPECT_EQ(touch_write(mem + i * page_size), BUS_ADRERR,
			  "SIGBUS code of a write, page %d", i);
	}
	EXPECT_EQ(sigbus_count() - before, 2 * NR_PAGES, "number of SIGBUS");
	expect_blocks(fd, NR_PAGES / 2, "after refused touches");
	EXPECT_ERRNO(mlock(mem, size), ENOMEM, "mlock");
	EXPECT_ERRNO(madvise(mem, size, MADV_POPULATE_READ), EFAULT,
		     "MADV_POPULATE_READ");
	expect_blocks(fd, NR_PAGES / 2, "after refused populations");
	unmap(mem, fd);
}

static void test_first_touch(void)
{
	int fd, i;
	void *mem = map_new(&fd, GMEM_SHARED);

	for (i = 0; i < NR_PAGES; i += 2) {
		expect_zero(mem, i * page_size, page_size,
			    "first touch by a read");
		EXPECT_EQ(touch_write(mem + (i + 1) * page_size), 0,
			  "SIGBUS code of a first touch by a write");
		expect_blocks(fd, i + 2, "after first touches");
	}
	expect_zero(mem, 0, size, "touched pages");
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch all");
	expect_blocks(fd, 0, "after the punch");
	EXPECT_ERRNO(gmem_allocate(fd, 0, size), 0, "allocate all");
	expect_blocks(fd, NR_PAGES, "after allocation");
	expect_zero(mem, 0, size, "allocated pages");
	expect_blocks(fd, NR_PAGES, "after touches of allocated pages");
	unmap(mem, fd);
}

static void test_past_end(void)
{
	int fd = vm_create_guest_memfd(vm, size, GMEM_SHARED), i;
	void *mem = gmem_map(fd, 0, 2 * size);
	unsigned int before = sigbus_count();

	EXPECT_EQ(touch_write(mem + size - 8), 0, "SIGBUS code before the end");
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_EQ(touch_write(mem + size + i * page_size), BUS_ADRERR,
			  "SIGBUS code %d pages past the end", i);
	EXPECT_EQ(sigbus_count() - before, NR_PAGES, "number of SIGBUS");
	expect_blocks(fd, 1, "after touches past the end");
	munmap(mem, 2 * size);
	close(fd);
}

/* The last page of the largest file that there can be. */
static void test_huge_file(void)
{
	const uint64_t end = (1ull << 63) - page_size;
	int fd = vm_create_guest_memfd(vm, end, GMEM_SHARED);
	void *mem = gmem_map(fd, end - 2 * page_size, 2 * page_size);

	stamp_fill(mem, 0, 2 * page_size, SEED);
	EXPECT_EQ(stamp_check(mem, 0, 2 * page_size, SEED), 2 * page_size,
		  "end of the last two pages of a huge file");
	EXPECT_ERRNO(gmem_punch(fd, end - page_size, page_size), 0,
		     "punch the last");
	expect_zero(mem, page_size, page_size,
		    "last page of a huge file, punched");
	EXPECT_EQ(stamp_check(mem, 0, page_size, SEED), page_size,
		  "the page before");
	EXPECT_ERRNO(gmem_punch(fd, 0, end), 0, "punch all");
	expect_blocks(fd, 0, "after a punch of a huge file");
	expect_zero(mem, 0, 2 * page_size, "huge file, all punched");
	munmap(mem, 2 * page_size);
	close(fd);
}

/* Through every mapping, also one that sees the file at another offset. */
static void test_punch(void)
{
	int fd;
	void *mem = map_filled(&fd), *other = gmem_map(fd, 0, size);
	void *tail = gmem_map(fd, size / 2, size / 2);

	expect_filled(other, "second mapping");
	EXPECT_EQ(stamp_check(tail, size / 2, size / 2, SEED), size,
		  "contents of a mapping of the second half");
	EXPECT_ERRNO(gmem_punch(fd, size / 2, 2 * page_size), 0,
		     "punch two pages");
	expect_blocks(fd, NR_PAGES - 2, "after the punch");
	expect_zero(tail, 0, 2 * page_size, "punched, second half");
	expect_zero(mem, size / 2, 2 * page_size, "punched, first mapping");
	expect_zero(other, size / 2, 2 * page_size, "punched, second mapping");
	expect_blocks(fd, NR_PAGES, "after touches");

	stamp_fill(tail, size / 2, 2 * page_size, SEED);
	expect_filled(mem, "around the punched pages");
	munmap(tail, size / 2);
	munmap(other, size);
	unmap(mem, fd);
}

/* One thread touches by two mappings while another punches */

struct race {
	uint8_t *maps[2];
	struct rnd rnd;
	bool stop;
};

static void *touch_pages(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->stop)) {
		uint64_t r = rnd_next(&race->rnd);

		WRITE_ONCE(race->maps[r & 1][(r >> 8) % size], 1);
	}
	return NULL;
}

/* Whatever the race: at rest, both mappings show the pages of the file. */
static void expect_at_rest(struct race *race, int fd)
{
	void *a = race->maps[0], *b = race->maps[1];

	EXPECT_EQ(memcmp(a, b, size), 0, "difference of two mappings");
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch all");
	expect_blocks(fd, 0, "after a race and a punch");
	expect_zero(a, 0, size, "stale page in the first mapping");
	stamp_fill(a, 0, size, SEED);
	expect_filled(b, "stale page in the second mapping");
}

static void test_punch_race(uint64_t seed)
{
	struct race race = { .rnd = { seed } };
	struct rnd rnd = { ~seed };
	pthread_t thread;
	uint64_t until;
	int fd, round;

	race.maps[0] = map_new(&fd, GMEM_SHARED);
	race.maps[1] = gmem_map(fd, 0, size);
	for (round = 0; round < 20 && !test_has_failed(); round++) {
		until = now_ms() + 100;
		race.stop = false;
		pthread_create(&thread, NULL, touch_pages, &race);
		while (now_ms() < until)
			gmem_punch(fd, rnd_below(&rnd, NR_PAGES) * page_size,
				   (1 + rnd_below(&rnd, 4)) * page_size);
		WRITE_ONCE(race.stop, true);
		pthread_join(thread, NULL);
		expect_at_rest(&race, fd);
	}
	munmap(race.maps[1], size);
	unmap(race.maps[0], fd);
}

/* Processes and lifetimes */

#define NR_PROCESSES	4
#define NR_ROUNDS	2000

/* Each has its own words of the same pages; the first word is for all. */
static void count_in(uint64_t *mem, int self)
{
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		uint64_t *words = mem + i % NR_PAGES * page_size / sizeof(*mem);

		words[1 + self]++;
		__atomic_fetch_add(words, 1, __ATOMIC_RELAXED);
	}
}

/* Half of the processes inherit the mapping, half map the file themselves. */
static void test_processes(void)
{
	uint64_t *mem, total = 0, shared = 0;
	int fd, i, status;
	pid_t pid;

	mem = map_new(&fd, GMEM_SHARED);
	for (i = 0; i < NR_PROCESSES; i++) {
		pid = fork();
		TEST_ASSERT(pid >= 0, "fork() should work, errno %d", errno);
		if (pid)
			continue;
		count_in(i % 2 ? mem : gmem_map(fd, 0, size), i);
		_exit(0);
	}
	count_in(mem, NR_PROCESSES);
	while (wait(&status) > 0)
		EXPECT(!status, "child should exit, status is %#x", status);
	for (i = 0; i < NR_PAGES; i++, mem += page_size / sizeof(*mem)) {
		shared += mem[0];
		for (pid = 0; pid <= NR_PROCESSES; pid++)
			total += mem[1 + pid];
	}
	EXPECT_EQ(total, (NR_PROCESSES + 1) * NR_ROUNDS, "counts of all");
	EXPECT_EQ(shared, total, "the counter that they share");
	unmap((void *)mem - size, fd);
}

static uint64_t unevictable_mb(void)
{
	return unevictable_kb() >> 10;
}

/* The memory goes with its last mapping, not with its descriptor or its VM. */
static void test_outlives(void)
{
	const uint64_t part = 8 * SIZE_2M, end = 3 * part, nr_mb = end >> 20;
	struct kvm_vm *other = vm_create_barebones();
	uint64_t before = unevictable_mb(), now;
	int fd;
	void *mem = gmem_map_new(other, end, GMEM_SHARED, &fd);

	stamp_fill(mem, 0, part, SEED);
	close(fd);
	stamp_fill(mem + part, part, part, SEED);
	kvm_vm_free(other);
	stamp_fill(mem + 2 * part, 2 * part, part, SEED);
	EXPECT_EQ(stamp_check(mem, 0, end, SEED), end,
		  "without descriptor and VM: first offset that lost its contents");
	now = unevictable_mb();
	EXPECT(now >= before + nr_mb / 2,
	       "a mapping should hold its %lu MB: unevictable were %lu MB, are %lu MB",
	       nr_mb, before, now);
	munmap(mem, end);
	now = unevictable_mb();
	EXPECT(now < before + nr_mb / 2,
	       "%lu MB should go with their mapping: unevictable were %lu MB, are %lu MB",
	       nr_mb, before, now);
}

/* Memory errors */

static void expect_poisoned(void *mem, const char *what)
{
	EXPECT_EQ(touch_read(mem), BUS_MCEERR_AR, "%s: SIGBUS code of a read",
		  what);
	EXPECT_EQ(touch_write(mem), BUS_MCEERR_AR, "%s: SIGBUS code of a write",
		  what);
}

static void test_memory_error(void)
{
	const uint64_t bad = 3 * page_size, next = bad + page_size;
	int fd;
	void *mem = map_filled(&fd), *other = gmem_map(fd, 0, size), *fresh;

	expect_filled(other, "second mapping");
	if (!inject_memory_error(mem + bad))
		goto out;
	fresh = gmem_map(fd, 0, size);
	expect_poisoned(mem + bad, "the mapping");
	expect_poisoned(other + bad, "a second mapping");
	expect_poisoned(fresh + bad, "a mapping made afterwards");
	EXPECT_EQ(stamp_check(mem, 0, bad, SEED), bad, "pages before");
	EXPECT_EQ(stamp_check(mem + next, next, size - next, SEED), size,
		  "pages after");

	EXPECT_ERRNO(gmem_punch(fd, bad, page_size), 0, "punch it out");
	EXPECT_EQ(touch_read(mem + bad), 0, "SIGBUS code, mapping, punched");
	EXPECT_EQ(touch_read(other + bad), 0, "SIGBUS code, second, punched");
	EXPECT_EQ(touch_read(fresh + bad), 0, "SIGBUS code, fresh, punched");
	if (!test_has_failed())
		expect_zero(mem, bad, page_size, "a fresh page in its place");
	munmap(fresh, size);
out:
	munmap(other, size);
	unmap(mem, fd);
}

/* Who asks to be told early is told before the touch. */
static void test_early_notice(void)
{
	unsigned int before = sigbus_count();
	int fd;
	void *mem = map_filled(&fd);

	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	if (inject_memory_error(mem)) {
		EXPECT_EQ(sigbus_count() - before, 1,
			  "SIGBUS before the page is touched");
		expect_poisoned(mem, "after the notice");
	}
	prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
	unmap(mem, fd);
}

static void test_all(uint64_t seed)
{
	test_flags();
	test_mmap_arguments();
	test_mprotect();
	test_not_shared();
	test_first_touch();
	test_past_end();
	test_huge_file();
	test_punch();
	test_punch_race(seed);
	test_processes();
	test_outlives();
	test_memory_error();
	test_early_notice();
}

int main(int argc, char *argv[])
{
	bool has_seed = argc > 2 && !strcmp(argv[1], "-s");

	map_tests_begin();
	test_all(rnd_seed(has_seed ? argv[2] : NULL));
	return map_tests_end();
}
