/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_memfd: memory that belongs to a guest first, as a file.
 *
 * Vocabulary
 *
 *   file		what KVM_CREATE_GUEST_MEMFD returns; of one VM, for life
 *   folio		the file's memory, in its page cache, one page each
 *   binding		a memslot's use of a range of the file as its memory
 *   prepared		of a folio: zeroed or populated, and given to the guest by
 *			kvm_arch_gmem_prepare(); marked by "uptodate"
 *   shared		of a file: created with GUEST_MEMFD_FLAG_INIT_SHARED; its
 *			folios are the host's as much as the guest's, and the
 *			architecture's hooks are not asked about them
 *
 * Invariants
 *
 *   I1	The ranges of a file's bindings do not overlap and end within the file.
 *   I2	slot->gmem.file is set exactly while the slot is among the bindings of
 *	that file, which has not been released then.
 *   I3	Only prepared folios are mapped into the guest, and a folio is in the
 *	page cache for as long as it is mapped.
 *   I4	kvm_arch_gmem_invalidate() is called exactly once for a prepared folio
 *	of a file that is not shared, when it leaves the page cache, and never
 *	for another.
 *   I5	Processes have only folios of shared files mapped, and those only while
 *	they are in the page cache.
 *
 * Lifetime
 *
 *   The inode holds a reference to its VM until it is evicted; the memory goes
 *   back before that reference does.  A binding holds no reference to the file:
 *   releasing the file ends its bindings, deleting the memslot ends one.
 *
 * Locking
 *
 *   Order: slots_lock, mmap_lock, mapping->invalidate_lock, folio lock,
 *   mmu_lock.
 *   - Bindings change under slots_lock, invalidate_lock and mmu_lock, and are
 *     stable under any of them.
 *   - Taking folios away (punch, release) goes on under invalidate_lock, held
 *     exclusively, within an invalidation of the bound frames: faults that
 *     looked the folio up before start over.
 *   - Preparing goes on under the folio lock, with the folio in the page cache.
 *     Populating, which may map what it prepares, goes on under invalidate_lock,
 *     shared, too.
 *   - A process maps a folio under the folio lock, and allocates it under
 *     invalidate_lock, shared; taking folios away unmaps them from processes
 *     first, and those that are mapped again under the folio lock.
 *   - slot->gmem.file is read under kvm->srcu or slots_lock.
 */
#ifndef __KVM_GUEST_MEMFD_H__
#define __KVM_GUEST_MEMFD_H__

#include <linux/fs.h>
#include <linux/interval_tree.h>
#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/sizes.h>

/* Pages that can be one entry, of an RMP and of what an RMM maps. */
#define KVM_GMEM_BLOCK_ORDER	get_order(SZ_2M)
#define KVM_GMEM_BLOCK_PAGES	(1ul << KVM_GMEM_BLOCK_ORDER)

struct kvm_gmem_inode {
	struct inode vfs_inode;
	struct kvm *kvm;
	u64 flags;			/* GUEST_MEMFD_FLAG_* */
	struct shared_policy policy;	/* by pages of the file */
	struct rb_root_cached bindings;	/* slot->gmem.node, by pages of the file */
};

static inline struct kvm_gmem_inode *kvm_gmem_i(struct inode *inode)
{
	return container_of(inode, struct kvm_gmem_inode, vfs_inode);
}

/* Whether the host may see what is in the file. */
static inline bool kvm_gmem_is_shared(struct inode *inode)
{
	return kvm_gmem_i(inode)->flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

/* The page of the file that backs @gfn of a bound slot. */
static inline pgoff_t kvm_gmem_index(const struct kvm_memory_slot *slot,
				     gfn_t gfn)
{
	return slot->gmem.node.start + (gfn - slot->base_gfn);
}

/* The file of a bound slot, or NULL if it has been released. */
static inline struct file *kvm_gmem_file(struct kvm *kvm,
					 const struct kvm_memory_slot *slot)
{
	return srcu_dereference_check(slot->gmem.file, &kvm->srcu,
				      lockdep_is_held(&kvm->slots_lock));
}

/* guest_memfd.c */
extern struct file_operations kvm_gmem_fops;
struct file *kvm_gmem_create_file(struct kvm *kvm, loff_t size, u64 flags);

/* guest_memfd_bind.c */
int kvm_gmem_bind_file(struct kvm *kvm, struct kvm_memory_slot *slot,
		       struct file *file, u64 offset);
void kvm_gmem_unbind_all(struct inode *inode);
void kvm_gmem_show_bindings(struct seq_file *m, struct inode *inode);
bool kvm_gmem_invalidate_begin(struct inode *inode, pgoff_t start, pgoff_t end,
			       bool may_block);
void kvm_gmem_invalidate_end(struct inode *inode, bool begun);

/* guest_memfd_folio.c */
struct folio *kvm_gmem_get_folio(struct inode *inode, pgoff_t index);
int kvm_gmem_prepare_folio(struct kvm *kvm, gfn_t gfn, struct folio *folio);
long kvm_gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
void kvm_gmem_account(struct inode *inode);
extern const struct address_space_operations kvm_gmem_private_aops;
extern const struct address_space_operations kvm_gmem_shared_aops;

/* guest_memfd_mmap.c */
int kvm_gmem_mmap(struct file *file, struct vm_area_struct *vma);

/*
 * The architecture's hooks, behind which the KUnit suite can put its own.  What
 * an architecture does not have costs nothing.
 */
struct kvm_gmem_hooks {
	int (*prepare)(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, int order);
	void (*invalidate)(kvm_pfn_t start, kvm_pfn_t end);
};

#if IS_ENABLED(CONFIG_KVM_GMEM_KUNIT_TEST)
extern const struct kvm_gmem_hooks *kvm_gmem_test_hooks;
#else
#define kvm_gmem_test_hooks	((const struct kvm_gmem_hooks *)NULL)
#endif

static inline int kvm_gmem_call_prepare(struct kvm *kvm, gfn_t gfn,
					kvm_pfn_t pfn, int order)
{
	if (kvm_gmem_test_hooks)
		return kvm_gmem_test_hooks->prepare(kvm, gfn, pfn, order);

	return kvm_arch_gmem_prepare(kvm, gfn, pfn, order);
}

static inline void kvm_gmem_call_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	if (kvm_gmem_test_hooks)
		kvm_gmem_test_hooks->invalidate(start, end);
	else
		kvm_arch_gmem_invalidate(start, end);
}

#endif /* __KVM_GUEST_MEMFD_H__ */
