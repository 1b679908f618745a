// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot that comes and goes under running vCPUs, each time over the other one of
 * two parts of a file: at any time they read one part or the other, or a device
 * where there is no slot, and once there is a slot again, that part alone.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "guest_agent.h"

#define GPA		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define END		(GPA + SIZE)
#define NR_PARTS	2
#define NR_WATCHERS	2
#define BATCH		64
#define BUDGET_MS	5000

static struct kvm_vm *vm;
static struct agent agents[NR_WATCHERS + 1], *checker = &agents[NR_WATCHERS];
static struct gmem_area area;
static void *mem;
static uint64_t seed, nr_watched, nr_away;
static bool stop;

/* Part n holds stamps of seed n + 1.  Returns the first address without. */
static uint64_t guest_watch(uint64_t random)
{
	struct rnd rnd = { random };
	uint64_t gpa, value, part;
	int i;

	for (i = 0; i < BATCH; i++) {
		gpa = GPA + rnd_below(&rnd, SIZE / STAMP_STEP) * STAMP_STEP;
		value = guest_read(gpa);
		for (part = 0; part < NR_PARTS; part++)
			if (value == stamp(part + 1, gpa))
				break;
		if (part == NR_PARTS)
			return gpa;
	}
	return 0;
}

/* The VMM plays the device: it has the first part. */
static bool is_away(struct agent *agent, enum agent_stop why)
{
	struct kvm_run *run = agent->vcpu->run;
	uint64_t value;

	if (why == AGENT_FAULT && agent->err == EFAULT)
		return run->memory_fault.gpa >= GPA &&
		       run->memory_fault.gpa < END;
	if (why != AGENT_MMIO || run->mmio.is_write || run->mmio.len != 8)
		return false;
	value = stamp(1, run->mmio.phys_addr);
	memcpy(run->mmio.data, &value, sizeof(value));
	return true;
}

static void *run_watcher(void *arg)
{
	struct agent *agent = arg;
	struct rnd rnd = { seed + (agent - agents) };
	enum agent_stop why;

	while (!READ_ONCE(stop)) {
		agent_start(agent, guest_watch, rnd_next(&rnd), 0, 0, 0);
		while (is_away(agent, why = agent_run(agent)))
			__atomic_fetch_add(&nr_away, 1, __ATOMIC_RELAXED);
		if (!EXPECT(why == AGENT_DONE && !agent->value,
			    "watcher should find a part of the file, or 0: %s",
			    agent_stop_name(agent, why)))
			break;
		__atomic_fetch_add(&nr_watched, BATCH, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void change_slot(struct rnd *rnd, int part)
{
	vm_delete_slot(vm, area.slot);
	if (rnd_below(rnd, 2))
		usleep(rnd_below(rnd, 2000));
	area.hva = mem + part * SIZE;
	area.offset = part * SIZE;
	gmem_area_bind(&area);
}

static void test_race(void)
{
	uint64_t until = now_ms() + BUDGET_MS, nr;
	pthread_t threads[NR_WATCHERS];
	struct rnd rnd = { seed };
	int i;

	for (i = 0; i < NR_WATCHERS; i++)
		pthread_create(&threads[i], NULL, run_watcher, &agents[i]);
	for (nr = 0; now_ms() < until && !test_has_failed(); nr++) {
		change_slot(&rnd, nr % NR_PARTS);
		EXPECT_EQ(agent_call(checker, guest_check, GPA, SIZE,
				     nr % NR_PARTS + 1), END,
			  "part %lu: first page of another", nr % NR_PARTS);
	}
	WRITE_ONCE(stop, true);
	for (i = 0; i < NR_WATCHERS; i++)
		pthread_join(threads[i], NULL);

	printf("%lu words watched, %lu slots, %lu times away\n", nr_watched, nr,
	       nr_away);
	EXPECT(nr_watched && nr, "all should have run");
}

int main(int argc, char *argv[])
{
	bool has_seed = argc > 2 && !strcmp(argv[1], "-s");
	int i;

	require_gmem_flags(GMEM_SHARED);
	seed = rnd_seed(has_seed ? argv[2] : NULL);
	vm = agent_vm_create(0, ARRAY_SIZE(agents), agents);
	agent_map(vm, GPA, SIZE);
	mem = gmem_map_new(vm, NR_PARTS * SIZE, GMEM_SHARED, &area.fd);
	for (i = 0; i < NR_PARTS; i++)
		stamp_fill(mem + i * SIZE, GPA, SIZE, i + 1);
	area.vm = vm;
	area.slot = 1;
	area.gpa = GPA;
	area.size = SIZE;
	area.hva = mem;
	gmem_area_bind(&area);

	test_race();

	vm_delete_slot(vm, area.slot);
	munmap(mem, NR_PARTS * SIZE);
	close(area.fd);
	kvm_vm_free(vm);
	return test_verdict();
}
