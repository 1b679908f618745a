/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Realms: VMs whose memory slot 0, with this program and its page tables, is
 * private.
 *
 * Page tables, stacks and boot records are made in the host's memory first;
 * realm_load() then gives a guest_memfd to slot 0 and populates of it what is
 * in use.  What a guest is to reach has to be mapped before that.
 *
 * A frame at @gpa has two virtual addresses in the guest: @gpa is protected,
 * SHARED_VA(@gpa) is the shared alias of the same frame.
 */
#ifndef SELFTEST_KVM_REALM_H
#define SELFTEST_KVM_REALM_H

#include "guest_agent.h"
#include "rsi.h"

#define SHARED_VA_BIT		(1ul << 44)
#define SHARED_VA(gpa)		((gpa) | SHARED_VA_BIT)

#define REALM_VCPUS		4
#define REALM_IRQS		64
#define REALM_GICD		0x8000000ul
#define REALM_GICR		0x80a0000ul
#define REALM_PMU_IRQ		23

/* Slots of the library; a test begins with REALM_FREE_SLOT. */
#define REALM_MAILBOX_SLOT	1
#define REALM_FREE_SLOT		2

/*
 * In the guest's shared memory, one page that the host writes calls to; above
 * it what no slot has, so that an access goes to the host.
 */
#define REALM_MAILBOX		0x80000000
#define REALM_MAILBOX_VA	(0x100080000000)
#define REALM_DEVICE		AGENT_DEVICE
#define REALM_DEVICE_VA		(0x1000c0000000)

struct realm {
	struct kvm_vm *vm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpus[REALM_VCPUS];
	struct agent agents[REALM_VCPUS];
	/* Where the guest finds what it starts a vCPU with. */
	vm_vaddr_t boot[REALM_VCPUS];
	int gic;
	int fd;
	uint64_t size;
};

/*
 * How to make a realm.  All zeroes: one vCPU, an IPA space of 40 bits, contents
 * measured.
 */
struct realm_options {
	unsigned int nr_vcpus;
	unsigned int ipa_bits;		/* 36, 40, 48 or 52 */
	bool rec_feature;		/* KVM_ARM_VCPU_REC and FINALIZE */
	bool others_off;		/* only the first vCPU can run at first */
	bool not_measured;
	bool no_gic;
	bool no_psci;			/* its user completes the calls */
	uint32_t features;		/* more bits for KVM_ARM_VCPU_INIT */
};

bool has_realms(void);
bool realms_have_pmu(void);
void require_realms(void);

/* Where the caller, and the REC that it runs, goes on. */
void go_to_cpu(int cpu);

/* All of it up to the first run, or in steps. */
void realm_make(struct realm *realm, const struct realm_options *options);
void realm_create(struct realm *realm, const struct realm_options *options);
void realm_load(struct realm *realm, const struct realm_options *options);
void realm_free(struct realm *realm);

/* For a realm without one, once all its vCPUs are there. */
void realm_add_gic(struct realm *realm);

/* For a vCPU with KVM_ARM_VCPU_PMU_V3, once there is a GIC. */
void realm_start_pmu(struct kvm_vcpu *vcpu);

/* The steps of realm_load(). */
void realm_bind(struct realm *realm);
void realm_load_bound(struct realm *realm, const struct realm_options *options);
int realm_populate_all(struct realm *realm, bool measured);
bool realm_next_used(struct realm *realm, uint64_t *gpa, uint64_t *size);
void realm_set_entry(struct realm *realm, unsigned int i);

struct kvm_vm *realm_vm_create(unsigned int ipa_bits, unsigned int nr_vcpus);
struct kvm_vcpu *realm_vcpu_add(struct kvm_vm *vm, uint32_t id,
				uint32_t features);
int __realm_vcpu_init(struct kvm_vcpu *vcpu, uint32_t features);
int __realm_vcpu_finalize(struct kvm_vcpu *vcpu);

/* 0, or -1 with errno; goes on where a call has done a part. */
int realm_populate(struct kvm_vm *vm, uint64_t gpa, uint64_t size, void *from,
		   bool measured);
int __realm_populate(struct kvm_vm *vm, unsigned long call,
		     struct kvm_arm_rmi_populate *args);

/* Maps [gpa, gpa + size) at both virtual addresses, or what is mapped as shared. */
void realm_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size);
void realm_share_mapping(struct kvm_vm *vm, uint64_t va, uint64_t size);
unsigned int realm_ipa_bits(struct kvm_vm *vm);
uint64_t realm_shared_ipa(struct kvm_vm *vm, uint64_t gpa);

extern const struct agent_ops realm_agent_ops;

/* Of lib/aarch64/handlers.S, for what vm_install_exception_handler() installs. */
extern char vectors[];

/* Not C functions: where a vCPU starts, and the calls of an agent in a realm. */
void realm_entry(void);
void realm_agent(void);
void realm_vectors(void);

/*
 * Functions that run in a realm, for agent_call().
 *
 * guest_set_ripas() is one call and returns where it ended, with the status and
 * the response in the low bits; guest_convert() goes on up to @top and returns
 * where it had to stop.  guest_smc4() returns the status of a call, guest_ripas()
 * what a page is.
 */
#define SET_RIPAS_REJECTED	1ul
#define SET_RIPAS_STATUS(v)	((v) >> 1 & 7)
#define SET_RIPAS_BASE(v)	((v) & ~0xffful)

uint64_t guest_smc4(uint64_t fid, uint64_t x1, uint64_t x2, uint64_t x3);
uint64_t guest_set_ripas(uint64_t base, uint64_t top, uint64_t ripas,
			 uint64_t flags);
uint64_t guest_convert(uint64_t base, uint64_t top, uint64_t ripas);
uint64_t guest_ripas(uint64_t gpa);
uint64_t guest_read_measurement(uint64_t index, uint64_t to);
uint64_t guest_read_config(uint64_t to);
uint64_t guest_host_call(uint64_t imm, uint64_t x0, uint64_t x1, uint64_t to);
uint64_t guest_current_el(void);
uint64_t guest_mpidr(void);
void guest_spin(void);
/* On each vCPU, before it takes exceptions or interrupts. */
uint64_t guest_gic_init(uint64_t nr_cpus);

/* Converts as a guest and its VMM do together. */
void realm_convert(struct agent *agent, uint64_t gpa, uint64_t size,
		   bool private);

/* Is this the request of a guest to convert [gpa, gpa + size)? */
bool realm_check_request(struct agent *agent, enum agent_stop stop,
			 uint64_t gpa, uint64_t size, bool private,
			 const char *what);

#endif /* SELFTEST_KVM_REALM_H */
