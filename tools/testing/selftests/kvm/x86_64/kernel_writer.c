// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel itself writes to the memory of an x86 guest: the clock, the
 * steal time, and what its emulator moves from a device to memory.
 */
#include <asm/kvm_para.h>

#include "kernel_writer.h"

#define DEVICE	(8 * SIZE_1G)		/* in no memslot */
#define VALUE	0xde71ceul		/* what is read from it */

/* The kernel writes on the way; the guest does not touch what it writes. */
static void enter_guest(struct agent *agent)
{
	agent_call(agent, guest_add, 0);
}

/* Clock */

static bool clock_start(struct agent *agent, uint64_t gpa)
{
	return true;
}

static void clock_write(struct agent *agent, uint64_t gpa)
{
	vcpu_set_msr(agent->vcpu, MSR_KVM_SYSTEM_TIME_NEW,
		     gpa | KVM_MSR_ENABLED);
	enter_guest(agent);
}

static void clock_stop(struct agent *agent)
{
	vcpu_set_msr(agent->vcpu, MSR_KVM_SYSTEM_TIME_NEW, 0);
}

/* Steal time */

static bool steal_start(struct agent *agent, uint64_t gpa)
{
	if (_vcpu_set_msr(agent->vcpu, MSR_KVM_STEAL_TIME,
			  gpa | KVM_MSR_ENABLED) == 1)
		return true;
	note_skipped("steal time: not kept by this kernel");
	return false;
}

static void steal_write(struct agent *agent, uint64_t gpa)
{
	vcpu_set_msr(agent->vcpu, MSR_KVM_STEAL_TIME, gpa | KVM_MSR_ENABLED);
	enter_guest(agent);
}

static void steal_stop(struct agent *agent)
{
	vcpu_set_msr(agent->vcpu, MSR_KVM_STEAL_TIME, 0);
}

/* Emulation */

/* From a device to memory: the kernel emulates it, and writes the memory. */
static uint64_t guest_move(uint64_t to, uint64_t from)
{
	asm volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
	return to;
}

static bool emulation_start(struct agent *agent, uint64_t gpa)
{
	agent_map(agent->vcpu->vm, DEVICE, SIZE_4K);
	return true;
}

static void emulation_write(struct agent *agent, uint64_t gpa)
{
	struct kvm_run *run = agent->vcpu->run;
	const uint64_t value = VALUE;
	enum agent_stop stop;

	agent_start(agent, guest_move, gpa, DEVICE, 0, 0);
	stop = agent_run(agent);
	if (!EXPECT(stop == AGENT_MMIO && !run->mmio.is_write &&
		    run->mmio.len == 8, "guest should read from a device: %s",
		    agent_stop_name(agent, stop)))
		return;
	memcpy(run->mmio.data, &value, sizeof(value));
	stop = agent_run(agent);
	EXPECT(stop == AGENT_DONE, "guest should go on: %s",
	       agent_stop_name(agent, stop));
}

static void emulation_stop(struct agent *agent)
{
}

const struct kernel_writer kernel_writers[] = {
	{ "version of the clock", 0, clock_start, clock_write, clock_stop },
	{ "version of the steal time",
	  offsetof(struct kvm_steal_time, version),
	  steal_start, steal_write, steal_stop },
	{ "what a device gave", 0,
	  emulation_start, emulation_write, emulation_stop },
	{ }
};

bool kernel_reads_page_tables(void)
{
	/* The capability comes with two-dimensional paging. */
	return !kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY);
}
