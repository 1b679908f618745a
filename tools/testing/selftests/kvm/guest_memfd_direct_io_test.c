// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct I/O with a guest_memfd that the host maps as its buffer: a disk reads
 * and writes the file's own pages, and keeps them for as long as a transfer
 * lasts, also those that are punched meanwhile.  Such a page is no more the
 * file's: it must not come back.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "guest_memfd_map.h"
#include "slow_disk.h"

#define OTHER_SEED	9
#define RACE_MS		2000

static int disk;
static void *disk_data;

static void expect_disk(uint64_t seed, const char *when)
{
	EXPECT_EQ(stamp_check(disk_data, 0, size, seed), size,
		  "%s: first offset of the disk without seed %lu", when, seed);
}

static void expect_memory(void *mem, uint64_t seed, const char *when)
{
	EXPECT_EQ(stamp_check(mem, 0, size, seed), size,
		  "%s: first offset of the memory without seed %lu", when,
		  seed);
}

/* Transfers that nothing disturbs */

static void test_there_and_back(void)
{
	int fd;
	void *mem = map_filled(&fd);

	memset(disk_data, 0, size);
	EXPECT_EQ(pwrite(disk, mem, size, 0), size, "bytes written");
	expect_disk(SEED, "written to disk");
	expect_filled(mem, "written to disk");

	stamp_fill(disk_data, 0, size, OTHER_SEED);
	EXPECT_EQ(pread(disk, mem, size, 0), size, "bytes read");
	expect_memory(mem, OTHER_SEED, "read into pages");

	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch");
	EXPECT_EQ(pread(disk, mem, size, 0), size, "bytes read into a hole");
	expect_memory(mem, OTHER_SEED, "read into a hole");
	expect_blocks(fd, NR_PAGES, "after a read into a hole");

	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch");
	EXPECT_EQ(pwrite(disk, mem, size, 0), size, "bytes written of a hole");
	EXPECT_EQ(zero_check(disk_data, 0, size), size,
		  "first offset of the disk that is not zero");
	unmap(mem, fd);
}

static void test_not_shared(void)
{
	int fd;
	void *mem = map_new(&fd, GUEST_MEMFD_FLAG_MMAP);

	stamp_fill(disk_data, 0, size, SEED);
	EXPECT_ERRNO(pread(disk, mem, size, 0), EFAULT,
		     "read into what is not shared");
	EXPECT_ERRNO(pwrite(disk, mem, size, 0), EFAULT,
		     "write of what is not shared");
	expect_disk(SEED, "refused to write");
	expect_blocks(fd, 0, "after refused transfers");
	unmap(mem, fd);
}

/* Transfers that are held up, with a punch or the end of the file meanwhile */

struct transfer {
	ssize_t (*call)(void *mem);
	void *mem;
	pthread_t thread;
};

static ssize_t read_disk(void *mem)
{
	return pread(disk, mem, size, 0);
}

static ssize_t write_disk(void *mem)
{
	return pwrite(disk, mem, size, 0);
}

static void *run_transfer(void *arg)
{
	struct transfer *transfer = arg;

	EXPECT_EQ(transfer->call(transfer->mem), size,
		  "bytes of a transfer that was held up");
	return NULL;
}

static void transfer_begin(struct transfer *transfer,
			   ssize_t (*call)(void *mem), void *mem)
{
	transfer->call = call;
	transfer->mem = mem;
	slow_disk_hold();
	pthread_create(&transfer->thread, NULL, run_transfer, transfer);
	slow_disk_wait_held();
}

static void transfer_end(struct transfer *transfer)
{
	slow_disk_let_go();
	pthread_join(transfer->thread, NULL);
}

/* The disk's data goes to the old pages, which no one sees any more. */
static void test_punch_while_read(void)
{
	struct transfer transfer;
	int fd;
	void *mem = map_filled(&fd);

	stamp_fill(disk_data, 0, size, OTHER_SEED);
	transfer_begin(&transfer, read_disk, mem);
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch pages being read");
	expect_blocks(fd, 0, "after a punch of pages being read");
	expect_zero(mem, 0, size / 2, "punched while being read");
	transfer_end(&transfer);
	expect_blocks(fd, NR_PAGES / 2, "after the read");
	expect_zero(mem, 0, size, "read into pages that were punched");
	unmap(mem, fd);
}

/* The disk gets what was there when the transfer began. */
static void test_punch_while_written(void)
{
	struct transfer transfer;
	int fd;
	void *mem = map_filled(&fd);

	memset(disk_data, 0, size);
	transfer_begin(&transfer, write_disk, mem);
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch pages being written");
	expect_zero(mem, 0, size, "punched while being written");
	stamp_fill(mem, 0, size, OTHER_SEED);
	transfer_end(&transfer);
	expect_disk(SEED, "written from pages that were punched");
	expect_memory(mem, OTHER_SEED, "new pages, old ones written");
	unmap(mem, fd);
}

static void test_close_while_read(void)
{
	struct transfer transfer;
	int fd;
	void *mem = map_filled(&fd);

	stamp_fill(disk_data, 0, size, OTHER_SEED);
	transfer_begin(&transfer, read_disk, mem);
	unmap(mem, fd);
	transfer_end(&transfer);

	mem = map_new(&fd, GMEM_SHARED);
	expect_zero(mem, 0, size, "a new file after a late read");
	unmap(mem, fd);
}

/* One thread reads from the disk while another punches */

struct race {
	void *mem;
	bool stop;
	uint64_t nr_reads;
};

static void *read_again(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->stop)) {
		EXPECT_EQ(read_disk(race->mem), size, "bytes read");
		race->nr_reads++;
	}
	return NULL;
}

/* Each page is a new one or has all that the disk has for it. */
static void expect_whole_pages(void *mem)
{
	uint64_t at, end;

	for (at = 0; at < size; at += page_size) {
		end = at + page_size;
		EXPECT(zero_check(mem + at, at, page_size) == end ||
		       stamp_check(mem + at, at, page_size, SEED) == end,
		       "page %lu should be zero or as on the disk",
		       at / page_size);
	}
}

static void test_race(struct rnd rnd)
{
	uint64_t until = now_ms() + RACE_MS, nr_punches = 0;
	struct race race = {};
	pthread_t thread;
	int fd;

	race.mem = map_new(&fd, GMEM_SHARED);
	stamp_fill(disk_data, 0, size, SEED);
	pthread_create(&thread, NULL, read_again, &race);
	for (; now_ms() < until && !test_has_failed(); nr_punches++)
		EXPECT_ERRNO(gmem_punch(fd, rnd_below(&rnd, NR_PAGES) *
					page_size, 4 * page_size), 0, "punch");
	WRITE_ONCE(race.stop, true);
	pthread_join(thread, NULL);
	printf("%lu reads, %lu punches\n", race.nr_reads, nr_punches);

	expect_whole_pages(race.mem);
	EXPECT_ERRNO(gmem_punch(fd, 0, size), 0, "punch all");
	expect_blocks(fd, 0, "after a race and a punch");
	expect_zero(race.mem, 0, size, "punched after the race");
	unmap(race.mem, fd);
}

int main(int argc, char *argv[])
{
	bool has_seed = argc > 2 && !strcmp(argv[1], "-s");
	struct rnd rnd;

	map_tests_begin();
	disk_data = map_anonymous(size, SIZE_2M);
	disk = slow_disk_open(disk_data, size);
	rnd.state = rnd_seed(has_seed ? argv[2] : NULL);

	test_there_and_back();
	test_not_shared();
	test_punch_while_read();
	test_punch_while_written();
	test_close_while_read();
	test_race(rnd);

	slow_disk_close();
	return map_tests_end();
}
