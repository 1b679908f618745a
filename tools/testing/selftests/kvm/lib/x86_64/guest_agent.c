// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into the guest: the host starts a function on a vCPU and sees how it
 * stopped.
 */
#include <linux/kvm_para.h>

#include "guest_agent.h"

#define STR(x)		#x
#define XSTR(x)		STR(x)
#define AGENT_PORT	0x1f0

asm(".pushsection .text\n\t"
	"agent_entry:\n\t"
	"call *%r11\n\t"
	"mov $" XSTR(AGENT_PORT) ", %edx\n\t"
	"outl %eax, %dx\n\t"
	".popsection");

void agent_init(struct agent *agent, struct kvm_vcpu *vcpu)
{
	memset(agent, 0, sizeof(*agent));
	agent->vcpu = vcpu;
	vcpu_regs_get(vcpu, &agent->idle);
	agent->idle.rip = (uintptr_t)agent_entry;
	agent->idle.rsp &= ~0xful;
}

struct kvm_vm *agent_vm_create(unsigned long type, int nr_vcpus,
			       struct agent agents[])
{
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	struct kvm_vm *vm;
	int i;

	vm = vm_create_type(type, nr_vcpus, 0, agent_entry, vcpus);
	for (i = 0; i < nr_vcpus; i++)
		agent_init(&agents[i], vcpus[i]);
	return vm;
}

void agent_start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		 uint64_t a2, uint64_t a3)
{
	struct kvm_regs regs = agent->idle;

	regs.r11 = (uintptr_t)fn;
	regs.rdi = a0;
	regs.rsi = a1;
	regs.rdx = a2;
	regs.rcx = a3;
	vcpu_regs_set(agent->vcpu, &regs);
}

static enum agent_stop agent_stopped_in_error(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;

	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	    (agent->err == EFAULT || agent->err == EHWPOISON))
		return AGENT_FAULT;
	return AGENT_ERROR;
}

static enum agent_stop agent_stopped_in_io(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;
	struct kvm_regs regs;

	TEST_ASSERT(run->io.port == AGENT_PORT,
		    "guest should write to port %#x, not %#x", AGENT_PORT,
		    run->io.port);
	vcpu_regs_get(agent->vcpu, &regs);
	agent->value = regs.rax;
	vcpu_run_complete_io(agent->vcpu);
	return AGENT_DONE;
}

enum agent_stop agent_run(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;
	struct kvm_regs regs;
	int ret;

	do {
		run->exit_reason = KVM_EXIT_UNKNOWN;
		ret = __vcpu_run(agent->vcpu);
		agent->err = ret ? errno : 0;
	} while (ret && agent->err == EINTR);

	if (ret)
		return agent_stopped_in_error(agent);

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return agent_stopped_in_io(agent);
	case KVM_EXIT_HYPERCALL:
		return AGENT_HYPERCALL;
	case KVM_EXIT_MMIO:
		return AGENT_MMIO;
	}

	vcpu_regs_get(agent->vcpu, &regs);
	TEST_FAIL("vCPU %u should not exit with reason %u (%s) at rip %#llx",
		  agent->vcpu->id, run->exit_reason,
		  exit_reason_str(run->exit_reason), regs.rip);
}

const char *agent_stop_name(struct agent *agent, enum agent_stop stop)
{
	static __thread char buf[128];
	struct kvm_run *run = agent->vcpu->run;

	switch (stop) {
	case AGENT_DONE:
		snprintf(buf, sizeof(buf), "returned %#lx", agent->value);
		break;
	case AGENT_FAULT:
		snprintf(buf, sizeof(buf),
			 "memory fault: errno %d flags %#llx gpa %#llx size %#llx",
			 agent->err, run->memory_fault.flags,
			 run->memory_fault.gpa, run->memory_fault.size);
		break;
	case AGENT_HYPERCALL:
		snprintf(buf, sizeof(buf), "hypercall %llu", run->hypercall.nr);
		break;
	case AGENT_MMIO:
		snprintf(buf, sizeof(buf), "MMIO at %#llx", run->mmio.phys_addr);
		break;
	case AGENT_ERROR:
		snprintf(buf, sizeof(buf), "errno %d (%s) with exit reason %u",
			 agent->err, strerror(agent->err), run->exit_reason);
		break;
	}
	return buf;
}

uint64_t agent_call4(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		     uint64_t a2, uint64_t a3)
{
	enum agent_stop stop;

	agent_start(agent, fn, a0, a1, a2, a3);
	stop = agent_run(agent);
	TEST_ASSERT(stop == AGENT_DONE,
		    "guest function(%#lx, %#lx, %#lx, %#lx) should return: %s",
		    a0, a1, a2, a3, agent_stop_name(agent, stop));
	return agent->value;
}

bool agent_check_fault(struct agent *agent, enum agent_stop stop,
		       uint64_t gpa, bool private, int err, const char *what)
{
	struct kvm_run *run = agent->vcpu->run;
	uint64_t flags = private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;

	return EXPECT(stop == AGENT_FAULT && agent->err == err &&
		      run->memory_fault.flags == flags &&
		      run->memory_fault.gpa == gpa &&
		      run->memory_fault.size == SIZE_4K,
		      "%s: should stop in a memory fault, errno %d flags %#lx gpa %#lx size %#lx, but %s",
		      what, err, flags, gpa, SIZE_4K,
		      agent_stop_name(agent, stop));
}

bool agent_expect_fault(struct agent *agent, void *fn, uint64_t a0,
			uint64_t a1, uint64_t gpa, bool private, int err,
			const char *what)
{
	agent_start(agent, fn, a0, a1, 0, 0);
	return agent_check_fault(agent, agent_run(agent), gpa, private, err,
				 what);
}

void agent_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t end = gpa + size;

	while (gpa < end) {
		bool large = !(gpa % SIZE_2M) && end - gpa >= SIZE_2M;

		__virt_pg_map(vm, gpa, gpa, large ? PG_LEVEL_2M : PG_LEVEL_4K);
		gpa += large ? SIZE_2M : SIZE_4K;
	}
}

/* Functions that run in the guest */

uint64_t guest_read(uint64_t gpa)
{
	return READ_ONCE(*(uint64_t *)gpa);
}

uint64_t guest_write(uint64_t gpa, uint64_t value)
{
	WRITE_ONCE(*(uint64_t *)gpa, value);
	return 0;
}

uint64_t guest_fill(uint64_t gpa, uint64_t size, uint64_t seed)
{
	stamp_fill((void *)gpa, gpa, size, seed);
	return 0;
}

uint64_t guest_check(uint64_t gpa, uint64_t size, uint64_t seed)
{
	return stamp_check((void *)gpa, gpa, size, seed);
}

uint64_t guest_check_zero(uint64_t gpa, uint64_t size)
{
	return zero_check((void *)gpa, gpa, size);
}

uint64_t guest_map_gpa_range(uint64_t gpa, uint64_t npages, uint64_t attrs)
{
	return kvm_hypercall(KVM_HC_MAP_GPA_RANGE, gpa, npages, attrs, 0);
}

uint64_t guest_counter = 41;

uint64_t guest_add(uint64_t by)
{
	guest_counter += by;
	return guest_counter;
}

uint64_t guest_recurse(uint64_t depth)
{
	uint64_t local = depth * depth;

	if (!depth)
		return 0;
	barrier();
	return local + guest_recurse(depth - 1);
}
