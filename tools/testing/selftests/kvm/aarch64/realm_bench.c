// SPDX-License-Identifier: GPL-2.0-only
/*
 * What realms cost, in instructions of the host, of the RMM and of the realm.
 */
#include "cost.h"
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

static struct cost costs[NR_ROWS] = {
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
	realm_map(realm.vm, MEMORY, SIZE);
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
	TIMED(&costs[CREATE], begin(); load(); agent_call(agent, guest_current_el));
	TIMED(&costs[DESTROY], end());
}

static void measure_populate(bool measured)
{
	begin();
	TIMED(&costs[measured ? POPULATE_MEASURED : POPULATE],
	      TEST_ASSERT(!realm_populate(realm.vm, MEMORY, SIZE, memory.hva,
					  measured), "errno %d", errno));
	end();
}

static void measure_pages(void)
{
	begin();
	load();
	agent_call(agent, guest_current_el);
	TIMED(&costs[FAULT], agent_call(agent, guest_touch, MEMORY, SIZE));
	TIMED(&costs[TOUCH], agent_call(agent, guest_touch, MEMORY, SIZE));
	TIMED(&costs[MMIO], run_exits());
	TIMED(&costs[TO_SHARED], realm_convert(agent, MEMORY, SIZE, false));
	TIMED(&costs[TO_PRIVATE], realm_convert(agent, MEMORY, SIZE, true));
	agent_call(agent, guest_touch, MEMORY, SIZE);
	TIMED(&costs[PUNCH], gmem_punch(memory.fd, 0, SIZE));
	end();
}

int main(int argc, char *argv[])
{
	int i;

	require_realms();
	for (i = 0; i < ROUNDS; i++) {
		measure_life();
		measure_populate(true);
		measure_populate(false);
		measure_pages();
	}
	cost_print(costs, NR_ROWS);
	return test_verdict();
}
