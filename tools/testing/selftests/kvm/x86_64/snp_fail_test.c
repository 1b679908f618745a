// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures: of commands of the firmware, RMPUPDATE and PSMASH, one at a time, in a
 * guest's whole life.  The VMM gets an error or goes on, and pages that are not
 * back at the end are those that are counted as leaked.
 *
 * Which: a story without a failure says how many of a kind each of its phases has.
 * Of these the first, the middle and the last fail; the others are the same for
 * other pages.  Where a guest's page is taken back it is a single one: a lost page
 * takes an ASID with it, of which there are few.
 *
 * With -a each of them fails, one after the other, which takes a quarter of an
 * hour or more, and kvm_amd.snp_model_asids=1023 on the kernel's command line.
 * What happens where ASIDs are few is left to a run without it.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <linux/kvm_para.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)
#define HANG_SECONDS	180
#define PART		(32 * SIZE_4K)

/* More than there are. */
#define MANY		1000000

/* How far the firmware may have more or less to do: it flushes at times, ... */
#define SLACK		2
/* ... that is, when no ASID is left that has not been used since. */
#define RARE_TRIES	20

#define FIRST		1
#define MIDDLE		2
#define LAST		4
#define ALL		(FIRST | MIDDLE | LAST)

/*
 * RMPUPDATE: FAIL_INPUT, FAIL_PERMISSION, FAIL_INUSE, in turn, for they are the
 * same to a host; PSMASH: FAIL_INUSE, after which it is tried again.
 */
static const struct {
	const char *name;
	enum snp_failing what;
	unsigned int command;
	unsigned int status[3];
	bool is_rare, in_turn, is_made_good;
	unsigned int but_for;
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
	{ "any command", SNP_FAILING_COMMAND, 0, { SNP_FW_RESOURCE_LIMIT },
	  .but_for = FIRST },
	{ "RMPUPDATE", SNP_FAILING_RMPUPDATE, 0,
	  { SNP_FAIL_INPUT, SNP_FAIL_PERMISSION, SNP_FAIL_INUSE },
	  .in_turn = true },
	{ "PSMASH", SNP_FAILING_PSMASH, 0, { SNP_FAIL_INUSE },
	  .is_made_good = true },
};

static const struct snp_options options = {
	.nr_vcpus = 2,
	.not_measured = true,
};

static struct snp snp;
static struct gmem_area memory;

/* -a */
static bool all;

/* All that a guest does, in a process of its own; its errors are counted. */

#define MAX_PHASES	32

/* Shared with it: what is counted, if anything, and where a phase begins. */
static struct {
	enum snp_failing counted;
	unsigned int nr_phases;
	struct phase {
		const char *name;
		unsigned int samples, start;
	} phases[MAX_PHASES];
} *shared;

static unsigned int nr_counted(enum snp_failing what)
{
	return MANY - snp_model_fail_left(what).skip;
}

/* Of what there is from here on up to the next, @samples can fail. */
static void phase(const char *name, unsigned int samples)
{
	if (shared->counted == SNP_FAILING_NONE)
		return;
	TEST_ASSERT(shared->nr_phases < MAX_PHASES, "%s is one too many", name);
	shared->phases[shared->nr_phases++] = (struct phase) {
		name, samples, nr_counted(shared->counted),
	};
}

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

static void change(unsigned int i, uint64_t gpa, uint64_t size, bool private)
{
	call(i, guest_change_range, gpa, size, private);
	count(!run_ends_well(i, 0));
}

static void run_guest(void)
{
	phase("entry", ALL);
	call(0, guest_cpu_id, 0, 0, 0);
	call(1, guest_cpu_id, 0, 0, 0);
	phase("report", ALL);
	call(0, guest_report, 1, 0, 0);
	count(!run_ends_well(0, 0));
	phase("private memory", ALL);
	call(0, guest_validate, MEMORY, PART, true);
	call(0, guest_fill, MEMORY, PART, 1);
	phase("to shared", MIDDLE);
	change(0, MEMORY + SIZE_4K, 4 * SIZE_4K, false);
	call(1, guest_fill, SNP_SHARED_VA(MEMORY + SIZE_4K), 4 * SIZE_4K, 2);
	phase("back to private", ALL);
	change(1, MEMORY + SIZE_4K, 4 * SIZE_4K, true);
}

/* Ranges of more than a page, which have to be undone; and a large entry. */
static void call_hooks(void)
{
	struct snp_hooks hooks;

	phase("eight pages, and back", ALL);
	count(snp_model_hooks(snp.vm, MEMORY + SIZE_4K, 3, 3, &hooks));
	phase("2 MiB, and back in parts", FIRST);
	count(snp_model_hooks(snp.vm, MEMORY, 9, 16, &hooks));
}

static int launch(void)
{
	int i;

	phase("start", ALL);
	if (snp_start(&snp))
		return -1;
	/* Not again: what is there already is refused. */
	phase("memory", ALL);
	if (snp_update_used(&snp, false))
		return -1;
	for (i = 0; i < SNP_NR_SPECIAL; i++) {
		phase("a special page", ALL);
		/* Nothing has changed, so the next try succeeds. */
		if (!snp_update_special(&snp, i))
			continue;
		nr_errors++;
		if (snp_update_special(&snp, i))
			return -1;
	}
	phase("finish", ALL);
	return snp_finish(&snp);
}

static void story(void)
{
	phase("creation", ALL);
	snp_create_vm(&snp, &options);
	snp_add_vcpus(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	count(__vm_set_attributes(snp.vm, MEMORY, SIZE,
				  KVM_MEMORY_ATTRIBUTE_PRIVATE));
	snp_seal(&snp);
	snp_bind(&snp);
	snp.discard = true;
	if (launch()) {
		count(-1);
	} else {
		run_guest();
		call_hooks();
	}
	phase("hole", MIDDLE);
	gmem_punch(memory.fd, 0, SIZE_2M);
	__vm_delete_slot(snp.vm, memory.slot);
	phase("end of memory", MIDDLE);
	close(memory.fd);
	close(snp.fd);
	/* VMSAs, and the firmware's page. */
	phase("end of the VM", FIRST | LAST);
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

/* The one failure, if it was to be one, has happened. */
static bool has_failed(void)
{
	int what;

	for (what = 0; what < SNP_FAILING_NONE; what++)
		if (snp_model_fail_left(what).times)
			return false;
	return true;
}

/* All that is not back is leaked; what the story came to. */
static int held_is_leaked(const char *what, uint64_t held, uint64_t leaked,
			  bool *is_met)
{
	uint64_t end = now_ms() + 5000;
	int status = status_of_story();

	*is_met = has_failed();
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

/* What came of the failures of one kind. */
struct outcome {
	unsigned int nr, nr_seen;
	unsigned int total;
};

static void test_failure(struct outcome *o, int i, unsigned int status,
			 unsigned int nth, const struct phase *phase)
{
	uint64_t held = snp_model_held(), leaked = snp_model_leaked();
	char what[80];
	bool is_met;
	int ret;

	snprintf(what, sizeof(what), "%s %u (%s) with %#x", failures[i].name,
		 nth, phase->name, status);
	snp_model_fail(failures[i].what, failures[i].command, nth, 1, status);
	ret = held_is_leaked(what, held, leaked, &is_met);
	EXPECT(is_met || failures[i].is_rare || nth + SLACK >= o->total,
	       "%s: there should be one, as there are %u", what, o->total);
	o->nr += is_met;
	o->nr_seen += ret || snp_model_leaked() != leaked;
}

static void test_statuses(struct outcome *o, int i, unsigned int nth,
			  const struct phase *phase)
{
	static unsigned int turn;
	int j;

	if (failures[i].in_turn) {
		test_failure(o, i, failures[i].status[turn++ % 3], nth, phase);
		return;
	}
	for (j = 0; j < 3 && failures[i].status[j]; j++)
		test_failure(o, i, failures[i].status[j], nth, phase);
}

static void test_phase(struct outcome *o, int i, const struct phase *phase,
		       unsigned int end)
{
	unsigned int samples = phase->samples & ~failures[i].but_for;
	unsigned int start = phase->start, last = end - 1;
	unsigned int middle = start + (last - start) / 2, nth;

	if (all) {
		for (nth = start; nth < end; nth++)
			test_statuses(o, i, nth, phase);
		return;
	}
	if (start == end)
		return;
	if (samples & FIRST)
		test_statuses(o, i, start, phase);
	if (samples & MIDDLE && ((middle > start && middle < last) ||
				 samples == MIDDLE))
		test_statuses(o, i, middle, phase);
	if (samples & LAST && (last > start || !(samples & FIRST)))
		test_statuses(o, i, last, phase);
}

/* How many there are in a story, and in each of its phases. */
static unsigned int count_in_story(enum snp_failing what, unsigned int command)
{
	unsigned int nr;

	snp_model_fail(what, command, MANY, 1, 1);
	shared->counted = what;
	shared->nr_phases = 0;
	EXPECT_EQ(status_of_story(), 0, "a story without a failure");
	shared->counted = SNP_FAILING_NONE;
	nr = nr_counted(what);
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	return nr;
}

/* Not in each story, but in one of the next. */
static void test_rare(struct outcome *o, int i)
{
	const struct phase any = { .name = "at some time" };
	int tries;

	for (tries = 0; tries < RARE_TRIES && !o->nr; tries++)
		test_failure(o, i, failures[i].status[0], 0, &any);
}

static void test_kind(struct outcome *o, int i)
{
	unsigned int k, end;

	if (failures[i].is_rare) {
		test_rare(o, i);
		return;
	}
	o->total = count_in_story(failures[i].what, failures[i].command);
	for (k = 0; k < shared->nr_phases; k++) {
		end = k + 1 < shared->nr_phases ? shared->phases[k + 1].start :
						  o->total;
		test_phase(o, i, &shared->phases[k], end);
	}
}

static void expect_good_story(const char *what)
{
	bool is_met;

	EXPECT_EQ(held_is_leaked(what, snp_model_held(), snp_model_leaked(),
				 &is_met), 0, "the story, %s", what);
}

static void test_failures(void)
{
	struct outcome o;
	uint64_t leaked;
	int i;

	expect_good_story("no failure");
	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		if (all && failures[i].is_rare)
			continue;
		leaked = snp_model_leaked();
		o = (struct outcome) {};
		test_kind(&o, i);
		leaked = snp_model_leaked() - leaked;
		printf("%-16s %4u in a story, %3u failed, %3u were seen, %3lu pages leaked\n",
		       failures[i].name, o.total, o.nr, o.nr_seen, leaked);
		EXPECT(o.nr, "there should be a %s to fail", failures[i].name);
		EXPECT(!o.nr_seen == failures[i].is_made_good,
		       "a failing %s should%s be seen", failures[i].name,
		       failures[i].is_made_good ? " not" : "");
		if (failures[i].what == SNP_FAILING_RMPUPDATE)
			EXPECT(leaked, "a failing RMPUPDATE should lose pages");
	}
	expect_good_story("after all failures");
}

/* True if the story did not get to its end because of it. */
static bool fall_silent(unsigned int nth, uint64_t held, uint64_t leaked)
{
	char what[80];
	bool is_met;

	snprintf(what, sizeof(what), "no answer from command %u on", nth);
	snp_model_fail(SNP_FAILING_COMMAND, 0, nth, MANY, SNP_FW_NO_ANSWER);
	return held_is_leaked(what, held, leaked, &is_met);
}

/* The first launch loses a page by it; from then on no other gets that far. */
static void expect_silent_start(struct kvm_vm *vm)
{
	const int errs[] = { ETIMEDOUT, EBUSY };
	uint32_t fw_error;
	int i;

	snp_model_fail(SNP_FAILING_COMMAND, 0, 0, MANY, SNP_FW_NO_ANSWER);
	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		EXPECT_ERRNO(snp_launch_start(vm, SNP_POLICY, &fw_error),
			     errs[i], "LAUNCH_START %d without a firmware", i);
		EXPECT_EQ(fw_error, 0, "no firmware's status");
	}
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
}

/* So that the next story does not begin with a flush. */
static void wait_for_flush(void)
{
	int tries;

	for (tries = 0; tries < RARE_TRIES; tries++)
		if (count_in_story(SNP_FAILING_COMMAND, SNP_CMD_DF_FLUSH))
			return;
	EXPECT(false, "of %d stories one should flush", RARE_TRIES);
}

/*
 * What does not answer gives no page back, so that it gets no more than it had
 * been given when that became known.  With an active guest its ASID is lost, of
 * which there are few.
 */
static void test_silence(void)
{
	uint64_t held = snp_model_held(), leaked = snp_model_leaked(), lost;
	unsigned int first = 3, last;
	struct kvm_vm *vm;

	last = first - 1 + count_in_story(SNP_FAILING_COMMAND,
					  SNP_CMD_LAUNCH_UPDATE);
	wait_for_flush();
	vm = vm_create_barebones_type(KVM_X86_SNP_VM);
	EXPECT_ERRNO(snp_init2(vm, 0), 0, "INIT2");
	expect_silent_start(vm);
	lost = snp_model_leaked();
	EXPECT(lost > leaked, "a page should have been on its way");
	EXPECT(fall_silent(0, held, leaked), "a launch without a firmware");
	EXPECT(fall_silent(0, held, leaked), "another without a firmware");
	EXPECT(fall_silent(0, held, leaked), "and another");
	EXPECT_EQ(snp_model_leaked(), lost, "pages lost by the first, and by all");
	kvm_vm_free(vm);

	EXPECT(fall_silent(first, held, leaked), "while pages are added");
	EXPECT(fall_silent(last, held, leaked), "with the last VMSA");
	printf("firmware falls silent: %lu pages leaked, commands %u and %u\n",
	       snp_model_leaked() - leaked, first, last);
	expect_good_story("the firmware answers again");
}

int main(int argc, char *argv[])
{
	int opt;

	while ((opt = getopt(argc, argv, "a")) != -1) {
		TEST_ASSERT(opt == 'a', "usage: %s [-a]", argv[0]);
		all = true;
	}
	require_snp();
	require_snp_model();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(shared != MAP_FAILED, "mmap(), errno %d", errno);
	shared->counted = SNP_FAILING_NONE;
	test_failures();
	if (!all)
		test_silence();
	return test_verdict();
}
