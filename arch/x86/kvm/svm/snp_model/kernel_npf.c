// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page faults of the model's CPU: what KVM has mapped and the RMP allows
 * goes into the TLB, anything else is the fault that hardware would raise.
 */
#include <linux/kvm_host.h>

#include "../../mmu.h"
#include "kernel_cpu.h"
#include "snp_port.h"

struct access {
	struct snpm_access rmp;
	u64 error_code;
	/* C is set, or taken as set. */
	bool is_private;
};

static enum snpm_access_type type_of(u64 error_code)
{
	if (error_code & PFERR_GUEST_PAGE_MASK)
		return SNPM_WALK;
	if (error_code & PFERR_FETCH_MASK)
		return SNPM_FETCH;
	return error_code & PFERR_WRITE_MASK ? SNPM_WRITE : SNPM_READ;
}

static struct access access_of(struct kvm_vcpu *vcpu, u64 error_code, u64 gpa)
{
	const struct sev_es_save_area *vmsa = snp_cpu_of(vcpu)->vmsa;
	struct access a = {
		.error_code = error_code & ~(u64)PFERR_PRESENT_MASK,
		.rmp = {
			.who = SNPM_SNP_GUEST,
			.type = type_of(error_code),
			.gpa = gpa & ~SNP_C_MASK,
			.asid = to_svm(vcpu)->vmcb->control.asid,
			.vmpl = vmsa->vmpl,
			.encrypted = gpa & SNP_C_MASK,
			.user = vmsa->cpl == 3,
		},
	};

	a.is_private = a.rmp.encrypted || a.rmp.type == SNPM_FETCH ||
		       a.rmp.type == SNPM_WALK;
	return a;
}

/**
 * snp_cpu_npf_to_kvm() - Let KVM see a nested page fault.
 * @vcpu: the vCPU
 * @error_code: with SNP's bits
 * @gpa: without the C-bit
 *
 * Return: SNP_TO_KVM.
 */
enum snp_outcome snp_cpu_npf_to_kvm(struct kvm_vcpu *vcpu, u64 error_code,
				    gpa_t gpa)
{
	return snp_cpu_to_kvm(vcpu, SVM_EXIT_NPF, error_code, gpa);
}

static enum snp_outcome fault(struct kvm_vcpu *vcpu, const struct access *a,
			      u64 bits)
{
	if (a->is_private)
		bits |= SNPM_ERROR_ENC;
	return snp_cpu_npf_to_kvm(vcpu, a->error_code | bits, a->rmp.gpa);
}

static bool pte_allows(u64 pte, enum snpm_access_type type)
{
	switch (type) {
	case SNPM_FETCH:
		return !(pte & PT64_NX_MASK);
	case SNPM_READ:
		return true;
	default:
		return pte & PT_WRITABLE_MASK;
	}
}

static bool rmp_allows(struct snpm_access rmp, enum snpm_access_type type)
{
	rmp.type = type;
	return snpm_check(&rmp).kind == SNPM_FAULT_NONE;
}

/* As much as later accesses by the same alias may do without a look. */
static u64 tlb_entry(const struct access *a, const struct snp_leaf *leaf)
{
	u64 entry = __sme_set(leaf->spa & PAGE_MASK) | PT_PRESENT_MASK |
		    PT_USER_MASK | PT_ACCESSED_MASK | PT_DIRTY_MASK |
		    PT64_NX_MASK;

	if (leaf->pte & PT_WRITABLE_MASK && rmp_allows(a->rmp, SNPM_WRITE))
		entry |= PT_WRITABLE_MASK;
	if (!(leaf->pte & PT64_NX_MASK) && rmp_allows(a->rmp, SNPM_FETCH))
		entry &= ~PT64_NX_MASK;
	return entry;
}

static enum snp_outcome violation(struct kvm_vcpu *vcpu, const struct access *a,
				  struct snpm_fault f)
{
	switch (f.kind) {
	case SNPM_FAULT_NONE:
		return SNP_DONE;
	case SNPM_FAULT_VC:
		return snp_cpu_vc(vcpu, f.error);
	default:
		return fault(vcpu, a, PFERR_PRESENT_MASK | f.error);
	}
}

/*
 * What the RMP lets a guest read as shared although it is private would be
 * ciphertext.  There is none: KVM is told of the access as if nothing was
 * mapped.
 */
static bool is_assigned(u64 spa)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	return snpm_lookup(spa, &e, &state) && e.assigned;
}

static enum snp_outcome present(struct kvm_vcpu *vcpu, struct access *a,
				const struct snp_leaf *leaf)
{
	struct snp_cpu *cpu = snp_cpu_of(vcpu);
	enum snp_outcome outcome;
	u64 gpa = a->rmp.gpa;

	/* The guest emulates MMIO. */
	if (snp_leaf_is_reserved(leaf))
		return snp_cpu_vc(vcpu, SVM_EXIT_NPF);
	if (!pte_allows(leaf->pte, a->rmp.type))
		return fault(vcpu, a, PFERR_PRESENT_MASK);

	a->rmp.spa = leaf->spa;
	a->rmp.size = leaf->size;
	outcome = violation(vcpu, a, snpm_check(&a->rmp));
	if (outcome != SNP_DONE)
		return outcome;
	if (!a->is_private && is_assigned(leaf->spa))
		return fault(vcpu, a, 0);
	if (a->rmp.encrypted)
		gpa |= SNP_C_MASK;
	return snp_tlb_insert(&cpu->tlb, gpa, tlb_entry(a, leaf)) ?
	       SNP_NO_MEMORY : SNP_RESUME;
}

enum snp_outcome snp_cpu_npf(struct kvm_vcpu *vcpu)
{
	struct snp_cpu *cpu = snp_cpu_of(vcpu);
	struct access a = access_of(vcpu, cpu->exit_info_1, cpu->exit_info_2);
	enum snp_outcome outcome;
	struct snp_leaf leaf;

	if (!snp_npt_lookup(vcpu, a.rmp.gpa, &leaf))
		return fault(vcpu, &a, 0);
	outcome = present(vcpu, &a, &leaf);
	snp_leaf_put(&leaf);
	return outcome;
}
