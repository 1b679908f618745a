// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's RMP as the kernel's: its operations, and the direct map, which
 * an assigned page leaves so that a stray access by the host faults.
 */
#define pr_fmt(fmt) "SEV-SNP model: " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>

#include <asm/snp_host.h>
#include <asm/tlbflush.h>

#include "kernel_cpu.h"
#include "kernel_parts.h"
#include "snp_model.h"
#include "snp_port.h"

#define SCRAMBLE	0xa5c396e10f5a3c69ULL

static atomic64_t rmp_generation;

/* By page: see has_contents(). */
static unsigned long *rescinded;

/* How often the RMP has changed: a CPU looks at its entries again then. */
u64 snp_rmp_generation(void)
{
	return atomic64_read(&rmp_generation);
}

void snp_rmp_changed(void)
{
	atomic64_inc(&rmp_generation);
}

/* What the host finds in a guest's page: no ciphertext, but no contents either. */
static void scramble(u64 spa)
{
	u64 *words = snpm_port_map(spa);
	unsigned int i;

	if (!words)
		return;
	for (i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] ^= SCRAMBLE;
	snpm_port_unmap(words);
}

/* A page that is not valid can have been: then the guest has used it. */
static bool has_contents(u64 spa)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	if (!snpm_lookup(spa, &e, &state))
		return false;
	return state == SNPM_PAGE_GUEST_VALID ||
	       (state == SNPM_PAGE_GUEST_INVALID &&
		test_bit(PHYS_PFN(spa), rescinded));
}

/* The guest has declared the page invalid. */
void snp_rmp_rescinded(u64 spa, enum snpm_page_size size)
{
	u64 pfn = PHYS_PFN(spa), nr = size == SNPM_2M ? PTRS_PER_PMD : 1;

	for (pfn = ALIGN_DOWN(pfn, nr); nr--; pfn++)
		set_bit(pfn, rescinded);
}

static u32 model_rmpupdate(u64 spa, const struct snp_rmp_state *state)
{
	const struct snpm_rmp_state new = {
		.gpa = state->gpa,
		.assigned = state->assigned,
		.pagesize = state->pagesize,
		.immutable = state->immutable,
		.asid = state->asid,
	};
	bool leaves = !state->assigned && has_contents(spa);
	u64 end = spa + (state->pagesize ? SZ_2M : PAGE_SIZE);
	u32 ret;

	ret = snpm_rmpupdate(spa, &new);
	snp_rmp_changed();
	for (; !ret && leaves && spa < end; spa += PAGE_SIZE) {
		clear_bit(PHYS_PFN(spa), rescinded);
		scramble(spa);
	}
	return ret;
}

static u32 model_psmash(u64 spa)
{
	u32 ret = snpm_psmash(spa);

	snp_rmp_changed();
	return ret;
}

static bool model_read(u64 pfn, struct snp_rmp_entry *to)
{
	enum snpm_page_state state;
	struct snpm_rmp_entry e;

	if (!snpm_lookup(pfn << PAGE_SHIFT, &e, &state))
		return false;
	*to = (struct snp_rmp_entry) {
		.gpa = (u64)e.gfn << PAGE_SHIFT,
		.asid = e.asid,
		.assigned = e.assigned,
		.large = e.pagesize,
		.immutable = e.immutable,
		.vmsa = e.vmsa,
		.validated = e.validated,
	};
	static_assert(sizeof(to->raw) == sizeof(e));
	memcpy(to->raw, &e, sizeof(e));
	return true;
}

static bool is_assigned(u64 pfn)
{
	struct snp_rmp_entry e;

	return model_read(pfn, &e) && e.assigned;
}

static unsigned int nr_pages(enum pg_level level)
{
	return level == PG_LEVEL_2M ? PTRS_PER_PMD : 1;
}

static void model_after_release(u64 pfn, enum pg_level level)
{
	unsigned int i;

	for (i = 0; i < nr_pages(level); i++)
		if (set_direct_map_default_noflush(pfn_to_page(pfn + i)))
			pr_err("pfn 0x%llx stays out of the direct map\n",
			       pfn + i);
}

/* A page that is out already stays so: that it is set again is no matter. */
static int model_before_assign(u64 pfn, enum pg_level level)
{
	unsigned long va = (unsigned long)pfn_to_kaddr(pfn);
	unsigned int i;
	int err;

	if (level == PG_LEVEL_4K && is_assigned(pfn))
		return 0;
	for (i = 0; i < nr_pages(level); i++) {
		err = set_direct_map_invalid_noflush(pfn_to_page(pfn + i));
		if (err)
			goto undo;
	}
	flush_tlb_kernel_range(va, va + nr_pages(level) * PAGE_SIZE);
	return 0;
undo:
	while (i--)
		if (!is_assigned(pfn + i))
			model_after_release(pfn + i, PG_LEVEL_4K);
	return err;
}

static const struct snp_rmp_ops model_ops = {
	.rmpupdate = model_rmpupdate,
	.psmash = model_psmash,
	.read = model_read,
	.before_assign = model_before_assign,
	.after_release = model_after_release,
};

int __init snp_model_start_rmp(void)
{
	struct snpm_config config = {
		.nr_pages = max_pfn,
		.max_asid = SNPM_MAX_ASID,
	};
	int err = -ENOMEM;

	/* Not twice: snpm_init() would forget what is assigned. */
	if (snp_rmp_enabled())
		return -EBUSY;
	config.rmp = vzalloc(array_size(max_pfn, sizeof(*config.rmp)));
	rescinded = bitmap_zalloc(max_pfn, GFP_KERNEL);
	if (!config.rmp || !rescinded)
		goto free;
	snpm_init(&config);
	err = snp_set_rmp_ops(&model_ops);
	if (err)
		goto free;
	return 0;

free:
	bitmap_free(rescinded);
	vfree(config.rmp);
	return err;
}
