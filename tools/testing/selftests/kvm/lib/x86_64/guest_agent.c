// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into the guest on x86: their registers, their end, which is an OUT, and
 * the guest's page tables.
 */
#include <linux/kvm_para.h>

#include "guest_agent.h"

asm(".pushsection .text\n\t"
	".globl agent_entry\n\t"
	"agent_entry:\n\t"
	"call *%r11\n\t"
	"mov $" __stringify(AGENT_PORT) ", %edx\n\t"
	"outl %eax, %dx\n\t"
	".popsection");

void agent_save_idle(struct agent *agent)
{
	struct kvm_regs *regs = &agent->idle.gp;

	vcpu_regs_get(agent->vcpu, regs);
	regs->rip = (uintptr_t)agent_entry;
	regs->rsp &= ~0xful;
}

static void start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		  uint64_t a2, uint64_t a3)
{
	struct kvm_regs regs = agent->idle.gp;

	regs.r11 = (uintptr_t)fn;
	regs.rdi = a0;
	regs.rsi = a1;
	regs.rdx = a2;
	regs.rcx = a3;
	vcpu_regs_set(agent->vcpu, &regs);
}

static bool take_end(struct agent *agent, enum agent_stop *stop)
{
	struct kvm_run *run = agent->vcpu->run;
	struct kvm_regs regs;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != AGENT_PORT)
		return false;

	vcpu_regs_get(agent->vcpu, &regs);
	agent->value = regs.rax;
	vcpu_run_complete_io(agent->vcpu);
	*stop = AGENT_DONE;
	return true;
}

static uint64_t pc(struct agent *agent)
{
	struct kvm_regs regs;

	vcpu_regs_get(agent->vcpu, &regs);
	return regs.rip;
}

const struct agent_ops agent_regs_ops = {
	.start = start,
	.take_end = take_end,
	.pc = pc,
};

uint64_t agent_page_faults(struct agent *agent)
{
	return vcpu_stat(agent->vcpu, "pf_fixed");
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

uint64_t guest_map_gpa_range(uint64_t gpa, uint64_t npages, uint64_t attrs)
{
	return kvm_hypercall(KVM_HC_MAP_GPA_RANGE, gpa, npages, attrs, 0);
}
