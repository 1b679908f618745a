/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the guest: the host starts a function on a vCPU and sees how it
 * stopped.
 *
 * Arguments and results travel in registers and the end of a call is an access
 * to a port or to a device, so a call needs no memory that both sides can see:
 * it works in a guest whose code, stack and page tables are private.  Every call
 * starts from the same registers; a call that stopped in a fault may be resumed
 * or forgotten.
 */
#ifndef SELFTEST_KVM_GUEST_AGENT_H
#define SELFTEST_KVM_GUEST_AGENT_H

#include "guest_memfd.h"
#include "processor.h"
#include "guest_agent_arch.h"

enum agent_stop {
	AGENT_DONE,		/* value: what the function returned */
	AGENT_FAULT,		/* KVM_EXIT_MEMORY_FAULT, err: errno */
	AGENT_HYPERCALL,	/* run->hypercall; the result goes there */
	AGENT_MMIO,
	AGENT_EVENT,		/* run->system_event */
	AGENT_TRAP,		/* an exception, value: ESR_EL1 or SNP_TRAP() */
	AGENT_ERROR,		/* KVM_RUN failed without filling in the exit */
};

struct agent;

/*
 * How guests of a kind are called.  take_end(): at the end of a call, takes its
 * value, completes the exit and says what it was an end of.  pc() is NULL where
 * the host cannot know.
 */
struct agent_ops {
	void (*start)(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		      uint64_t a2, uint64_t a3);
	bool (*take_end)(struct agent *agent, enum agent_stop *stop);
	uint64_t (*pc)(struct agent *agent);
};

struct agent {
	const struct agent_ops *ops;
	struct kvm_vcpu *vcpu;
	struct agent_regs idle;
	uint64_t value;
	int err;
};

/* Where a call starts.  Not a C function: its only callers set registers. */
void agent_entry(void);

struct kvm_vm *agent_vm_create(unsigned long type, int nr_vcpus,
			       struct agent agents[]);
void agent_init(struct agent *agent, struct kvm_vcpu *vcpu);
void agent_init_ops(struct agent *agent, struct kvm_vcpu *vcpu,
		    const struct agent_ops *ops);
void agent_start(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		 uint64_t a2, uint64_t a3);
enum agent_stop agent_run(struct agent *agent);
const char *agent_stop_name(struct agent *agent, enum agent_stop stop);

/* The function must come to its end; returns its value. */
uint64_t agent_call4(struct agent *agent, void *fn, uint64_t a0, uint64_t a1,
		     uint64_t a2, uint64_t a3);
#define agent_call(agent, fn, ...)	\
	__agent_call(agent, fn, ##__VA_ARGS__, 0, 0, 0, 0)
#define __agent_call(agent, fn, a0, a1, a2, a3, ...)	\
	agent_call4(agent, fn, a0, a1, a2, a3)

/*
 * Starts the function and expects that it stops in exactly this memory fault:
 * KVM_RUN fails with @err, the page at @gpa, PRIVATE set or not.
 */
bool agent_expect_fault(struct agent *agent, void *fn, uint64_t a0,
			uint64_t a1, uint64_t gpa, bool private, int err,
			const char *what);
bool agent_check_fault(struct agent *agent, enum agent_stop stop,
		       uint64_t gpa, bool private, int err, const char *what);

/* Maps [gpa, gpa + size) at the same guest virtual addresses. */
void agent_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size);

/* How many page faults KVM has resolved; always 0 where it does not count. */
uint64_t agent_page_faults(struct agent *agent);

/* For lib/guest_agent.c: guests whose registers are the host's to set. */
extern const struct agent_ops agent_regs_ops;
void agent_save_idle(struct agent *agent);

/* Functions that run in the guest; addresses are virtual and physical. */
uint64_t guest_read(uint64_t gpa);
uint64_t guest_write(uint64_t gpa, uint64_t value);
uint64_t guest_fill(uint64_t gpa, uint64_t size, uint64_t seed);
uint64_t guest_check(uint64_t gpa, uint64_t size, uint64_t seed);
uint64_t guest_check_zero(uint64_t gpa, uint64_t size);

/*
 * For a guest whose data and stack are elsewhere than this program's: a variable,
 * 41 at first, and a recursion that uses much of the stack to add up the squares
 * up to @depth.
 */
extern uint64_t guest_counter;
uint64_t guest_add(uint64_t by);
uint64_t guest_recurse(uint64_t depth);

#endif /* SELFTEST_KVM_GUEST_AGENT_H */
