// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest faults on memory of a guest_memfd.  Vocabulary, invariants and locking
 * are in guest_memfd.h.
 */
#include <linux/kvm_host.h>
#include <linux/pagemap.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"

static int prepare_for_fault(struct kvm *kvm, gfn_t gfn, struct folio *folio)
{
	if (folio_test_hwpoison(folio))
		return -EHWPOISON;

	return kvm_gmem_prepare_folio(kvm, gfn, folio);
}

/**
 * kvm_gmem_get_pfn() - Find the page of a guest_memfd that backs a guest frame.
 * @kvm: The VM.
 * @slot: The memslot of @gfn.
 * @gfn: The guest frame.
 * @pfn: Where to put the page frame, with a reference for the caller.
 * @max_order: Where to put the order of the largest naturally aligned range of
 * frames around @gfn that is contiguous in physical memory, or NULL.
 *
 * The page is zeroed or populated, and prepared for the guest.  It may be
 * mapped only under mmu_lock if no invalidation of @gfn has come up since
 * before the call, as for any other page.
 *
 * Context: May sleep; with kvm->srcu or slots_lock held.
 * Return: 0; -EAGAIN while @gfn is being invalidated; -EFAULT if the slot has
 * no guest_memfd or its file is released; -EHWPOISON; -ENOMEM; or what
 * kvm_arch_gmem_prepare() returns.
 */
int kvm_gmem_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot,
		     gfn_t gfn, kvm_pfn_t *pfn, int *max_order)
{
	struct file *file = kvm_gmem_file(kvm, slot);
	struct folio *folio;
	int r;

	if (!file)
		return -EFAULT;
	/*
	 * What faults allocate in a hole that is being punched, the punching
	 * finds and takes away again: it would not come to its end while vCPUs
	 * touch the range.
	 */
	if (mmu_invalidate_in_range(kvm, gfn, gfn + 1))
		return -EAGAIN;

	folio = kvm_gmem_get_folio(file_inode(file), kvm_gmem_index(slot, gfn));
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	r = prepare_for_fault(kvm, gfn, folio);
	if (!r)
		trace_kvm_gmem_fault(folio, gfn);
	folio_unlock(folio);
	if (r) {
		folio_put(folio);
		return r;
	}

	*pfn = folio_pfn(folio);
	if (max_order)
		*max_order = 0;
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_gmem_get_pfn);
