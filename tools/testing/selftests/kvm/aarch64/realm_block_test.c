// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of a realm: one mapping for all that shared memory has in one piece,
 * which goes and comes back with what happens to a part of it; and tables of
 * private pages that become one entry, and a table again.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "realm.h"
#include "rmm.h"

#define SHARED		(4 * SIZE_1G)
#define NR_SHARED	2
#define PRIVATE		(5 * SIZE_1G)
#define NR_PRIVATE	8ul
#define SHARED_SIZE	(NR_SHARED * SIZE_2M)
#define PRIVATE_SIZE	(NR_PRIVATE * SIZE_2M)

/* A page in the middle of a block. */
#define MIDDLE		(37 * SIZE_4K)

static struct realm realm;
static struct agent *agent = &realm.agents[0];
static struct gmem_area shared, private;

static void *map_hugetlb(uint64_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	__TEST_REQUIRE(mem != MAP_FAILED,
		       "no huge pages: needs %lu of 2 MiB, errno %d",
		       size / SIZE_2M, errno);
	return mem;
}

static void begin(void)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.not_measured = true,
	};
	void *mem = map_hugetlb(SHARED_SIZE);

	realm_create(&realm, &options);
	realm_map(realm.vm, SHARED, SHARED_SIZE);
	realm_map(realm.vm, PRIVATE, PRIVATE_SIZE);
	shared = (struct gmem_area) {
		.vm = realm.vm,
		.slot = REALM_FREE_SLOT,
		.gpa = SHARED,
		.size = SHARED_SIZE,
		.hva = mem,
		.fd = vm_create_guest_memfd(realm.vm, SHARED_SIZE, 0),
	};
	gmem_area_bind(&shared);
	gmem_area_add(&private, realm.vm, REALM_FREE_SLOT + 1, PRIVATE,
		      PRIVATE_SIZE);
	vm_set_private(realm.vm, PRIVATE, PRIVATE_SIZE);
	realm_load(&realm, &options);
}

static void end(void)
{
	gmem_area_free(&shared);
	gmem_area_free(&private);
	realm_free(&realm);
}

/* Shared memory */

static void fill_alias(uint64_t gpa, uint64_t size, uint64_t seed)
{
	agent_call(agent, guest_fill, SHARED_VA(gpa), size, seed);
}

static void expect_in_guest(uint64_t gpa, uint64_t size, uint64_t seed,
			    const char *when)
{
	EXPECT_EQ(agent_call(agent, guest_check, gpa, size, seed), gpa + size,
		  "%s: first wrong address in the realm", when);
}

static void expect_in_host(uint64_t gpa, uint64_t size, uint64_t seed,
			   const char *when)
{
	EXPECT_EQ(stamp_check(gmem_area_hva(&shared, gpa), SHARED_VA(gpa), size,
			      seed), SHARED_VA(gpa) + size,
		  "%s: first wrong address in the host", when);
}

/* All tables but the last are there after the first block. */
static void test_map(void)
{
	const uint64_t second = SHARED + SIZE_2M;

	/* What the agent itself shares with the test is mapped then. */
	agent_call(agent, guest_current_el);
	rmm_count(RMI_RTT_MAP_UNPROTECTED);
	fill_alias(SHARED, SIZE_2M, 1);
	EXPECT(rmm_counted() <= 3, "RTT_MAP_UNPROTECTED of the first block: %lu calls",
	       rmm_counted());
	rmm_count(RMI_RTT_MAP_UNPROTECTED);
	fill_alias(second, SIZE_2M, 2);
	EXPECT_EQ(rmm_counted(), 1, "RTT_MAP_UNPROTECTED of the second block");
	expect_in_host(SHARED, SIZE_2M, 1, "blocks");
	expect_in_host(second, SIZE_2M, 2, "blocks");
}

/* The host takes the first one away, in one piece if it is one. */
static void discard_block(const char *what)
{
	rmm_count(RMI_RTT_UNMAP_UNPROTECTED);
	EXPECT_ERRNO(madvise(shared.hva, SIZE_2M, MADV_DONTNEED), 0,
		     "%s: MADV_DONTNEED", what);
	EXPECT(rmm_counted() && rmm_counted() <= 4,
	       "%s: RTT_UNMAP_UNPROTECTED, %lu calls", what, rmm_counted());
}

/* Zeroes come, and the other one stays. */
static void test_discard(void)
{
	discard_block("a block");
	rmm_count(RMI_RTT_MAP_UNPROTECTED);
	EXPECT_EQ(agent_call(agent, guest_check_zero, SHARED_VA(SHARED),
			     SIZE_2M), SHARED_VA(SHARED) + SIZE_2M,
		  "where a block that was discarded is not zero");
	expect_in_guest(SHARED_VA(SHARED + SIZE_2M), SIZE_2M, 2,
			"beside a discard");
	fill_alias(SHARED, SIZE_2M, 3);
	/* First to be read, then to be written. */
	EXPECT(rmm_counted() <= 4, "RTT_MAP_UNPROTECTED of a block again: %lu calls",
	       rmm_counted());
	expect_in_host(SHARED, SIZE_2M, 3, "a block again");
}

/* One page of it becomes private, and shared again. */
static void test_convert_inside(void)
{
	const uint64_t gpa = SHARED + MIDDLE, rest = gpa + SIZE_4K;
	struct agent *second = &realm.agents[1];

	realm_convert(agent, gpa, SIZE_4K, true);
	agent_call(agent, guest_fill, gpa, SIZE_4K, 5);
	rmm_count(RMI_RTT_MAP_UNPROTECTED);
	expect_in_guest(SHARED_VA(SHARED), MIDDLE, 3, "before a private page");
	expect_in_guest(SHARED_VA(rest), SHARED + SIZE_2M - rest, 3,
			"behind a private page");
	EXPECT(rmm_counted() >= SIZE_2M / SIZE_4K - 1,
	       "RTT_MAP_UNPROTECTED around a private page: %lu calls",
	       rmm_counted());
	expect_in_guest(gpa, SIZE_4K, 5, "a private page in a block");
	agent_expect_fault(second, guest_read, SHARED_VA(gpa), 0, gpa, false,
			   EFAULT, "shared alias of a page that is private");

	realm_convert(agent, gpa, SIZE_4K, false);
	EXPECT_EQ(agent_run(second), AGENT_DONE, "the load that was stopped");
	fill_alias(SHARED, SIZE_2M, 7);
	expect_in_host(SHARED, SIZE_2M, 7, "what is a block again");
	discard_block("what is a block again");
	expect_in_guest(SHARED_VA(SHARED + SIZE_2M), SIZE_2M, 2,
			"beside a conversion");
}

/* Private memory */

/* A hole takes a table for the rest of its block. */
static void test_hole(uint64_t block)
{
	const uint64_t gpa = PRIVATE + block * SIZE_2M, hole = gpa + MIDDLE;

	rmm_count(RMI_RTT_CREATE);
	EXPECT_ERRNO(gmem_punch(private.fd, hole - PRIVATE, SIZE_4K), 0,
		     "punch");
	EXPECT_EQ(rmm_counted(), 1, "block %lu: tables around a hole", block);
	expect_in_guest(gpa, MIDDLE, 9, "before a hole");
	expect_in_guest(hole + SIZE_4K, SIZE_2M - MIDDLE - SIZE_4K, 9,
			"behind a hole");
	EXPECT_EQ(agent_call(agent, guest_ripas, hole), RSI_DESTROYED,
		  "RIPAS of a hole");
	EXPECT_EQ(agent_call(agent, guest_ripas, hole + SIZE_4K), RSI_RAM,
		  "RIPAS behind a hole");
	realm_convert(agent, hole, SIZE_4K, true);
	EXPECT_EQ(agent_call(agent, guest_check_zero, hole, SIZE_4K),
		  hole + SIZE_4K, "where what fills a hole is not zero");
}

/*
 * A table that a request of the guest has made of a block is that of the block,
 * however often the guest makes a block of it again.
 */
static void test_split_by_guest(uint64_t block)
{
	const uint64_t gpa = PRIVATE + block * SIZE_2M;
	const uint64_t last = gpa + SIZE_2M - SIZE_4K;
	uint64_t granules = 0;
	int round;

	for (round = 0; round < 8; round++) {
		rmm_count(RMI_RTT_CREATE);
		realm_convert(agent, gpa + MIDDLE, SIZE_4K, true);
		if (!EXPECT_EQ(rmm_counted(), 1, "round %d: tables of a block",
			       round))
			return;
		realm_convert(agent, last, SIZE_4K, false);
		realm_convert(agent, last, SIZE_4K, true);
		agent_call(agent, guest_fill, last, SIZE_4K, 9);
		if (!round)
			granules = rmm_delegated();
	}
	EXPECT_EQ(rmm_delegated(), granules, "granules after %d rounds", round);
	expect_in_guest(gpa, SIZE_2M, 9, "after it was split");
}

/* fallocate() takes adjacent pages, as the host has them after a compaction. */
static void test_private(void)
{
	uint64_t block;

	trigger_compaction();
	EXPECT_ERRNO(gmem_allocate(private.fd, 0, PRIVATE_SIZE), 0, "allocate");
	rmm_count(RMI_RTT_FOLD);
	agent_call(agent, guest_fill, PRIVATE, PRIVATE_SIZE, 9);
	EXPECT_EQ(rmm_counted(), NR_PRIVATE, "tables that became an entry");
	expect_in_guest(PRIVATE, PRIVATE_SIZE, 9, "private memory");
	test_split_by_guest(0);
	for (block = 1; block < NR_PRIVATE; block++)
		test_hole(block);
}

int main(int argc, char *argv[])
{
	uint64_t delegated, leaked;

	require_realms();
	require_rmm_model();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	begin();
	test_map();
	test_discard();
	test_convert_inside();
	test_private();
	rmm_stop_failing();
	end();
	rmm_expect_granules(delegated, leaked, "at the end");
	return test_verdict();
}
