// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into the guest: the host starts a function on a vCPU and sees how it
 * stopped.
 */
#include "guest_agent.h"

void agent_init_ops(struct agent *agent, struct kvm_vcpu *vcpu,
		    const struct agent_ops *ops)
{
	*agent = (struct agent) { .ops = ops, .vcpu = vcpu };
}

void agent_init(struct agent *agent, struct kvm_vcpu *vcpu)
{
	agent_init_ops(agent, vcpu, &agent_regs_ops);
	agent_save_idle(agent);
}

void agent_start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		 uint64_t a2, uint64_t a3)
{
	agent->ops->start(agent, fn, a0, a1, a2, a3);
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

static enum agent_stop agent_stopped_in_error(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;

	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	    (agent->err == EFAULT || agent->err == EHWPOISON))
		return AGENT_FAULT;
	return AGENT_ERROR;
}

enum agent_stop agent_run(struct agent *agent)
{
	struct kvm_run *run = agent->vcpu->run;
	enum agent_stop stop;
	int ret;

	do {
		/* aarch64 completes an access to a device by its exit reason. */
		if (run->exit_reason != KVM_EXIT_MMIO)
			run->exit_reason = KVM_EXIT_UNKNOWN;
		ret = __vcpu_run(agent->vcpu);
		agent->err = ret ? errno : 0;
	} while (ret && agent->err == EINTR);

	if (ret)
		return agent_stopped_in_error(agent);
	if (agent->ops->take_end(agent, &stop))
		return stop;

	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		return AGENT_HYPERCALL;
	case KVM_EXIT_MMIO:
		return AGENT_MMIO;
	case KVM_EXIT_SYSTEM_EVENT:
		return AGENT_EVENT;
	}

	TEST_FAIL("vCPU %u should not exit with reason %u (%s) at %#lx",
		  agent->vcpu->id, run->exit_reason,
		  exit_reason_str(run->exit_reason),
		  agent->ops->pc ? agent->ops->pc(agent) : 0);
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
	case AGENT_EVENT:
		snprintf(buf, sizeof(buf), "system event %u",
			 run->system_event.type);
		break;
	case AGENT_TRAP:
		snprintf(buf, sizeof(buf), "exception with syndrome %#lx",
			 agent->value);
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
	uint64_t size = getpagesize();

	return EXPECT(stop == AGENT_FAULT && agent->err == err &&
		      run->memory_fault.flags == flags &&
		      run->memory_fault.gpa == gpa &&
		      run->memory_fault.size == size,
		      "%s: should stop in a memory fault, errno %d flags %#lx gpa %#lx size %#lx, but %s",
		      what, err, flags, gpa, size,
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
