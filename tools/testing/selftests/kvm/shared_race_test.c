// SPDX-License-Identifier: GPL-2.0-only
/*
 * One memory under load: a guest and the host count in neighbouring bytes of
 * the same pages, while the pages between those are punched and filled by both
 * sides in turn.  No count is lost and no page is stale.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "guest_agent.h"

#define PAGE		((uint64_t)getpagesize())	/* the host's */
#define GPA		(4 * SIZE_1G)
#define NR_PAGES	64
#define SIZE		(NR_PAGES * PAGE)
#define NR_COUNTERS	64		/* bytes of a page, by turns whose */
#define STOP		2048		/* in page 0, behind its counters */
#define BUDGET_MS	5000

static struct kvm_vm *vm;
static struct agent agents[2];
static struct gmem_area area;
static struct rnd rnd;
static uint64_t host_rounds, guest_rounds;

/* Not atomic, for each byte has one writer: that is what makes it a test. */
static __always_inline uint64_t count_until_stop(uint8_t *mem,
						 uint64_t page_size, int who)
{
	uint64_t *stop = (void *)(mem + STOP);
	uint8_t *page, *end = mem + NR_PAGES * page_size;
	uint64_t rounds, i;

	for (rounds = 0; !READ_ONCE(*stop); rounds++)
		for (page = mem; page < end; page += 2 * page_size)
			for (i = who; i < NR_COUNTERS; i += 2)
				WRITE_ONCE(page[i], READ_ONCE(page[i]) + 1);
	return rounds;
}

static uint64_t guest_count(uint64_t gpa, uint64_t page_size)
{
	return count_until_stop((void *)gpa, page_size, 0);
}

static void *run_guest(void *arg)
{
	guest_rounds = agent_call(&agents[0], guest_count, GPA, PAGE);
	return NULL;
}

static void *run_host(void *arg)
{
	host_rounds = count_until_stop(area.hva, PAGE, 1);
	return NULL;
}

static void expect_end(uint64_t got, uint64_t at, const char *what)
{
	EXPECT_EQ(got, at + PAGE, "page %lu, %s: first wrong address",
		  (at - GPA) / PAGE, what);
}

static void guest_writes(uint64_t at, uint64_t *mem, uint64_t seed)
{
	agent_call(&agents[1], guest_fill, at, PAGE, seed);
	expect_end(stamp_check(mem, at, PAGE, seed), at, "guest wrote");
}

static void host_writes(uint64_t at, uint64_t *mem, uint64_t seed)
{
	stamp_fill(mem, at, PAGE, seed);
	expect_end(agent_call(&agents[1], guest_check, at, PAGE, seed), at,
		   "host wrote");
}

/* Whoever comes first brings the new page; the other must find the same. */
static void punch_and_fill(void)
{
	uint64_t random = rnd_next(&rnd), seed = random >> 48 & 0xfff;
	uint64_t at = GPA + (2 * (random % (NR_PAGES / 2)) + 1) * PAGE;
	uint64_t *mem = gmem_area_hva(&area, at);

	EXPECT_ERRNO(gmem_punch(area.fd, at - GPA, PAGE), 0, "punch");
	/* Now and then, everything of the host's is to be faulted in again. */
	if (!(random & 7 << 19))
		madvise(area.hva, SIZE, MADV_DONTNEED);
	if (random & 1 << 16)
		expect_end(zero_check(mem, at, PAGE), at, "host, punched");
	if (random & 1 << 17)
		expect_end(agent_call(&agents[1], guest_check_zero, at, PAGE),
			   at, "guest, punched");
	if (random & 1 << 18) {
		guest_writes(at, mem, seed);
		host_writes(at, mem, seed + 1);
	} else {
		host_writes(at, mem, seed);
		guest_writes(at, mem, seed + 1);
	}
}

static void check_counters(void)
{
	uint8_t *mem = area.hva;
	uint64_t page, i;

	for (page = 0; page < NR_PAGES; page += 2)
		for (i = 0; i < NR_COUNTERS; i++)
			EXPECT_EQ(mem[page * PAGE + i],
				  (uint8_t)(i % 2 ? host_rounds : guest_rounds),
				  "page %lu, byte %lu: count of the %s", page,
				  i, i % 2 ? "host" : "guest");
}

static void test_race(void)
{
	uint64_t until = now_ms() + BUDGET_MS, nr;
	pthread_t guest, host;

	pthread_create(&guest, NULL, run_guest, NULL);
	pthread_create(&host, NULL, run_host, NULL);
	for (nr = 0; now_ms() < until && !test_has_failed(); nr++)
		punch_and_fill();
	/* For each of them, should they not have one memory. */
	WRITE_ONCE(*(uint64_t *)(area.hva + STOP), 1);
	agent_call(&agents[1], guest_write, GPA + STOP, 1);
	pthread_join(guest, NULL);
	pthread_join(host, NULL);

	printf("%lu rounds of the guest, %lu of the host, %lu punches\n",
	       guest_rounds, host_rounds, nr);
	EXPECT(guest_rounds && host_rounds && nr, "all should have run");
	check_counters();
}

int main(int argc, char *argv[])
{
	bool has_seed = argc > 2 && !strcmp(argv[1], "-s");

	require_gmem_flags(GMEM_SHARED);
	rnd.state = rnd_seed(has_seed ? argv[2] : NULL);
	vm = agent_vm_create(0, 2, agents);
	agent_map(vm, GPA, SIZE);
	gmem_area_add_mapped(&area, vm, 1, GPA, SIZE, GMEM_SHARED);

	test_race();

	gmem_area_free(&area);
	kvm_vm_free(vm);
	return test_verdict();
}
