// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into an SNP guest: the host has no hand on its registers, so the guest
 * asks for each call at a page of shared memory, and ends it by a port access in
 * its GHCB.  And the host's part of page state changes.
 */
#include <linux/kvm_para.h>
#include <sys/mman.h>

#include "snp.h"

/*
 * snp_entry(): GS:0 is this vCPU's struct snp_cpu.  snp_agent() may be entered
 * from anywhere, with any stack.
 */
asm(".pushsection .text\n\t"
	".globl snp_entry\n\t"
	"snp_entry:\n\t"
	"mov %gs:8, %rsp\n\t"
	"call snp_guest_start\n\t"

	".globl snp_agent\n\t"
	"snp_agent:\n\t"
	"mov %gs:8, %rsp\n\t"
	"mov %gs:16, %rax\n\t"
	"mov (%rax), %rdi\n\t"
	"mov 8(%rax), %rsi\n\t"
	"mov 16(%rax), %rdx\n\t"
	"mov 24(%rax), %rcx\n\t"
	"call *32(%rax)\n\t"
	"mov %gs:16, %rdx\n\t"
	"mov %rax, 40(%rdx)\n\t"
	"mov $" __stringify(AGENT_PORT) ", %edi\n\t"
	"call snp_end_call\n\t"
	"jmp snp_agent\n\t"
	".popsection");

static_assert(offsetof(struct snp_cpu, stack) == 8);
static_assert(offsetof(struct snp_cpu, mailbox) == 16);
static_assert(offsetof(struct snp_mailbox, fn) == 32);
static_assert(offsetof(struct snp_mailbox, value) == 40);

struct snp_mailbox *snp_mailbox(struct agent *agent)
{
	return addr_gpa2hva(agent->vcpu->vm, SNP_MAILBOX(agent->vcpu->id));
}

static void start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		  uint64_t a2, uint64_t a3)
{
	struct snp_mailbox *mailbox = snp_mailbox(agent);

	mailbox->args[0] = a0;
	mailbox->args[1] = a1;
	mailbox->args[2] = a2;
	mailbox->args[3] = a3;
	mailbox->fn = (uintptr_t)fn;
}

/* The guest reads the next call when it goes on, so nothing is to complete. */
static bool take_end(struct agent *agent, enum agent_stop *stop)
{
	struct kvm_run *run = agent->vcpu->run;

	if (run->exit_reason != KVM_EXIT_IO)
		return false;
	if (run->io.port == AGENT_PORT)
		*stop = AGENT_DONE;
	else if (run->io.port == AGENT_PORT_TRAP)
		*stop = AGENT_TRAP;
	else
		return false;
	agent->value = snp_mailbox(agent)->value;
	return true;
}

const struct agent_ops snp_agent_ops = {
	.start = start,
	.take_end = take_end,
};

/* Page state changes */

static struct gmem_area *area_at(struct snp *snp, uint64_t gpa, uint64_t size)
{
	struct gmem_area *area;
	unsigned int i;

	for (i = 0; i < snp->nr_areas; i++) {
		area = snp->areas[i];
		if (gpa >= area->gpa && gpa + size <= area->gpa + area->size)
			return area;
	}
	return NULL;
}

static int discard(struct snp *snp, uint64_t gpa, uint64_t size, bool private)
{
	struct gmem_area *area = area_at(snp, gpa, size);

	if (!area)
		return 0;
	if (private)
		return madvise(gmem_area_hva(area, gpa), size, MADV_DONTNEED);
	return gmem_punch(area->fd, area->offset + gpa - area->gpa, size);
}

int snp_convert(struct snp *snp, uint64_t gpa, uint64_t size, bool private)
{
	int ret;

	ret = __vm_set_attributes(snp->vm, gpa, size,
				  private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
	if (!ret && snp->discard)
		ret = discard(snp, gpa, size, private);
	return ret ? errno : 0;
}

static void answer(struct snp *snp, struct kvm_run *run)
{
	uint64_t gpa = run->hypercall.args[0];
	uint64_t size = run->hypercall.args[1] * SIZE_4K;
	bool private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;
	int err;

	TEST_ASSERT(run->hypercall.nr == KVM_HC_MAP_GPA_RANGE,
		    "a page state change should be hypercall %d, is %llu",
		    KVM_HC_MAP_GPA_RANGE, run->hypercall.nr);
	__atomic_fetch_add(&snp->nr_requests, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(snp->last_gpa, gpa);
	WRITE_ONCE(snp->last_size, size);
	WRITE_ONCE(snp->last_attrs, run->hypercall.args[2]);
	/* VMMs that have done what they were asked for leave it so. */
	EXPECT_EQ(run->hypercall.ret, 0, "hypercall.ret as KVM leaves it");
	err = snp->refuse ?: snp_convert(snp, gpa, size, private);
	if (err)
		run->hypercall.ret = err;
}

/* KVM_RUN of a vCPU that has not been started returns when it is. */
enum agent_stop snp_run(struct snp *snp, unsigned int i)
{
	struct agent *agent = &snp->agents[i];
	enum agent_stop stop;

	for (;;) {
		stop = agent_run(agent);
		if (stop == AGENT_HYPERCALL)
			answer(snp, agent->vcpu->run);
		else if (stop != AGENT_ERROR || agent->err != EAGAIN)
			return stop;
	}
}

uint64_t snp_call4(struct snp *snp, unsigned int i, void *fn, uint64_t a0,
		   uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct agent *agent = &snp->agents[i];
	struct snp_mailbox *mailbox = snp_mailbox(agent);
	enum agent_stop stop;

	agent_start(agent, fn, a0, a1, a2, a3);
	stop = snp_run(snp, i);
	TEST_ASSERT(stop == AGENT_DONE,
		    "guest function(%#lx, %#lx, %#lx, %#lx) should return: %s, rip %#lx cr2 %#lx",
		    a0, a1, a2, a3, agent_stop_name(agent, stop), mailbox->rip,
		    mailbox->cr2);
	return agent->value;
}

/* 0 if there is no such thread (any more). */
static char thread_state(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	sprintf(path, "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

bool snp_thread_sleeps(pid_t *tid)
{
	uint64_t end = now_ms() + SNP_PATIENCE_MS;
	pid_t id;

	do {
		id = READ_ONCE(*tid);
		if (id && thread_state(id) == 'S')
			return true;
		usleep(100);
	} while ((!id || thread_state(id)) && now_ms() < end);
	return false;
}

void snp_expect_not_validated(struct snp *snp, uint64_t gpa, const char *what)
{
	struct agent *agent = &snp->agents[0];
	enum agent_stop stop;

	agent_start(agent, guest_read, gpa, 0, 0, 0);
	stop = snp_run(snp, 0);
	EXPECT(stop == AGENT_TRAP &&
	       agent->value == SNP_TRAP(SNP_VC_VECTOR, SNP_VC_NOT_VALIDATED),
	       "%s: a page that is not validated should raise #VC(%#x): %s",
	       what, SNP_VC_NOT_VALIDATED, agent_stop_name(agent, stop));
}

bool snp_expect_termination(struct snp *snp, unsigned int i, uint64_t msr,
			    const char *what)
{
	struct agent *agent = &snp->agents[i];
	struct kvm_run *run = agent->vcpu->run;
	enum agent_stop stop = snp_run(snp, i);

	return EXPECT(stop == AGENT_EVENT &&
		      run->system_event.type == KVM_SYSTEM_EVENT_SEV_TERM &&
		      run->system_event.ndata == 1 &&
		      run->system_event.data[0] == msr,
		      "%s: should end with %#lx, but %s, data %#llx", what, msr,
		      agent_stop_name(agent, stop), run->system_event.data[0]);
}
