// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls into a realm: the host has no hand on its registers, so the guest asks
 * for each call at a page of shared memory, and ends it by a store to a device.
 */
#include "realm.h"

#define MAILBOX_SIZE	256

/* realm_agent() loads it in this order. */
struct mailbox {
	uint64_t args[4];
	uint64_t fn;
};

/*
 * realm_entry: x0 is the physical address of a boot record, translation is off;
 * it lies within one page.
 */
asm(".pushsection .text\n\t"
	".balign 128\n\t"
	".globl realm_entry\n\t"
	"realm_entry:\n\t"
	"ldp x1, x2, [x0]\n\t"
	"ldp x3, x4, [x0, #16]\n\t"
	"ldp x5, x6, [x0, #32]\n\t"
	"ldp x7, x8, [x0, #48]\n\t"
	"mov x9, #(3 << 20)\n\t"
	"msr cpacr_el1, x9\n\t"
	"msr ttbr0_el1, x1\n\t"
	"msr tcr_el1, x2\n\t"
	"msr mair_el1, x3\n\t"
	"msr vbar_el1, x6\n\t"
	"msr tpidr_el1, x7\n\t"
	"msr tpidrro_el0, x5\n\t"
	"tlbi vmalle1\n\t"
	"dsb nsh\n\t"
	"isb\n\t"
	"msr sctlr_el1, x4\n\t"
	"isb\n\t"
	"br x8\n\t"

	".globl realm_agent\n\t"
	"realm_agent:\n\t"
	"mrs x9, tpidrro_el0\n\t"
	"mov sp, x9\n\t"
	"mrs x10, tpidr_el1\n\t"
	"ldr x9, =" __stringify(REALM_MAILBOX_VA) "\n\t"
	"add x9, x9, x10, lsl #8\n\t"
	"ldp x0, x1, [x9]\n\t"
	"ldp x2, x3, [x9, #16]\n\t"
	"ldr x9, [x9, #32]\n\t"
	"blr x9\n\t"
	"ldr x1, =" __stringify(REALM_DEVICE_VA) "\n\t"
	"str x0, [x1, #" __stringify(AGENT_DEVICE_DONE) "]\n\t"
	"b realm_agent\n\t"
	".ltorg\n\t"

	".balign 2048\n\t"
	".globl realm_vectors\n\t"
	"realm_vectors:\n\t"
	".rept 16\n\t"
	".balign 128\n\t"
	"mrs x0, esr_el1\n\t"
	"ldr x1, 1f\n\t"
	"str x0, [x1, #" __stringify(AGENT_DEVICE_TRAP) "]\n\t"
	"b realm_agent\n\t"
	".endr\n\t"
	".balign 128\n\t"
	"1: .quad " __stringify(REALM_DEVICE_VA) "\n\t"
	".popsection");

static void start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		  uint64_t a2, uint64_t a3)
{
	struct mailbox *mailbox;

	mailbox = addr_gpa2hva(agent->vcpu->vm, REALM_MAILBOX) +
		  agent->vcpu->id * MAILBOX_SIZE;
	*mailbox = (struct mailbox) {
		.args = { a0, a1, a2, a3 },
		.fn = (uintptr_t)fn,
	};
}

/* The same store, to the shared alias of the device. */
static bool take_end(struct agent *agent, enum agent_stop *stop)
{
	return agent_regs_ops.take_end(agent, stop);
}

const struct agent_ops realm_agent_ops = {
	.start = start,
	.take_end = take_end,
};

/* Conversion, by guest and host */

bool realm_check_request(struct agent *agent, enum agent_stop stop,
			 uint64_t gpa, uint64_t size, bool private,
			 const char *what)
{
	struct kvm_run *run = agent->vcpu->run;
	uint64_t flags = private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;

	return EXPECT(stop == AGENT_FAULT && agent->err == EFAULT &&
		      run->memory_fault.flags == flags &&
		      run->memory_fault.gpa == gpa &&
		      run->memory_fault.size == size,
		      "%s: should ask for flags %#lx gpa %#lx size %#lx, but %s",
		      what, flags, gpa, size, agent_stop_name(agent, stop));
}

void realm_convert(struct agent *agent, uint64_t gpa, uint64_t size,
		   bool private)
{
	struct kvm_vm *vm = agent->vcpu->vm;
	struct kvm_run *run = agent->vcpu->run;
	enum agent_stop stop;

	agent_start(agent, guest_convert, gpa, gpa + size,
		    private ? RSI_RAM : RSI_EMPTY, 0);
	while ((stop = agent_run(agent)) == AGENT_FAULT) {
		if (private)
			vm_set_private(vm, run->memory_fault.gpa,
				       run->memory_fault.size);
		else
			vm_set_shared(vm, run->memory_fault.gpa,
				      run->memory_fault.size);
	}
	EXPECT(stop == AGENT_DONE && agent->value == gpa + size,
	       "[%#lx, %#lx) should become %s: %s", gpa, gpa + size,
	       private ? "private" : "shared", agent_stop_name(agent, stop));
}
