/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the guest: what only x86 has.
 */
#ifndef SELFTEST_KVM_GUEST_AGENT_ARCH_H
#define SELFTEST_KVM_GUEST_AGENT_ARCH_H

#include <linux/stringify.h>

#include "processor.h"

/* Where the guest writes at the end of a call, and where SNP guests do of a trap. */
#define AGENT_PORT		0x1f0
#define AGENT_PORT_TRAP		0x1f4

/* A call starts with the function in R11 and RSP aligned. */
struct agent_regs {
	struct kvm_regs gp;
};

/* Runs in the guest. */
uint64_t guest_map_gpa_range(uint64_t gpa, uint64_t npages, uint64_t attrs);

#endif /* SELFTEST_KVM_GUEST_AGENT_ARCH_H */
