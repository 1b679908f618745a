// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping of guest memory on userspace's request, KVM_PRE_FAULT_MEMORY.
 */
#include <linux/kvm_host.h>

#include "mmu.h"
#include "mmu_internal.h"

/* Whether the page tables of the current root reach as far as @gfn. */
static bool root_covers(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	return !(gfn >> KVM_HPAGE_GFN_SHIFT(vcpu->arch.mmu->root_role.level + 1));
}

/* What stands in the way of a fault at @gpa, at this moment. */
static int check_gpa(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_memory_slot *slot;

	if (vcpu->kvm->vm_dead)
		return -EIO;
	if (signal_pending(current))
		return -EINTR;
	if (vcpu->arch.mmu->page_fault != kvm_tdp_page_fault)
		return -EOPNOTSUPP;

	/* Where there is no memslot, a fault would set up MMIO. */
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	if (!slot || !root_covers(vcpu, gpa_to_gfn(gpa)))
		return -ENOENT;
	/* Who deletes it waits for kvm->srcu, i.e. for us. */
	if (slot->flags & KVM_MEMSLOT_INVALID)
		return -EAGAIN;
	return 0;
}

/*
 * As on the way into the guest: with an obsolete root no fault gets anywhere.
 * A root of shadow paging can be one that the guest has got wrong, and those
 * check_gpa() has refused.
 */
static int load_root(struct kvm_vcpu *vcpu)
{
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);

	return kvm_mmu_reload(vcpu);
}

/* Map the page at @gpa as a read by the guest would; at which level in @level. */
static int map_gpa(struct kvm_vcpu *vcpu, gpa_t gpa, u8 *level)
{
	int r;

	do {
		cond_resched();

		r = check_gpa(vcpu, gpa);
		if (!r)
			r = load_root(vcpu);
		if (r)
			return r;

		r = kvm_mmu_do_page_fault(vcpu, gpa, 0, true, NULL, level);
	} while (r == RET_PF_RETRY);

	switch (r) {
	case RET_PF_FIXED:
	case RET_PF_SPURIOUS:
		return 0;
	case RET_PF_EMULATE:
		return -ENOENT;
	default:
		return r < 0 ? r : -EIO;
	}
}

/**
 * kvm_arch_vcpu_pre_fault_memory() - Map the first page of a range.
 * @vcpu: The vCPU whose MMU maps it.
 * @range: The range.
 *
 * Context: May sleep; with the vCPU loaded and kvm->srcu held.
 * Return: Bytes mapped from range->gpa on, at most range->size; -EOPNOTSUPP
 * with shadow paging, while a nested guest is active and before an SNP guest
 * is launched; -ENOENT where there is no memory for the guest to read; -EAGAIN
 * while its memslot is being deleted; -EINTR; or the error of the fault.
 */
long kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu,
				    struct kvm_pre_fault_memory *range)
{
	u8 level = PG_LEVEL_4K;
	u64 end;
	int r;

	if (!tdp_enabled || !vcpu->kvm->arch.pre_fault_allowed)
		return -EOPNOTSUPP;

	r = map_gpa(vcpu, range->gpa, &level);
	if (r)
		return r;

	end = (range->gpa & KVM_HPAGE_MASK(level)) + KVM_HPAGE_SIZE(level);
	return min(range->size, end - range->gpa);
}
