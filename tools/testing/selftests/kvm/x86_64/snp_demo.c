// SPDX-License-Identifier: GPL-2.0-only
/*
 * A demonstration of an SEV-SNP guest: its launch, what it and the host see of
 * its memory, its own report, a second CPU, and its end.
 */
#include <pthread.h>
#include <string.h>

#include "demo.h"
#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		SIZE_2M

#define SECRET		0x5ec4e7ul
#define QUESTION	0x9e57104ul
#define ANSWER		0xa45e4ul

static const struct snp_options options = {
	.nr_vcpus = 2,
	.others_off = true,
};

static struct snp snp;
static struct gmem_area memory;

static uint64_t guest_sees(uint64_t address, uint64_t expected)
{
	uint64_t value = snp_call(&snp, 0, guest_read, address);

	check(value == expected, "what the guest reads");
	return value;
}

static uint64_t host_sees(uint64_t expected)
{
	uint64_t value = *(uint64_t *)memory.hva;

	check(value == expected, "what the host reads");
	return value;
}

static void tell_of_launch(uint64_t held)
{
	snp_create_vm(&snp, &options);
	snp_add_vcpus(&snp, &options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
	tell("create", "A VM of type SNP with two vCPUs; the C-bit is bit %d.",
	     __builtin_ctzl(snp.cbit));

	snp_seal(&snp);
	snp_bind(&snp);
	check(!snp_start(&snp), "LAUNCH_START");
	tell("start", "The firmware has a context for it, with policy %#lx.",
	     snp.policy);
	check(!snp_update_all(&snp, true), "LAUNCH_UPDATE");
	tell("update", "Program, page tables, secrets and CPUID: %lu pages are the guest's now.",
	     snp_model_held() - held);
	check(!snp_finish(&snp), "LAUNCH_FINISH");
	tell("finish", "With a VMSA for each vCPU, the digest is %02x%02x%02x%02x...",
	     snp.ld[0], snp.ld[1], snp.ld[2], snp.ld[3]);
}

static void tell_of_report(void)
{
	const struct snp_report *report = &snp_mailbox(&snp.agents[0])->report;

	check(!snp_call(&snp, 0, guest_report, 0x42), "the report");
	check(!memcmp(report->measurement, snp.ld, SHA384_SIZE),
	      "the digest in the report");
	tell("report", "The guest asks the firmware, by an encrypted message: the same digest.");
}

static void tell_of_validation(void)
{
	struct agent *agent = &snp.agents[0];
	enum agent_stop stop;

	agent_start(agent, guest_read, MEMORY, 0, 0, 0);
	stop = snp_run(&snp, 0);
	check(stop == AGENT_TRAP &&
	      agent->value == SNP_TRAP(SNP_VC_VECTOR, SNP_VC_NOT_VALIDATED),
	      "#VC");
	tell("trust", "It touches memory that it has not validated: #VC(%#x).",
	     SNP_VC_NOT_VALIDATED);
	check(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true) ==
	      MEMORY + SIZE, "PVALIDATE");
	snp_call(&snp, 0, guest_write, MEMORY, SECRET);
	tell("private", "It validates 2 MiB, writes, and reads back %#lx.",
	     guest_sees(MEMORY, SECRET));
	tell("", "The host looks at its own memory of the same frame and sees %#lx.",
	     host_sees(0));
}

static void tell_of_conversion(void)
{
	snp.discard = true;
	check(!snp_call(&snp, 0, guest_change_range, MEMORY, SIZE, false),
	      "page state changes to shared");
	snp_call(&snp, 0, guest_write, SNP_SHARED_VA(MEMORY), QUESTION);
	tell("shared", "It gives the 2 MiB away, by batches of page state changes.");
	tell("", "It writes there, and the host reads %#lx.",
	     host_sees(QUESTION));
	*(uint64_t *)memory.hva = ANSWER;
	tell("", "The host writes, and the guest reads %#lx.",
	     guest_sees(SNP_SHARED_VA(MEMORY), ANSWER));
	check(!snp_call(&snp, 0, guest_change_range, MEMORY, SIZE, true),
	      "page state changes to private");
	tell("back", "Private again, in another page: the guest sees %#lx.",
	     guest_sees(MEMORY, 0));
}

static void *run_second(void *arg)
{
	check(snp_run(&snp, 1) == AGENT_DONE, "the second vCPU");
	return NULL;
}

static void tell_of_second_cpu(void)
{
	pthread_t thread;

	check(!snp_call(&snp, 0, guest_make_vmsa, 1, 0), "RMPADJUST");
	agent_start(&snp.agents[1], guest_cpu_id, 0, 0, 0, 0);
	pthread_create(&thread, NULL, run_second, NULL);
	snp_call(&snp, 0, guest_create_ap, 1, SNP_AP_CREATE, 1,
		 SNP_FEAT_SNP_ACTIVE);
	pthread_join(thread, NULL);
	check(snp.agents[1].value == 1, "who the second vCPU is");
	tell("second", "It makes a VMSA by RMPADJUST, and a second vCPU runs from it.");
}

static void tell_of_end(void)
{
	snp_free(&snp);
	check(snp_expect_all_back("at the end"), "all pages should be back");
	tell("end", "The guest is gone, and every page is the hypervisor's again.");
}

int main(int argc, char *argv[])
{
	uint64_t held;

	snp_begin();
	held = snp_model_held();
	if (has_snp_model())
		tell("model", "SEV-SNP of this kernel is a model: nothing is confidential.");
	tell_of_launch(held);
	tell_of_report();
	tell_of_validation();
	tell_of_conversion();
	tell_of_second_cpu();
	tell_of_end();
	return 0;
}
