/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU that runs SNP guests, out of one that has SVM with nested paging.
 *
 * Vocabulary
 *
 *   KVM's VMCB	what KVM has set up for hardware with SNP; of its save area
 *		nothing is used, as there
 *   own VMCB	what VMRUN really gets
 *   VMSA	the page at control.vmsa_pa: the guest's registers while it
 *		does not run, as on hardware
 *   C-bit	bit 39 of guest physical addresses; the two halves below are
 *		the aliases of what KVM's nested page tables map
 *   TLB	own nested page tables, with what has been looked up in KVM's and
 *		passed the RMP's checks
 *
 * A guest runs in svm_vcpu_run(), with interrupts off, until one VMEXIT.  Exits
 * that hardware hands to the hypervisor as they are go to KVM at once.  What
 * takes the guest's memory waits for svm_handle_exit(), where it may sleep: KVM
 * sees SNP_CPU_EXIT until then, and afterwards what hardware would have told
 * it, or nothing if the guest can go on.
 *
 * All of it is the vCPU thread's own.
 */
#ifndef SNP_MODEL_KERNEL_CPU_H
#define SNP_MODEL_KERNEL_CPU_H

#include <linux/kvm_host.h>

#include <asm/fpu/types.h>

#include "../svm.h"
#include "snp_model.h"

#define SNP_C_BIT		39
#define SNP_C_MASK		BIT_ULL(SNP_C_BIT)

/* Of KVM's VMCB, in the range that is software's. */
#define SNP_CPU_EXIT		0xf0000001

/* Reasons of an exit that are the model's own, in no VMCB. */
#define SNP_CPU_NOT_READY	0xf0000002

#define SNP_TLB_PAGES		64

struct snp_tlb {
	u64 *root;
	u64 *tables[SNP_TLB_PAGES];
	unsigned int used;
};

struct snp_xregs {
	struct fxregs_state i387;
	struct xstate_header header;
	u8 ymm[256];
} __aligned(64);

struct snp_cpu {
	struct kvm_vmcb_info vmcb;
	struct snp_tlb tlb;
	/* Mapped, with a reference to its page; NULL: there is no such page. */
	struct sev_es_save_area *vmsa;
	struct page *vmsa_page;
	hpa_t vmsa_pa;
	/* When the TLB was flushed last. */
	u64 asid_generation;
	u64 rmp_generation;
	/* What waits for svm_handle_exit(). */
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	struct snp_xregs xregs;
};

static inline struct snp_cpu *snp_cpu_of(struct kvm_vcpu *vcpu)
{
	return to_svm(vcpu)->sev_es.snp.cpu;
}

/* kernel_cpu.c */
int snp_cpu_make_ready(struct kvm_vcpu *vcpu);

/* kernel_exit.c */
bool snp_cpu_is_automatic(struct kvm_vcpu *vcpu, u64 exit_code);

/* kernel_tlb.c */
int snp_tlb_init(struct snp_tlb *tlb);
void snp_tlb_destroy(struct snp_tlb *tlb);
void snp_tlb_flush(struct snp_tlb *tlb);
int snp_tlb_insert(struct snp_tlb *tlb, u64 gpa, u64 entry);

/* A leaf of KVM's nested page tables, and a reference to its page. */
struct snp_leaf {
	u64 pte;
	u64 spa;
	enum snpm_page_size size;
	struct page *page;
};

bool snp_npt_lookup(struct kvm_vcpu *vcpu, gpa_t gpa, struct snp_leaf *leaf);
bool snp_leaf_is_reserved(const struct snp_leaf *leaf);
void snp_leaf_put(struct snp_leaf *leaf);

/*
 * How an attempt to access the guest's memory went, or to end an exit: who has
 * to act.
 */
enum snp_outcome {
	SNP_DONE,
	/* The guest goes on: with what it did, or with an exception. */
	SNP_RESUME,
	/* KVM handles control.exit_code. */
	SNP_TO_KVM,
	/* An error of the kernel's, see snp_cpu_handle_exit(). */
	SNP_NO_MEMORY,
};

/* kernel_guest.c: memory of the guest by virtual address, in long mode */
enum snp_outcome snp_guest_translate(struct kvm_vcpu *vcpu, gva_t gva,
				     bool write, u64 *gpa);
enum snp_outcome snp_guest_read(struct kvm_vcpu *vcpu, gva_t gva, void *to,
				unsigned int size);
enum snp_outcome snp_guest_write(struct kvm_vcpu *vcpu, gva_t gva,
				 const void *from, unsigned int size);

/* kernel_vc.c */
enum snp_outcome snp_cpu_vc(struct kvm_vcpu *vcpu, u32 error_code);

/* kernel_insn.c */
enum snp_outcome snp_cpu_undefined(struct kvm_vcpu *vcpu);
enum snp_outcome snp_cpu_vmmcall(struct kvm_vcpu *vcpu);
enum snp_outcome snp_cpu_msr(struct kvm_vcpu *vcpu);

/* kernel_npf.c */
enum snp_outcome snp_cpu_npf(struct kvm_vcpu *vcpu);
enum snp_outcome snp_cpu_to_kvm(struct kvm_vcpu *vcpu, u64 exit_code,
				u64 info_1, u64 info_2);
enum snp_outcome snp_cpu_npf_to_kvm(struct kvm_vcpu *vcpu, u64 error_code,
				    gpa_t gpa);

/* kernel_rmp.c: counts changes of the RMP */
u64 snp_rmp_generation(void);
void snp_rmp_changed(void);
void snp_rmp_rescinded(u64 spa, enum snpm_page_size size);

#endif
