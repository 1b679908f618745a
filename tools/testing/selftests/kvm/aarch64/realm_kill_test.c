// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that is killed at any stage of its realm's life: every granule is back
 * after it, scrubbed, and can be used.  And a host that touches what is a
 * realm's, through whatever mapping it has, and lives.
 */
#define _GNU_SOURCE
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
	CREATED, BOUND, POPULATED, FINALIZED, RAN, FILLED, CONVERTED, RUNNING,
	FAULTING, ASKING, NR_STAGES
};

static const char * const stages[NR_STAGES] = {
	"created", "bound", "populated", "finalized", "ran", "filled",
	"converted", "running", "faulting", "asking for a conversion",
};

static void guest_spin(void)
{
	for (;;)
		cpu_relax();
}

static void guest_touch_all(uint64_t gpa, uint64_t size)
{
	for (;;)
		stamp_fill((void *)gpa, gpa, size, 1);
}

static void reached(int pipe, enum stage now, enum stage last)
{
	if (now != last)
		return;
	EXPECT_EQ(write(pipe, "", 1), 1, "pipe");
	if (now < RUNNING)
		pause();
}

/* Kept going until the kill: faults that the host undoes all the time. */
static void fault_for_ever(struct agent *agent)
{
	pid_t vmm = getpid();
	int ret;

	if (!fork()) {
		while (getppid() == vmm)
			gmem_punch(memory.fd, 0, SIZE_4K);
		_exit(0);
	}
	agent_start(agent, guest_touch_all, MEMORY, SIZE_2M, 0, 0);
	do {
		ret = __vcpu_run(agent->vcpu);
	} while (!ret || errno == EFAULT);
}

static void vmm(int pipe, enum stage last)
{
	const struct realm_options options = {
		.not_measured = true,
		.rec_feature = true,
	};
	struct agent *agent = &realm.agents[0];

	realm_create(&realm, &options);
	agent_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	reached(pipe, CREATED, last);
	realm_bind(&realm);
	reached(pipe, BOUND, last);
	realm_populate_all(&realm, false);
	reached(pipe, POPULATED, last);
	__realm_vcpu_finalize(realm.vcpus[0]);
	reached(pipe, FINALIZED, last);
	agent_call(agent, guest_current_el);
	reached(pipe, RAN, last);
	agent_call(agent, guest_fill, MEMORY, SIZE, 1);
	reached(pipe, FILLED, last);
	if (last == CONVERTED || last == ASKING)
		realm_convert(agent, MEMORY, SIZE_4K, false);
	reached(pipe, CONVERTED, last);
	reached(pipe, RUNNING, last);
	if (last == RUNNING)
		agent_start(agent, guest_spin, 0, 0, 0, 0);
	reached(pipe, ASKING, last);
	if (last == ASKING)
		agent_start(agent, guest_convert, MEMORY + SIZE_4K,
			    MEMORY + SIZE, RSI_EMPTY, 0);
	reached(pipe, FAULTING, last);
	if (last == FAULTING)
		fault_for_ever(agent);
	for (;;)
		__vcpu_run(agent->vcpu);
}

static void test_kill(enum stage stage)
{
	int fds[2], status;
	pid_t child;
	char byte;

	EXPECT_ERRNO(pipe(fds), 0, "pipe");
	child = fork();
	if (!child) {
		vmm(fds[1], stage);
		_exit(1);
	}
	EXPECT_EQ(read(fds[0], &byte, 1), 1, "the VMM should be %s",
		  stages[stage]);
	if (stage >= RUNNING)
		usleep(30000);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child, "waitpid");
	close(fds[0]);
	close(fds[1]);
	rmm_expect_granules(delegated, leaked, stages[stage]);
	if (rmm_is_model())
		EXPECT_EQ(rmm_held(), held, "killed when %s: granules by the RMM's count",
			  stages[stage]);
}

/* Much more than all of the realms had. */
static void test_memory_is_usable(void)
{
	uint64_t size = min(read_meminfo_kb("MemAvailable") / 2 * 1024,
			    SIZE_1G / 4) & -SIZE_2M;
	void *mem = map_anonymous(size, SIZE_2M);

	EXPECT_EQ(zero_check(mem, 0, size), size, "where memory is not zero");
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

static void test_file_of_realm(uint64_t flags)
{
	struct gmem_area open;
	struct agent *agent = &realm.agents[0];
	char what[64];

	snprintf(what, sizeof(what), "file with flags %#lx", flags);
	gmem_area_add_mapped(&open, realm.vm, REALM_FREE_SLOT + 1,
			     MEMORY + SIZE, SIZE_2M, flags);
	if (flags & GUEST_MEMFD_FLAG_INIT_SHARED) {
		/* Shared: the realm reaches it by its alias alone. */
		EXPECT_EQ(touch_write(open.hva), 0, "%s: a store", what);
		agent_call(agent, guest_write, SHARED_VA(MEMORY + SIZE), 77);
		EXPECT_EQ(*(uint64_t *)open.hva, 77, "%s: what the host reads",
			  what);
	} else {
		vm_set_private(realm.vm, MEMORY + SIZE, SIZE_2M);
		expect_no_access(open.hva, what);
		vm_set_shared(realm.vm, MEMORY + SIZE, SIZE_2M);
	}
	gmem_area_free(&open);
}

static void test_host_access(void)
{
	const struct realm_options options = { .not_measured = true };
	struct agent *agent = &realm.agents[0];

	realm_create(&realm, &options);
	agent_map(realm.vm, MEMORY, SIZE + SIZE_2M);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_load(&realm, &options);
	agent_call(agent, guest_fill, MEMORY, SIZE, 3);

	EXPECT(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, memory.fd, 0) ==
	       MAP_FAILED && errno == ENODEV,
	       "the file should not be mapped, errno %d", errno);
	test_file_of_realm(GUEST_MEMFD_FLAG_MMAP);
	if (vm_check_cap(realm.vm, KVM_CAP_GUEST_MEMFD_FLAGS) &
	    GUEST_MEMFD_FLAG_INIT_SHARED)
		test_file_of_realm(GMEM_SHARED);
	else
		note_skipped("shared files of realms: no such flag");
	EXPECT_EQ(agent_call(agent, guest_check, MEMORY, SIZE, 3),
		  MEMORY + SIZE, "where the realm's data is lost");
	gmem_area_free(&memory);
	realm_free(&realm);
	rmm_expect_granules(delegated, leaked, "after the host's accesses");
}

int main(int argc, char *argv[])
{
	enum stage stage;

	require_realms();
	delegated = rmm_delegated();
	leaked = rmm_leaked();
	if (rmm_is_model())
		held = rmm_held();
	else
		note_skipped("the RMM's own count: needs the model RMM");

	for (stage = 0; stage < NR_STAGES; stage++)
		test_kill(stage);
	test_memory_is_usable();
	test_host_access();
	return test_verdict();
}
