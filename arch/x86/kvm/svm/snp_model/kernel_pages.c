// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages in debugfs, for tests: blocks of a guest's that become one entry of the
 * RMP, as hosts with larger folios have them; what the RMP has of a guest's
 * frames; and a page that the kernel has no business in.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
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
	int idx, ret, level;
	kvm_pfn_t block;
	bool assigned;

	if (kvm->arch.vm_type != KVM_X86_SNP_VM ||
	    !IS_ALIGNED(gfn, PTRS_PER_PMD))
		return -EINVAL;
	idx = srcu_read_lock(&kvm->srcu);
	ret = get_block(kvm, gfn, &block);
	srcu_read_unlock(&kvm->srcu, idx);
	if (ret)
		return ret;
	snp_gmem_invalidate(block, block + PTRS_PER_PMD);
	ret = snp_gmem_prepare(kvm, block, gfn, get_order(PMD_SIZE));
	if (!ret)
		ret = snp_lookup_rmpentry(block, &assigned, &level);
	return ret ? ret : level == PG_LEVEL_2M ? 0 : -EIO;
}

/* "FD GFN": of a VM. */
static ssize_t join_write(struct file *file, const char __user *from,
			  size_t size, loff_t *pos)
{
	char s[SNP_MODEL_LINE];
	unsigned int fd;
	u64 gfn;
	int ret;

	ret = snp_model_copy_line(s, from, size);
	if (ret)
		return ret;
	if (sscanf(s, "%u %llu", &fd, &gfn) != 2)
		return -EINVAL;
	ret = snp_model_call_for(fd, join, &gfn);
	return ret ? ret : size;
}

const struct file_operations snp_model_join_fops = {
	.open = simple_open,
	.write = join_write,
};

/* What a private frame of a guest has, as a letter. */
enum {
	ENTRY_NONE = '-',		/* no page */
	ENTRY_SHARED = 's',		/* a page that is no guest's */
	ENTRY_INVALID = 'i',		/* the guest's, not validated */
	ENTRY_VALID = 'v',
	ENTRY_WRONG = 'x',		/* another guest's, frame's or state */
};

struct entry_call {
	u64 gfn;
	unsigned int nr;
	char letters[PTRS_PER_PMD + 1];
};

static char entry_letter(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;
	kvm_pfn_t first = pfn;

	if (!snpm_lookup(PFN_PHYS(pfn), &e, &state))
		return ENTRY_WRONG;
	if (state == SNPM_PAGE_HYPERVISOR)
		return ENTRY_SHARED;

	/* Of a large page it is the entry of the first. */
	if (e.pagesize)
		first = ALIGN_DOWN(pfn, PTRS_PER_PMD);
	if (e.asid != to_kvm_svm(kvm)->sev_info.asid ||
	    e.gfn + (pfn - first) != gfn)
		return ENTRY_WRONG;
	if (state == SNPM_PAGE_GUEST_VALID)
		return ENTRY_VALID;
	return state == SNPM_PAGE_GUEST_INVALID ? ENTRY_INVALID : ENTRY_WRONG;
}

/* Locked, a page is not about to be given to the guest, nor to be taken back. */
static char look_up(struct kvm *kvm, struct kvm_memory_slot *slot,
		    struct file *file, gfn_t gfn)
{
	pgoff_t index = slot->gmem.node.start + (gfn - slot->base_gfn);
	struct folio *folio = filemap_lock_folio(file->f_mapping, index);
	char letter;

	if (IS_ERR_OR_NULL(folio))
		return ENTRY_NONE;
	letter = entry_letter(kvm, gfn,
			      page_to_pfn(folio_file_page(folio, index)));
	folio_unlock(folio);
	folio_put(folio);
	return letter;
}

static int look_up_all(struct kvm *kvm, struct entry_call *call)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, call->gfn);
	struct file *file;
	unsigned int i;

	if (!kvm_slot_has_gmem(slot) ||
	    call->nr > slot->base_gfn + slot->npages - call->gfn)
		return -ENOENT;
	file = srcu_dereference(slot->gmem.file, &kvm->srcu);
	if (!file)
		return -ENOENT;
	for (i = 0; i < call->nr; i++)
		call->letters[i] = look_up(kvm, slot, file, call->gfn + i);
	call->letters[i] = 0;
	return 0;
}

static int look_at_entries(struct kvm *kvm, void *arg)
{
	int idx, ret;

	if (kvm->arch.vm_type != KVM_X86_SNP_VM)
		return -EINVAL;
	idx = srcu_read_lock(&kvm->srcu);
	ret = look_up_all(kvm, arg);
	srcu_read_unlock(&kvm->srcu, idx);
	return ret;
}

static int entry_show(struct seq_file *m, void *unused)
{
	const struct entry_call *call = m->private;

	seq_printf(m, "%s\n", call->letters);
	return 0;
}

static int entry_open(struct inode *inode, struct file *file)
{
	return snp_model_open_call(file, sizeof(struct entry_call), entry_show);
}

/* "FD GFN NR": of a VM; what its frames have can be read. */
static ssize_t entry_write(struct file *file, const char __user *from,
			   size_t size, loff_t *pos)
{
	struct entry_call *call = snp_model_call_of(file);
	char s[SNP_MODEL_LINE];
	unsigned int fd;
	int ret;

	ret = snp_model_copy_line(s, from, size);
	if (ret)
		return ret;
	if (sscanf(s, "%u %llu %u", &fd, &call->gfn, &call->nr) != 3 ||
	    call->nr >= sizeof(call->letters))
		return -EINVAL;
	ret = snp_model_call_for(fd, look_at_entries, call);
	return ret ? ret : size;
}

const struct file_operations snp_model_entry_fops = {
	.open = entry_open,
	.read = seq_read,
	.write = entry_write,
	.release = snp_model_release_call,
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
