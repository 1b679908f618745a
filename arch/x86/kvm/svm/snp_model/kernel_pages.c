// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages in debugfs, for tests: blocks of a guest's that become one entry of the
 * RMP, as hosts with larger folios have them, and a page that the kernel has no
 * business in.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include <asm/snp_host.h>

#include "kernel_parts.h"
#include "snp_model.h"
#include "svm/svm.h"

/* The first page of the block at @gfn, all of which is prepared then. */
static int get_block(struct kvm *kvm, gfn_t gfn, kvm_pfn_t *block)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);
	unsigned int i;
	kvm_pfn_t pfn;
	int ret;

	if (!kvm_slot_has_gmem(slot))
		return -ENOENT;
	for (i = 0; i < PTRS_PER_PMD; i++) {
		if (gfn + i >= slot->base_gfn + slot->npages)
			return -ENOENT;
		ret = kvm_gmem_get_pfn(kvm, slot, gfn + i, &pfn, NULL);
		if (ret)
			return ret;
		kvm_release_pfn_clean(pfn);
		if (!i)
			*block = pfn;
		if (pfn != *block + i || !IS_ALIGNED(*block, PTRS_PER_PMD))
			return -EXDEV;
	}
	return 0;
}

/*
 * The guest loses what it has validated.  Nothing else may use the block: a page
 * that is punched out meanwhile would stay the guest's.
 */
static int join(struct kvm *kvm, void *arg)
{
	gfn_t gfn = *(u64 *)arg;
	kvm_pfn_t block;
	int idx, ret;

	if (kvm->arch.vm_type != KVM_X86_SNP_VM ||
	    !IS_ALIGNED(gfn, PTRS_PER_PMD))
		return -EINVAL;
	idx = srcu_read_lock(&kvm->srcu);
	ret = get_block(kvm, gfn, &block);
	srcu_read_unlock(&kvm->srcu, idx);
	if (ret)
		return ret;
	snp_gmem_invalidate(block, block + PTRS_PER_PMD);
	return snp_gmem_prepare(kvm, block, gfn, get_order(PMD_SIZE));
}

/* "FD GFN": of a VM. */
static ssize_t join_write(struct file *file, const char __user *from,
			  size_t size, loff_t *pos)
{
	unsigned int fd;
	char s[64];
	u64 gfn;
	int ret;

	if (size >= sizeof(s))
		return -EINVAL;
	if (copy_from_user(s, from, size))
		return -EFAULT;
	s[size] = 0;
	if (sscanf(s, "%u %llu", &fd, &gfn) != 2)
		return -EINVAL;
	ret = snp_model_call_for(fd, join, &gfn);
	return ret ? ret : size;
}

const struct file_operations snp_model_join_fops = {
	.open = simple_open,
	.write = join_write,
};

/* Assigned for as long as the file is open; of no guest that there is. */
static int page_open(struct inode *inode, struct file *file)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = rmp_make_private(page_to_pfn(page), 0, PG_LEVEL_4K,
			       SNPM_MAX_ASID, false);
	if (ret) {
		__free_page(page);
		return ret;
	}
	file->private_data = page;
	return 0;
}

static int page_release(struct inode *inode, struct file *file)
{
	struct page *page = file->private_data;

	/* One that is lost has another reference. */
	snp_take_page_back(page_to_pfn(page));
	__free_page(page);
	return 0;
}

/* A stray access. */
static ssize_t page_read(struct file *file, char __user *buf, size_t size,
			 loff_t *pos)
{
	u8 byte = READ_ONCE(*(u8 *)page_address(file->private_data));

	if (!size)
		return 0;
	return put_user(byte, buf) ?: 1;
}

const struct file_operations snp_model_page_fops = {
	.open = page_open,
	.release = page_release,
	.read = page_read,
};
