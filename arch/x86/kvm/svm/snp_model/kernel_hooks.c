// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls the hooks of guest_memfd for pages that are no file's, of any order: the
 * folios of files are single pages so far.  For tests of 2 MiB entries, and for
 * what they cost.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include <asm/snp_host.h>

#include "kernel_parts.h"
#include "svm/svm.h"

struct hook_call {
	u64 gfn;
	unsigned int order;
	/* How many pages each call of invalidate takes back. */
	unsigned int step;
	/*
	 * Between the hooks, of the first page: its entry, and how large a
	 * mapping of it may be as private and as shared.
	 */
	int level;
	int private_level;
	int shared_level;
	u64 prepare_ns;
	u64 invalidate_ns;
};

static u64 invalidate(kvm_pfn_t pfn, const struct hook_call *call)
{
	kvm_pfn_t end = pfn + (1ul << call->order);
	u64 start = ktime_get_ns();

	for (; pfn < end; pfn += call->step)
		snp_gmem_invalidate(pfn, min(end, pfn + call->step));
	return ktime_get_ns() - start;
}

static int call_hooks(struct kvm *kvm, void *arg)
{
	struct hook_call *call = arg;
	size_t size = PAGE_SIZE << call->order;
	bool assigned;
	kvm_pfn_t pfn;
	void *pages;
	u64 start;
	int ret;

	pages = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);
	if (!pages)
		return -ENOMEM;
	pfn = PHYS_PFN(__pa(pages));

	start = ktime_get_ns();
	ret = snp_gmem_prepare(kvm, pfn, call->gfn, call->order);
	call->prepare_ns = ktime_get_ns() - start;
	if (!ret) {
		ret = snp_lookup_rmpentry(pfn, &assigned, &call->level);
		call->private_level = snp_gmem_max_mapping_level(kvm, pfn, true);
		call->shared_level = snp_gmem_max_mapping_level(kvm, pfn, false);
		call->invalidate_ns = invalidate(pfn, call);
	}
	/* Lost ones have another reference. */
	free_pages_exact(pages, size);
	return ret;
}

static int hooks_show(struct seq_file *m, void *unused)
{
	const struct hook_call *call = m->private;

	seq_printf(m, "level %d private %d shared %d prepare_ns %llu invalidate_ns %llu\n",
		   call->level, call->private_level, call->shared_level,
		   call->prepare_ns, call->invalidate_ns);
	return 0;
}

static int hooks_open(struct inode *inode, struct file *file)
{
	return snp_model_open_call(file, sizeof(struct hook_call), hooks_show);
}

/* "FD GFN ORDER STEP": of a VM; what came of it can be read. */
static ssize_t hooks_write(struct file *file, const char __user *from,
			   size_t size, loff_t *pos)
{
	struct hook_call *call = snp_model_call_of(file);
	char s[SNP_MODEL_LINE];
	unsigned int fd;
	int ret;

	ret = snp_model_copy_line(s, from, size);
	if (ret)
		return ret;
	if (sscanf(s, "%u %llu %u %u", &fd, &call->gfn, &call->order,
		   &call->step) != 4 ||
	    call->order >= MAX_ORDER || !call->step)
		return -EINVAL;
	ret = snp_model_call_for(fd, call_hooks, call);
	return ret ? ret : size;
}

const struct file_operations snp_model_hooks_fops = {
	.open = hooks_open,
	.read = seq_read,
	.write = hooks_write,
	.release = snp_model_release_call,
};
