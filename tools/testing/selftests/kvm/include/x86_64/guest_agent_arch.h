/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the guest: what only x86 has.
 */
#ifndef SELFTEST_KVM_GUEST_AGENT_ARCH_H
#define SELFTEST_KVM_GUEST_AGENT_ARCH_H

#include "processor.h"

/* A call starts with the function in R11 and RSP aligned. */
struct agent_regs {
	struct kvm_regs gp;
};

/* Runs in the guest. */
uint64_t guest_map_gpa_range(uint64_t gpa, uint64_t npages, uint64_t attrs);

#endif /* SELFTEST_KVM_GUEST_AGENT_ARCH_H */
