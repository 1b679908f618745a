// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of SNP guests that the RMP raises: an entry of 2 MiB in the way of a
 * smaller page is split, and what cannot be resolved is handed to user space.
 * And VMSAs that go while their vCPU is in the guest, and memory errors.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>

#include "snp.h"
#include "snp_model.h"

#define MEMORY		(4 * SIZE_1G)
#define SIZE		SIZE_2M
#define PAGE(nr)	(MEMORY + (nr) * SIZE_4K)

/* Slot 0 as the guest of VMPL0 reaches it, page tables and all. */
#define ALIAS		(1ul << 43)

#define GP	13

/* More than a test splits or fails. */
#define MANY		1000000

static struct snp snp;
static struct gmem_area memory;

/* New pages; adjacent ones if there are such. */
static void renew(void)
{
	EXPECT_ERRNO(gmem_punch(memory.fd, 0, SIZE), 0, "punch");
	trigger_compaction();
	EXPECT_ERRNO(gmem_allocate(memory.fd, 0, SIZE), 0, "fallocate()");
}

static void begin(const struct snp_options *options)
{
	snp_create(&snp, options);
	snp_add_area(&snp, &memory, SNP_FREE_SLOT, MEMORY, SIZE);
	renew();
	vm_set_private(snp.vm, MEMORY, SIZE);
}

static void end(const char *when)
{
	snp_free(&snp);
	snp_expect_all_back(when);
}

/* Entries of 2 MiB, under nested mappings of 4 KiB */

static void join(const char *what)
{
	int tries = 5, ret;

	while ((ret = snp_model_join(snp.vm, MEMORY)) && errno == EXDEV &&
	       tries--)
		renew();
	EXPECT_ERRNO(ret, 0, "%s: one entry of 2 MiB", what);
	/* None of them fails; they are counted. */
	snp_model_fail(SNP_FAILING_PSMASH, 0, MANY, 1, SNP_FAIL_INUSE);
}

static void expect_smashed(unsigned int nr, const char *what)
{
	EXPECT_EQ(MANY - snp_model_fail_left(SNP_FAILING_PSMASH).skip, nr,
		  "%s: how often PSMASH was executed", what);
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
}

static void expect_usable(uint64_t gpa, uint64_t size, const char *what)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, gpa, size, true),
		  gpa + size, "%s: where PVALIDATE stops", what);
	EXPECT_EQ(snp_call(&snp, 0, guest_check_zero, gpa, size), gpa + size,
		  "%s: where a new page is not zero", what);
	snp_call(&snp, 0, guest_fill, gpa, size, 1);
	EXPECT_EQ(snp_call(&snp, 0, guest_check, gpa, size, 1), gpa + size,
		  "%s: where memory is wrong", what);
	snp_call(&snp, 0, guest_fill, gpa, size, 0);
	snp_call(&snp, 0, guest_validate, gpa, size, false);
}

static void test_smash(void)
{
	join("PVALIDATE of 4 KiB");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, PAGE(5), false, true), 0,
		  "PVALIDATE of 4 KiB in an entry of 2 MiB");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, PAGE(5), false, false), 0,
		  "PVALIDATE of it again");
	expect_usable(MEMORY, SIZE, "an entry that was split");
	expect_smashed(1, "PVALIDATE of 4 KiB");

	renew();
	join("read");
	snp_expect_not_validated(&snp, PAGE(511), "read in an entry of 2 MiB");
	snp_expect_not_validated(&snp, PAGE(0),
				 "read in an entry that was split");
	expect_smashed(1, "read");

	renew();
	join("PVALIDATE of 2 MiB");
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, MEMORY, true, true),
		  SNP_FAIL_SIZEMISMATCH,
		  "PVALIDATE of 2 MiB that is mapped in pages");
	expect_smashed(0, "PVALIDATE of 2 MiB");
	expect_usable(MEMORY, SIZE, "PVALIDATE of 4 KiB after it");
}

/* Faults that do not go away, and do when the reason does. */

static const struct {
	const char *name;
	unsigned int status, times, more;
} stubborn[] = {
	{ "PSMASH that finds the entry in use", SNP_FAIL_INUSE, MANY, 100 },
	{ "PSMASH that is not permitted", SNP_FAIL_PERMISSION, 1, 1 },
};

static void test_stubborn(int i)
{
	struct agent *agent = &snp.agents[0];
	const char *name = stubborn[i].name;
	unsigned int failed, repeat;

	renew();
	join(name);
	agent_start(agent, guest_pvalidate, PAGE(7), false, true, 0);
	for (repeat = 0; repeat < 2; repeat++) {
		snp_model_fail(SNP_FAILING_PSMASH, 0, 0, stubborn[i].times,
			       stubborn[i].status);
		agent_check_fault(agent, snp_run(&snp, 0), PAGE(7), true,
				  EFAULT, name);
		failed = stubborn[i].times -
			 snp_model_fail_left(SNP_FAILING_PSMASH).times;
		EXPECT(failed >= stubborn[i].more,
		       "%s: should be tried %u times at least, was %u times",
		       name, stubborn[i].more, failed);
	}
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	EXPECT(snp_run(&snp, 0) == AGENT_DONE && !agent->value,
	       "%s: PVALIDATE afterwards should be 0, is %#lx", name,
	       agent->value);
	snp_call(&snp, 0, guest_pvalidate, PAGE(7), false, false);
	expect_usable(MEMORY, SIZE, name);
}

static void test_punch(void)
{
	uint64_t leaked = snp_model_leaked(), held;

	renew();
	join("punch");
	held = snp_model_held();
	EXPECT_ERRNO(gmem_punch(memory.fd, 9 * SIZE_4K, SIZE_4K), 0,
		     "punch of a page in an entry of 2 MiB");
	snp_expect_pages(held - 1, leaked, "punch of a page");
	expect_smashed(1, "punch of a page");
	expect_usable(MEMORY, SIZE, "punch of a page");
	snp_expect_pages(held, leaked, "a new page in place of it");
}

/* The page is lost, alone, and another is there in its place. */
static void test_lost(void)
{
	uint64_t leaked = snp_model_leaked(), held;

	renew();
	join("punch without PSMASH");
	held = snp_model_held();
	snp_model_fail(SNP_FAILING_PSMASH, 0, 0, MANY, SNP_FAIL_PERMISSION);
	EXPECT_ERRNO(gmem_punch(memory.fd, 9 * SIZE_4K, SIZE_4K), 0,
		     "punch of a page in an entry that cannot be split");
	snp_model_fail(SNP_FAILING_NONE, 0, 0, 0, 0);
	snp_expect_pages(held, leaked + 1, "punch without PSMASH");
	expect_usable(MEMORY, SIZE, "punch without PSMASH");
	snp_expect_pages(held + 1, leaked + 1, "a new page in place of it");
	renew();
}

static void test_entries(void)
{
	const struct snp_options options = { .not_measured = true };
	uint64_t held = snp_model_held(), leaked = snp_model_leaked();
	int i;

	if (!has_snp_model()) {
		note_skipped("entries of 2 MiB: need the model of SEV-SNP");
		return;
	}
	begin(&options);
	snp_load(&snp, &options);
	test_smash();
	for (i = 0; i < ARRAY_SIZE(stubborn); i++)
		test_stubborn(i);
	test_punch();
	test_lost();
	snp_free(&snp);
	snp_expect_pages(held + 1, leaked + 1, "the end, but for a lost page");
}

/* A VMPL that the guest gives less to */

static uint64_t guest_set_vmpl(uint64_t id, uint64_t vmpl)
{
	snp_this_cpu()->image[id]->vmpl = vmpl;
	return 0;
}

/* To VMPL1; returns where it stopped. */
static uint64_t guest_grant(uint64_t gva, uint64_t size, uint64_t perms)
{
	uint64_t end = gva + size;

	while (gva < end &&
	       !guest_rmpadjust(gva, false,
				SNP_ADJUST_VMPL1 | SNP_ADJUST_PERMS(perms)))
		gva += SIZE_4K;
	return gva;
}

static void grant(uint64_t gva, uint64_t size, uint64_t perms)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_grant, gva, size, perms), gva + size,
		  "where RMPADJUST to %#lx for VMPL1 stops", perms);
}

/* What the program uses, page tables with it, and those that this maps it by. */
static void map_alias(void)
{
	uint64_t gpa = 0, size = 0, top = 0;

	while (snp_next_used(&snp, &gpa, &size))
		top = gpa + size;
	top += 64 * SIZE_4K;
	virt_map(snp.vm, ALIAS, 0, top / SIZE_4K);
}

static void create_second_cpu(void)
{
	EXPECT_EQ(snp_call(&snp, 0, guest_make_vmsa, 1, 0), 0,
		  "RMPADJUST of the second vCPU's VMSA");
	snp_call(&snp, 0, guest_create_ap, 1, SNP_AP_CREATE, 1,
		 SNP_FEAT_SNP_ACTIVE);
	EXPECT_EQ((uint32_t)snp_mailbox(&snp.agents[0])->info_1, 0,
		  "creation of the second vCPU");
}

static void expect_forbidden(void *fn, uint64_t value, const char *what)
{
	struct agent *agent = &snp.agents[1];

	agent_expect_fault(agent, fn, PAGE(3), value, PAGE(3), true, EFAULT,
			   what);
	agent_check_fault(agent, agent_run(agent), PAGE(3), true, EFAULT,
			  what);
}

static void expect_granted(uint64_t perms, uint64_t value, const char *what)
{
	struct agent *agent = &snp.agents[1];

	grant(PAGE(3), SIZE_4K, perms);
	EXPECT(snp_run(&snp, 1) == AGENT_DONE && agent->value == value,
	       "%s: should be done, with %#lx, is %#lx", what, value,
	       agent->value);
}

static void test_vmpl(void)
{
	const struct snp_options options = {
		.nr_vcpus = 2, .others_off = true, .not_measured = true,
	};
	struct agent *agent = &snp.agents[1];
	uint64_t gpa = 0, size = 0;
	enum agent_stop stop;

	begin(&options);
	map_alias();
	snp_load(&snp, &options);
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
		  MEMORY + SIZE, "where PVALIDATE stops");
	snp_call(&snp, 0, guest_write, PAGE(3), 33);
	while (snp_next_used(&snp, &gpa, &size))
		grant(ALIAS + gpa, size, SNP_PERM_ALL);
	snp_call(&snp, 0, guest_set_vmpl, 1, 1);
	create_second_cpu();
	EXPECT_EQ(snp_call(&snp, 1, guest_cpu_id), 1, "who runs at VMPL1");

	expect_forbidden(guest_read, 0, "VMPL1 reads what it may not");
	expect_granted(SNP_PERM_READ, 33, "VMPL1 reads what it may");
	expect_forbidden(guest_write, 44, "VMPL1 writes what it may not");
	expect_granted(SNP_PERM_READ | SNP_PERM_WRITE, 0,
		       "VMPL1 writes what it may");
	EXPECT_EQ(snp_call(&snp, 0, guest_read, PAGE(3)), 44,
		  "what VMPL1 has written");
	agent_start(agent, guest_pvalidate, PAGE(3), false, false, 0);
	stop = agent_run(agent);
	EXPECT(stop == AGENT_TRAP && agent->value == SNP_TRAP(GP, 0),
	       "PVALIDATE at VMPL1 should raise #GP: %s",
	       agent_stop_name(agent, stop));
	end("guest with two VMPLs");
}

/* The second vCPU counts, on a thread of its own. */

#define COUNTER		psc_entries[0]
#define STOP		psc_entries[1]

static pthread_t thread;
static pid_t second_tid;
static int second_ret, second_err;
/* The thread goes on after memory faults, and counts them. */
static bool retries;
static unsigned int nr_faults;

static uint64_t guest_count(void)
{
	struct snp_mailbox *mailbox = snp_this_cpu()->mailbox;

	while (!READ_ONCE(mailbox->STOP))
		WRITE_ONCE(mailbox->COUNTER, mailbox->COUNTER + 1);
	return 0;
}

static bool run_again(void)
{
	if (!second_ret)
		return false;
	if (second_err == EFAULT && READ_ONCE(retries)) {
		WRITE_ONCE(nr_faults, nr_faults + 1);
		return true;
	}
	return second_err == EINTR || second_err == EAGAIN;
}

static void *run_second(void *arg)
{
	WRITE_ONCE(second_tid, syscall(SYS_gettid));
	do {
		snp.vcpus[1]->run->exit_reason = KVM_EXIT_UNKNOWN;
		second_ret = __vcpu_run(snp.vcpus[1]);
		second_err = second_ret ? errno : 0;
	} while (run_again());
	return NULL;
}

static uint64_t counter(void)
{
	return READ_ONCE(snp_mailbox(&snp.agents[1])->COUNTER);
}

static bool is_counting(const char *what)
{
	uint64_t end = now_ms() + SNP_PATIENCE_MS, from = counter();

	while (counter() == from && now_ms() < end)
		usleep(1000);
	return EXPECT(counter() != from, "%s: the second vCPU should run",
		      what);
}

static void start_thread(void)
{
	WRITE_ONCE(second_tid, 0);
	pthread_create(&thread, NULL, run_second, NULL);
}

static void start_counting(const char *what)
{
	agent_start(&snp.agents[1], guest_count, 0, 0, 0, 0);
	start_thread();
	is_counting(what);
}

static void join_thread(const char *what)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += SNP_PATIENCE_MS / 1000;
	TEST_ASSERT(!pthread_timedjoin_np(thread, NULL, &end),
		    "%s: KVM_RUN of the second vCPU should return", what);
}

static void stop_counting(void)
{
	WRITE_ONCE(snp_mailbox(&snp.agents[1])->STOP, 1);
	join_thread("end of a call");
	EXPECT(!second_ret &&
	       snp.vcpus[1]->run->exit_reason == KVM_EXIT_IO,
	       "the second vCPU should end its call, but errno %d, exit reason %u",
	       second_err, snp.vcpus[1]->run->exit_reason);
	WRITE_ONCE(snp_mailbox(&snp.agents[1])->STOP, 0);
}

static void test_destruction(void)
{
	uint64_t stopped;
	int i;

	start_counting("destruction");
	for (i = 0; i < 20; i++) {
		snp_call(&snp, 0, guest_create_ap, 1, SNP_AP_DESTROY, 1,
			 SNP_FEAT_SNP_ACTIVE);
		TEST_ASSERT(snp_thread_sleeps(&second_tid),
			    "a vCPU that is destroyed in the guest should sleep, but errno %d, exit reason %u",
			    second_err, snp.vcpus[1]->run->exit_reason);
		stopped = counter();
		usleep(1000);
		EXPECT_EQ(counter(), stopped,
			  "what a vCPU has counted that was destroyed");
		create_second_cpu();
		is_counting("creation after destruction");
	}
	stop_counting();
}

static void expect_vmsa_fault(const char *what)
{
	const struct kvm_run *run = snp.vcpus[1]->run;

	EXPECT(second_ret && second_err == EFAULT &&
	       run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	       run->memory_fault.flags == KVM_MEMORY_EXIT_FLAG_PRIVATE &&
	       run->memory_fault.gpa == snp.vmsa_gpa[1] &&
	       run->memory_fault.size == SIZE_4K,
	       "%s: should be a memory fault at the VMSA, %#lx, but errno %d, exit reason %u, flags %#llx gpa %#llx",
	       what, snp.vmsa_gpa[1], second_err, run->exit_reason,
	       run->memory_fault.flags, run->memory_fault.gpa);
}

static void test_shared_vmsa(void)
{
	uint64_t stopped;

	start_counting("VMSA to shared");
	vm_set_shared(snp.vm, snp.vmsa_gpa[1], SIZE_4K);
	stopped = counter();
	join_thread("VMSA to shared");
	expect_vmsa_fault("VMSA to shared");
	EXPECT_EQ(counter(), stopped,
		  "what a vCPU has counted once its VMSA was shared");
	run_second(NULL);
	expect_vmsa_fault("VMSA to shared, once more");

	/* Nothing was discarded. */
	vm_set_private(snp.vm, snp.vmsa_gpa[1], SIZE_4K);
	start_thread();
	is_counting("VMSA private again");
	EXPECT(counter() > stopped, "the vCPU should go on from %lu, is at %lu",
	       stopped, counter());
	stop_counting();
}

static void test_conversions(void)
{
	uint64_t end = now_ms() + SNP_PATIENCE_MS;
	int i;

	WRITE_ONCE(retries, true);
	start_counting("conversions of the VMSA");
	/* At least once it is to be entered in between. */
	for (i = 0; i < 200 || (!READ_ONCE(nr_faults) && now_ms() < end); i++) {
		vm_set_shared(snp.vm, snp.vmsa_gpa[1], SIZE_4K);
		vm_set_private(snp.vm, snp.vmsa_gpa[1], SIZE_4K);
		if (i % 10 == 0)
			is_counting("conversions of the VMSA");
	}
	stop_counting();
	WRITE_ONCE(retries, false);
	printf("%d conversions of a VMSA in use, seen %u times\n", i, nr_faults);
	EXPECT(nr_faults, "a vCPU should see that its VMSA is shared");
}

/* A new page is no VMSA. */
static void test_punched_vmsa(void)
{
	const struct kvm_run *run = snp.vcpus[1]->run;
	uint64_t stopped;
	int i;

	start_counting("punched VMSA");
	EXPECT_ERRNO(gmem_punch(snp.fd, snp.vmsa_gpa[1], SIZE_4K), 0, "punch");
	stopped = counter();
	join_thread("punched VMSA");
	EXPECT_EQ(counter(), stopped,
		  "what a vCPU has counted once its VMSA was punched out");
	for (i = 0; i < 2; i++) {
		if (i)
			run_second(NULL);
		EXPECT(!second_ret && run->exit_reason == KVM_EXIT_FAIL_ENTRY,
		       "punched VMSA: entry should fail, but errno %d, exit reason %u",
		       second_err, run->exit_reason);
	}
	EXPECT_EQ(snp_call(&snp, 0, guest_pvalidate, snp.vmsa[1], false, true),
		  0, "PVALIDATE of a new page for a VMSA");
	create_second_cpu();
	start_counting("new VMSA in place of a punched one");
	stop_counting();
}

static void test_vmsas(void)
{
	const struct snp_options options = {
		.nr_vcpus = 2, .others_off = true, .not_measured = true,
	};

	begin(&options);
	snp_load(&snp, &options);
	create_second_cpu();
	test_destruction();
	create_second_cpu();
	test_shared_vmsa();
	test_conversions();
	test_punched_vmsa();
	end("guest whose VMSA has gone");
}

/* A page with an error is the guest's until it is punched out. */
static void test_memory_error(void)
{
	const struct snp_options options = { .not_measured = true };
	struct agent *agent = &snp.agents[0];
	uint64_t held, leaked = snp_model_leaked(), pfn;
	unsigned int repeat;
	enum agent_stop stop;

	if (!can_poison_frames()) {
		note_skipped("memory errors: no hwpoison-inject in debugfs");
		return;
	}
	begin(&options);
	snp_load(&snp, &options);
	pfn = gmem_find_frame(memory.fd, 3 * SIZE_4K);
	if (!EXPECT(pfn, "the frame of a page should be found"))
		goto out;
	EXPECT_EQ(snp_call(&snp, 0, guest_validate, MEMORY, SIZE, true),
		  MEMORY + SIZE, "where PVALIDATE stops");
	snp_call(&snp, 0, guest_fill, MEMORY, SIZE, 1);
	held = snp_model_held();
	poison_frame(pfn);
	agent_start(agent, guest_read, PAGE(3), 0, 0, 0);
	for (repeat = 0; repeat < 2; repeat++)
		agent_check_fault(agent, agent_run(agent), PAGE(3), true,
				  EHWPOISON, "read of a poisoned page");
	snp_expect_pages(held, leaked, "a poisoned page");
	EXPECT_ERRNO(gmem_punch(memory.fd, 3 * SIZE_4K, SIZE_4K), 0,
		     "punch it out");
	snp_expect_pages(held - 1, leaked, "a poisoned page, punched out");
	/* The read goes on, as it has to. */
	stop = snp_run(&snp, 0);
	EXPECT(stop == AGENT_TRAP &&
	       agent->value == SNP_TRAP(SNP_VC_VECTOR, SNP_VC_NOT_VALIDATED),
	       "a fresh page in its place should raise #VC(%#x): %s",
	       SNP_VC_NOT_VALIDATED, agent_stop_name(agent, stop));
	expect_usable(PAGE(3), SIZE_4K, "a fresh page in its place");
	EXPECT_EQ(snp_call(&snp, 0, guest_check, MEMORY, 3 * SIZE_4K, 1),
		  PAGE(3), "end of the good pages before");
	EXPECT_EQ(snp_call(&snp, 0, guest_check, PAGE(4), SIZE - 4 * SIZE_4K, 1),
		  MEMORY + SIZE, "end of the good pages after");
	unpoison_frame(pfn);
out:
	end("guest with a memory error");
}

int main(int argc, char *argv[])
{
	snp_begin();
	test_vmpl();
	test_vmsas();
	test_memory_error();
	test_entries();
	return test_verdict();
}
