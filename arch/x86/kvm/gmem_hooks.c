// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the vendor module does with the private memory of a guest_memfd: it gives
 * pages to a guest, takes them back, and hears of mappings that go.
 */
#include <linux/kvm_host.h>

#include "mmu.h"

int kvm_arch_gmem_prepare(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			  int max_order)
{
	return static_call(kvm_x86_gmem_prepare)(kvm, pfn, gfn, max_order);
}

void kvm_arch_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	static_call_cond(kvm_x86_gmem_invalidate)(start, end);
}

/**
 * kvm_mmu_unmap_private_slot() - Let go of the private memory of a slot.
 * @kvm: The VM.
 * @slot: The slot, which is being deleted; its mappings are gone already.
 *
 * Context: Takes mmu_lock.
 */
void kvm_mmu_unmap_private_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	if (!kvm_arch_has_private_mem(kvm))
		return;

	write_lock(&kvm->mmu_lock);
	static_call_cond(kvm_x86_unmap_private_range)(kvm, slot->base_gfn,
						      slot->base_gfn + slot->npages);
	write_unlock(&kvm->mmu_lock);
}
