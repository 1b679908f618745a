// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of the RMM that fail: each kind of them, early and late in the life
 * of a realm.  The VMM gets an error or a dead realm; granules that are not back
 * at the end are those that are counted as leaked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define HANG_SECONDS	30

#define STATUS_INPUT	1
#define STATUS_REALM	2
#define STATUS_REC	3
#define STATUS_RTT(l)	(4 | (l) << 8)

#define ANY		(0u - RMI_FID(0))

/* Only where the host happens to have adjacent pages. */
#define RTT_FOLD	0x16

static const struct {
	const char *name;
	unsigned int fid;
	uint32_t status[4];
} commands[] = {
	{ "any", ANY, { STATUS_INPUT, STATUS_RTT(3) } },
	{ "GRANULE_DELEGATE", 1, { STATUS_INPUT } },
	{ "GRANULE_UNDELEGATE", 2, { STATUS_INPUT } },
	{ "DATA_CREATE", 3, { STATUS_INPUT, STATUS_REALM, STATUS_RTT(2),
			      STATUS_RTT(3) } },
	{ "DATA_CREATE_UNKNOWN", 4, { STATUS_INPUT, STATUS_RTT(2),
				      STATUS_RTT(3) } },
	{ "DATA_DESTROY", 5, { STATUS_INPUT, STATUS_RTT(2), STATUS_RTT(3) } },
	{ "REALM_ACTIVATE", 7, { STATUS_INPUT, STATUS_REALM } },
	{ "REALM_CREATE", 8, { STATUS_INPUT } },
	{ "REALM_DESTROY", 9, { STATUS_INPUT, STATUS_REALM } },
	{ "REC_CREATE", 0xa, { STATUS_INPUT, STATUS_REALM } },
	{ "REC_DESTROY", 0xb, { STATUS_INPUT, STATUS_REC } },
	{ "REC_ENTER", 0xc, { STATUS_INPUT, STATUS_REALM, STATUS_REC } },
	{ "RTT_CREATE", 0xd, { STATUS_INPUT, STATUS_RTT(1), STATUS_RTT(2) } },
	{ "RTT_DESTROY", 0xe, { STATUS_INPUT, STATUS_RTT(2) } },
	{ "RTT_MAP_UNPROTECTED", 0xf, { STATUS_INPUT, STATUS_RTT(2),
					STATUS_RTT(3) } },
	{ "RTT_READ_ENTRY", 0x11, { STATUS_INPUT } },
	{ "RTT_UNMAP_UNPROTECTED", 0x12, { STATUS_INPUT, STATUS_RTT(2) } },
	{ "RTT_FOLD", RTT_FOLD, { STATUS_INPUT, STATUS_RTT(2) } },
	{ "REC_AUX_COUNT", 0x17, { STATUS_INPUT } },
	{ "RTT_INIT_RIPAS", 0x18, { STATUS_INPUT, STATUS_RTT(2),
				    STATUS_RTT(3) } },
	{ "RTT_SET_RIPAS", 0x19, { STATUS_INPUT, STATUS_RTT(2),
				   STATUS_RTT(3) } },
};

static struct realm realm;
static struct gmem_area memory;

/* Goes on after what fails, as far as it can. */
static void convert(struct agent *agent, uint64_t size, bool private)
{
	struct kvm_run *run = agent->vcpu->run;
	int tries = 20;

	agent_start(agent, guest_convert, MEMORY, MEMORY + size,
		    private ? RSI_RAM : RSI_EMPTY, 0);
	while (tries-- && agent_run(agent) != AGENT_DONE) {
		if (run->exit_reason != KVM_EXIT_MEMORY_FAULT)
			continue;
		__vm_set_attributes(realm.vm, run->memory_fault.gpa,
				    run->memory_fault.size,
				    private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
	}
}

static void call(struct agent *agent, void *fn, uint64_t a0, uint64_t a1)
{
	int tries = 20;

	agent_start(agent, fn, a0, a1, 1, 0);
	while (tries-- && agent_run(agent) != AGENT_DONE)
		;
}

/* All that a realm does in its life, in a process of its own. */
static void story(void)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.not_measured = true,
	};
	struct agent *agent = &realm.agents[0];
	int i;

	realm_create(&realm, &options);
	agent_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_bind(&realm);
	for (i = 0; i < 3 && realm_populate_all(&realm, false); i++)
		;
	call(agent, guest_fill, MEMORY, 16 * SIZE_4K);
	gmem_punch(memory.fd, 15 * SIZE_4K, SIZE_4K);
	convert(agent, 8 * SIZE_4K, false);
	call(agent, guest_fill, SHARED_VA(MEMORY), 8 * SIZE_4K);
	convert(agent, 4 * SIZE_4K, true);
	call(agent, guest_fill, MEMORY, 4 * SIZE_4K);
	convert(agent, SIZE, true);
	call(agent, guest_fill, MEMORY, SIZE);
	madvise(memory.hva, SIZE, MADV_DONTNEED);
	gmem_punch(memory.fd, 0, SIZE_4K);
	convert(agent, SIZE, false);
	__vm_delete_slot(realm.vm, memory.slot);
}

static void run_story(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	alarm(HANG_SECONDS);
	story();
	_exit(0);
}

/* True if there are as many commands. */
static bool test_fail(const char *name, uint32_t fid, uint32_t status,
		      uint64_t nth)
{
	uint64_t delegated = rmm_delegated(), leaked = rmm_leaked();
	uint64_t held = rmm_held(), end;
	bool has_failed;
	int wstatus;
	pid_t child;

	rmm_fail(nth, fid, status);
	child = fork();
	if (!child)
		run_story();
	TEST_ASSERT(waitpid(child, &wstatus, 0) == child, "waitpid()");
	end = now_ms() + 3000;
	while (rmm_delegated() - delegated != rmm_leaked() - leaked &&
	       now_ms() < end)
		usleep(1000);
	has_failed = rmm_has_failed();
	rmm_stop_failing();

	EXPECT(WIFEXITED(wstatus), "%s %lu with %#x: the VMM ended by signal %d",
	       name, nth, status, WTERMSIG(wstatus));
	EXPECT_EQ(rmm_delegated() - delegated, rmm_leaked() - leaked,
		  "%s %lu with %#x: granules delegated, of those leaked", name,
		  nth, status);
	EXPECT_EQ(rmm_held() - held, rmm_leaked() - leaked,
		  "%s %lu with %#x: granules held, of those leaked", name, nth,
		  status);
	if (!has_failed)
		EXPECT_EQ(rmm_leaked(), leaked, "%s: leaks without a failure",
			  name);
	return has_failed;
}

int main(int argc, char *argv[])
{
	uint64_t nth, leaked, nr;
	int i, j;

	require_realms();
	require_rmm_model();
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		leaked = rmm_leaked();
		nr = 0;
		for (j = 0; j < 4 && commands[i].status[j]; j++)
			/* Early ones, and ever fewer of the later ones. */
			for (nth = 1; nth < 1000; nth += 1 + nth, nr++)
				if (!test_fail(commands[i].name,
					       RMI_FID(commands[i].fid),
					       commands[i].status[j], nth))
					break;
		printf("%-24s %3lu failed, %3lu granules leaked\n",
		       commands[i].name, nr, rmm_leaked() - leaked);
		EXPECT(nr || commands[i].fid == RTT_FOLD,
		       "%s should be called", commands[i].name);
	}
	return test_verdict();
}
