// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel itself writes to the memory of an aarch64 guest: the steal
 * time, once when the guest asks for it and then whenever a vCPU is loaded.
 */
#include <linux/arm-smccc.h>

#include "kernel_writer.h"

static uint64_t guest_ask_steal_time(void)
{
	struct arm_smccc_res res;

	smccc_hvc(ARM_SMCCC_HV_PV_TIME_ST, 0, 0, 0, 0, 0, 0, 0, &res);
	return res.a0;
}

/* The address can be set once for a vCPU. */
static bool steal_start(struct agent *agent, uint64_t gpa)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL,
		.attr = KVM_ARM_VCPU_PVTIME_IPA,
		.addr = (uintptr_t)&gpa,
	};

	if (__vcpu_ioctl(agent->vcpu, KVM_HAS_DEVICE_ATTR, &attr)) {
		note_skipped("steal time: not kept by this kernel");
		return false;
	}
	vcpu_ioctl(agent->vcpu, KVM_SET_DEVICE_ATTR, &attr);
	return true;
}

/* It begins with zeroes: two words of revision and attributes. */
static void steal_write(struct agent *agent, uint64_t gpa)
{
	EXPECT_EQ(agent_call(agent, guest_ask_steal_time), gpa,
		  "address of the steal time, by hypercall");
}

static void steal_stop(struct agent *agent)
{
}

const struct kernel_writer kernel_writers[] = {
	{ "steal time", 0, steal_start, steal_write, steal_stop },
	{ }
};

bool kernel_reads_page_tables(void)
{
	return false;
}
