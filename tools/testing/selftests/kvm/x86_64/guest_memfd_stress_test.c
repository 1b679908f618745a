// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for a bounded time: vCPUs touch memory and ask for
 * conversions while threads convert overlapping ranges, punch and allocate,
 * delete and re-create slots, close files, pre-fault, and pull the shared side
 * about.
 *
 * What may be read holds at any time, whoever is ahead:
 *
 *   kept pages	hold their stamp, the shared or the private one; nobody writes
 *		or discards them
 *   counters	only grow: one page stays private, one stays shared
 *   others	hold zeroes or a stamp of their own address, written by the
 *		guest or by the host
 *
 * From time to time all stop, and it is checked that each side of each page
 * is what it should be, that nothing of the host is on the private side, and
 * that guest and host agree on the shared side.
 *
 * The second area has no kept pages; there, slots and files come and go.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <linux/kvm_para.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "guest_agent.h"

#define PAGE		SIZE_4K
#define NR_PAGES	1024ul
#define SIZE		(NR_PAGES * PAGE)
#define FIRST		(4 * SIZE_1G)
#define SECOND		(5 * SIZE_1G - SIZE_2M)
#define SHARED_COUNTERS	510ul
#define PRIVATE_COUNTERS 511ul
#define NR_VCPUS	3
#define BATCH		16ul
#define FAILED		(-1ul)

enum {
	SEED_SHARED = 1,	/* kept pages, shared side */
	SEED_PRIVATE,		/* kept pages, private side */
	SEED_GUEST,		/* other pages, by whoever runs there */
	SEED_HOST,		/* other pages, shared side only */
};

/* Pages: 8 * n is kept, the six from 8 * n + 2 on may be discarded. */
#define GROUP		8ul
#define GROUP_OTHERS	2ul

/* What a vCPU has seen that it should not. */
struct report {
	uint64_t gpa, value, want;
};

static struct report reports[NR_VCPUS];

static struct kvm_vm *vm;
static struct agent agents[NR_VCPUS + 1];
static struct agent *pre_faulter = &agents[NR_VCPUS];
static struct gmem_area areas[2];
static uint64_t counters[NR_VCPUS];
static uint64_t seed;
static bool stop, all_stopped;
static uint64_t nr_work, nr_faults, nr_mmio, nr_changes;

static bool is_counter(uint64_t page)
{
	return page == SHARED_COUNTERS || page == PRIVATE_COUNTERS;
}

static bool is_kept(uint64_t area, uint64_t page)
{
	return !area && !(page % GROUP);
}

static uint64_t page_gpa(uint64_t area, uint64_t page)
{
	return (area ? SECOND : FIRST) + page * PAGE;
}

/* A range of pages that has no counters in it. */
static void random_range(struct rnd *rnd, uint64_t area, uint64_t *first,
			 uint64_t *nr)
{
	uint64_t limit = NR_PAGES, base = 0;

	if (!area && rnd_below(rnd, 2))
		limit = SHARED_COUNTERS;
	else if (!area)
		base = PRIVATE_COUNTERS + 1;
	limit -= base;
	*first = rnd_below(rnd, limit);
	*nr = 1 + rnd_below(rnd, limit - *first);
	if (rnd_below(rnd, 2))
		*nr = 1 + *nr % 8;
	*nr = min(*nr, limit - *first);
	*first += base;
}

/* The guest */

static bool may_be_read(uint64_t area, uint64_t page, uint64_t gpa,
			uint64_t value)
{
	if (is_kept(area, page))
		return value == stamp(SEED_SHARED, gpa) ||
		       value == stamp(SEED_PRIVATE, gpa);
	return !value || value == stamp(SEED_GUEST, gpa) ||
	       value == stamp(SEED_HOST, gpa);
}

static uint64_t guest_complain(uint64_t id, uint64_t gpa, uint64_t value,
			       uint64_t want)
{
	reports[id].gpa = gpa;
	reports[id].value = value;
	reports[id].want = want;
	return FAILED;
}

static uint64_t guest_touch(struct rnd *rnd, uint64_t id)
{
	uint64_t area = rnd_below(rnd, 2), page = rnd_below(rnd, NR_PAGES);
	uint64_t gpa, value;

	if (!area && is_counter(page))
		return 0;
	gpa = page_gpa(area, page) + rnd_below(rnd, 8) * STAMP_STEP;
	value = guest_read(gpa);
	if (!may_be_read(area, page, gpa, value))
		return guest_complain(id, gpa, value, 0);
	if (page % GROUP >= GROUP_OTHERS && rnd_below(rnd, 4) == 0)
		guest_write(gpa, stamp(SEED_GUEST, gpa));
	return 0;
}

static uint64_t guest_count(uint64_t page, uint64_t id, uint64_t want)
{
	uint64_t gpa = page_gpa(0, page) + id * 64, value = guest_read(gpa);

	if (value != want)
		return guest_complain(id, gpa, value, want);
	guest_write(gpa, want + 1);
	return 0;
}

static void guest_convert(struct rnd *rnd)
{
	uint64_t area = rnd_below(rnd, 2), first, nr;

	random_range(rnd, area, &first, &nr);
	guest_map_gpa_range(page_gpa(area, first), nr, rnd_below(rnd, 2) ?
			    KVM_MAP_GPA_RANGE_ENCRYPTED :
			    KVM_MAP_GPA_RANGE_DECRYPTED);
}

static uint64_t guest_work(uint64_t random, uint64_t id, uint64_t counter)
{
	struct rnd rnd = { random };
	uint64_t i;

	if (!rnd_below(&rnd, 4))
		guest_convert(&rnd);
	for (i = 0; i < BATCH; i++, counter++)
		if (guest_touch(&rnd, id) ||
		    guest_count(PRIVATE_COUNTERS, id, counter) ||
		    guest_count(SHARED_COUNTERS, id, counter))
			return FAILED;
	return counter;
}

/* First address with a value of @forbidden, or of a kept page not @kept. */
static uint64_t scan(uint64_t area, uint64_t *mem, uint64_t kept,
		     uint64_t forbidden)
{
	uint64_t gpa, i, value;

	for (i = 0; i < SIZE; i += STAMP_STEP) {
		gpa = page_gpa(area, 0) + i;
		value = READ_ONCE(mem[i / sizeof(*mem)]);
		if (!area && is_counter(i / PAGE))
			continue;
		if (!may_be_read(area, i / PAGE, gpa, value) ||
		    (is_kept(area, i / PAGE) && value != stamp(kept, gpa)) ||
		    (!is_kept(area, i / PAGE) &&
		     value == stamp(forbidden, gpa)))
			break;
	}
	return page_gpa(area, 0) + i;
}

static uint64_t guest_scan(uint64_t area, uint64_t kept, uint64_t forbidden)
{
	return scan(area, (void *)page_gpa(area, 0), kept, forbidden);
}

static uint64_t checksum(uint64_t *mem, uint64_t size)
{
	uint64_t i, sum = 0;

	for (i = 0; i < size; i += STAMP_STEP)
		sum = sum * 31 + READ_ONCE(mem[i / sizeof(*mem)]);
	return sum;
}

/* vCPUs */

static void fail(struct agent *agent)
{
	struct report *report = &reports[agent - agents];

	sync_global_from_guest(vm, reports);
	printf("stamps at %#lx: %#lx shared, %#lx private, %#lx guest, %#lx host\n",
	       report->gpa, stamp(SEED_SHARED, report->gpa),
	       stamp(SEED_PRIVATE, report->gpa),
	       stamp(SEED_GUEST, report->gpa), stamp(SEED_HOST, report->gpa));
	EXPECT(false, "vCPU %u should not read %#lx at %#lx, counter %lu",
	       agent->vcpu->id, report->value, report->gpa, report->want);
	WRITE_ONCE(stop, true);
}

static bool is_our_memory(uint64_t gpa)
{
	return (gpa >= FIRST && gpa < FIRST + SIZE) ||
	       (gpa >= SECOND && gpa < SECOND + SIZE);
}

/* The VMM's part of a conversion that the guest asks for. */
static void answer_hypercall(struct kvm_run *run)
{
	uint64_t gpa = run->hypercall.args[0];
	uint64_t size = run->hypercall.args[1] * PAGE;

	EXPECT(run->hypercall.nr == KVM_HC_MAP_GPA_RANGE && is_our_memory(gpa),
	       "should be MAP_GPA_RANGE of our memory, is hypercall %llu, %#lx",
	       run->hypercall.nr, gpa);
	if (run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED)
		vm_set_private(vm, gpa, size);
	else
		vm_set_shared(vm, gpa, size);
	run->hypercall.ret = 0;
}

/* With nobody at work, faults have to come to an end. */
#define MAX_TRIES	10000

/* A fault or MMIO in these races: whoever tries again finds a new state. */
static bool try_again(struct agent *agent, enum agent_stop why)
{
	static __thread uint64_t nr_tries;
	struct kvm_run *run = agent->vcpu->run;

	nr_tries = READ_ONCE(all_stopped) ? nr_tries + 1 : 0;
	if (nr_tries > MAX_TRIES)
		return EXPECT(false, "vCPU %u should get on with nobody at work: %s",
			      agent->vcpu->id, agent_stop_name(agent, why));
	if (why == AGENT_HYPERCALL) {
		answer_hypercall(run);
		return true;
	}
	if (why == AGENT_FAULT && is_our_memory(run->memory_fault.gpa)) {
		__atomic_fetch_add(&nr_faults, 1, __ATOMIC_RELAXED);
		/* Whoever is in the way may need this CPU. */
		usleep(100);
		return true;
	}
	if (why == AGENT_MMIO && is_our_memory(run->mmio.phys_addr)) {
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0, sizeof(run->mmio.data));
		__atomic_fetch_add(&nr_mmio, 1, __ATOMIC_RELAXED);
		return true;
	}
	EXPECT(why == AGENT_DONE, "vCPU %u should run: %s", agent->vcpu->id,
	       agent_stop_name(agent, why));
	return false;
}

static void *run_vcpu(void *arg)
{
	struct agent *agent = arg;
	int id = agent - agents;
	struct rnd rnd = { seed + id + counters[id] };
	enum agent_stop why;

	while (!READ_ONCE(stop)) {
		agent_start(agent, guest_work, rnd_next(&rnd), id,
			    counters[id], 0);
		while (try_again(agent, why = agent_run(agent)))
			;
		if (why != AGENT_DONE || agent->value == FAILED) {
			fail(agent);
			break;
		}
		counters[id] += BATCH;
		__atomic_fetch_add(&nr_work, BATCH, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Threads of the host */

struct changer {
	const char *name;
	void (*change)(struct rnd *rnd);
	bool excluded;
	pthread_t thread;
};

static void convert(struct rnd *rnd)
{
	uint64_t area = rnd_below(rnd, 2), first, nr;

	random_range(rnd, area, &first, &nr);
	if (rnd_below(rnd, 2))
		vm_set_private(vm, page_gpa(area, first), nr * PAGE);
	else
		vm_set_shared(vm, page_gpa(area, first), nr * PAGE);
}

static void punch(struct rnd *rnd)
{
	uint64_t first, nr, group = rnd_below(rnd, NR_PAGES / GROUP) * GROUP;

	/* The group of the counters has fewer pages to spare. */
	nr = group + GROUP > SHARED_COUNTERS && group < SHARED_COUNTERS ? 4 : 6;
	EXPECT_ERRNO(gmem_punch(areas[0].fd, (group + GROUP_OTHERS) * PAGE,
				(1 + rnd_below(rnd, nr)) * PAGE), 0, "punch");
	random_range(rnd, 1, &first, &nr);
	/* May have been closed by now. */
	gmem_punch(READ_ONCE(areas[1].fd), first * PAGE, nr * PAGE);
}

static void allocate(struct rnd *rnd)
{
	uint64_t first, nr;

	random_range(rnd, 1, &first, &nr);
	EXPECT_ERRNO(gmem_allocate(areas[0].fd, first * PAGE, nr * PAGE), 0,
		     "allocate");
	gmem_allocate(READ_ONCE(areas[1].fd), first * PAGE, nr * PAGE);
}

/* The number stays the same: another thread may be about to use it. */
static void replace_file(void)
{
	int fd = vm_create_guest_memfd(vm, SIZE, 0);

	EXPECT_ERRNO(dup2(fd, areas[1].fd), 0, "replace the file");
	close(fd);
}

static void change_slot(struct rnd *rnd)
{
	uint64_t kind = rnd_below(rnd, 4);

	if (kind == 0)
		replace_file();
	vm_delete_slot(vm, areas[1].slot);
	if (kind == 1)
		replace_file();
	if (kind == 2)
		usleep(rnd_below(rnd, 2000));
	gmem_area_bind(&areas[1]);
	usleep(rnd_below(rnd, 100000));
}

static void pre_fault(struct rnd *rnd)
{
	uint64_t area = rnd_below(rnd, 2), first, nr;
	struct kvm_pre_fault_memory range = {};
	int ret;

	random_range(rnd, area, &first, &nr);
	range.gpa = page_gpa(area, first);
	range.size = nr * PAGE;
	ret = __vcpu_pre_fault(pre_faulter->vcpu, &range);
	EXPECT(!ret || errno == EFAULT || errno == ENOENT || errno == EAGAIN,
	       "pre-fault should succeed or fail with EFAULT, ENOENT or EAGAIN, errno %d (%s)",
	       errno, strerror(errno));
}

/* Faults as a system call does, so that a page may be missing. */
static void host_write(struct rnd *rnd)
{
	uint64_t area = rnd_below(rnd, 2), page = rnd_below(rnd, NR_PAGES);
	uint64_t gpa = page_gpa(area, page) + rnd_below(rnd, 8) * STAMP_STEP;
	uint64_t value = stamp(SEED_HOST, gpa);
	struct iovec from = { &value, sizeof(value) };
	struct iovec to = { gmem_area_hva(&areas[area], gpa), sizeof(value) };

	if (page % GROUP < GROUP_OTHERS || (!area && is_counter(page)))
		return;
	process_vm_writev(getpid(), &from, 1, &to, 1, 0);
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* What the host may do to memory without changing what is in it. */
static void move_shared_side(struct rnd *rnd)
{
	static const int advices[] = {
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_COLLAPSE, MADV_COLD, MADV_PAGEOUT,
	};
	void *hva = areas[rnd_below(rnd, 2)].hva + rnd_below(rnd, 2) * SIZE_2M;
	unsigned long node = 1ul << rnd_below(rnd, 2);

	madvise(hva, SIZE_2M, advices[rnd_below(rnd, ARRAY_SIZE(advices))]);
	/* MPOL_BIND, MPOL_MF_MOVE; fails where there is one node. */
	syscall(SYS_mbind, hva, SIZE_2M, 2, &node, 3, 2);
	if (!rnd_below(rnd, 64))
		write_file("/proc/sys/vm/compact_memory", "1");
}

static void protect_shared_side(struct rnd *rnd)
{
	uint64_t first = rnd_below(rnd, NR_PAGES), nr = rnd_below(rnd, 16) + 1;
	void *hva = areas[0].hva + first * PAGE;
	uint64_t size = min(nr, NR_PAGES - first) * PAGE;

	mprotect(hva, size, rnd_below(rnd, 2) ? PROT_READ : PROT_NONE);
	/* Stops short where another thread has unmapped and not yet mapped. */
	while (mprotect(hva, size, PROT_READ | PROT_WRITE))
		EXPECT_EQ(errno, ENOMEM, "errno of mprotect()");
}

static void discard_shared_side(struct rnd *rnd)
{
	uint64_t group = rnd_below(rnd, NR_PAGES / GROUP) * GROUP;
	void *hva = areas[0].hva + (group + GROUP_OTHERS) * PAGE;
	uint64_t size = 4 * PAGE;

	if (rnd_below(rnd, 2)) {
		madvise(hva, size, MADV_DONTNEED);
		return;
	}
	munmap(hva, size);
	hva = mmap(hva, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	TEST_ASSERT(hva != MAP_FAILED, "mmap() should work again");
}

static struct changer changers[] = {
	{ "convert", convert },
	{ "convert", convert },
	{ "punch", punch },
	{ "allocate", allocate },
	{ "slot", change_slot },
	{ "prefault", pre_fault },
	{ "write", host_write },
	{ "move", move_shared_side },
	{ "protect", protect_shared_side },
	{ "discard", discard_shared_side },
};

static void *run_changer(void *arg)
{
	struct changer *changer = arg;
	struct rnd rnd = { seed ^ (changer - changers + 1) << 32 ^ nr_changes };

	while (!READ_ONCE(stop)) {
		changer->change(&rnd);
		__atomic_fetch_add(&nr_changes, 1, __ATOMIC_RELAXED);
		/* Leaves the vCPUs time to map what they touch. */
		usleep(rnd_below(&rnd, 5000));
	}
	return NULL;
}

static bool exclude(const char *name)
{
	bool found = false;
	int i;

	for (i = 0; i < ARRAY_SIZE(changers); i++)
		if (!strcmp(changers[i].name, name)) {
			changers[i].excluded = true;
			found = true;
		}
	return found;
}

static void race(uint64_t ms)
{
	uint64_t end = now_ms() + ms;
	pthread_t threads[NR_VCPUS];
	int i;

	stop = false;
	all_stopped = false;
	for (i = 0; i < NR_VCPUS; i++)
		pthread_create(&threads[i], NULL, run_vcpu, &agents[i]);
	for (i = 0; i < ARRAY_SIZE(changers); i++)
		if (!changers[i].excluded)
			pthread_create(&changers[i].thread, NULL, run_changer,
				       &changers[i]);
	while (now_ms() < end && !READ_ONCE(stop))
		usleep(10000);
	WRITE_ONCE(stop, true);
	for (i = 0; i < ARRAY_SIZE(changers); i++)
		if (!changers[i].excluded)
			pthread_join(changers[i].thread, NULL);
	WRITE_ONCE(all_stopped, true);
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(threads[i], NULL);
}

/* While all is quiet */

static void convert_all(uint64_t area, bool private)
{
	uint64_t half = area ? NR_PAGES / 2 : SHARED_COUNTERS;
	uint64_t rest = NR_PAGES / 2;
	void (*set)(struct kvm_vm *, uint64_t, uint64_t) =
		private ? vm_set_private : vm_set_shared;

	set(vm, page_gpa(area, 0), half * PAGE);
	set(vm, page_gpa(area, rest), rest * PAGE);
}

static void verify(uint64_t area)
{
	uint64_t end = page_gpa(area, NR_PAGES), sum;
	uint64_t before_counters = SHARED_COUNTERS * PAGE;

	convert_all(area, true);
	EXPECT_EQ(agent_call(&agents[0], guest_scan, area, SEED_PRIVATE,
			     SEED_HOST), end,
		  "area %lu: first wrong address on the private side", area);

	convert_all(area, false);
	EXPECT_EQ(agent_call(&agents[0], guest_scan, area, SEED_SHARED, 0),
		  end, "area %lu: first wrong address on the shared side",
		  area);
	EXPECT_EQ(scan(area, areas[area].hva, SEED_SHARED, 0), end,
		  "area %lu: first wrong address that the host sees", area);
	sum = agent_call(&agents[0], checksum, page_gpa(area, 0),
			 before_counters);
	EXPECT_EQ(sum, checksum(areas[area].hva, before_counters),
		  "area %lu: sum of the shared side, guest against host", area);
}

static void stamp_kept(bool guest, uint64_t which)
{
	uint64_t page, gpa;

	for (page = 0; page < NR_PAGES; page += GROUP) {
		gpa = page_gpa(0, page);
		if (guest)
			agent_call(&agents[0], guest_fill, gpa, PAGE, which);
		else
			stamp_fill(gmem_area_hva(&areas[0], gpa), gpa, PAGE,
				   which);
	}
}

static void setup(void)
{
	vm = agent_vm_create(private_vm_type(), NR_VCPUS + 1, agents);
	gmem_area_add(&areas[0], vm, 1, FIRST, SIZE);
	gmem_area_add(&areas[1], vm, 2, SECOND, SIZE);
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, 1 << KVM_HC_MAP_GPA_RANGE);
	agent_map(vm, FIRST, SIZE);
	agent_map(vm, SECOND, SIZE);

	vm_set_private(vm, FIRST, SIZE);
	stamp_kept(true, SEED_PRIVATE);
	vm_set_shared(vm, FIRST, SIZE);
	stamp_kept(false, SEED_SHARED);
	vm_set_private(vm, page_gpa(0, PRIVATE_COUNTERS), PAGE);
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	write_file("/sys/kernel/mm/ksm/run", "1");
}

static int help(const char *name)
{
	int i;

	printf("usage: %s [-s seed] [-t seconds] [-x thread]...\nthreads:",
	       name);
	for (i = 0; i < ARRAY_SIZE(changers); i++)
		printf(" %s", changers[i].name);
	printf("\n");
	return KSFT_FAIL;
}

int main(int argc, char *argv[])
{
	uint64_t seconds = 10, round, nr_rounds = 5;
	const char *seed_arg = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "s:t:x:")) != -1) {
		if (opt == 's')
			seed_arg = optarg;
		else if (opt == 't')
			seconds = atoi(optarg);
		else if (opt != 'x' || !exclude(optarg))
			return help(argv[0]);
	}

	private_vm_type();
	seed = rnd_seed(seed_arg);
	setup();
	for (round = 0; round < nr_rounds && !test_has_failed(); round++) {
		race(seconds * 1000 / nr_rounds);
		verify(0);
		verify(1);
	}
	write_file("/sys/kernel/mm/ksm/run", "2");
	printf("%lu touches, %lu changes, %lu faults, %lu MMIO exits\n",
	       nr_work, nr_changes, nr_faults, nr_mmio);

	gmem_area_free(&areas[0]);
	gmem_area_free(&areas[1]);
	kvm_vm_free(vm);
	return test_verdict();
}
