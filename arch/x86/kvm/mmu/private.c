// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a guest_memfd in the MMU: faults on it, and how large a mapping may
 * be where a huge page can be private in part.
 */
#include <linux/kvm_host.h>

#include "mmu.h"
#include "mmu_internal.h"

/* What a page allows by its order, and the architecture by @limit; 0: any. */
int kvm_mmu_gmem_max_level(int max_order, int limit)
{
	int level;

	for (level = KVM_MAX_HUGEPAGE_LEVEL; level > PG_LEVEL_4K; level--) {
		if (max_order >= KVM_HPAGE_GFN_SHIFT(level))
			break;
	}
	return limit ? min(level, limit) : level;
}

/**
 * kvm_mmu_faultin_gmem_pfn() - Find the page of a guest_memfd for a fault.
 * @vcpu: The vCPU that faulted.
 * @fault: The fault; fault->mmu_seq has been read.
 *
 * Context: May sleep; with kvm->srcu held.
 * Return: RET_PF_CONTINUE with a reference to fault->pfn; RET_PF_RETRY;
 * -EFAULT or -EHWPOISON with a memory fault exit; or another error.
 */
int kvm_mmu_faultin_gmem_pfn(struct kvm_vcpu *vcpu,
			     struct kvm_page_fault *fault)
{
	int max_order, level, limit, r = -EFAULT;

	if (kvm_slot_has_gmem(fault->slot))
		r = kvm_gmem_get_pfn(vcpu->kvm, fault->slot, fault->gfn,
				     &fault->pfn, &max_order);
	if (r == -EAGAIN)
		return RET_PF_RETRY;
	if (r) {
		if (r == -EFAULT || r == -EHWPOISON)
			kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return r;
	}

	limit = static_call(kvm_x86_gmem_max_mapping_level)(vcpu->kvm, fault->pfn,
							    fault->is_private);
	level = kvm_mmu_gmem_max_level(max_order, limit);
	fault->max_level = min_t(u8, fault->max_level, level);
	fault->map_writable = true;
	return RET_PF_CONTINUE;
}

/* The part of kvm_mmu_uniform_max_level() for VMs with private memory. */
int __kvm_mmu_uniform_max_level(struct kvm *kvm, gfn_t gfn, int max_level)
{
	struct xarray *store = &kvm->mem_attr_array;
	unsigned long attrs;
	gfn_t start, end;

	lockdep_assert_held(&kvm->mmu_lock);

	attrs = kvm_mem_attrs_get(store, gfn);
	for (; max_level > PG_LEVEL_4K; max_level--) {
		start = gfn & -KVM_PAGES_PER_HPAGE(max_level);
		end = start + KVM_PAGES_PER_HPAGE(max_level);
		/* Frames that are being converted are as good as mixed. */
		if (!mmu_invalidate_in_range(kvm, start, end) &&
		    kvm_mem_attrs_range_has(store, start, end, attrs))
			break;
	}
	return max_level;
}
