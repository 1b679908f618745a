// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest faults on memory of a guest_memfd, which is mapped page by page.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/stage2_pgtable.h>

/*
 * Nothing is logged, so all that the slot permits is permitted at once, but for
 * code, where the instruction cache has to be made ready for it.
 */
static enum kvm_pgtable_prot gmem_prot(struct kvm_vcpu *vcpu,
				       struct kvm_memory_slot *slot)
{
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R;

	if (!(slot->flags & KVM_MEM_READONLY))
		prot |= KVM_PGTABLE_PROT_W;
	if (kvm_vcpu_trap_is_exec_fault(vcpu) ||
	    cpus_have_const_cap(ARM64_HAS_CACHE_DIC))
		prot |= KVM_PGTABLE_PROT_X;
	return prot;
}

/* The page that is mapped stays: only what the guest may do with it changes. */
static int gmem_relax_perms(struct kvm_vcpu *vcpu, gpa_t gpa,
			    enum kvm_pgtable_prot prot)
{
	int ret;

	/* All mappings can be read. */
	if (!kvm_is_write_fault(vcpu) && !kvm_vcpu_trap_is_exec_fault(vcpu))
		return -EFAULT;

	write_lock(&vcpu->kvm->mmu_lock);
	ret = kvm_pgtable_stage2_relax_perms(vcpu->arch.hw_mmu->pgt, gpa, prot);
	write_unlock(&vcpu->kvm->mmu_lock);
	return ret;
}

static int gmem_map(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot,
		    gpa_t gpa, enum kvm_pgtable_prot prot)
{
	struct kvm_mmu_memory_cache *cache = &vcpu->arch.mmu_page_cache;
	struct kvm *kvm = vcpu->kvm;
	unsigned long mmu_seq;
	kvm_pfn_t pfn;
	int ret;

	ret = kvm_mmu_topup_memory_cache(cache, kvm_mmu_cache_min_pages(kvm));
	if (ret)
		return ret;

	mmu_seq = kvm->mmu_invalidate_seq;
	/* Pairs with kvm_mmu_invalidate_end(): the page is newer than this. */
	smp_rmb();
	ret = kvm_gmem_get_pfn(kvm, slot, gpa_to_gfn(gpa), &pfn, NULL);
	if (ret)
		return ret;

	write_lock(&kvm->mmu_lock);
	if (!mmu_invalidate_retry_gfn(kvm, mmu_seq, gpa_to_gfn(gpa)))
		ret = kvm_pgtable_stage2_map(vcpu->arch.hw_mmu->pgt, gpa,
					     PAGE_SIZE, __pfn_to_phys(pfn),
					     prot, cache);
	write_unlock(&kvm->mmu_lock);
	kvm_release_pfn_clean(pfn);
	return ret;
}

/**
 * kvm_gmem_abort() - Resolve a stage-2 fault on memory of a guest_memfd.
 * @vcpu: The vCPU that faulted.
 * @gfn: The frame.
 * @slot: Its memslot, which has no other memory.
 * @fault_status: FSC_FAULT or FSC_PERM.
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: 0 if the guest can try again; -EFAULT if it never can, -EHWPOISON;
 * or the error of an allocation.
 */
int kvm_gmem_abort(struct kvm_vcpu *vcpu, gfn_t gfn,
		   struct kvm_memory_slot *slot, unsigned long fault_status)
{
	enum kvm_pgtable_prot prot = gmem_prot(vcpu, slot);
	int ret;

	/* Tags have no place in pages that processes map as shared. */
	if (kvm_has_mte(vcpu->kvm))
		return -EFAULT;

	if (fault_status == FSC_PERM)
		ret = gmem_relax_perms(vcpu, gfn_to_gpa(gfn), prot);
	else
		ret = gmem_map(vcpu, slot, gfn_to_gpa(gfn), prot);

	/* Another vCPU was there first. */
	return ret == -EAGAIN ? 0 : ret;
}
