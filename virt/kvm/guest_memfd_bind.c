// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bindings of a guest_memfd to memslots, and taking its memory away from
 * the guest through them.  Vocabulary, invariants and locking are in
 * guest_memfd.h.
 */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"
#include "kvm_mm.h"
#include "mem_convert.h"

#define for_each_binding(node, gi, first, last)				\
	for (node = interval_tree_iter_first(&(gi)->bindings, first, last); \
	     node; node = interval_tree_iter_next(node, first, last))

static struct kvm_memory_slot *binding_slot(struct interval_tree_node *node)
{
	return container_of(node, struct kvm_memory_slot, gmem.node);
}

/* The frames of @slot that the pages [start, end) of its file back, without it. */
static struct kvm_gfn_range binding_range(struct kvm_memory_slot *slot,
					  pgoff_t start, pgoff_t end,
					  bool may_block)
{
	pgoff_t first = slot->gmem.node.start, last = slot->gmem.node.last;

	return (struct kvm_gfn_range) {
		.start = slot->base_gfn + (max(start, first) - first),
		.end = slot->base_gfn + (min(end, last + 1) - first),
		.attr_filter = kvm_memslot_is_gmem_only(slot) ?
			       KVM_FILTER_SHARED | KVM_FILTER_PRIVATE :
			       KVM_FILTER_PRIVATE,
		.may_block = may_block,
	};
}

/*
 * A slot is bound before it is among the VM's memslots, when the architecture
 * has nothing on it yet.  While one is deleted, a copy is in its place, and only
 * that one has what the architecture has given to memslots since.
 */
static struct kvm_memory_slot *installed_slot(struct kvm *kvm,
					      struct kvm_memory_slot *slot)
{
	return id_to_memslot(__kvm_memslots(kvm, slot->as_id), slot->id);
}

/* With mmu_lock and kvm->srcu held. */
static bool unmap_binding(struct kvm *kvm, struct kvm_memory_slot *slot,
			  pgoff_t start, pgoff_t end, bool may_block,
			  bool flush)
{
	struct kvm_gfn_range range = binding_range(slot, start, end, may_block);

	kvm_mmu_invalidate_range_add(kvm, range.start, range.end);
	range.slot = installed_slot(kvm, slot);
	if (!range.slot)
		return flush;

	return kvm_unmap_gfn_range_by_attr(kvm, &range, flush);
}

/**
 * kvm_gmem_invalidate_begin() - Take memory of the file away from the guest.
 * @inode: The file's inode.
 * @start: First page of the file.
 * @end: Page after the last.
 * @may_block: True with invalidate_lock held.  False with no more than a folio
 * of the file locked, which is enough to keep the VM, and bindings only while
 * mmu_lock is not dropped: for a short range to which a new binding can do no
 * harm.
 *
 * Unmaps the bound frames that are mapped from the file, i.e. those that are
 * private or of a slot that has nothing else, and holds up faults on all.
 *
 * Context: May sleep if @may_block.
 * Return: True if any frame is bound; for kvm_gmem_invalidate_end().
 */
bool kvm_gmem_invalidate_begin(struct inode *inode, pgoff_t start, pgoff_t end,
			       bool may_block)
{
	struct kvm_gmem_inode *gi = kvm_gmem_i(inode);
	struct kvm *kvm = gi->kvm;
	struct interval_tree_node *node;
	bool begun = false, flush = false;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	KVM_MMU_LOCK(kvm);
	for_each_binding(node, gi, start, end - 1) {
		if (!begun)
			kvm_mmu_invalidate_begin(kvm);
		begun = true;
		flush = unmap_binding(kvm, binding_slot(node), start, end,
				      may_block, flush);
	}
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	KVM_MMU_UNLOCK(kvm);
	srcu_read_unlock(&kvm->srcu, idx);

	/* The pages may go back to the host, dirty in caches with its key. */
	if (begun)
		kvm_arch_guest_memory_reclaimed(kvm);
	return begun;
}

/**
 * kvm_gmem_invalidate_end() - Let faults on the range go on.
 * @inode: The file's inode.
 * @begun: What kvm_gmem_invalidate_begin() has returned.
 */
void kvm_gmem_invalidate_end(struct inode *inode, bool begun)
{
	struct kvm *kvm = kvm_gmem_i(inode)->kvm;

	if (!begun)
		return;

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
}

static int check_binding(struct kvm *kvm, struct kvm_memory_slot *slot,
			 struct file *file, u64 offset)
{
	u64 size = (u64)slot->npages << PAGE_SHIFT;
	u64 end;

	if (file->f_op != &kvm_gmem_fops)
		return -EINVAL;
	if (kvm_gmem_i(file_inode(file))->kvm != kvm)
		return -EINVAL;
	/* Of a VM without private memory, the file would not be used. */
	if (!kvm_arch_has_private_mem(kvm) &&
	    !(kvm_gmem_i(file_inode(file))->flags & GUEST_MEMFD_FLAG_MMAP))
		return -EINVAL;
	if (!PAGE_ALIGNED(offset) || check_add_overflow(offset, size, &end))
		return -EINVAL;
	if (end > i_size_read(file_inode(file)))
		return -EINVAL;
	return 0;
}

/**
 * kvm_gmem_bind_file() - Make a range of a file the memory of a slot.
 * @kvm: The VM.
 * @slot: The slot, not yet among the VM's memslots.
 * @file: The file; a reference to it is not kept.
 * @offset: Where the range starts in the file, in bytes.
 *
 * Of a file that can be mapped by the host, it is all the slot's memory, else
 * the private memory.
 *
 * Context: With slots_lock held.
 * Return: 0; -EINVAL if the file is not a guest_memfd of this VM or not of use
 * to it, or the range is unaligned or not within it; -EEXIST if some of the
 * range is bound.
 */
int kvm_gmem_bind_file(struct kvm *kvm, struct kvm_memory_slot *slot,
		       struct file *file, u64 offset)
{
	struct kvm_gmem_inode *gi = kvm_gmem_i(file_inode(file));
	struct interval_tree_node *node = &slot->gmem.node;
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	r = check_binding(kvm, slot, file, offset);
	if (r)
		return r;

	node->start = offset >> PAGE_SHIFT;
	node->last = node->start + slot->npages - 1;

	filemap_invalidate_lock(file->f_mapping);
	if (interval_tree_iter_first(&gi->bindings, node->start, node->last)) {
		r = -EEXIST;
	} else {
		KVM_MMU_LOCK(kvm);
		if (gi->flags & GUEST_MEMFD_FLAG_MMAP)
			slot->flags |= KVM_MEMSLOT_GMEM_ONLY;
		interval_tree_insert(node, &gi->bindings);
		rcu_assign_pointer(slot->gmem.file, file);
		KVM_MMU_UNLOCK(kvm);
	}
	filemap_invalidate_unlock(file->f_mapping);
	if (!r)
		trace_kvm_gmem_bind(file_inode(file)->i_ino, slot);
	return r;
}

/**
 * kvm_gmem_bind() - Bind a slot to a guest_memfd.
 * @kvm: The VM.
 * @slot: The slot, not yet among the VM's memslots.
 * @fd: File descriptor of the guest_memfd.
 * @offset: Where the slot's memory starts in the file, in bytes.
 *
 * Context: With slots_lock held.
 * Return: 0; -EBADF if @fd is not open; see kvm_gmem_bind_file().
 */
int kvm_gmem_bind(struct kvm *kvm, struct kvm_memory_slot *slot,
		  unsigned int fd, u64 offset)
{
	struct file *file = fget(fd);
	int r;

	if (!file)
		return -EBADF;

	r = kvm_gmem_bind_file(kvm, slot, file, offset);
	fput(file);
	return r;
}

static void remove_binding(struct kvm_gmem_inode *gi,
			   struct kvm_memory_slot *slot)
{
	lockdep_assert_held_write(&gi->kvm->mmu_lock);

	interval_tree_remove(&slot->gmem.node, &gi->bindings);
	rcu_assign_pointer(slot->gmem.file, NULL);
}

/**
 * kvm_gmem_unbind() - End the binding of a slot, if it has one.
 * @slot: The slot, not among the VM's memslots any more.
 *
 * Context: With slots_lock held, or with the VM being destroyed; no binding is
 * left then.
 */
void kvm_gmem_unbind(struct kvm_memory_slot *slot)
{
	/* The file cannot be gone: releasing it takes slots_lock. */
	struct file *file = rcu_dereference_protected(slot->gmem.file, true);
	struct kvm_gmem_inode *gi;

	if (!file)
		return;

	gi = kvm_gmem_i(file_inode(file));
	lockdep_assert_held(&gi->kvm->slots_lock);

	filemap_invalidate_lock(file->f_mapping);
	KVM_MMU_LOCK(gi->kvm);
	remove_binding(gi, slot);
	KVM_MMU_UNLOCK(gi->kvm);
	filemap_invalidate_unlock(file->f_mapping);
}

static void remove_all_bindings(struct kvm_gmem_inode *gi)
{
	struct interval_tree_node *node;

	KVM_MMU_LOCK(gi->kvm);
	while ((node = interval_tree_iter_first(&gi->bindings, 0, ULONG_MAX)))
		remove_binding(gi, binding_slot(node));
	KVM_MMU_UNLOCK(gi->kvm);
}

/**
 * kvm_gmem_unbind_all() - End all bindings of a file that is being released.
 * @inode: The file's inode.
 *
 * Context: May sleep; takes slots_lock.
 */
void kvm_gmem_unbind_all(struct inode *inode)
{
	struct kvm_gmem_inode *gi = kvm_gmem_i(inode);
	struct kvm *kvm = gi->kvm;
	bool begun;

	mutex_lock(&kvm->slots_lock);
	filemap_invalidate_lock(inode->i_mapping);
	begun = kvm_gmem_invalidate_begin(inode, 0, ULONG_MAX, true);
	remove_all_bindings(gi);
	kvm_gmem_invalidate_end(inode, begun);
	filemap_invalidate_unlock(inode->i_mapping);
	mutex_unlock(&kvm->slots_lock);

	/* For faults that are using slot->gmem.file. */
	if (begun)
		synchronize_srcu_expedited(&kvm->srcu);
}

/**
 * kvm_gmem_show_bindings() - Print what of a file is bound.
 * @m: Where to print.
 * @inode: The file's inode.
 *
 * How much backs private and shared frames, and a line for each binding.
 */
void kvm_gmem_show_bindings(struct seq_file *m, struct inode *inode)
{
	struct kvm_gmem_inode *gi = kvm_gmem_i(inode);
	struct interval_tree_node *node;
	struct kvm_memory_slot *slot;
	u64 nr, private = 0, shared = 0;

	filemap_invalidate_lock_shared(inode->i_mapping);
	for_each_binding(node, gi, 0, ULONG_MAX) {
		slot = binding_slot(node);
		nr = kvm_nr_private_frames(gi->kvm, slot->base_gfn,
					   slot->base_gfn + slot->npages);
		private += nr;
		shared += slot->npages - nr;
		seq_printf(m, "gmem-binding:\tslot %d as %u gpa %#llx ",
			   slot->id, slot->as_id, gfn_to_gpa(slot->base_gfn));
		seq_printf(m, "size %#llx offset %#llx\n",
			   (u64)slot->npages << PAGE_SHIFT,
			   (u64)node->start << PAGE_SHIFT);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);

	seq_printf(m, "gmem-private:\t%llu\n", private << PAGE_SHIFT);
	seq_printf(m, "gmem-shared:\t%llu\n", shared << PAGE_SHIFT);
}
