// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest_memfd in the address space of a process: mapping it, faults, and the
 * memory policy of its pages.  Vocabulary, invariants and locking are in
 * guest_memfd.h.
 *
 * A file that can be mapped is the only memory of the slots that it is bound
 * to.  Whether there is something to see in a mapping is another matter: only
 * shared files have pages for the host.
 */
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include <trace/events/kvm.h>

#include "guest_memfd.h"

/*
 * As filemap_fault() does it: what is there needs no invalidate_lock, as taking
 * it away unmaps it under the folio lock.
 */
static struct folio *get_folio(struct inode *inode, pgoff_t index)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio = filemap_lock_folio(mapping, index);

	if (!IS_ERR_OR_NULL(folio))
		return folio;
	if (index >= i_size_read(inode) >> PAGE_SHIFT)
		return ERR_PTR(-EFAULT);

	filemap_invalidate_lock_shared(mapping);
	folio = kvm_gmem_get_folio(inode, index);
	filemap_invalidate_unlock_shared(mapping);
	return folio;
}

static vm_fault_t gmem_fault_shared(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = get_folio(inode, vmf->pgoff);

	if (IS_ERR(folio))
		return vmf_error(PTR_ERR(folio));

	if (folio_test_hwpoison(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return VM_FAULT_HWPOISON;
	}

	/* Of a shared file: this cannot fail. */
	kvm_gmem_prepare_folio(kvm_gmem_i(inode)->kvm, 0, folio);
	trace_kvm_gmem_host_fault(folio, vmf->address);
	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

static vm_fault_t gmem_fault_private(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

#ifdef CONFIG_NUMA
static int gmem_set_policy(struct vm_area_struct *vma, struct mempolicy *policy)
{
	struct inode *inode = file_inode(vma->vm_file);

	return mpol_set_shared_policy(&kvm_gmem_i(inode)->policy, vma, policy);
}

static struct mempolicy *gmem_get_policy(struct vm_area_struct *vma,
					 unsigned long addr)
{
	struct inode *inode = file_inode(vma->vm_file);
	pgoff_t index = linear_page_index(vma, addr);

	return mpol_shared_policy_lookup(&kvm_gmem_i(inode)->policy, index);
}
#endif

static const struct vm_operations_struct gmem_private_vm_ops = {
	.fault = gmem_fault_private,
#ifdef CONFIG_NUMA
	.set_policy = gmem_set_policy,
	.get_policy = gmem_get_policy,
#endif
};

static const struct vm_operations_struct gmem_shared_vm_ops = {
	.fault = gmem_fault_shared,
	/* Passes over folios that are not prepared, or poisoned. */
	.map_pages = filemap_map_pages,
#ifdef CONFIG_NUMA
	.set_policy = gmem_set_policy,
	.get_policy = gmem_get_policy,
#endif
};

/**
 * kvm_gmem_mmap() - Map a guest_memfd into a process.
 * @file: The file.
 * @vma: Where.
 *
 * Return: 0; -ENODEV if the file cannot be mapped; -EINVAL if it is to be
 * mapped privately, as copies of its pages would be no guest's memory.
 */
int kvm_gmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(kvm_gmem_i(file_inode(file))->flags & GUEST_MEMFD_FLAG_MMAP))
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	vma->vm_ops = kvm_gmem_is_shared(file_inode(file)) ?
		      &gmem_shared_vm_ops : &gmem_private_vm_ops;
	return 0;
}
