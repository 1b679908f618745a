// SPDX-License-Identifier: GPL-2.0-only
/*
 * What realms cost, in instructions of the host, of the RMM and of the realm.
 *
 * Made for an emulated machine with one CPU whose clock counts instructions, as
 * QEMU's does with -icount shift=0,sleep=off; elsewhere the numbers are
 * nanoseconds.  Prints one "name value unit" per line, the least of a few
 * rounds.
 */
#include <time.h>

#include "realm.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(4 * SIZE_2M)
#define NR_PAGES	(SIZE / SIZE_4K)
#define ROUNDS		3
#define NR_EXITS	1000ul

static struct realm realm;
static struct agent *agent = &realm.agents[0];
static struct gmem_area memory;

enum row {
	CREATE, POPULATE_MEASURED, POPULATE, FAULT, TOUCH, MMIO,
	TO_SHARED, TO_PRIVATE, PUNCH, DESTROY, NR_ROWS
};

static struct {
	const char *name, *unit;
	uint64_t count;
	double least;
} rows[NR_ROWS] = {
	[CREATE] = { "realm.create_to_first_call", "", 1 },
	[POPULATE_MEASURED] = { "realm.populate_measured", "/MiB", SIZE >> 20 },
	[POPULATE] = { "realm.populate", "/MiB", SIZE >> 20 },
	[FAULT] = { "realm.private_fault", "/page", NR_PAGES },
	[TOUCH] = { "realm.private_touch", "/page", NR_PAGES },
	[MMIO] = { "realm.exit_and_enter", "/exit", NR_EXITS },
	[TO_SHARED] = { "realm.convert_to_shared", "/page", NR_PAGES },
	[TO_PRIVATE] = { "realm.convert_to_private", "/page", NR_PAGES },
	[PUNCH] = { "realm.punch_mapped", "/page", NR_PAGES },
	[DESTROY] = { "realm.destroy", "", 1 },
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void record(enum row row, uint64_t spent)
{
	double value = (double)spent / rows[row].count;

	if (!rows[row].least || value < rows[row].least)
		rows[row].least = value;
}

#define TIMED(row, work)			\
do {						\
	uint64_t __start = now();		\
						\
	work;					\
	record(row, now() - __start);		\
} while (0)

/* One word of each page, so that nearly all that counts is the fault. */
static uint64_t guest_touch(uint64_t gpa, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += SIZE_4K)
		WRITE_ONCE(*(uint64_t *)(gpa + i), i);
	return 0;
}

static uint64_t guest_exit(uint64_t count)
{
	while (count--)
		WRITE_ONCE(*(uint64_t *)(REALM_DEVICE_VA + 0x100), count);
	return 0;
}

static void run_exits(void)
{
	uint64_t i;

	agent_start(agent, guest_exit, NR_EXITS, 0, 0, 0);
	for (i = 0; i < NR_EXITS; i++)
		TEST_ASSERT(!__vcpu_run(agent->vcpu), "KVM_RUN, errno %d",
			    errno);
	TEST_ASSERT(agent_run(agent) == AGENT_DONE, "it should end");
}

static void begin(void)
{
	realm_create(&realm, &(struct realm_options){});
	agent_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	memset(memory.hva, 0xa5, SIZE);
}

static void end(void)
{
	gmem_area_free(&memory);
	realm_free(&realm);
}

static void load(void)
{
	realm_load(&realm, &(struct realm_options){ .not_measured = true });
}

static void measure_life(void)
{
	TIMED(CREATE, begin(); load(); agent_call(agent, guest_current_el));
	TIMED(DESTROY, end());
}

static void measure_populate(bool measured)
{
	begin();
	TIMED(measured ? POPULATE_MEASURED : POPULATE,
	      TEST_ASSERT(!realm_populate(realm.vm, MEMORY, SIZE, memory.hva,
					  measured), "errno %d", errno));
	end();
}

static void measure_pages(void)
{
	begin();
	load();
	agent_call(agent, guest_current_el);
	TIMED(FAULT, agent_call(agent, guest_touch, MEMORY, SIZE));
	TIMED(TOUCH, agent_call(agent, guest_touch, MEMORY, SIZE));
	TIMED(MMIO, run_exits());
	TIMED(TO_SHARED, realm_convert(agent, MEMORY, SIZE, false));
	TIMED(TO_PRIVATE, realm_convert(agent, MEMORY, SIZE, true));
	agent_call(agent, guest_touch, MEMORY, SIZE);
	TIMED(PUNCH, gmem_punch(memory.fd, 0, SIZE));
	end();
}

/* A loop of a million instructions. */
static const char *unit_of_clock(void)
{
	uint64_t count = 500 * 1000, spent = now();

	asm volatile("1: subs %0, %0, #1\n\t"
		     "b.ne 1b" : "+r"(count) : : "cc");
	spent = now() - spent;
	return spent > 990 * 1000 && spent < 1010 * 1000 ? "instructions" : "ns";
}

int main(int argc, char *argv[])
{
	const char *unit = unit_of_clock();
	int i;

	require_realms();
	for (i = 0; i < ROUNDS; i++) {
		measure_life();
		measure_populate(true);
		measure_populate(false);
		measure_pages();
	}
	for (i = 0; i < NR_ROWS; i++)
		printf("%-28s %15.0f %s%s\n", rows[i].name, rows[i].least, unit,
		       rows[i].unit);
	return test_verdict();
}
