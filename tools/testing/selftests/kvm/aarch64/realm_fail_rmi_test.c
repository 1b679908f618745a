// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of the RMM that fail: each kind of them, at places all over the life of
 * a realm, and with -a each command of a shorter life.  The VMM gets an error or a
 * dead realm; granules that are not back at the end are those that are counted as
 * leaked, and only commands that take something from a realm leak.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <linux/psci.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "realm.h"
#include "rmm.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define SECOND		(MEMORY + SIZE - SIZE_4K)
#define TRIES		20
#define HANG_SECONDS	30
#define MAX_NTH		4000

/* KVM goes on after such a status where it tries again or there was nothing to do. */
#define HARMLESS	(1u << 31)

#define ANY		(0u - RMI_FID(0))

/* Only where the host happens to have adjacent pages. */
#define RTT_FOLD	0x16
#define RTT_READ_ENTRY	0x11

struct command {
	const char *name;
	unsigned int fid;
	uint32_t status[4];
	bool may_leak;
	bool with_blocks;	/* The life has to be one with blocks. */
};

static const struct command commands[] = {
	{ "any", ANY, { STATUS_INPUT | HARMLESS, STATUS_RTT(3) | HARMLESS },
	  .may_leak = true, .with_blocks = true },
	{ "GRANULE_DELEGATE", 1, { STATUS_INPUT } },
	{ "GRANULE_UNDELEGATE", 2, { STATUS_INPUT }, .may_leak = true },
	{ "DATA_CREATE", 3, { STATUS_INPUT, STATUS_REALM,
			      STATUS_RTT(2) | HARMLESS, STATUS_RTT(3) } },
	{ "DATA_CREATE_UNKNOWN", 4, { STATUS_INPUT, STATUS_RTT(2) | HARMLESS,
				      STATUS_RTT(3) } },
	{ "DATA_DESTROY", 5, { STATUS_INPUT | HARMLESS,
			       STATUS_RTT(2) | HARMLESS,
			       STATUS_RTT(3) | HARMLESS },
	  .may_leak = true, .with_blocks = true },
	{ "REALM_ACTIVATE", 7, { STATUS_INPUT, STATUS_REALM } },
	{ "REALM_CREATE", 8, { STATUS_INPUT } },
	{ "REALM_DESTROY", 9, { STATUS_INPUT, STATUS_REALM },
	  .may_leak = true },
	{ "REC_CREATE", 0xa, { STATUS_INPUT, STATUS_REALM } },
	{ "REC_DESTROY", 0xb, { STATUS_INPUT, STATUS_REC }, .may_leak = true },
	{ "REC_ENTER", 0xc, { STATUS_INPUT, STATUS_REALM,
			      STATUS_REC | HARMLESS } },
	{ "RTT_CREATE", 0xd, { STATUS_INPUT, STATUS_RTT(1), STATUS_RTT(2) } },
	{ "RTT_DESTROY", 0xe, { STATUS_INPUT | HARMLESS,
				STATUS_RTT(2) | HARMLESS }, .may_leak = true },
	{ "RTT_MAP_UNPROTECTED", 0xf, { STATUS_INPUT,
					STATUS_RTT(2) | HARMLESS,
					STATUS_RTT(3) | HARMLESS } },
	{ "RTT_READ_ENTRY", RTT_READ_ENTRY, { STATUS_INPUT | HARMLESS } },
	{ "RTT_UNMAP_UNPROTECTED", 0x12, { STATUS_INPUT | HARMLESS,
					   STATUS_RTT(2) | HARMLESS },
	  .may_leak = true },
	{ "PSCI_COMPLETE", 0x14, { STATUS_INPUT } },
	{ "RTT_FOLD", RTT_FOLD, { STATUS_INPUT | HARMLESS,
				  STATUS_RTT(2) | HARMLESS },
	  .with_blocks = true },
	{ "REC_AUX_COUNT", 0x17, { STATUS_INPUT } },
	{ "RTT_INIT_RIPAS", 0x18, { STATUS_INPUT, STATUS_RTT(2) | HARMLESS,
				    STATUS_RTT(3) } },
	{ "RTT_SET_RIPAS", 0x19, { STATUS_INPUT, STATUS_RTT(2) | HARMLESS,
				   STATUS_RTT(3) | HARMLESS } },
};

static struct realm realm;
static struct gmem_area memory;

/* How much is filled at once; with as little as this no block is folded. */
#define LITTLE		(32 * SIZE_4K)
static uint64_t much = LITTLE;

/* What a VMM gets to see, in its process: the first error, 0 if there is none. */
static int first_error;

static void note(int err)
{
	first_error = first_error ?: err;
}

static void note_errno(int ret)
{
	if (ret)
		note(errno);
}

/* What is tried again goes on behind what failed. */
static bool finish(struct agent *agent, bool (*handle)(struct agent *agent))
{
	int tries = TRIES;
	enum agent_stop stop;

	while (tries--) {
		stop = agent_run(agent);
		if (stop == AGENT_DONE)
			return true;
		if (stop != AGENT_FAULT || !handle || !handle(agent))
			note(agent->err ?: EPROTO);
	}
	return false;
}

/* As what the guest asks for. */
static bool set_attributes(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;
	uint64_t private = run->memory_fault.flags &
			   KVM_MEMORY_EXIT_FLAG_PRIVATE;

	return !__vm_set_attributes(realm.vm, run->memory_fault.gpa,
				    run->memory_fault.size, private ?
				    KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
}

static void convert(struct agent *agent, uint64_t size, bool private)
{
	agent_start(agent, guest_convert, MEMORY, MEMORY + size,
		    private ? RSI_RAM : RSI_EMPTY, 0);
	if (finish(agent, set_attributes) && agent->value != MEMORY + size)
		note(EPERM);
}

static bool call(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		 uint64_t a2, uint64_t a3)
{
	agent_start(agent, fn, a0, a1, a2, a3);
	return finish(agent, NULL);
}

static void fill(struct agent *agent, uint64_t gpa, uint64_t size)
{
	call(agent, guest_fill, gpa, size, 1, 0);
}

static void populate_range(uint64_t gpa, uint64_t size)
{
	struct kvm_arm_rmi_populate args = {
		.base = gpa,
		.size = size,
		.source_uaddr = (uintptr_t)addr_gpa2hva(realm.vm, gpa),
	};
	int tries = TRIES, ret;

	/* A part that has been done is no error, but that there is a rest is. */
	while (args.size && tries--) {
		ret = __realm_populate(realm.vm, KVM_ARM_RMI_POPULATE_RW, &args);
		if (ret)
			note(errno);
		else if (args.size)
			note(EAGAIN);
	}
}

static void populate(void)
{
	uint64_t gpa = 0, size = 0;

	while (realm_next_used(&realm, &gpa, &size))
		populate_range(gpa, size);
}

/* The second REC, if there is one then, fills a page. */
static void turn_on_second(void)
{
	struct agent *first = &realm.agents[0];
	struct kvm_vm *vm = realm.vm;

	if (!call(first, guest_smc4, PSCI_0_2_FN64_CPU_ON, 1,
		  addr_gva2gpa(vm, (uintptr_t)realm_entry),
		  addr_gva2gpa(vm, realm.boot[1])) ||
	    first->value != PSCI_RET_SUCCESS)
		note(ESRCH);
	else
		fill(&realm.agents[1], SECOND, SIZE_4K);
}

static void end(void)
{
	note_errno(__vm_delete_slot(realm.vm, memory.slot));
	if (ioctl(realm.vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_RMI) != 1)
		note(EIO);
}

/* All that a realm does in its life, in a process of its own. */
static void story(void)
{
	const struct realm_options options = {
		.nr_vcpus = 2,
		.others_off = true,
	};
	struct agent *agent = &realm.agents[0];

	realm_create(&realm, &options);
	realm_map(realm.vm, MEMORY, SIZE);
	gmem_area_add(&memory, realm.vm, REALM_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(realm.vm, MEMORY, SIZE);
	realm_bind(&realm);
	populate();
	fill(agent, MEMORY, 16 * SIZE_4K);
	turn_on_second();
	note_errno(gmem_punch(memory.fd, 15 * SIZE_4K, SIZE_4K));
	convert(agent, 8 * SIZE_4K, false);
	fill(agent, SHARED_VA(MEMORY), 8 * SIZE_4K);
	convert(agent, 4 * SIZE_4K, true);
	fill(agent, MEMORY, 4 * SIZE_4K);
	convert(agent, much, true);
	fill(agent, MEMORY, much);
	madvise(memory.hva, SIZE, MADV_DONTNEED);
	note_errno(gmem_punch(memory.fd, 0, SIZE_4K));
	convert(agent, much, false);
	end();
}

static void run_story(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	alarm(HANG_SECONDS);
	story();
	_exit(first_error);
}

struct result {
	bool has_failed;	/* There are as many commands. */
	int wstatus;
	uint64_t delegated, leaked, held;
};

/* The granules of a VM come back some time after its process has ended. */
static void wait_for_granules(uint64_t delegated, uint64_t leaked)
{
	uint64_t end = now_ms() + 3000;

	while (rmm_delegated() - delegated != rmm_leaked() - leaked &&
	       now_ms() < end)
		usleep(1000);
}

static struct result run_with(uint32_t fid, uint32_t status, uint64_t nth)
{
	uint64_t delegated = rmm_delegated(), leaked = rmm_leaked();
	uint64_t held = rmm_held();
	struct result r;
	pid_t child;

	rmm_fail(nth, fid, status);
	child = fork();
	if (!child)
		run_story();
	TEST_ASSERT(waitpid(child, &r.wstatus, 0) == child, "waitpid()");
	wait_for_granules(delegated, leaked);
	r.has_failed = rmm_has_failed();
	rmm_stop_failing();
	r.delegated = rmm_delegated() - delegated;
	r.leaked = rmm_leaked() - leaked;
	r.held = rmm_held() - held;
	return r;
}

static bool test_fail(const struct command *command, uint32_t flags_status,
		      uint64_t nth, uint64_t *nr_seen)
{
	uint32_t status = flags_status & ~HARMLESS;
	struct result r = run_with(RMI_FID(command->fid), status, nth);
	char what[64];

	snprintf(what, sizeof(what), "%s %lu with %#x", command->name, nth,
		 status);
	EXPECT(WIFEXITED(r.wstatus), "%s: the VMM ended by signal %d", what,
	       WTERMSIG(r.wstatus));
	EXPECT_EQ(r.delegated, r.leaked, "%s: granules delegated, of those leaked",
		  what);
	EXPECT_EQ(r.held, r.leaked, "%s: granules held, of those leaked", what);
	if (!r.has_failed) {
		EXPECT_EQ(r.wstatus, 0, "%s: status without a failure", what);
		EXPECT_EQ(r.leaked, 0, "%s: leaks without a failure", what);
		return false;
	}
	*nr_seen += r.wstatus || r.leaked;
	if (!(flags_status & HARMLESS))
		EXPECT(r.wstatus || r.leaked,
		       "%s: should be an error, a dead realm or a leak", what);
	if (!command->may_leak)
		EXPECT_EQ(r.leaked, 0, "%s: leaked", what);
	return true;
}

/* Early ones, and ever fewer of the later ones. */
static uint64_t next(uint64_t nth, uint64_t each)
{
	return nth < each ? nth + 1 : nth * 4;
}

#define FEW		3

static void test_command(const struct command *command, uint64_t each)
{
	uint64_t leaked = rmm_leaked(), start = now_ms(), nr = 0, seen = 0, nth;
	int i;

	for (i = 0; i < 4 && command->status[i]; i++) {
		for (nth = 1; nth < MAX_NTH; nth = next(nth, each), nr++)
			if (!test_fail(command, command->status[i], nth, &seen))
				break;
		EXPECT(nth < MAX_NTH || each < MAX_NTH,
		       "%s should be called fewer than %u times", command->name,
		       MAX_NTH);
	}
	printf("%-24s %3lu failed, %3lu seen, %3lu granules leaked, %lu ms\n",
	       command->name, nr, seen, rmm_leaked() - leaked,
	       now_ms() - start);
	EXPECT(nr || command->fid == RTT_FOLD, "%s should be called",
	       command->name);
	EXPECT(seen || command->fid == RTT_FOLD ||
	       command->fid == RTT_READ_ENTRY,
	       "a failure of %s should be seen", command->name);
}

int main(int argc, char *argv[])
{
	const struct command *command;
	bool all = false;
	int opt;

	while ((opt = getopt(argc, argv, "a")) != -1) {
		if (opt != 'a')
			return KSFT_FAIL;
		all = true;
	}
	require_realms();
	require_rmm_model();
	for (command = commands; command < commands + ARRAY_SIZE(commands);
	     command++) {
		if (all && command->fid != ANY)
			continue;
		much = command->with_blocks && !all ? SIZE : LITTLE;
		test_command(command, all ? MAX_NTH : FEW);
	}
	return test_verdict();
}
