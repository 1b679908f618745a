/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the guest: what only aarch64 has.
 */
#ifndef SELFTEST_KVM_GUEST_AGENT_ARCH_H
#define SELFTEST_KVM_GUEST_AGENT_ARCH_H

#include "processor.h"

/* A call starts with the function in X9. */
struct agent_regs {
	uint64_t sp, pstate;
};

/* Where exceptions go; not a C function. */
void agent_vectors(void);

/* The device, in no memslot of a test, and its registers that a call ends at. */
#define AGENT_DEVICE		0xc0000000
#define AGENT_DEVICE_DONE	0
#define AGENT_DEVICE_TRAP	8

/* Of what AGENT_TRAP gives: the exception class. */
#define AGENT_TRAP_EC(agent)	((agent)->value >> ESR_EC_SHIFT & ESR_EC_MASK)

#endif /* SELFTEST_KVM_GUEST_AGENT_ARCH_H */
