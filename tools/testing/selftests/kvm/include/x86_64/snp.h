/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEV-SNP guests: VMs whose memory slot 0, with this program and its page tables,
 * is private.
 *
 * Page tables, stacks and descriptor tables are made in the host's memory first;
 * snp_seal() sets the C-bit in all page tables, after which the library's
 * addr_gva2hva() and all that maps no longer work; snp_bind() gives a guest_memfd
 * to slot 0; the launch adds to it what is in use.
 *
 * A frame at @gpa of an area has two virtual addresses in the guest: @gpa is
 * private, SNP_SHARED_VA(@gpa) is the same frame without the C-bit.
 */
#ifndef SELFTEST_KVM_SNP_H
#define SELFTEST_KVM_SNP_H

#include "guest_agent.h"
#include "snp_abi.h"
#include "snp_crypto.h"

#define SNP_SHARED_VA_BIT	(1ul << 44)
#define SNP_SHARED_VA(gpa)	((gpa) | SNP_SHARED_VA_BIT)

/* For what other threads do, on a machine that is slow. */
#define SNP_PATIENCE_MS		20000

#define SNP_VCPUS		4
#define SNP_AREAS		4

/* Slots of the library; a test begins with SNP_FREE_SLOT. */
#define SNP_SHARED_SLOT		1
#define SNP_FREE_SLOT		2

/*
 * Shared memory of all vCPUs, at the same virtual address, and for each of them a
 * GHCB, a mailbox, and the pages of a request and its response.
 */
#define SNP_SHARED		0x80000000ul
#define SNP_PAGES_PER_VCPU	4
#define SNP_GHCB(i)		(SNP_SHARED + (i) * SNP_PAGES_PER_VCPU * SIZE_4K)
#define SNP_MAILBOX(i)		(SNP_GHCB(i) + SIZE_4K)
#define SNP_REQUEST(i)		(SNP_GHCB(i) + 2 * SIZE_4K)
#define SNP_RESPONSE(i)		(SNP_GHCB(i) + 3 * SIZE_4K)

/* What host and guest tell each other; snp_entry() reads it up to fn. */
struct snp_mailbox {
	uint64_t args[4];
	uint64_t fn;
	uint64_t value;
	/* Of an exception that ended a call */
	uint64_t vector, error, rip, cr2;
	/* Of a GHCB, after guest_vmgexit() */
	uint64_t info_1, info_2, rax;
	struct snp_psc_header psc;
	uint64_t rbx, rsvd;
	union {
		uint64_t psc_entries[SNP_PSC_MAX];
		struct snp_report report;
		uint8_t bytes[0xf80];
	};
};

static_assert(offsetof(struct snp_mailbox, bytes) == 0x80);
static_assert(sizeof(struct snp_mailbox) == 0x1000);

/* Each vCPU's own, private, found at GS:0. */
struct snp_cpu {
	struct snp_cpu *self;
	uint64_t stack;
	struct snp_mailbox *mailbox;
	struct snp_ghcb *ghcb;
	uint64_t id;
	/* Of all: the secrets, and a VMSA for each to be made from its image. */
	struct snp_secrets *secrets;
	struct snp_vmsa *image[SNP_VCPUS], *vmsa[SNP_VCPUS];
	uint64_t vmsa_gpa[SNP_VCPUS];
	uint64_t seqno;
};

/* What AGENT_TRAP gives as its value. */
#define SNP_TRAP(vector, error)	((uint64_t)(vector) << 32 | (error))

/* Pages of slot 0 that are not launched as NORMAL. */
enum snp_special {
	SNP_ZERO, SNP_UNMEASURED, SNP_SECRETS, SNP_CPUID, SNP_NR_SPECIAL
};

struct snp {
	struct kvm_vm *vm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpus[SNP_VCPUS];
	struct agent agents[SNP_VCPUS];
	uint64_t cbit;
	uint64_t policy, vmsa_features;

	/* Slot 0 */
	int fd;
	uint64_t size;
	/* Guest virtual and physical addresses */
	uint64_t special[SNP_NR_SPECIAL], special_gpa[SNP_NR_SPECIAL];
	uint64_t cpu[SNP_VCPUS], image[SNP_VCPUS], vmsa[SNP_VCPUS];
	uint64_t vmsa_gpa[SNP_VCPUS];
	/* As set before the launch */
	struct kvm_regs regs[SNP_VCPUS];
	struct kvm_sregs sregs[SNP_VCPUS];

	/* The digest as the test computes it. */
	uint8_t ld[SHA384_SIZE];

	/* How snp_run() answers requests to change a page's state. */
	struct gmem_area *areas[SNP_AREAS];
	unsigned int nr_areas;
	bool discard;			/* the side that is not in use */
	int refuse;			/* to be returned instead; 0: none */
	unsigned int nr_requests;
	/* Of the last page state change that user space was asked for. */
	uint64_t last_gpa, last_size, last_attrs;
};

/* How to make one.  All zeroes: one vCPU, contents measured. */
struct snp_options {
	unsigned int nr_vcpus;
	bool others_off;		/* only the first vCPU can run at first */
	bool not_measured;
	bool no_hypercall;		/* KVM_CAP_EXIT_HYPERCALL not enabled */
	uint64_t policy;		/* 0: SNP_POLICY */
};

/* Where no process has anything. */
#define NOWHERE			((void *)(1ul << 46))

bool has_snp(void);
void require_snp(void);

/*
 * Steps, each on what the one before has made.  snp_make() is all up to the first
 * run; snp_create() all that a test adds its areas after.
 */
void snp_make(struct snp *snp, const struct snp_options *options);
void snp_create(struct snp *snp, const struct snp_options *options);
void snp_load(struct snp *snp, const struct snp_options *options);
void snp_free(struct snp *snp);

/* The steps of snp_create(). */
void snp_create_vm(struct snp *snp, const struct snp_options *options);
void snp_add_vcpus(struct snp *snp, const struct snp_options *options);

/* The steps of snp_load(). */
void snp_seal(struct snp *snp);
void snp_bind(struct snp *snp);
int snp_start(struct snp *snp);
int snp_update_all(struct snp *snp, bool measured);
int snp_finish(struct snp *snp);

/* snp_update_all() in parts, which also extend the expected digest. */
int snp_update_used(struct snp *snp, bool measured);
int snp_update_special(struct snp *snp, enum snp_special which);
bool snp_next_used(struct snp *snp, uint64_t *gpa, uint64_t *size);
void snp_fill_cpuid(struct snp *snp);

/* Maps [gpa, gpa + size) at both virtual addresses. */
void snp_map(struct kvm_vm *vm, uint64_t gpa, uint64_t size);
void snp_add_area(struct snp *snp, struct gmem_area *area, uint32_t slot,
		  uint64_t gpa, uint64_t size);

/*
 * KVM_MEMORY_ENCRYPT_OP.  Returns what the ioctl does; @fw_error, if wanted, is
 * the status of the firmware.
 */
int snp_op(struct kvm_vm *vm, uint32_t id, void *data, uint32_t *fw_error);
int snp_init2(struct kvm_vm *vm, uint64_t vmsa_features);
int snp_launch_start(struct kvm_vm *vm, uint64_t policy, uint32_t *fw_error);
int snp_launch_finish(struct kvm_vm *vm, uint32_t *fw_error);

/* Goes on where a call has done a part. */
int snp_launch_update(struct kvm_vm *vm, uint8_t type, uint64_t gpa,
		      const void *from, uint64_t size, uint32_t *fw_error);

/* The digest computed beside the firmware. */
void snp_measure(uint8_t ld[SHA384_SIZE], uint8_t type, uint64_t gpa,
		 const void *page);
void snp_predict_vmsa(struct snp *snp, unsigned int i, struct snp_vmsa *vmsa);
void snp_measure_vmsas(struct snp *snp);

extern const struct agent_ops snp_agent_ops;
struct snp_mailbox *snp_mailbox(struct agent *agent);

/* Goes on after page state changes; stops at all else. */
enum agent_stop snp_run(struct snp *snp, unsigned int i);
uint64_t snp_call4(struct snp *snp, unsigned int i, void *fn, uint64_t a0,
		   uint64_t a1, uint64_t a2, uint64_t a3);
#define snp_call(snp, i, fn, ...)	\
	__snp_call(snp, i, fn, ##__VA_ARGS__, 0, 0, 0, 0)
#define __snp_call(snp, i, fn, a0, a1, a2, a3, ...)	\
	snp_call4(snp, i, fn, a0, a1, a2, a3)

/* Sets the attribute, and discards if the VM is to; errno or 0. */
int snp_convert(struct snp *snp, uint64_t gpa, uint64_t size, bool private);

/* A read that raises #VC, as memory does that the guest has not validated. */
void snp_expect_not_validated(struct snp *snp, uint64_t gpa, const char *what);

/* Did the guest end itself, with this in the MSR? */
bool snp_expect_termination(struct snp *snp, unsigned int i, uint64_t msr,
			    const char *what);

/* Waits for a thread that writes its ID to @tid to sleep; false if it does not. */
bool snp_thread_sleeps(pid_t *tid);

/* Not C functions: where a vCPU starts, and where it waits for calls. */
void snp_entry(void);
void snp_agent(void);

/*
 * Functions that run in the guest, for snp_call().
 *
 * guest_msr_call() returns the answer in the MSR; guest_vmgexit() the second
 * exit information, and all of the answer in the mailbox.
 */
uint64_t guest_msr_call(uint64_t value);
uint64_t guest_vmgexit(uint64_t code, uint64_t info_1, uint64_t info_2,
		       uint64_t rax);
/* The same, where the valid bit of the field with that index is not set. */
uint64_t guest_vmgexit_without(uint64_t code, uint64_t index);
uint64_t guest_ext_request(uint64_t request, uint64_t response, uint64_t certs,
			   uint64_t pages);

/* A call in a page that need not be the GHCB: the second exit information. */
uint64_t guest_vmgexit_in(uint64_t page);

/* EAX, with the carry flag as SNP_CARRY */
#define SNP_CARRY	(1ul << 32)
uint64_t guest_pvalidate(uint64_t gva, uint64_t large, uint64_t valid);
uint64_t guest_rmpadjust(uint64_t gva, uint64_t large, uint64_t attributes);

/* Large where it can be; returns where it had to stop. */
uint64_t guest_validate(uint64_t gva, uint64_t size, uint64_t valid);

/*
 * Page state changes of the entries in the mailbox from @cur to @end, as they
 * are, and with all that a guest does about them: 0, the error, or -1 and the
 * place where PVALIDATE failed.
 */
uint64_t guest_psc(uint64_t cur, uint64_t end, uint64_t scratch);
uint64_t guest_change(uint64_t nr);

/*
 * A range, in as few batches as it takes; 0 or as above.  The first is without
 * PVALIDATE, and of 4 KiB pages alone if entries cannot be large.
 */
uint64_t guest_change_state(uint64_t gpa, uint64_t size, uint64_t op,
			    uint64_t can_be_large);
uint64_t guest_change_range(uint64_t gpa, uint64_t size, uint64_t private);

/* The report, to the mailbox.  0, or a status of host, firmware or message. */
uint64_t guest_report(uint64_t byte);
uint64_t guest_ext_report(uint64_t byte, uint64_t certs, uint64_t pages);
#define SNP_REPORT_BROKEN	(1ul << 63)

/* Makes the VMSA of vCPU @id, which starts with @rdi; the exit information. */
uint64_t guest_make_vmsa(uint64_t id, uint64_t rdi);
uint64_t guest_create_ap(uint64_t id, uint64_t request, uint64_t apic_id,
			 uint64_t features);
uint64_t guest_cpu_id(void);

/* Used by both, of lib/x86_64/snp_guest.c. */
struct snp_cpu *snp_this_cpu(void);
void snp_end_call(uint16_t port);
void snp_guest_start(void);

/*
 * Calls for MMIO.  guest_mmio_read() returns what was read, all ones above it;
 * the others the second exit information.
 */
uint64_t guest_mmio_call(uint64_t code, uint64_t gpa, uint64_t size,
			 uint64_t scratch);
uint64_t guest_mmio_read(uint64_t gpa, uint64_t size);
uint64_t guest_mmio_write(uint64_t gpa, uint64_t size, uint64_t value);

#endif /* SELFTEST_KVM_SNP_H */
