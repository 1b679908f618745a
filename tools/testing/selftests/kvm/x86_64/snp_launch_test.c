// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an SNP guest: launched with every type of page, it finds what the
 * host has given it, reads its own launch digest, which is the one that the test
 * computes, validates memory, changes its state, brings up a second CPU, and asks
 * for its end.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		(2 * SIZE_2M)

static struct snp snp;
static struct gmem_area memory;

static void begin(const struct snp_options *options)
{
	snp_create(&snp, options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	vm_set_private(snp.vm, MEMORY, SIZE);
}

static void end(const char *when)
{
	snp_free(&snp);
	snp_expect_all_back(when);
}

/* What the guest finds */

static void expect_special(enum snp_special which, uint64_t seen,
			   uint64_t want, const char *what)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_read, snp.special[which] + seen),
		  want, "%s, the word at %#lx", what, seen);
}

/* The host's copies of the pages that a launch was made from. */
static uint64_t *special_hva(enum snp_special which)
{
	return addr_gpa2hva(snp.vm, snp.special_gpa[which]);
}

static void test_pages(void)
{
	uint64_t at, offset;

	at = snp_call(&snp, 0, guest_check_zero, snp.special[SNP_ZERO], SIZE_4K);
	EXPECT_EQ(at, snp.special[SNP_ZERO] + SIZE_4K,
		  "first word of a ZERO page that is not zero");
	for (offset = 0; offset < SIZE_4K; offset += 8) {
		expect_special(SNP_UNMEASURED, offset,
			       special_hva(SNP_UNMEASURED)[offset / 8],
			       "UNMEASURED page");
		if (offset < 16 + 2 * 48)
			expect_special(SNP_CPUID, offset,
				       special_hva(SNP_CPUID)[offset / 8],
				       "CPUID page");
	}
	EXPECT(snp_call(&snp, 0, guest_read, snp.special[SNP_SECRETS] +
			offsetof(struct snp_secrets, vmpck)),
	       "the guest's first key should not be zero");
	EXPECT_EQ(*special_hva(SNP_SECRETS), 0,
		  "what the host sees of the secrets");
	EXPECT_EQ(snp_call(&snp, 0, guest_add, 1), 42,
		  "the guest's own data");
}

/* The MSR protocol, and the same in a GHCB */

/* Beyond the guest's physical addresses; and the answer to it */
#define NO_GPA		BIT_ULL(51)
#define SNP_MSR_NONE	(-1ul << 12)

/* Requests that there are not, among them answers */
static const uint64_t unknown[] = {
	0x003, 0x12345000000 | 0x008, SNP_MSR_FEATURES_RESP,
	-1ul << 12 | SNP_MSR_REGISTER_RESP, 1ul << 63 | SNP_MSR_PSC_RESP,
	0x101, -1ul,
};

static void test_unknown_msr_calls(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(snp_call(&snp, 0, guest_msr_call, unknown[i]),
			  unknown[i], "what the MSR has after an unknown request");
}

static void test_msr_calls(void)
{
	uint64_t ghcb = SNP_GHCB(0), v;
	const struct kvm_cpuid_entry2 *entry;

	v = snp_call(&snp, 0, guest_msr_call, SNP_MSR_SEV_INFO);
	EXPECT(SNP_MSR_INFO(v) == SNP_MSR_SEV_INFO_RESP && v >> 48 >= 2 &&
	       (v >> 32 & 0xffff) <= 2 && 1ul << (v >> 24 & 0xff) == snp.cbit,
	       "SEV_INFO should offer version 2 and the C-bit, is %#lx", v);

	v = snp_call(&snp, 0, guest_msr_call, SNP_MSR_FEATURES);
	EXPECT(SNP_MSR_INFO(v) == SNP_MSR_FEATURES_RESP &&
	       SNP_MSR_DATA(v) & SNP_FEATURE_SNP &&
	       SNP_MSR_DATA(v) & SNP_FEATURE_AP_CREATION,
	       "the hypervisor's features should be SNP and AP creation, is %#lx",
	       v);
	EXPECT_EQ(snp_call(&snp, 0, guest_vmgexit, SNP_EXIT_FEATURES),
		  SNP_MSR_DATA(v), "the same in a GHCB");

	v = snp_call(&snp, 0, guest_msr_call, SNP_MSR_PREFERRED);
	EXPECT_EQ(SNP_MSR_INFO(v), SNP_MSR_PREFERRED_RESP,
		  "answer to the preferred GPA");
	EXPECT_EQ(snp_call(&snp, 0, guest_msr_call, ghcb | SNP_MSR_REGISTER),
		  ghcb | SNP_MSR_REGISTER_RESP, "registering the GHCB again");
	EXPECT_EQ(snp_call(&snp, 0, guest_msr_call, NO_GPA | SNP_MSR_REGISTER),
		  SNP_MSR_NONE | SNP_MSR_REGISTER_RESP,
		  "registering where no memory can be");

	entry = get_cpuid_entry(snp.vcpus[0]->cpuid, 0, 0);
	v = snp_call(&snp, 0, guest_msr_call, SNP_MSR_CPUID_OF(0, 1));
	EXPECT(SNP_MSR_INFO(v) == SNP_MSR_CPUID_RESP && v >> 32 == entry->ebx,
	       "CPUID 0 should give %#x in EBX, is %#lx", entry->ebx, v);
}

/* The digest, from the firmware and beside it */

static void print_digest(const char *whose, const uint8_t *digest)
{
	int i;

	printf("%-12s", whose);
	for (i = 0; i < SHA384_SIZE; i++)
		printf("%02x", digest[i]);
	printf("\n");
}

static void test_report(uint8_t byte)
{
	const struct snp_report *report = &snp_mailbox(&snp.agents[0])->report;
	uint64_t ret;

	ret = snp_call(&snp, 0, guest_report, byte);
	if (!EXPECT_EQ(ret, 0, "status of the request for a report"))
		return;
	EXPECT_EQ(report->policy, snp.policy, "policy in the report");
	EXPECT(report->report_data[0] == byte && report->report_data[63] == byte,
	       "the report should hold the guest's data %#x, holds %#x", byte,
	       report->report_data[0]);
	if (!EXPECT(!memcmp(report->measurement, snp.ld, SHA384_SIZE),
		    "the guest's launch digest should be the computed one")) {
		print_digest("firmware", report->measurement);
		print_digest("computed", snp.ld);
	}
}

/* A shared page: the second vCPU never asks for a report. */
#define SPARE		SNP_REQUEST(1)

static const struct {
	const char *name;
	uint64_t gpa;
} bad_certs[] = {
	{ "a page that is not aligned", SPARE + 8 },
	{ "a page beyond memory", MEMORY + SIZE },
	{ "a page where no memory can be", NO_GPA },
	{ "a private page", MEMORY },
};

/* The same with the host's certificates, of which there are none */
static void test_certificates(void)
{
	const struct snp_mailbox *mailbox = snp_mailbox(&snp.agents[0]);
	const struct snp_report *report = &mailbox->report;
	int i;

	EXPECT_EQ(snp_call(&snp, 0, guest_ext_report, 0x66, SPARE, 0),
		  SNP_REQUEST_NEEDS_PAGES, "no page for certificates");
	EXPECT_EQ(mailbox->rbx, 1, "pages that certificates need");

	snp_call(&snp, 0, guest_fill, SPARE, SIZE_4K, 5);
	EXPECT_EQ(snp_call(&snp, 0, guest_ext_report, 0x67, SPARE, 1), 0,
		  "status of the request for a report and certificates");
	EXPECT_EQ(report->report_data[0], 0x67, "guest's data in the report");
	EXPECT_EQ(snp_call(&snp, 0, guest_check_zero, SPARE, 24), SPARE + 24,
		  "where the table of certificates does not end at once");

	for (i = 0; i < ARRAY_SIZE(bad_certs); i++) {
		EXPECT_EQ(snp_call(&snp, 0, guest_ext_report, 0x68,
				   bad_certs[i].gpa, 1), SNP_GHCB_INVALID_INPUT,
			  "certificates to %s", bad_certs[i].name);
		EXPECT_EQ(mailbox->info_1 & 0xffffffff, SNP_GHCB_ERROR,
			  "certificates to %s: exit information 1",
			  bad_certs[i].name);
	}
}

/* Where the guest's request is, and where the answer is to come */

static const struct {
	const char *name;
	uint64_t request, response;
} bad_requests[] = {
#define REQUEST		SNP_REQUEST(0)
#define RESPONSE	SNP_RESPONSE(0)
	{ "both in one page", REQUEST, REQUEST },
	{ "a request that is not aligned", REQUEST + 8, RESPONSE },
	{ "an answer that is not aligned", REQUEST, RESPONSE + 8 },
	{ "a request in a private page", MEMORY, RESPONSE },
	{ "an answer in a private page", REQUEST, MEMORY },
	{ "a request beyond memory", MEMORY + SIZE, RESPONSE },
	{ "an answer beyond memory", REQUEST, MEMORY + SIZE },
	{ "a request where no memory can be", NO_GPA, RESPONSE },
	{ "an answer where no memory can be", REQUEST, NO_GPA },
#undef RESPONSE
#undef REQUEST
};

static void expect_refused(uint64_t error, const char *name, const char *how)
{
	EXPECT_EQ(error, SNP_GHCB_INVALID_INPUT, "%s, %s: exit information 2",
		  name, how);
	EXPECT_EQ(snp_mailbox(&snp.agents[0])->info_1 & 0xffffffff,
		  SNP_GHCB_ERROR, "%s, %s: exit information 1", name, how);
}

/*
 * The page of requests has one that the firmware would answer: if it did, the
 * next one would be out of sequence.
 */
static void test_bad_requests(void)
{
	uint64_t ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad_requests); i++) {
		ret = snp_call(&snp, 0, guest_vmgexit, SNP_EXIT_REQUEST,
			       bad_requests[i].request,
			       bad_requests[i].response);
		expect_refused(ret, bad_requests[i].name, "guest request");
		ret = snp_call(&snp, 0, guest_ext_request,
			       bad_requests[i].request,
			       bad_requests[i].response, SPARE, 1);
		expect_refused(ret, bad_requests[i].name,
			       "extended guest request");
	}
	test_report(0x23);
}

/* Calls that are refused */

static const struct {
	const char *name;
	uint64_t code, without, error;
} bad_calls[] = {
#define WITHOUT(field)	"no " #field
#define INDEX(field)	SNP_GHCB_INDEX(field)
	{ "an unknown code", 0x80000099, INDEX(rbx), SNP_GHCB_INVALID_EVENT },
	{ "the last code", -1u, INDEX(rbx), SNP_GHCB_INVALID_EVENT },
	{ WITHOUT(exit_code), SNP_EXIT_FEATURES, INDEX(exit_code),
	  SNP_GHCB_MISSING_INPUT },
	{ WITHOUT(exit_info_1), SNP_EXIT_FEATURES, INDEX(exit_info_1),
	  SNP_GHCB_MISSING_INPUT },
	{ WITHOUT(exit_info_2), SNP_EXIT_FEATURES, INDEX(exit_info_2),
	  SNP_GHCB_MISSING_INPUT },
	{ WITHOUT(scratch), SNP_EXIT_PSC, INDEX(scratch),
	  SNP_GHCB_MISSING_INPUT },
	{ "AP creation, no rax", SNP_EXIT_AP_CREATION, INDEX(rax),
	  SNP_GHCB_MISSING_INPUT },
	{ "request with certificates, no rax", SNP_EXIT_EXT_REQUEST, INDEX(rax),
	  SNP_GHCB_MISSING_INPUT },
	{ "request with certificates, no rbx", SNP_EXIT_EXT_REQUEST, INDEX(rbx),
	  SNP_GHCB_MISSING_INPUT },
	{ "CPUID, no rcx", SNP_EXIT_CPUID, INDEX(rcx), SNP_GHCB_MISSING_INPUT },
#undef INDEX
#undef WITHOUT
};

static void test_bad_calls(void)
{
	struct snp_mailbox *mailbox = snp_mailbox(&snp.agents[0]);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad_calls); i++) {
		EXPECT_EQ(snp_call(&snp, 0, guest_vmgexit_without,
				   bad_calls[i].code, bad_calls[i].without),
			  bad_calls[i].error, "%s: exit information 2",
			  bad_calls[i].name);
		EXPECT_EQ(mailbox->info_1 & 0xffffffff, SNP_GHCB_ERROR,
			  "%s: exit information 1", bad_calls[i].name);
	}
}

/* A GHCB has to be registered. */
static void test_other_ghcb(void)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_vmgexit_in, SPARE),
		  SNP_GHCB_NOT_REGISTERED, "a call in another page");
	EXPECT_EQ(snp_mailbox(&snp.agents[0])->info_1 & 0xffffffff,
		  SNP_GHCB_ERROR, "exit information 1 of that");
}

/* Memory that was private from the beginning, by the host's attribute */

static void test_validation(void)
{
	snp_expect_not_validated(&snp, MEMORY, "memory that is private at first");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, MEMORY, false, true), 0,
		  "PVALIDATE");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, MEMORY, false, true),
		  SNP_CARRY, "PVALIDATE again");
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY + SIZE_4K,
			   SIZE - SIZE_4K, true), MEMORY + SIZE,
		  "where PVALIDATE of all memory stopped");
	snp_call(&snp, 0, guest_fill, MEMORY, SIZE, 1);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, MEMORY, SIZE, 1),
		  MEMORY + SIZE, "where private memory is wrong");
	EXPECT_EQ(zero_check(memory.hva, MEMORY, SIZE), MEMORY + SIZE,
		  "where the host sees what the guest wrote");
}

/* Access by a mapping that is not the page's: for the host to decide. */
static void test_mismatch(void)
{
	struct agent *agent = &snp.agents[0];

	agent_expect_fault(agent, guest_read, SNP_SHARED_VA(MEMORY), 0, MEMORY,
			   false, EFAULT, "shared access to a private page");
	vm_set_shared(snp.vm, MEMORY, SIZE_4K);
	*(uint64_t *)memory.hva = 77;
	EXPECT_EQ(snp_run(&snp, 0), AGENT_DONE, "how that ends");
	EXPECT_EQ(agent->value, 77, "what the shared page holds");
	agent_expect_fault(agent, guest_read, MEMORY, 0, MEMORY, true, EFAULT,
			   "private access to a shared page");
	vm_set_private(snp.vm, MEMORY, SIZE_4K);
	EXPECT_EQ(snp_run(&snp, 0), AGENT_DONE, "how that ends");
	EXPECT_EQ(agent->value, stamp(1, MEMORY),
		  "what the page held that the host took away for a while");
}

static void test_conversion(uint64_t gpa, uint64_t size)
{
	uint64_t va = SNP_SHARED_VA(gpa);
	void *hva = gmem_area_hva(&memory, gpa);

	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, gpa, size, false), 0,
		  "[%#lx, %#lx) to shared", gpa, gpa + size);
	stamp_fill(hva, va, size, 2);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, va, size, 2), va + size,
		  "where the guest does not see what the host wrote");
	snp_call(&snp, 0, guest_fill, va, size, 3);
	EXPECT_EQ(stamp_check(hva, va, size, 3), va + size,
		  "where the host does not see what the guest wrote");
	EXPECT_EQ(snp_call(&snp, 0, guest_change_range, gpa, size, true), 0,
		  "[%#lx, %#lx) to private", gpa, gpa + size);
	snp_call(&snp, 0, guest_fill, gpa, size, 1);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, MEMORY, SIZE, 1),
		  MEMORY + SIZE, "where private memory is wrong");
}

static void test_conversions(void)
{
	const uint64_t page = MEMORY + SIZE_2M + 5 * SIZE_4K;
	uint64_t v;

	snp_call(&snp, 0, guest_pvalidate, page, false, false);
	v = snp_call(&snp, 0, guest_msr_call,
		     SNP_MSR_PSC_OF(page, SNP_PSC_SHARED));
	EXPECT_EQ(v, SNP_MSR_PSC_RESP, "a page to shared by the MSR");
	v = snp_call(&snp, 0, guest_msr_call,
		     SNP_MSR_PSC_OF(page, SNP_PSC_PRIVATE));
	EXPECT_EQ(v, SNP_MSR_PSC_RESP, "a page to private by the MSR");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, page, false, true), 0,
		  "PVALIDATE of the page");
	snp_call(&snp, 0, guest_fill, page, SIZE_4K, 1);

	test_conversion(MEMORY + 7 * SIZE_4K, SIZE_4K);
	test_conversion(MEMORY + 3 * SIZE_4K, 300 * SIZE_4K);
	test_conversion(MEMORY + SIZE_2M, SIZE_2M);
	test_conversion(MEMORY, SIZE);
}

/* A second CPU, from a VMSA that the guest makes */

/* Delivery modes 5 and 6 */
#define MSI_INIT	(5u << 8)
#define MSI_SIPI	(6u << 8)

static pid_t second_tid;

static void *run_second(void *arg)
{
	enum agent_stop stop;

	WRITE_ONCE(second_tid, syscall(SYS_gettid));
	stop = snp_run(&snp, 1);
	EXPECT(stop == AGENT_DONE, "the second vCPU should run: %s",
	       agent_stop_name(&snp.agents[1], stop));
	return NULL;
}

/* In the request, bits 19:16 */
#define VMPL(n)		((n) << 16)

static const struct {
	const char *name;
	uint64_t request, apic_id, features;
} bad_aps[] = {
	{ "request 3", 3, 1, SNP_FEAT_SNP_ACTIVE },
	{ "creation on INIT at VMPL1", VMPL(1) | SNP_AP_CREATE_ON_INIT, 1,
	  SNP_FEAT_SNP_ACTIVE },
	{ "creation at VMPL1", VMPL(1) | SNP_AP_CREATE, 1,
	  SNP_FEAT_SNP_ACTIVE },
	{ "creation at VMPL3", VMPL(3) | SNP_AP_CREATE, 1,
	  SNP_FEAT_SNP_ACTIVE },
	{ "destruction at VMPL1", VMPL(1) | SNP_AP_DESTROY, 1,
	  SNP_FEAT_SNP_ACTIVE },
	{ "no such APIC ID", SNP_AP_CREATE, 77, SNP_FEAT_SNP_ACTIVE },
	{ "APIC ID 2^31", SNP_AP_CREATE, 1u << 31, SNP_FEAT_SNP_ACTIVE },
	{ "features without SNP", SNP_AP_CREATE, 1, 0 },
	{ "features that it was not launched with", SNP_AP_CREATE, 1,
	  SNP_FEAT_SNP_ACTIVE | 1ul << 62 },
};

static const struct {
	const char *name;
	uint64_t gpa;
} bad_vmsas[] = {
	{ "a VMSA that is not aligned", MEMORY + SIZE_4K + 8 },
	{ "a VMSA at 2 MiB, for an erratum", MEMORY },
	{ "a VMSA in a shared page", SPARE },
	{ "a VMSA beyond memory", MEMORY + SIZE + SIZE_4K },
	{ "a VMSA where no memory can be", NO_GPA | SIZE_4K },
};

static void test_bad_aps(void)
{
	uint64_t ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad_aps); i++) {
		ret = snp_call(&snp, 0, guest_create_ap, 1, bad_aps[i].request,
			       bad_aps[i].apic_id, bad_aps[i].features);
		expect_refused(ret, bad_aps[i].name, "AP creation");
	}
	for (i = 0; i < ARRAY_SIZE(bad_vmsas); i++) {
		ret = snp_call(&snp, 0, guest_vmgexit, SNP_EXIT_AP_CREATION,
			       1ul << 32 | SNP_AP_CREATE, bad_vmsas[i].gpa,
			       SNP_FEAT_SNP_ACTIVE);
		expect_refused(ret, bad_vmsas[i].name, "AP creation");
	}
}

/* In the guest: it has another page as its GHCB for one call. */
static uint64_t guest_call_in(uint64_t page)
{
	uint64_t own = (uintptr_t)snp_this_cpu()->ghcb;

	guest_msr_call(page | SNP_MSR_REGISTER);
	guest_msr_call(page);
	return guest_msr_call(own | SNP_MSR_REGISTER);
}

/*
 * A GHCB that is private as well, so that nothing else is wrong with it as a
 * VMSA: the call is written to the host's side of it.
 */
static void test_ghcb_as_vmsa(void)
{
	const uint64_t page = MEMORY + SIZE_4K;
	struct snp_ghcb *ghcb = gmem_area_hva(&memory, page);
	static const unsigned int valid[] = {
#define INDEX(field)	SNP_GHCB_INDEX(field)
		INDEX(rax), INDEX(exit_code), INDEX(exit_info_1),
		INDEX(exit_info_2), INDEX(scratch),
#undef INDEX
	};
	int i;

	*ghcb = (struct snp_ghcb) {
		.version = SNP_GHCB_VERSION,
		.exit_code = SNP_EXIT_AP_CREATION,
		.exit_info_1 = 1ul << 32 | SNP_AP_CREATE,
		.exit_info_2 = page,
		.rax = SNP_FEAT_SNP_ACTIVE,
	};
	for (i = 0; i < ARRAY_SIZE(valid); i++)
		ghcb->valid[valid[i] / 64] |= 1ul << valid[i] % 64;
	EXPECT_EQ(snp_call(&snp, 0, guest_call_in, page),
		  SNP_GHCB(0) | SNP_MSR_REGISTER_RESP,
		  "registering the GHCB after another");
	EXPECT(ghcb->exit_info_1 == SNP_GHCB_ERROR &&
	       ghcb->exit_info_2 == SNP_GHCB_INVALID_INPUT,
	       "AP creation with the caller's GHCB as VMSA should fail with %#x, %#x, exit information is %#lx, %#lx",
	       SNP_GHCB_ERROR, SNP_GHCB_INVALID_INPUT, ghcb->exit_info_1,
	       ghcb->exit_info_2);
	memset(ghcb, 0, sizeof(*ghcb));
}

static void expect_ap_call(uint64_t request, const char *what)
{
	struct snp_mailbox *mailbox = snp_mailbox(&snp.agents[0]);

	snp_call(&snp, 0, guest_create_ap, 1, request, 1, SNP_FEAT_SNP_ACTIVE);
	EXPECT_EQ(mailbox->info_1 & 0xffffffff, 0, "%s: exit information 1",
		  what);
}

/* As an MSI: what else a local APIC of the guest sends, the host can. */
static void send_second_cpu(uint32_t mode)
{
	struct kvm_msi msi = {
		.address_lo = 0xfee00000 | 1 << 12,
		.data = mode,
	};

	EXPECT_EQ(__vm_ioctl(snp.vm, KVM_SIGNAL_MSI, &msi), 1,
		  "vCPUs that delivery mode %u has reached", mode >> 8);
}

static void init_second_cpu(void)
{
	send_second_cpu(MSI_INIT);
}

/* A state for the second vCPU on INIT, which it does not run from before @go. */
static void start_second_cpu(void (*go)(void), const char *what)
{
	pthread_t thread;

	EXPECT_EQ(snp_call(&snp, 0, guest_make_vmsa, 1, 0), 0,
		  "%s: RMPADJUST of the second vCPU's VMSA", what);
	expect_ap_call(SNP_AP_CREATE_ON_INIT, what);
	agent_start(&snp.agents[1], guest_cpu_id, 0, 0, 0, 0);
	WRITE_ONCE(second_tid, 0);
	pthread_create(&thread, NULL, run_second, NULL);
	if (!EXPECT(snp_thread_sleeps(&second_tid),
		    "%s: the second vCPU should wait for it", what))
		return;
	go();
	pthread_join(thread, NULL);
	EXPECT_EQ(snp.agents[1].value, 1, "%s: who the second vCPU is", what);
}

static void create_second_cpu(void)
{
	expect_ap_call(SNP_AP_CREATE, "creation");
}

/* It would stop the vCPU that has been created since. */
static void test_old_init(void)
{
	expect_ap_call(SNP_AP_DESTROY, "destruction before an INIT");
	EXPECT_EQ(snp_call(&snp, 0, guest_make_vmsa, 1, 0), 0,
		  "RMPADJUST of the second vCPU's VMSA, once more");
	init_second_cpu();
	expect_ap_call(SNP_AP_CREATE, "creation after an INIT");
	EXPECT_EQ(snp_call(&snp, 1, guest_cpu_id), 1,
		  "who the vCPU is that was created after an INIT");

	expect_ap_call(SNP_AP_DESTROY, "destruction before another INIT");
	init_second_cpu();
	start_second_cpu(init_second_cpu, "creation on INIT, after an INIT");
}

/* Without registers to reset: it goes on behind its call. */
static void test_reset_hold(void)
{
	pthread_t thread;

	agent_start(&snp.agents[1], guest_msr_call, SNP_MSR_RESET_HOLD, 0, 0, 0);
	WRITE_ONCE(second_tid, 0);
	pthread_create(&thread, NULL, run_second, NULL);
	if (!EXPECT(snp_thread_sleeps(&second_tid),
		    "AP reset hold: the second vCPU should wait"))
		return;
	send_second_cpu(MSI_INIT);
	send_second_cpu(MSI_SIPI);
	pthread_join(thread, NULL);
	EXPECT_EQ(snp.agents[1].value, 1ul << 12 | SNP_MSR_RESET_HOLD_RESP,
		  "the answer to an AP reset hold");
}

static void test_second_cpu(void)
{
	test_bad_aps();
	test_ghcb_as_vmsa();
	start_second_cpu(init_second_cpu, "creation on INIT");
	/* The vCPU is not running, and finds both when it does. */
	expect_ap_call(SNP_AP_DESTROY, "destruction");
	start_second_cpu(init_second_cpu, "creation on INIT, after destruction");
	expect_ap_call(SNP_AP_DESTROY, "destruction, once more");
	start_second_cpu(create_second_cpu, "creation in place of one on INIT");
	test_old_init();

	EXPECT_EQ(snp_call(&snp, 1, guest_check, MEMORY, SIZE, 1),
		  MEMORY + SIZE, "where the second vCPU sees wrong memory");
	test_reset_hold();
	test_conversion(MEMORY + SIZE_2M - SIZE_4K, 2 * SIZE_4K);
	EXPECT_EQ(snp_call(&snp, 1, guest_change_range, MEMORY, SIZE_2M, false),
		  0, "conversion by the second vCPU");
	EXPECT_EQ(snp_call(&snp, 1, guest_change_range, MEMORY, SIZE_2M, true),
		  0, "conversion back by the second vCPU");
	expect_ap_call(SNP_AP_DESTROY, "destruction");
}

/* Registers are in the VMSA, and the host's copies mean nothing. */

static const struct {
	const char *name;
	unsigned long ioctl;
} hidden[] = {
#define HIDDEN(name)	{ #name, name }
	HIDDEN(KVM_GET_REGS), HIDDEN(KVM_SET_REGS),
	HIDDEN(KVM_GET_SREGS), HIDDEN(KVM_SET_SREGS),
	HIDDEN(KVM_GET_SREGS2), HIDDEN(KVM_SET_SREGS2),
	HIDDEN(KVM_GET_FPU), HIDDEN(KVM_SET_FPU),
	HIDDEN(KVM_GET_DEBUGREGS), HIDDEN(KVM_SET_DEBUGREGS),
	HIDDEN(KVM_GET_XSAVE), HIDDEN(KVM_SET_XSAVE), HIDDEN(KVM_GET_XSAVE2),
	HIDDEN(KVM_GET_XCRS), HIDDEN(KVM_SET_XCRS),
#undef HIDDEN
};

static void test_hidden_registers(void)
{
	static char buffer[4 * SIZE_4K] __aligned(SIZE_4K);
	struct kvm_vcpu *vcpu = snp.vcpus[0];
	int i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		EXPECT_ERRNO(ioctl(vcpu->fd, hidden[i].ioctl, buffer), EINVAL,
			     "%s of a launched vCPU", hidden[i].name);

	EXPECT(kvm_check_cap(KVM_CAP_SYNC_REGS), "KVM_CAP_SYNC_REGS of /dev/kvm");
	EXPECT_EQ(vm_check_cap(snp.vm, KVM_CAP_SYNC_REGS), 0,
		  "KVM_CAP_SYNC_REGS of an SNP VM");
	vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "KVM_RUN that shows registers");
	vcpu->run->kvm_valid_regs = 0;
	vcpu->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	EXPECT_ERRNO(__vcpu_run(vcpu), EINVAL, "KVM_RUN that sets registers");
	vcpu->run->kvm_dirty_regs = 0;
	EXPECT_EQ(snp_call(&snp, 0, guest_cpu_id), 0, "who the vCPU still is");
}

/* Entries of 2 MiB, of pages that are no file's: those of files are of 4 KiB. */

static const struct {
	const char *name;
	uint64_t offset;
	unsigned int order, step, level;
} large[] = {
	{ "one page", SIZE_4K, 0, 1, 1 },
	{ "2 MiB", 0, 9, 512, 2 },
	{ "2 MiB, taken back page by page", 0, 9, 1, 2 },
	{ "2 MiB, taken back by 64 KiB", 0, 9, 16, 2 },
	{ "2 MiB, taken back but for a page first", 0, 9, 511, 2 },
	{ "2 MiB where the guest has no 2 MiB", SIZE_4K, 9, 512, 1 },
	{ "4 MiB", 0, 10, 1024, 2 },
	{ "1 MiB", SIZE_2M, 8, 256, 1 },
};

static void test_large_entries(void)
{
	uint64_t held = snp_model_held(), leaked = snp_model_leaked();
	struct snp_hooks hooks;
	int i;

	if (!has_snp_model()) {
		note_skipped("entries of 2 MiB: need the model of SEV-SNP");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		EXPECT_ERRNO(snp_model_hooks(snp.vm, MEMORY + large[i].offset,
					     large[i].order, large[i].step,
					     &hooks), 0,
			     "prepare of %s", large[i].name);
		EXPECT_EQ(hooks.level, large[i].level, "level of %s",
			  large[i].name);
		/* A mapping is no larger than the entry; shared ones have none. */
		EXPECT_EQ(hooks.private_level, large[i].level,
			  "level of private mappings of %s", large[i].name);
		EXPECT_EQ(hooks.shared_level, 0,
			  "level of shared mappings of %s", large[i].name);
		snp_expect_pages(held, leaked, large[i].name);
	}
	vm_set_shared(snp.vm, MEMORY, SIZE_4K);
	EXPECT_ERRNO(snp_model_hooks(snp.vm, MEMORY, 0, 1, &hooks), EFAULT,
		     "prepare of a frame that is shared");
	vm_set_private(snp.vm, MEMORY, SIZE_4K);
}

/* The end */

static void test_termination(void)
{
	const uint64_t value = SNP_MSR_TERMINATE_OF(1, 0x42);

	agent_start(&snp.agents[0], guest_msr_call, value, 0, 0, 0);
	snp_expect_termination(&snp, 0, value, "request by the MSR");
}

static void test_termination_in_ghcb(void)
{
	begin(&(struct snp_options){ .not_measured = true });
	snp_load(&snp, &(struct snp_options){ .not_measured = true });
	agent_start(&snp.agents[0], guest_vmgexit, SNP_EXIT_TERMINATE, 0x421,
		    0, 0);
	snp_expect_termination(&snp, 0, SNP_GHCB(0), "request in the GHCB");
	end("guest that ended itself in its GHCB");
}

static void test_life(void)
{
	const struct snp_options options = {
		.nr_vcpus = 2,
		.others_off = true,
	};

	begin(&options);
	snp_load(&snp, &options);
	test_pages();
	test_hidden_registers();
	test_large_entries();
	test_msr_calls();
	test_unknown_msr_calls();
	test_report(0x11);
	test_report(0x22);
	test_certificates();
	test_bad_requests();
	test_bad_calls();
	test_other_ghcb();
	test_validation();
	test_mismatch();
	test_conversions();
	test_second_cpu();
	test_report(0x33);
	test_termination();
	end("guest that ended itself");
}

/* All vCPUs are launched, each is measured, and has debugging in its policy. */
static void test_all_launched(void)
{
	const struct snp_options options = {
		.nr_vcpus = 3,
		.policy = SNP_POLICY | SNP_POLICY_DEBUG,
	};
	unsigned int i;

	begin(&options);
	snp_load(&snp, &options);
	for (i = 0; i < options.nr_vcpus; i++)
		EXPECT_EQ(snp_call(&snp, i, guest_cpu_id), i,
			  "who vCPU %u is", i);
	test_report(0x44);
	end("guest with three launched vCPUs");
}

/* A CPUID page that promises too much */

static void test_cpuid_page(void)
{
	const struct snp_options options = { .not_measured = true };
	struct snp_cpuid_page good, *page;
	uint32_t fw_error, lacks;
	uint64_t gpa;
	int ret;

	begin(&options);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_start(&snp), 0, "LAUNCH_START");
	EXPECT_ERRNO(snp_update_used(&snp, false), 0, "LAUNCH_UPDATE");
	EXPECT_ERRNO(snp_update_special(&snp, SNP_SECRETS), 0,
		     "LAUNCH_UPDATE of SECRETS");

	gpa = snp.special_gpa[SNP_CPUID];
	page = (void *)special_hva(SNP_CPUID);
	good = *page;
	/* The lowest feature that this machine has not. */
	lacks = ~good.fn[1].ecx & -~good.fn[1].ecx;
	page->fn[1].ecx |= lacks;
	ret = snp_launch_update(snp.vm, KVM_SEV_SNP_PAGE_TYPE_CPUID, gpa, page,
				SIZE_4K, &fw_error);
	EXPECT_ERRNO(ret, EIO, "a CPUID page with feature %#x that the machine lacks",
		     lacks);
	EXPECT_EQ(fw_error, SNP_FW_INVALID_PARAM, "firmware's status");
	EXPECT(!memcmp(page, &good, sizeof(good)),
	       "the corrected page should be handed back, ECX is %#x, should be %#x",
	       page->fn[1].ecx, good.fn[1].ecx);
	EXPECT_ERRNO(snp_update_special(&snp, SNP_CPUID), 0,
		     "the corrected CPUID page");
	EXPECT_ERRNO(snp_finish(&snp), 0, "LAUNCH_FINISH");
	expect_special(SNP_CPUID, 16 + 48, special_hva(SNP_CPUID)[8],
		       "the corrected CPUID page in the guest");
	end("guest with a corrected CPUID page");
}

/* Signals while memory is added: what has been added counts, once. */

#define INTERVAL_US	3000

static unsigned int nr_signals;

static void on_signal(int nr)
{
	WRITE_ONCE(nr_signals, nr_signals + 1);
}

static void set_timer(unsigned int us)
{
	const struct itimerval interval = { { 0, us }, { 0, us } };

	TEST_ASSERT(!setitimer(ITIMER_REAL, &interval, NULL),
		    "setitimer(), errno %d", errno);
}

/* How many calls did not do all that they were asked for. */
static unsigned int update_with_signals(void)
{
	struct kvm_sev_snp_launch_update update = {
		.gfn_start = MEMORY / SIZE_4K,
		.uaddr = (uintptr_t)memory.hva,
		.len = SIZE,
		.type = KVM_SEV_SNP_PAGE_TYPE_NORMAL,
	};
	uint64_t end = now_ms() + 60000, left = update.len;
	unsigned int nr_short = 0;
	int ret = 0;

	set_timer(INTERVAL_US);
	while (update.len && now_ms() < end && !test_has_failed()) {
		ret = snp_op(snp.vm, KVM_SEV_SNP_LAUNCH_UPDATE, &update, NULL);
		if (ret)
			EXPECT(errno == EINTR && update.len == left,
			       "LAUNCH_UPDATE with a signal: should fail with EINTR if at all, errno is %d, %#llx bytes of %#lx are left",
			       errno, update.len, left);
		else
			EXPECT(update.len < left,
			       "LAUNCH_UPDATE with a signal: should get on, %#lx bytes are left",
			       left);
		nr_short += update.len != 0;
		left = update.len;
	}
	set_timer(0);
	EXPECT_EQ(update.len, 0, "what is left with signals every %u us",
		  INTERVAL_US);
	return nr_short;
}

static void test_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const struct snp_options options = {};
	unsigned int nr_short;
	uint64_t i;

	begin(&options);
	stamp_fill(memory.hva, MEMORY, SIZE, 9);
	sigaction(SIGALRM, &action, NULL);
	snp_seal(&snp);
	snp_bind(&snp);
	EXPECT_ERRNO(snp_start(&snp), 0, "LAUNCH_START");
	nr_short = update_with_signals();
	printf("%u signals have interrupted LAUNCH_UPDATE %u times\n",
	       READ_ONCE(nr_signals), nr_short);
	EXPECT(nr_short, "signals should interrupt LAUNCH_UPDATE");
	for (i = 0; i < SIZE; i += SIZE_4K)
		snp_measure(snp.ld, KVM_SEV_SNP_PAGE_TYPE_NORMAL, MEMORY + i,
			    memory.hva + i);
	EXPECT_ERRNO(snp_update_all(&snp, true), 0, "LAUNCH_UPDATE of the rest");
	EXPECT_ERRNO(snp_finish(&snp), 0, "LAUNCH_FINISH");
	EXPECT_EQ(snp_call(&snp, 0, guest_check, MEMORY, SIZE, 9),
		  MEMORY + SIZE, "where memory added with signals is wrong");
	test_report(0x77);
	end("guest with signals during its launch");
}

/* The digest of a guest with other contents is another. */
static void test_digest_differs(void)
{
	const struct snp_options options = {};
	uint8_t first[SHA384_SIZE];

	begin(&options);
	snp_load(&snp, &options);
	memcpy(first, snp.ld, sizeof(first));
	test_report(0x55);
	end("first of two guests");

	begin(&options);
	*(uint64_t *)addr_gva2hva(snp.vm, (uintptr_t)&guest_counter) = 99;
	snp_load(&snp, &options);
	EXPECT(memcmp(first, snp.ld, sizeof(first)),
	       "digests of different guests should differ");
	test_report(0x66);
	end("second of two guests");
}

int main(int argc, char *argv[])
{
	snp_begin();
	snp_check_crypto();

	test_life();
	test_all_launched();
	test_termination_in_ghcb();
	test_cpuid_page();
	test_signals();
	test_digest_differs();
	return test_verdict();
}
