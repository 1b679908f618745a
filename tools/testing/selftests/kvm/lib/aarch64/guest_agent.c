// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into the guest on aarch64: their registers, their end, which is a store
 * to a device, exceptions, which end a call too, and the guest's page tables.
 */
#include "guest_agent.h"

asm(".pushsection .text\n\t"
	".globl agent_entry\n\t"
	"agent_entry:\n\t"
	"blr x9\n\t"
	"mov x1, #" __stringify(AGENT_DEVICE) "\n\t"
	"str x0, [x1, #" __stringify(AGENT_DEVICE_DONE) "]\n\t"
	".balign 2048\n\t"
	"agent_vectors:\n\t"
	".rept 16\n\t"
	".balign 128\n\t"
	"mrs x0, esr_el1\n\t"
	"mov x1, #" __stringify(AGENT_DEVICE) "\n\t"
	"str x0, [x1, #" __stringify(AGENT_DEVICE_TRAP) "]\n\t"
	".endr\n\t"
	".popsection");

void agent_save_idle(struct agent *agent)
{
	struct kvm_vcpu *vcpu = agent->vcpu;

	vcpu_get_reg(vcpu, ARM64_CORE_REG(sp_el1), &agent->idle.sp);
	vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.pstate), &agent->idle.pstate);
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_VBAR_EL1),
		     (uintptr_t)agent_vectors);
	virt_pg_map(vcpu->vm, AGENT_DEVICE, AGENT_DEVICE);
}

static void start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		  uint64_t a2, uint64_t a3)
{
	struct kvm_vcpu *vcpu = agent->vcpu;

	vcpu_args_set(vcpu, 4, a0, a1, a2, a3);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[9]), (uintptr_t)fn);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), (uintptr_t)agent_entry);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pstate), agent->idle.pstate);
	vcpu_set_reg(vcpu, ARM64_CORE_REG(sp_el1), agent->idle.sp);
}

static bool take_end(struct agent *agent, enum agent_stop *stop)
{
	struct kvm_run *run = agent->vcpu->run;

	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
		return false;
	if (run->mmio.phys_addr == AGENT_DEVICE + AGENT_DEVICE_DONE)
		*stop = AGENT_DONE;
	else if (run->mmio.phys_addr == AGENT_DEVICE + AGENT_DEVICE_TRAP)
		*stop = AGENT_TRAP;
	else
		return false;

	memcpy(&agent->value, run->mmio.data, sizeof(agent->value));
	vcpu_run_complete_io(agent->vcpu);
	return true;
}

static uint64_t pc(struct agent *agent)
{
	uint64_t value;

	vcpu_get_reg(agent->vcpu, ARM64_CORE_REG(regs.pc), &value);
	return value;
}

const struct agent_ops agent_regs_ops = {
	.start = start,
	.take_end = take_end,
	.pc = pc,
};

/* This architecture has no such statistic. */
uint64_t agent_page_faults(struct agent *agent)
{
	return 0;
}

void agent_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	virt_map(vm, gpa, gpa, size / vm->page_size);
}
