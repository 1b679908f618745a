// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures: of each command of the firmware and each RMPUPDATE and PSMASH, one
 * after the other, in a guest's whole life.  The VMM gets an error or goes on, and
 * pages that are not back at the end are those that are counted as leaked.
 */
#define _GNU_SOURCE
#include <linux/kvm_para.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define HANG_SECONDS	180
#define MAX_NTH		3000

/* RMPUPDATE: FAIL_INPUT, FAIL_PERMISSION, FAIL_INUSE; PSMASH: FAIL_INUSE */
static const struct {
	const char *name;
	enum snp_failing what;
	unsigned int command;
	unsigned int status[3];
	bool may_be_absent;
} failures[] = {
#define COMMAND(name, ...)	\
	{ #name, SNP_FAILING_COMMAND, SNP_CMD_##name, { __VA_ARGS__ } }
	COMMAND(GCTX_CREATE, SNP_FW_RESOURCE_LIMIT),
	COMMAND(LAUNCH_START, SNP_FW_POLICY_FAILURE, SNP_FW_RESOURCE_LIMIT),
	COMMAND(ACTIVATE, SNP_FW_INVALID_PARAM),
	COMMAND(LAUNCH_UPDATE, SNP_FW_INVALID_PARAM, SNP_FW_RESOURCE_LIMIT),
	COMMAND(LAUNCH_FINISH, SNP_FW_INVALID_PARAM),
	COMMAND(GUEST_REQUEST, SNP_FW_INVALID_PARAM),
	COMMAND(DECOMMISSION, SNP_FW_INVALID_PARAM),
	COMMAND(PAGE_RECLAIM, SNP_FW_INVALID_PARAM),
#undef COMMAND
	{ "DF_FLUSH", SNP_FAILING_COMMAND, SNP_CMD_DF_FLUSH,
	  { SNP_FW_INVALID_PARAM }, true },
	{ "any command", SNP_FAILING_COMMAND, 0, { SNP_FW_RESOURCE_LIMIT } },
	{ "RMPUPDATE", SNP_FAILING_RMPUPDATE, 0,
	  { SNP_FAIL_INPUT, SNP_FAIL_PERMISSION, SNP_FAIL_INUSE } },
	{ "PSMASH", SNP_FAILING_PSMASH, 0, { SNP_FAIL_INUSE }, true },
};

static const struct snp_options options = {
	.nr_vcpus = 2,
	.not_measured = true,
};

static struct snp snp;
static struct gmem_area memory;

/* All that a guest does, in a process of its own; its errors are counted. */

static unsigned int nr_errors;

/* Goes on with the rest. */
static void count(int ret)
{
	nr_errors += !!ret;
}

/* The guest may end in a fault, or not be able to go on. */
static void call(unsigned int i, void *fn, uint64_t a0, uint64_t a1,
		 uint64_t a2)
{
	struct kvm_run *run = snp.vcpus[i]->run;
	int tries = 20, ret = -1;

	agent_start(&snp.agents[i], fn, a0, a1, a2, 0);
	while (tries-- && ret) {
		run->exit_reason = KVM_EXIT_UNKNOWN;
		ret = __vcpu_run(snp.vcpus[i]);
		if (!ret && run->exit_reason == KVM_EXIT_HYPERCALL) {
			run->hypercall.ret =
				snp_convert(&snp, run->hypercall.args[0],
					    run->hypercall.args[1] * SIZE_4K,
					    run->hypercall.args[2] &
					    KVM_MAP_GPA_RANGE_ENCRYPTED);
			count(run->hypercall.ret);
			ret = -1;
			tries++;
		} else if (ret && errno != EINTR && errno != EAGAIN) {
			nr_errors++;
		}
	}
	count(ret || run->exit_reason != KVM_EXIT_IO ||
	      run->io.port != AGENT_PORT);
}

static bool run_ends_well(unsigned int i, uint64_t want)
{
	return snp_mailbox(&snp.agents[i])->value == want;
}

static void run_guest(void)
{
	call(0, guest_cpu_id, 0, 0, 0);
	call(1, guest_cpu_id, 0, 0, 0);
	call(0, guest_report, 1, 0, 0);
	count(!run_ends_well(0, 0));
	call(0, guest_validate, MEMORY, SIZE, true);
	call(0, guest_fill, MEMORY, SIZE, 1);
	call(0, guest_change_range, MEMORY + SIZE_4K, 4 * SIZE_4K, false);
	count(!run_ends_well(0, 0));
	call(1, guest_fill, SNP_SHARED_VA(MEMORY + SIZE_4K), 4 * SIZE_4K, 2);
	call(1, guest_change_range, MEMORY + SIZE_4K, 4 * SIZE_4K, true);
	count(!run_ends_well(1, 0));
	call(0, guest_change_range, MEMORY + SIZE_2M, SIZE_2M, false);
	count(!run_ends_well(0, 0));
}

static int launch(void)
{
	int i;

	if (snp_start(&snp))
		return -1;
	/* Not again: what is there already is refused. */
	if (snp_update_used(&snp, false))
		return -1;
	for (i = 0; i < SNP_NR_SPECIAL; i++) {
		/* Nothing has changed, so the next try succeeds. */
		if (!snp_update_special(&snp, i))
			continue;
		nr_errors++;
		if (snp_update_special(&snp, i))
			return -1;
	}
	return snp_finish(&snp);
}

static void story(void)
{
	snp_create_vm(&snp, &options);
	snp_add_vcpus(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	count(__vm_set_attributes(snp.vm, MEMORY, SIZE,
				  KVM_MEMORY_ATTRIBUTE_PRIVATE));
	snp_seal(&snp);
	snp_bind(&snp);
	snp.discard = true;
	if (launch())
		count(-1);
	else
		run_guest();
	gmem_punch(memory.fd, 0, SIZE_2M);
	__vm_delete_slot(snp.vm, memory.slot);
}

static void run_story(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	alarm(HANG_SECONDS);
	story();
	_exit(nr_errors ? 1 : 0);
}

static int status_of_story(void)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		run_story();
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid()");
	return status;
}

/* All that is not back is leaked; what the story came to. */
static int held_is_leaked(const char *what, uint64_t held, uint64_t leaked)
{
	uint64_t end = now_ms() + 5000;
	int status = status_of_story();

	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	while (snp_model_held() - held != snp_model_leaked() - leaked &&
	       now_ms() < end)
		usleep(1000);
	EXPECT(WIFEXITED(status), "%s: the VMM ended by signal %d", what,
	       WTERMSIG(status));
	EXPECT_EQ(snp_model_held() - held, snp_model_leaked() - leaked,
		  "%s: pages that are not back, of those leaked", what);
	return status;
}

/* True if it did something: there are as many. */
static bool test_failure(int i, int j, unsigned int nth)
{
	uint64_t held = snp_model_held(), leaked = snp_model_leaked();
	char what[80];
	int status;

	snprintf(what, sizeof(what), "%s %u with %#x", failures[i].name, nth,
		 failures[i].status[j]);
	snp_model_fail(failures[i].what, failures[i].command, nth, 1,
		       failures[i].status[j]);
	status = held_is_leaked(what, held, leaked);
	return status || snp_model_leaked() != leaked;
}

/* Early ones, and ever fewer of the later ones. */
static unsigned int test_kind(int i, int j)
{
	unsigned int nth, nr = 0, in_vain = 0;

	for (nth = 0; nth < MAX_NTH && in_vain < 2; nth += 1 + nth) {
		if (test_failure(i, j, nth)) {
			in_vain = 0;
			nr++;
		} else {
			in_vain++;
		}
	}
	return nr;
}

static void test_failures(void)
{
	uint64_t leaked;
	unsigned int nr;
	int i, j;

	EXPECT_EQ(held_is_leaked("no failure", snp_model_held(),
				 snp_model_leaked()), 0,
		  "the story without a failure");
	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		leaked = snp_model_leaked();
		nr = 0;
		for (j = 0; j < 3 && failures[i].status[j]; j++)
			nr += test_kind(i, j);
		printf("%-16s %3u failures were seen, %3lu pages leaked\n",
		       failures[i].name, nr, snp_model_leaked() - leaked);
		EXPECT(nr || failures[i].may_be_absent,
		       "a failing %s should be seen", failures[i].name);
	}
	EXPECT_EQ(held_is_leaked("after all failures", snp_model_held(),
				 snp_model_leaked()), 0,
		  "the story after all failures");
}

/* True if the story did not get to its end because of it. */
static bool fall_silent(unsigned int nth, uint64_t held, uint64_t leaked)
{
	char what[80];

	snprintf(what, sizeof(what), "no answer from command %u on", nth);
	snp_model_fail(SNP_FAILING_COMMAND, 0, nth, 1000000, SNP_FW_NO_ANSWER);
	return held_is_leaked(what, held, leaked);
}

/* As many as there are: one alone is made good by the next call. */
static unsigned int nr_launch_updates(void)
{
	unsigned int low = 0, high = MAX_NTH, nth;

	while (high - low > 1) {
		nth = (low + high) / 2;
		snp_model_fail(SNP_FAILING_COMMAND, SNP_CMD_LAUNCH_UPDATE, nth,
			       1000000, SNP_FW_RESOURCE_LIMIT);
		if (status_of_story())
			low = nth;
		else
			high = nth;
	}
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	return high;
}

/*
 * What does not answer gives no page back, so that it gets no more than it had
 * been given when that became known.  With an active guest its ASID is lost, of
 * which there are few.
 */
static void test_silence(void)
{
	uint64_t held = snp_model_held(), leaked = snp_model_leaked(), lost;
	unsigned int first = 3, last = first + nr_launch_updates() - 1;

	EXPECT(fall_silent(0, held, leaked), "a launch without a firmware");
	lost = snp_model_leaked();
	EXPECT(lost > leaked, "a page should have been on its way");
	EXPECT(fall_silent(0, held, leaked), "another without a firmware");
	EXPECT(fall_silent(0, held, leaked), "and another");
	EXPECT_EQ(snp_model_leaked(), lost, "pages lost by the first, and by all");

	EXPECT(fall_silent(first, held, leaked), "while pages are added");
	EXPECT(fall_silent(last, held, leaked), "with the last VMSA");
	printf("firmware falls silent: %lu pages leaked, commands %u and %u\n",
	       snp_model_leaked() - leaked, first, last);
	EXPECT_EQ(held_is_leaked("a firmware that answers again", held, leaked),
		  0, "the story when the firmware answers again");
}

int main(int argc, char *argv[])
{
	require_snp();
	require_snp_model();
	test_failures();
	test_silence();
	return test_verdict();
}
