// SPDX-License-Identifier: GPL-2.0-only
/*
 * The folios of a guest_memfd: how they come, are prepared for the guest, and
 * go.  Vocabulary, invariants and locking are in guest_memfd.h.
 *
 * A folio is zeroed when it is prepared, i.e. before a guest can see it.  What
 * a guest leaves in it is the page allocator's to deal with, as for any other
 * memory, unless kvm_arch_gmem_invalidate() makes it unreadable first.
 */
#include <linux/cpuset.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/highmem.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"

/**
 * kvm_gmem_account() - Account for what is allocated, after any change.
 * @inode: The file's inode.
 *
 * In the inode's blocks, for stat(), and in the VM's statistics.
 */
void kvm_gmem_account(struct inode *inode)
{
	struct kvm *kvm = kvm_gmem_i(inode)->kvm;
	blkcnt_t blocks, change;

	spin_lock(&inode->i_lock);
	blocks = inode->i_mapping->nrpages * (PAGE_SIZE / 512);
	change = blocks - inode->i_blocks;
	inode->i_blocks = blocks;
	spin_unlock(&inode->i_lock);

	atomic64_add(change * 512, &kvm->stat.generic.guest_memfd_bytes);
}

#ifdef CONFIG_NUMA
/* Whether mbind() has said where any of the file's pages are to come from. */
static bool has_policy(struct inode *inode)
{
	return !RB_EMPTY_ROOT(&kvm_gmem_i(inode)->policy.root);
}

/* Whether pages are to come from where the task runs. */
static bool is_local(struct inode *inode)
{
	return !has_policy(inode) && !current->mempolicy &&
	       !cpuset_do_page_mem_spread();
}
#else
static bool is_local(struct inode *inode)
{
	return true;
}
#endif

/* By the policy that mbind() has set for that page, or the task's. */
static struct folio *alloc_folio(struct address_space *mapping, pgoff_t index)
{
	gfp_t gfp = mapping_gfp_mask(mapping);
#ifdef CONFIG_NUMA
	struct shared_policy *policy = &kvm_gmem_i(mapping->host)->policy;
	struct vm_area_struct vma;
	struct folio *folio;

	if (has_policy(mapping->host)) {
		vma_init(&vma, NULL);
		vma.vm_pgoff = index;
		vma.vm_policy = mpol_shared_policy_lookup(policy, index);
		folio = vma_alloc_folio(gfp, 0, &vma, 0, false);
		mpol_cond_put(vma.vm_policy);
		return folio;
	}
#endif
	return filemap_alloc_folio(gfp, 0);
}

/*
 * Put a new folio, whose reference goes, into the page cache: locked, with a
 * reference for the caller.  -EEXIST if there is one already.
 */
static struct folio *add_folio(struct address_space *mapping, pgoff_t index,
			       struct folio *folio)
{
	int r;

	if (!folio)
		return ERR_PTR(-ENOMEM);

	/* Charges the memory cgroup of the task. */
	r = filemap_add_folio(mapping, folio, index, mapping_gfp_mask(mapping));
	if (r) {
		folio_put(folio);
		return ERR_PTR(r);
	}
	return folio;
}

/**
 * kvm_gmem_get_folio() - Look up a folio of the file, allocate it if need be.
 * @inode: The file's inode.
 * @index: Page of the file, within its size.
 *
 * Context: May sleep.
 * Return: The folio, locked, with a reference for the caller, in the page cache
 * and not necessarily prepared; or -ENOMEM.
 */
struct folio *kvm_gmem_get_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio;

	do {
		folio = filemap_lock_folio(inode->i_mapping, index);
		if (!IS_ERR_OR_NULL(folio))
			return folio;

		folio = alloc_folio(inode->i_mapping, index);
		folio = add_folio(inode->i_mapping, index, folio);
	} while (folio == ERR_PTR(-EEXIST));

	if (!IS_ERR(folio))
		kvm_gmem_account(inode);
	return folio;
}

/**
 * kvm_gmem_prepare_folio() - Make a folio ready to be mapped.
 * @kvm: The VM.
 * @gfn: The guest frame that the folio backs; of no matter if the file is
 * shared.
 * @folio: The folio, locked and in the page cache.
 *
 * Does nothing if the folio has been prepared; zeroes it and no more if its file
 * is shared.
 *
 * Context: May sleep.
 * Return: 0, or what kvm_arch_gmem_prepare() returns, for a file that is not
 * shared; the folio is not prepared then, and the next fault tries again.
 */
int kvm_gmem_prepare_folio(struct kvm *kvm, gfn_t gfn, struct folio *folio)
{
	int r = 0;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);

	if (folio_test_uptodate(folio))
		return 0;

	clear_highpage(folio_page(folio, 0));
	if (!kvm_gmem_is_shared(folio->mapping->host))
		r = kvm_gmem_call_prepare(kvm, gfn, folio_pfn(folio), 0);
	if (!r)
		folio_mark_uptodate(folio);
	return r;
}

static int check_range(struct inode *inode, loff_t offset, loff_t len)
{
	return offset + len > i_size_read(inode) ? -EINVAL : 0;
}

/*
 * Adjacent pages in the host for what is to be one entry, if there are such: no
 * reclaim, no other node, no policy is worth it.  They are folios of a page each
 * like all others.
 */
static struct page *alloc_block(struct address_space *mapping, pgoff_t index,
				pgoff_t end)
{
	gfp_t gfp = mapping_gfp_mask(mapping) & ~__GFP_RECLAIM;
	unsigned long first = index;
	struct page *pages;

	if (!IS_ALIGNED(index, KVM_GMEM_BLOCK_PAGES) ||
	    end - index < KVM_GMEM_BLOCK_PAGES || !is_local(mapping->host) ||
	    xa_find(&mapping->i_pages, &first, index + KVM_GMEM_BLOCK_PAGES - 1,
		    XA_PRESENT))
		return NULL;

	pages = alloc_pages_node(NUMA_NO_NODE,
				 gfp | __GFP_THISNODE | __GFP_NOWARN,
				 KVM_GMEM_BLOCK_ORDER);
	if (pages)
		split_page(pages, KVM_GMEM_BLOCK_ORDER);
	return pages;
}

/* Allocate the page at @index, of @page if that is not NULL. */
static int allocate_one(struct address_space *mapping, pgoff_t index,
			struct page *page)
{
	struct folio *folio = page ? page_folio(page) :
				     alloc_folio(mapping, index);

	folio = add_folio(mapping, index, folio);
	if (folio == ERR_PTR(-EEXIST))
		return 0;
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/* What has been allocated stays if memory for the rest of it is lacking. */
static int allocate_block(struct address_space *mapping, pgoff_t index,
			  struct page *pages)
{
	pgoff_t i;
	int r = 0;

	for (i = 0; i < KVM_GMEM_BLOCK_PAGES && !r; i++)
		r = allocate_one(mapping, index + i, pages + i);
	for (; i < KVM_GMEM_BLOCK_PAGES; i++)
		put_page(pages + i);
	return r;
}

/*
 * What has been allocated stays if a signal or the lack of memory ends this
 * early, so that the caller can go on.
 */
static long allocate(struct inode *inode, loff_t offset, loff_t len)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t index = offset >> PAGE_SHIFT;
	pgoff_t end = (offset + len) >> PAGE_SHIFT;
	struct page *pages;
	long r;

	r = check_range(inode, offset, len);
	if (r)
		return r;

	filemap_invalidate_lock_shared(mapping);
	while (index < end && !r) {
		cond_resched();
		if (signal_pending(current)) {
			r = -EINTR;
			break;
		}
		pages = alloc_block(mapping, index, end);
		if (pages) {
			r = allocate_block(mapping, index, pages);
			index += KVM_GMEM_BLOCK_PAGES;
			continue;
		}
		if (!xa_load(&mapping->i_pages, index))
			r = allocate_one(mapping, index, NULL);
		index++;
	}
	kvm_gmem_account(inode);
	filemap_invalidate_unlock_shared(mapping);
	return r;
}

static long punch_hole(struct inode *inode, loff_t offset, loff_t len)
{
	struct address_space *mapping = inode->i_mapping;
	bool begun;

	trace_kvm_gmem_punch(inode->i_ino, offset >> PAGE_SHIFT,
			     (offset + len) >> PAGE_SHIFT);

	filemap_invalidate_lock(mapping);
	begun = kvm_gmem_invalidate_begin(inode, offset >> PAGE_SHIFT,
					  (offset + len) >> PAGE_SHIFT, true);
	/* Marks of memory errors go, too.  Who comes now, goes one by one. */
	unmap_mapping_range(mapping, offset, len, 1);
	truncate_inode_pages_range(mapping, offset, offset + len - 1);
	kvm_gmem_invalidate_end(inode, begun);
	kvm_gmem_account(inode);
	filemap_invalidate_unlock(mapping);
	return 0;
}

/**
 * kvm_gmem_fallocate() - Allocate or free memory of the file.
 * @file: The file.
 * @mode: FALLOC_FL_KEEP_SIZE, alone or with FALLOC_FL_PUNCH_HOLE.
 * @offset: Bytes, a multiple of the page size.
 * @len: Bytes, a multiple of the page size.
 *
 * Return: 0; -EOPNOTSUPP for other modes; -EINVAL if unaligned, or allocating
 * beyond the end; -EINTR and -ENOMEM with part of the range allocated.
 */
long kvm_gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	long r;

	if (!(mode & FALLOC_FL_KEEP_SIZE) ||
	    mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;

	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(len))
		return -EINVAL;

	if (mode & FALLOC_FL_PUNCH_HOLE)
		r = punch_hole(inode, offset, len);
	else
		r = allocate(inode, offset, len);

	if (!r)
		file_modified(file);
	return r;
}

static int migrate_folio_never(struct address_space *mapping, struct folio *dst,
			       struct folio *src, enum migrate_mode mode)
{
	return -EINVAL;
}

/*
 * The folio has a memory error: take it out of the guest and keep it, poisoned,
 * so that the next access fails.  Punching it out is userspace's decision.
 * Comes with the folio locked, i.e. too late to take invalidate_lock.
 */
static int error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	bool begun;

	begun = kvm_gmem_invalidate_begin(mapping->host, folio->index,
					  folio_next_index(folio), false);
	kvm_gmem_invalidate_end(mapping->host, begun);
	return MF_DELAYED;
}

/*
 * To the rest of the kernel a clean folio that no process has mapped is one that
 * can be read again: soft offlining drops such.  It is asked here before.
 */
static bool release_folio_never(struct folio *folio, gfp_t gfp)
{
	return false;
}

/* The folio has left the page cache. */
static void free_folio(struct folio *folio)
{
	kvm_pfn_t pfn = folio_pfn(folio);

	if (folio_test_uptodate(folio))
		kvm_gmem_call_invalidate(pfn, pfn + folio_nr_pages(folio));
}

const struct address_space_operations kvm_gmem_private_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = migrate_folio_never,
	.release_folio = release_folio_never,
	.error_remove_folio = error_remove_folio,
	.free_folio = free_folio,
};

const struct address_space_operations kvm_gmem_shared_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = migrate_folio_never,
	.release_folio = release_folio_never,
	.error_remove_folio = error_remove_folio,
};
