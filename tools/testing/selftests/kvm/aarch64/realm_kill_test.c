// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that is killed at any stage of its realm's life: every granule is back
 * after it, scrubbed, and can be used.  And a host that touches what is a
 * realm's, through whatever mapping it has, and lives.
 */
#define _GNU_SOURCE
#include <linux/psci.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)

static uint64_t delegated, leaked, held;

static struct realm realm;
static struct gmem_area memory;

/* Where the VMM is; the parent waits for it and kills. */
enum stage {
	CREATED, BOUND, POPULATED, FINALIZED, RAN, FILLED, CONVERTED, PSCI,
	/* Those that go on from there. */
	RUNNING, RUNNING_BOTH, FAULTING, ASKING, POPULATING, CLOSING, NR_STAGES
};

static const struct {
	const char *name;
	/* When the kill comes, in microseconds; those that end by 0. */
	unsigned int delays[6];
} stages[NR_STAGES] = {
	[CREATED] = { "created" },
	[BOUND] = { "bound" },
	[POPULATED] = { "populated" },
	[FINALIZED] = { "finalized" },
	[RAN] = { "ran" },
	[FILLED] = { "filled" },
	[CONVERTED] = { "converted" },
	[PSCI] = { "in a PSCI call" },
	[RUNNING] = { "running", { 30000 } },
	[RUNNING_BOTH] = { "running both RECs", { 30000 } },
	[FAULTING] = { "faulting", { 30000 } },
	[ASKING] = { "asking for a conversion", { 30000 } },
	[POPULATING] = { "populating", { 1, 1000, 4000, 16000, 64000 } },
	[CLOSING] = { "closing", { 1, 1000, 4000, 16000, 64000 } },
};

static void guest_touch_all(uint64_t gpa, uint64_t size)
{
	for (;;)
		stamp_fill((void *)gpa, gpa, size, 1);
}

/* The byte says whether all was well up to here. */
static void reached(int pipe, enum stage now, enum stage last)
{
	char failed = test_has_failed();

	if (now != last)
		return;
	if (write(pipe, &failed, 1) != 1)
		_exit(1);
	while (now < RUNNING)
		pause();
}

static void *run_for_ever(void *agent)
{
	for (;;)
		__vcpu_run(((struct agent *)agent)->vcpu);
	return NULL;
}

/* Kept going until the kill: faults that the host undoes all the time. */
static void fault_for_ever(struct agent *agent)
{
	pid_t vmm = getpid();

	if (!fork()) {
		while (getppid() == vmm)
			gmem_punch(memory.fd, 0, SIZE_4K);
		_exit(0);
	}
	agent_start(agent, guest_touch_all, MEMORY, SIZE_2M, 0, 0);
}

static void run_both(struct agent *agent)
{
	pthread_t thread;

	EXPECT_EQ(agent_call(agent, guest_smc4, PSCI_0_2_FN64_CPU_ON, 1,
			     addr_gva2gpa(realm.vm, (uintptr_t)realm_entry),
			     addr_gva2gpa(realm.vm, realm.boot[1])),
		  PSCI_RET_SUCCESS, "CPU_ON");
	agent_start(agent, guest_spin, 0, 0, 0, 0);
	agent_start(&realm.agents[1], guest_spin, 0, 0, 0, 0);
	pthread_create(&thread, NULL, run_for_ever, &realm.agents[1]);
}

/* A call that KVM leaves to its user. */
static void start_psci(struct agent *agent)
{
	enum agent_stop stop;

	agent_start(agent, guest_smc4, PSCI_0_2_FN64_AFFINITY_INFO, 1, 0, 0);
	stop = agent_run(agent);
	EXPECT(stop == AGENT_HYPERCALL, "a PSCI call should go to the user: %s",
	       agent_stop_name(agent, stop));
}

static void close_all(void)
{
	gmem_area_free(&memory);
	realm_free(&realm);
	for (;;)
		pause();
}

/* What it does when it is killed. */
static void prepare_to_run(struct agent *agent, enum stage last)
{
	switch (last) {
	case RUNNING:
		agent_start(agent, guest_spin, 0, 0, 0, 0);
		break;
	case RUNNING_BOTH:
		run_both(agent);
		break;
	case FAULTING:
		fault_for_ever(agent);
		break;
	case ASKING:
		realm_convert(agent, MEMORY, SIZE_4K, false);
		agent_start(agent, guest_convert, MEMORY + SIZE_4K,
			    MEMORY + SIZE, RSI_EMPTY, 0);
		break;
	default:
		break;
	}
}

static void vmm(int pipe, enum stage last)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.others_off = true,
		.not_measured = true,
		.rec_feature = true,
		.no_psci = last == PSCI,
	};
	struct agent *agent = &realm.agents[0];

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	reached(pipe, CREATED, last);
	realm_bind(&realm);
	reached(pipe, BOUND, last);
	EXPECT_ERRNO(realm_populate_all(&realm, false), 0, "populate");
	reached(pipe, POPULATED, last);
	reached(pipe, POPULATING, last);
	if (last == POPULATING)
		realm_populate(realm.vm, MEMORY, SIZE, memory.hva, true);
	EXPECT_ERRNO(__realm_vcpu_finalize(realm.vcpus[0]), 0, "finalize");
	reached(pipe, FINALIZED, last);
	EXPECT_ERRNO(__realm_vcpu_finalize(realm.vcpus[1]), 0, "finalize");
	EXPECT_EQ(agent_call(agent, guest_current_el), 1, "exception level");
	reached(pipe, RAN, last);
	agent_call(agent, guest_fill, MEMORY, SIZE, 1);
	reached(pipe, FILLED, last);
	if (last == CONVERTED)
		realm_convert(agent, MEMORY, SIZE_4K, false);
	reached(pipe, CONVERTED, last);
	if (last == PSCI)
		start_psci(agent);
	reached(pipe, PSCI, last);
	prepare_to_run(agent, last);
	reached(pipe, last, last);
	if (last == CLOSING)
		close_all();
	run_for_ever(agent);
}

static void expect_all_back(const char *when)
{
	rmm_expect_granules(delegated, leaked, when);
	if (!rmm_is_model())
		return;
	EXPECT_EQ(rmm_held(), held, "%s: granules by the RMM's count", when);
	EXPECT_EQ(rmm_not_scrubbed(), 0, "%s: granules with contents", when);
}

static void test_kill(enum stage stage, unsigned int delay)
{
	const char *name = stages[stage].name;
	int fds[2], status;
	pid_t child;
	char failed = 1;

	EXPECT_ERRNO(pipe(fds), 0, "pipe");
	fflush(stdout);
	child = fork();
	if (!child) {
		test_restart();
		close(fds[0]);
		vmm(fds[1], stage);
		_exit(1);
	}
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &failed, 1), 1, "the VMM should be %s", name);
	EXPECT_EQ(failed, 0, "what the VMM found wrong before it was %s", name);
	usleep(delay);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child, "waitpid");
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	       "%s: should end by the kill, status %#x", name, status);
	close(fds[0]);
	expect_all_back(name);
}

static void test_kills(enum stage stage)
{
	int i = 0;

	do {
		test_kill(stage, stages[stage].delays[i]);
	} while (stages[stage].delays[++i]);
}

/* Much more than all of the realms had. */
static void test_memory_is_usable(void)
{
	uint64_t size = min(read_meminfo_kb("MemAvailable") / 2 * 1024,
			    SIZE_1G / 4) & -SIZE_2M;
	void *mem = map_anonymous(size, SIZE_2M);

	memset(mem, 0xa5, size);
	munmap(mem, size);
}

/* Access by the host */

static void expect_no_syscall_access(void *at, const char *what)
{
	char byte = 0;
	struct iovec local = { &byte, 1 }, remote = { at, 1 };
	int fds[2];

	EXPECT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) <= 0,
	       "%s: process_vm_readv() should fail", what);
	EXPECT_ERRNO(pipe(fds), 0, "pipe");
	EXPECT_ERRNO(write(fds[1], at, 1), EFAULT, "%s: write() from it", what);
	EXPECT_EQ(write(fds[1], "x", 1), 1, "pipe");
	EXPECT_ERRNO(read(fds[0], at, 1), EFAULT, "%s: read() to it", what);
	close(fds[0]);
	close(fds[1]);
}

static void expect_no_access(void *at, const char *what)
{
	EXPECT(touch_read(at), "%s: a load should be a SIGBUS", what);
	EXPECT(touch_write(at), "%s: a store should be a SIGBUS", what);
	expect_no_syscall_access(at, what);
}

static void expect_end_of_load(struct agent *agent)
{
	enum agent_stop stop = agent_run(agent);

	EXPECT(stop == AGENT_MMIO, "without the slot it is a device: %s",
	       agent_stop_name(agent, stop));
	EXPECT_EQ(agent_run(agent), AGENT_DONE, "the load that was stopped");
}

/* Of a file that can be mapped the realm has private pages, and no shared ones. */
static void test_mapped_file(void)
{
	struct agent *first = &realm.agents[0], *second = &realm.agents[1];
	const uint64_t gpa = MEMORY + SIZE;
	struct gmem_area open;

	gmem_area_add_mapped(&open, realm.vm, REALM_FREE_SLOT + 1, gpa,
			     SIZE_2M, GUEST_MEMFD_FLAG_MMAP);
	agent_expect_fault(second, guest_read, SHARED_VA(gpa), 0, gpa, false,
			   EFAULT, "shared alias of a file");
	expect_no_access(open.hva, "file that can be mapped");
	realm_convert(first, gpa, SIZE_4K, true);
	agent_call(first, guest_write, gpa, 77);
	expect_no_access(open.hva, "page that is the realm's");
	EXPECT_EQ(agent_call(first, guest_read, gpa), 77,
		  "what the realm has there");
	realm_convert(first, gpa, SIZE_4K, false);
	gmem_area_free(&open);
	expect_end_of_load(second);
}

static void test_host_access(void)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.not_measured = true,
	};
	struct agent *agent = &realm.agents[0];

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE + SIZE_2M);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_load(&realm, &options);
	agent_call(agent, guest_fill, MEMORY, SIZE, 3);

	EXPECT(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, memory.fd, 0) ==
	       MAP_FAILED && errno == ENODEV,
	       "the file should not be mapped, errno %d", errno);
	EXPECT_EQ(vm_check_cap(realm.vm, KVM_CAP_GUEST_MEMFD_FLAGS),
		  GUEST_MEMFD_FLAG_MMAP, "flags of a realm's files");
	test_mapped_file();
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, SIZE, 3),
		  MEMORY + SIZE, "where the realm's data is lost");
	gmem_area_free(&memory);
	realm_free(&realm);
	rmm_expect_granules(delegated, leaked, "after the host's accesses");
}

int main(int argc, char *argv[])
{
	uint64_t unevictable;
	enum stage stage;

	require_realms();
	unevictable = unevictable_kb();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	if (rmm_is_model())
		held = rmm_held();
	else
		note_skipped("the RMM's own count: needs the model RMM");

	for (stage = 0; stage < NR_STAGES; stage++)
		test_kills(stage);
	expect_unevictable(unevictable, "after all realms");
	test_memory_is_usable();
	test_host_access();
	return test_verdict();
}
