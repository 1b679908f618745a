// SPDX-License-Identifier: GPL-2.0-only
/*
 * SNP guests when allocations fail: each step of a launch says so, has changed
 * nothing, and can be done again; no page is left over.
 */
#include "fail_nth.h"
#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		SIZE_2M

static const struct snp_options options = {
	.nr_vcpus = 2,
	.not_measured = true,
};

static struct snp snp;
static struct gmem_area memory;

static void prepare_init2(void)
{
	snp.vm = vm_create_barebones_type(KVM_X86_SNP_VM);
}

static int init2(void)
{
	return snp_init2(snp.vm, 0);
}

static void vm_is_not_initialized(const char *when)
{
	EXPECT_ERRNO(snp_launch_start(snp.vm, SNP_POLICY, NULL), ENOTTY,
		     "%s: LAUNCH_START", when);
}

static void vm_is_initialized(const char *when)
{
	EXPECT_ERRNO(snp_init2(snp.vm, 0), EINVAL, "%s: INIT2 again", when);
}

static void free_bare_vm(void)
{
	kvm_vm_free(snp.vm);
}

static void prepare_start(void)
{
	snp_create(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
	snp_seal(&snp);
	snp_bind(&snp);
}

static int start(void)
{
	return snp_start(&snp);
}

static void launch_is_not_started(const char *when)
{
	EXPECT_ERRNO(snp_launch_finish(snp.vm, NULL), EINVAL,
		     "%s: LAUNCH_FINISH", when);
}

static void launch_is_started(const char *when)
{
	EXPECT_ERRNO(snp_start(&snp), EINVAL, "%s: LAUNCH_START again", when);
}

static void free_guest(void)
{
	snp_free(&snp);
}

static void prepare_update(void)
{
	prepare_start();
	EXPECT_ERRNO(snp_start(&snp), 0, "LAUNCH_START");
}

/* A failure inside is an error of the page, EIO. */
static int update(void)
{
	return snp_launch_update(snp.vm, KVM_SEV_SNP_PAGE_TYPE_UNMEASURED,
				 MEMORY + 5 * SIZE_4K, memory.hva, SIZE_4K,
				 NULL);
}

static void page_is_there(const char *when)
{
	EXPECT_ERRNO(update(), EIO, "%s: LAUNCH_UPDATE again", when);
}

static void prepare_finish(void)
{
	prepare_update();
	EXPECT_ERRNO(snp_update_all(&snp, false), 0, "LAUNCH_UPDATE");
}

static int finish(void)
{
	return snp_finish(&snp);
}

static void guest_runs(const char *when)
{
	EXPECT_EQ(snp_call(&snp, 1, guest_cpu_id), 1, "%s: a call", when);
}

static void prepare_request(void)
{
	prepare_finish();
	EXPECT_ERRNO(snp_finish(&snp), 0, "LAUNCH_FINISH");
}

/* The guest is told of it, or KVM_RUN fails. */
static void arm_request(void)
{
	agent_start(&snp.agents[0], guest_report, 7, 0, 0, 0);
}

static int request(void)
{
	struct agent *agent = &snp.agents[0];
	enum agent_stop stop = snp_run(&snp, 0);
	int err = ENOMEM;

	if (stop == AGENT_DONE && !agent->value)
		return 0;
	if (stop == AGENT_ERROR) {
		err = agent->err;
		snp_run(&snp, 0);
	}
	errno = err;
	return -1;
}

static const struct fail_call calls[] = {
	{ "INIT2", prepare_init2, init2, vm_is_not_initialized,
	  vm_is_initialized, free_bare_vm },
	{ "LAUNCH_START", prepare_start, start, launch_is_not_started,
	  launch_is_started, free_guest },
	{ "LAUNCH_UPDATE", prepare_update, update, no_check, page_is_there,
	  free_guest, NULL, EIO },
	{ "LAUNCH_FINISH", prepare_finish, finish, no_check, guest_runs,
	  free_guest },
	{ "guest request", prepare_request, request, no_check, guest_runs,
	  free_guest, arm_request },
};

int main(int argc, char *argv[])
{
	int i;

	snp_begin();
	fail_nth_begin();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		fail_calls(&calls[i], 1);
		snp_expect_all_back(calls[i].name);
	}
	fail_nth_end();
	return test_verdict();
}
