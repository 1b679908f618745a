// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that closes its files or is killed at any step of a launch and of a
 * guest's life: afterwards every page is the hypervisor's again, and can be used.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/wait.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)

static struct snp snp;
static struct gmem_area memory;

/* Where the VMM is; the parent waits for it and kills. */
enum stage {
	VM, ADDED, BOUND, STARTED, UPDATED_SOME, UPDATED, FINISHED, RAN,
	VALIDATED, SHARED, SECOND, UPDATING, RUNNING, CHANGING, ASKING,
	NR_STAGES
};

static const char * const stages[NR_STAGES] = {
	"a VM", "given vCPUs", "bound", "started", "updated in part", "updated",
	"finished", "run", "validated", "shared in part", "running two vCPUs",
	"in LAUNCH_UPDATE", "in the guest", "changing pages all the time",
	"asked for a change",
};

static const struct snp_options options = {
	.nr_vcpus = 2,
	.others_off = true,
	.not_measured = true,
};

static void do_step(enum stage stage)
{
	switch (stage) {
	case VM:
		snp_create_vm(&snp, &options);
		break;
	case ADDED:
		snp_add_vcpus(&snp, &options);
		snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
		vm_set_private(snp.vm, MEMORY, SIZE);
		snp_seal(&snp);
		break;
	case BOUND:
		snp_bind(&snp);
		break;
	case STARTED:
		EXPECT_ERRNO(snp_start(&snp), 0, "START");
		break;
	case UPDATED_SOME:
		EXPECT_ERRNO(snp_update_special(&snp, SNP_SECRETS), 0,
			     "UPDATE of SECRETS");
		EXPECT_ERRNO(snp_update_special(&snp, SNP_CPUID), 0,
			     "UPDATE of CPUID");
		break;
	case UPDATED:
		EXPECT_ERRNO(snp_update_used(&snp, false), 0, "UPDATE");
		EXPECT_ERRNO(snp_update_special(&snp, SNP_ZERO), 0,
			     "UPDATE of ZERO");
		break;
	case FINISHED:
		EXPECT_ERRNO(snp_finish(&snp), 0, "FINISH");
		break;
	case RAN:
		EXPECT_EQ(snp_call(&snp, 0, guest_cpu_id), 0, "a call");
		EXPECT_EQ(snp_call(&snp, 0, guest_report, 1), 0, "a report");
		break;
	case VALIDATED:
		EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
			  MEMORY + SIZE, "where validation stopped");
		snp_call(&snp, 0, guest_fill, MEMORY, SIZE, 1);
		break;
	case SHARED:
		snp.discard = true;
		EXPECT_EQ(snp_call(&snp, 0, guest_change_range,
				   MEMORY + SIZE_4K, SIZE_2M, false), 0,
			  "to shared");
		break;
	case SECOND:
		EXPECT_EQ(snp_call(&snp, 0, guest_make_vmsa, 1, 0), 0,
			  "RMPADJUST of a VMSA");
		snp_call(&snp, 0, guest_create_ap, 1, SNP_AP_CREATE, 1,
			 SNP_FEAT_SNP_ACTIVE);
		EXPECT_EQ(snp_call(&snp, 1, guest_cpu_id), 1, "a call");
		break;
	default:
		break;
	}
}

/* Kept going until the kill */

static void guest_spin(void)
{
	for (;;)
		cpu_relax();
}

static void guest_change_for_ever(void)
{
	for (;;) {
		guest_change_range(MEMORY, SIZE_2M + 7 * SIZE_4K, true);
		guest_change_range(MEMORY, SIZE_2M + 7 * SIZE_4K, false);
	}
}

static void update_for_ever(void)
{
	void *from = map_anonymous(SIZE, SIZE_2M);

	for (;;) {
		snp_launch_update(snp.vm, KVM_SEV_SNP_PAGE_TYPE_NORMAL, MEMORY,
				  from, SIZE, NULL);
		gmem_punch(memory.fd, 0, SIZE);
	}
}

static void run_for_ever(enum stage stage)
{
	uint64_t psc = SNP_MSR_PSC_OF(MEMORY, SNP_PSC_SHARED);

	if (stage == UPDATING)
		update_for_ever();
	if (stage == RUNNING)
		agent_start(&snp.agents[0], guest_spin, 0, 0, 0, 0);
	if (stage == CHANGING)
		agent_start(&snp.agents[0], guest_change_for_ever, 0, 0, 0, 0);
	if (stage == ASKING) {
		agent_start(&snp.agents[0], guest_msr_call, psc, 0, 0, 0);
		agent_run(&snp.agents[0]);
		pause();
	}
	for (;;)
		snp_run(&snp, 0);
}

/* What a stage that does not end is reached from. */
static enum stage last_step(enum stage stage)
{
	if (stage == UPDATING)
		return UPDATED_SOME;
	return stage < UPDATING ? stage : RAN;
}

static void reach(enum stage stage)
{
	enum stage step;

	for (step = VM; step <= last_step(stage); step++)
		do_step(step);
	if (stage == CHANGING) {
		snp.discard = true;
		vm_set_shared(snp.vm, MEMORY, SIZE);
	}
}

/* Killed */

static void vmm(int pipe, enum stage stage)
{
	test_restart();
	reach(stage);
	EXPECT_EQ(write(pipe, test_has_failed() ? "f" : "g", 1), 1, "pipe");
	if (stage >= UPDATING)
		run_for_ever(stage);
	for (;;)
		pause();
}

static void test_kill(enum stage stage)
{
	char byte = 0;
	int fds[2], status;
	pid_t child;

	EXPECT_ERRNO(pipe(fds), 0, "pipe");
	fflush(stdout);
	child = fork();
	if (!child) {
		vmm(fds[1], stage);
		_exit(1);
	}
	close(fds[1]);
	EXPECT(read(fds[0], &byte, 1) == 1 && byte == 'g',
	       "the VMM should be %s", stages[stage]);
	if (stage >= UPDATING)
		usleep(30000);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child, "waitpid");
	close(fds[0]);
	snp_expect_all_back(stages[stage]);
}

/* Closed, each kind of files first, and then the end of the process */

static const char * const closings[] = {
	"gvm", "vmg", "mgv", "",
};

static void do_close(char which)
{
	unsigned int i;

	switch (which) {
	case 'g':
		if (snp.fd >= 0)
			close(snp.fd);
		if (snp.nr_areas)
			close(memory.fd);
		break;
	case 'v':
		for (i = 0; i < snp.nr_vcpus && snp.vcpus[i]; i++) {
			munmap(snp.vcpus[i]->run, SIZE_4K);
			close(snp.vcpus[i]->fd);
		}
		break;
	case 'm':
		close(snp.vm->fd);
		break;
	}
}

/* The process ends with @story, which has told what failed. */
static void in_a_child(void (*story)(enum stage stage, const char *arg),
		       enum stage stage, const char *arg, const char *when)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		test_restart();
		story(stage, arg);
		_exit(test_has_failed());
	}
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid()");
	EXPECT_EQ(status, 0, "%s: status of the process", when);
	snp_expect_all_back(when);
}

static void reach_and_close(enum stage stage, const char *closing)
{
	reach(stage);
	for (; *closing; closing++)
		do_close(*closing);
}

static void test_close(enum stage stage, const char *closing)
{
	char when[80];

	snprintf(when, sizeof(when), "%s, closing %s", stages[stage], closing);
	in_a_child(reach_and_close, stage, closing, when);
}

/* Slots that go while the guest has them, and files that are emptied. */
static void let_slots_go(enum stage stage, const char *unused)
{
	reach(stage);
	EXPECT_ERRNO(gmem_punch(memory.fd, SIZE_2M, SIZE_2M), 0,
		     "punch of what the guest uses");
	EXPECT_ERRNO(__vm_delete_slot(snp.vm, memory.slot), 0,
		     "deletion of the slot that the guest uses");
	gmem_area_bind(&memory);
	EXPECT_ERRNO(__vm_delete_slot(snp.vm, 0), 0,
		     "deletion of the slot that the guest runs in");
}

/* Much more than all of the guests had. */
static void test_memory_is_usable(void)
{
	uint64_t size = min(read_meminfo_kb("MemAvailable") / 2 * 1024,
			    SIZE_1G / 4) & -SIZE_2M;
	void *mem = map_anonymous(size, SIZE_2M);

	EXPECT_EQ(zero_check(mem, 0, size), size, "where memory is not zero");
	memset(mem, 0xa5, size);
	munmap(mem, size);
}

int main(int argc, char *argv[])
{
	uint64_t unevictable;
	enum stage stage;
	int i;

	snp_begin();
	unevictable = unevictable_kb();

	for (stage = VM; stage < NR_STAGES; stage++)
		test_kill(stage);
	for (stage = VM; stage < UPDATING; stage++)
		for (i = 0; i < ARRAY_SIZE(closings); i++)
			test_close(stage, closings[i]);
	in_a_child(let_slots_go, SHARED, NULL, "slots that have gone");
	expect_unevictable(unevictable, "after all guests");
	test_memory_is_usable();
	return test_verdict();
}
