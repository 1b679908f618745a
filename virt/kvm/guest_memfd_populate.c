// SPDX-License-Identifier: GPL-2.0-only
/*
 * Populating private memory with initial contents, before the guest runs.
 * Vocabulary, invariants and locking are in guest_memfd.h.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"

static int populate_folio(struct kvm *kvm, gfn_t gfn, struct folio *folio,
			  struct page *src, kvm_gmem_populate_cb post_populate,
			  void *opaque)
{
	int r;

	if (folio_test_hwpoison(folio))
		return -EHWPOISON;
	/* The guest may have seen what is there. */
	if (folio_test_uptodate(folio))
		return -EEXIST;

	r = post_populate(kvm, gfn, folio_pfn(folio), src, opaque);
	if (!r) {
		folio_mark_uptodate(folio);
		trace_kvm_gmem_populate(folio, gfn);
	}
	return r;
}

static int populate_page(struct kvm *kvm, struct kvm_memory_slot *slot,
			 gfn_t gfn, struct page *src,
			 kvm_gmem_populate_cb post_populate, void *opaque)
{
	struct file *file = kvm_gmem_file(kvm, slot);
	struct address_space *mapping;
	struct folio *folio;
	int r;

	if (!file)
		return -EFAULT;
	if (!kvm_mem_is_private(kvm, gfn))
		return -EINVAL;

	/* A hole that has unmapped the page already would not do so again. */
	mapping = file->f_mapping;
	filemap_invalidate_lock_shared(mapping);
	folio = kvm_gmem_get_folio(file_inode(file), kvm_gmem_index(slot, gfn));
	if (IS_ERR(folio)) {
		r = PTR_ERR(folio);
		goto out;
	}

	r = populate_folio(kvm, gfn, folio, src, post_populate, opaque);
	/* One that cannot come back to the host has been taken out of the file. */
	if (!folio->mapping)
		kvm_gmem_account(file_inode(file));
	folio_unlock(folio);
	folio_put(folio);
out:
	filemap_invalidate_unlock_shared(mapping);
	return r;
}

/* The source is pinned first: faulting it in may need any lock there is. */
static int populate_from(struct kvm *kvm, struct kvm_memory_slot *slot,
			 gfn_t gfn, void __user *src,
			 kvm_gmem_populate_cb post_populate, void *opaque)
{
	struct page *page = NULL;
	int r;

	if (src) {
		r = get_user_pages_fast((unsigned long)src, 1, 0, &page);
		if (r != 1)
			return r < 0 ? r : -EFAULT;
	}

	r = populate_page(kvm, slot, gfn, page, post_populate, opaque);
	if (page)
		put_page(page);
	return r;
}

/**
 * kvm_gmem_populate() - Give private frames their initial contents.
 * @kvm: The VM.
 * @start_gfn: First frame, in a slot with a guest_memfd.
 * @src: User memory with the contents, page aligned; or NULL if
 * @post_populate needs none.
 * @npages: How many frames; those beyond the slot's end are left out.
 * @post_populate: Called for each page, with the page and its source locked in
 * memory: copies or encrypts, and does what kvm_arch_gmem_prepare() would have
 * done.  If it fails it has to leave the page as it was to the host, or remove
 * it from the file for good.
 * @opaque: Handed to @post_populate.
 *
 * Frames have to be private, and never mapped or populated before.
 *
 * Context: May sleep; with slots_lock held.
 * Return: How many pages have been populated, if any; else -EINVAL for
 * arguments and for a frame that is not private, -EEXIST for a page that is in
 * use, -EINTR, -EFAULT for the source, -EHWPOISON, -ENOMEM, or what
 * @post_populate returns.
 */
long kvm_gmem_populate(struct kvm *kvm, gfn_t start_gfn, void __user *src,
		       long npages, kvm_gmem_populate_cb post_populate,
		       void *opaque)
{
	struct kvm_memory_slot *slot;
	int r = 0;
	long i;

	lockdep_assert_held(&kvm->slots_lock);

	if (npages <= 0 || !PAGE_ALIGNED(src))
		return -EINVAL;

	slot = gfn_to_memslot(kvm, start_gfn);
	if (!kvm_slot_has_gmem(slot))
		return -EINVAL;

	npages = min_t(u64, npages, slot->base_gfn + slot->npages - start_gfn);
	for (i = 0; i < npages; i++) {
		if (signal_pending(current)) {
			r = -EINTR;
			break;
		}

		r = populate_from(kvm, slot, start_gfn + i,
				  src ? src + i * PAGE_SIZE : NULL,
				  post_populate, opaque);
		if (r)
			break;
		cond_resched();
	}
	return i ? i : r;
}
EXPORT_SYMBOL_GPL(kvm_gmem_populate);
