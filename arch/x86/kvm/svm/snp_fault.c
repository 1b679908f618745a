// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of SNP guests that the RMP raises: resolved if it is the host's
 * entries or mappings that are in the way, userspace's matter if not.
 */
#include <linux/kvm_host.h>

#include <asm/snp_host.h>

#include "mmu.h"
#include "svm.h"

/*
 * How often a vCPU may fault on a frame with which nothing seems wrong.  Others
 * that map, split or convert it at that moment are a reason, but not for long.
 */
#define RMP_FAULT_TRIES		1000

/* What becomes of a fault. */
enum rmp_fault {
	RMP_FAULT_HOPELESS,	/* nothing that the host does would change it */
	RMP_FAULT_RETRY,	/* no reason is to be seen (any more) */
	RMP_FAULT_FIXED,	/* the reason is gone */
};

static bool is_assigned_4k(kvm_pfn_t pfn)
{
	bool assigned;
	int level;

	return !snp_lookup_rmpentry(pfn, &assigned, &level) && assigned &&
	       level == PG_LEVEL_4K;
}

/* @pfn backs a private frame. */
static enum rmp_fault fix_entry(kvm_pfn_t pfn)
{
	bool assigned;
	int level;

	if (snp_lookup_rmpentry(pfn, &assigned, &level) || !assigned)
		return RMP_FAULT_HOPELESS;
	if (level == PG_LEVEL_4K)
		return RMP_FAULT_RETRY;

	switch (psmash(pfn)) {
	case 0:
		return RMP_FAULT_FIXED;
	case PSMASH_FAIL_INUSE:
		return RMP_FAULT_RETRY;
	default:
		/* Another vCPU may have been faster. */
		return is_assigned_4k(pfn) ? RMP_FAULT_RETRY :
					     RMP_FAULT_HOPELESS;
	}
}

static enum rmp_fault fix_private_frame(struct kvm *kvm, gfn_t gfn)
{
	unsigned long seq = READ_ONCE(kvm->mmu_invalidate_seq);
	struct kvm_memory_slot *slot;
	enum rmp_fault ret;
	kvm_pfn_t pfn;

	/* As for any fault: what is looked up may be out of date. */
	smp_rmb();
	slot = gfn_to_memslot(kvm, gfn);
	/* Without a page there is no mapping either, and the next fault says so. */
	if (!kvm_slot_has_gmem(slot) || !kvm_mem_is_private(kvm, gfn) ||
	    kvm_gmem_get_pfn(kvm, slot, gfn, &pfn, NULL))
		return RMP_FAULT_RETRY;

	ret = fix_entry(pfn);
	kvm_release_pfn_clean(pfn);

	/* The page may have been taken away from the guest meanwhile. */
	smp_rmb();
	if (ret == RMP_FAULT_HOPELESS &&
	    (READ_ONCE(kvm->mmu_invalidate_in_progress) ||
	     READ_ONCE(kvm->mmu_invalidate_seq) != seq))
		return RMP_FAULT_RETRY;
	return ret;
}

/* Whether @vcpu has tried long enough. */
static bool is_stuck(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct vcpu_snp *snp = &to_svm(vcpu)->sev_es.snp;

	if (snp->rmp_fault_gfn != gfn) {
		snp->rmp_fault_gfn = gfn;
		snp->rmp_fault_tries = 0;
	}
	return ++snp->rmp_fault_tries > RMP_FAULT_TRIES;
}

static int memory_fault_exit(struct kvm_vcpu *vcpu, gfn_t gfn, u64 error_code)
{
	to_svm(vcpu)->sev_es.snp.rmp_fault_gfn = INVALID_GPA;
	kvm_prepare_memory_fault_exit(vcpu, gfn_to_gpa(gfn), PAGE_SIZE,
				      error_code & PFERR_WRITE_MASK,
				      error_code & PFERR_FETCH_MASK,
				      error_code & PFERR_GUEST_ENC_MASK);
	return -EFAULT;
}

/*
 * The frame is of the kind that the guest wants, and its page is known to the
 * MMU; so what is left is a size: a 2 MiB entry under a smaller page of the
 * guest's or of the nested page table, or a 2 MiB mapping of smaller entries.
 * Entries are split, and mappings made anew.
 *
 * What the guest has forbidden to one of its VMPLs, and any other disagreement
 * between the RMP and the attributes, is not for KVM to resolve.
 */
static int handle_rmp(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	enum rmp_fault ret = RMP_FAULT_RETRY;
	gfn_t gfn = gpa_to_gfn(gpa), start;

	if (error_code & PFERR_GUEST_VMPL_MASK)
		return memory_fault_exit(vcpu, gfn, error_code);

	if (error_code & PFERR_GUEST_ENC_MASK)
		ret = fix_private_frame(vcpu->kvm, gfn);
	if (ret == RMP_FAULT_HOPELESS ||
	    (ret == RMP_FAULT_RETRY && is_stuck(vcpu, gfn)))
		return memory_fault_exit(vcpu, gfn, error_code);

	start = ALIGN_DOWN(gfn, PTRS_PER_PMD);
	kvm_zap_gfn_range(vcpu->kvm, start, start + PTRS_PER_PMD);
	return 1;
}

/**
 * snp_handle_rmp_fault() - Resolve a fault that the RMP has raised.
 * @vcpu: the vCPU of an SNP guest
 * @gpa: where it faulted
 * @error_code: of the #NPF, with the bit RMP
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: 1 to let the guest try again; 0 to exit to user space; -EFAULT with a
 * memory fault exit; or another error of the fault's.
 */
int snp_handle_rmp_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;
	int r;

	r = kvm_mmu_page_fault(vcpu, gpa, error_code,
			       static_cpu_has(X86_FEATURE_DECODEASSISTS) ?
			       control->insn_bytes : NULL, control->insn_len);
	return r > 0 ? handle_rmp(vcpu, gpa, error_code) : r;
}
