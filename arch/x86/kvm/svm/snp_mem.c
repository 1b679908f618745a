// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of SNP guests: pages of a guest_memfd are given to the guest in the
 * RMP, and taken back; and pages that have to keep clear of large ones.
 *
 * A page is assigned to a guest exactly while it is prepared or populated, see
 * guest_memfd.h.  One that cannot be taken back is lost: a reference that is
 * never put keeps it from the allocator.
 */
#include <linux/bitmap.h>
#include <linux/cacheflush.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <asm/snp_host.h>

#include "svm.h"

/* PVALIDATE and RMPUPDATE of another CPU have an entry in use for a moment. */
#define PSMASH_TRIES		1000

/* Those that lost pages have: the firmware gives them to no guest any more. */
static DECLARE_BITMAP(lost_asids, SNP_RMP_NR_ASIDS);

static unsigned int nr_pages(int level)
{
	return KVM_PAGES_PER_HPAGE(level);
}

static bool is_assigned(kvm_pfn_t pfn)
{
	bool assigned;
	int level;

	return !snp_lookup_rmpentry(pfn, &assigned, &level) && assigned;
}

/* What the guest has left in caches must not be written over what comes next. */
static void flush_pages(kvm_pfn_t pfn, unsigned int nr)
{
	if (boot_cpu_has(X86_FEATURE_SME_COHERENT))
		clflush_cache_range(pfn_to_kaddr(pfn), nr * PAGE_SIZE);
	else
		wbinvd_on_all_cpus();
}

/**
 * snp_lose_pages() - Keep pages that are not the host's for ever.
 * @pfn: the first
 * @nr: how many
 *
 * The caller frees them as if nothing had happened.
 *
 * Context: any.
 */
void snp_lose_pages(kvm_pfn_t pfn, unsigned int nr)
{
	u32 asid = snp_rmp_asid(pfn);
	unsigned int i;

	if (asid && asid < SNP_RMP_NR_ASIDS)
		set_bit(asid, lost_asids);
	for (i = 0; i < nr; i++)
		get_page(pfn_to_page(pfn + i));
	snp_leak_pages(pfn, nr);
}

/**
 * snp_is_asid_lost() - Whether a page has been lost that has an ASID.
 * @asid: the ASID
 *
 * Context: any; no guest has it any more, or is about to give it up.
 */
bool snp_is_asid_lost(unsigned int asid)
{
	return asid < SNP_RMP_NR_ASIDS && test_bit(asid, lost_asids);
}

/**
 * snp_take_page_back() - Make a page of a guest shared.
 * @pfn: the page, assigned with 4 KiB, and mutable; or not assigned
 *
 * Context: may sleep.
 * Return: 0; an error if the page is lost.
 */
int snp_take_page_back(kvm_pfn_t pfn)
{
	int ret;

	if (!is_assigned(pfn))
		return 0;

	ret = rmp_make_shared(pfn, PG_LEVEL_4K);
	if (ret)
		snp_lose_pages(pfn, 1);
	else
		flush_pages(pfn, 1);
	return ret;
}

static bool fits(kvm_pfn_t pfn, kvm_pfn_t end, int level)
{
	return IS_ALIGNED(pfn, nr_pages(level)) && end - pfn >= nr_pages(level);
}

/* Split the entry that @pfn is in, if another CPU does not do so first. */
static int smash(kvm_pfn_t pfn)
{
	unsigned int tries = PSMASH_TRIES;
	bool assigned;
	int level, ret;

	do {
		ret = psmash(pfn);
		if (ret != PSMASH_FAIL_INUSE)
			break;
		cpu_relax();
	} while (--tries);

	if (ret && !snp_lookup_rmpentry(pfn, &assigned, &level) &&
	    level == PG_LEVEL_4K)
		return 0;
	return ret;
}

/* Take back what is at @pfn; returns how many pages that was. */
static unsigned int take_entry_back(kvm_pfn_t pfn, kvm_pfn_t end)
{
	bool assigned;
	int level, ret = 0;

	if (snp_lookup_rmpentry(pfn, &assigned, &level) || !assigned)
		return 1;

	if (!fits(pfn, end, level)) {
		ret = smash(pfn);
		level = PG_LEVEL_4K;
	}
	if (!ret)
		ret = rmp_make_shared(pfn, level);
	if (ret)
		snp_lose_pages(pfn, nr_pages(level));
	else
		flush_pages(pfn, nr_pages(level));
	return nr_pages(level);
}

/**
 * snp_gmem_invalidate() - See kvm_arch_gmem_invalidate().
 * @start: first page frame
 * @end: page frame after the last
 *
 * For VMs of any type: pages that are nobody's stay as they are.
 *
 * Context: may sleep.
 */
void snp_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	kvm_pfn_t pfn = start;

	if (!snp_rmp_enabled())
		return;

	while (pfn < end) {
		pfn += take_entry_back(pfn, end);
		cond_resched();
	}
}

static int entry_level(kvm_pfn_t pfn, gfn_t gfn, kvm_pfn_t end)
{
	if (fits(pfn, end, PG_LEVEL_2M) &&
	    IS_ALIGNED(gfn, nr_pages(PG_LEVEL_2M)))
		return PG_LEVEL_2M;
	return PG_LEVEL_4K;
}

/* What could not be taken back must not be prepared, i.e. cleared, again. */
static void undo_give_pages(struct kvm *kvm, kvm_pfn_t pfn, kvm_pfn_t end)
{
	snp_gmem_invalidate(pfn, end);
	for (; pfn < end; pfn++)
		if (is_assigned(pfn))
			kvm_vm_dead(kvm);
}

/* All of [pfn, end), or nothing and an error. */
static int give_pages(struct kvm *kvm, kvm_pfn_t start, kvm_pfn_t end,
		      gfn_t gfn)
{
	u32 asid = to_kvm_svm(kvm)->sev_info.asid;
	kvm_pfn_t pfn = start;
	int level, ret;

	while (pfn < end) {
		level = entry_level(pfn, gfn, end);
		ret = rmp_make_private(pfn, gfn_to_gpa(gfn), level, asid, false);
		if (ret) {
			undo_give_pages(kvm, start, pfn);
			return ret;
		}
		pfn += nr_pages(level);
		gfn += nr_pages(level);
		cond_resched();
	}
	return 0;
}

/**
 * snp_gmem_prepare() - See kvm_arch_gmem_prepare().
 * @kvm: the VM
 * @pfn: first page frame
 * @gfn: first guest frame
 * @max_order: of the pages
 *
 * Does nothing for guests that are not SNP ones, or whose pages have been
 * populated.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if the guest has not been launched; -EFAULT if @gfn is not
 * private; or an error of rmp_make_private().
 */
int snp_gmem_prepare(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int max_order)
{
	if (kvm->arch.vm_type != KVM_X86_SNP_VM)
		return 0;
	if (!snp_is_launched(kvm))
		return -EINVAL;
	if (!kvm_mem_is_private(kvm, gfn))
		return -EFAULT;
	if (is_assigned(pfn))
		return 0;

	return give_pages(kvm, pfn, pfn + (1ul << max_order), gfn);
}

/**
 * snp_gmem_max_mapping_level() - How large a mapping of a page may be.
 * @kvm: the VM
 * @pfn: the page
 * @is_private: the guest has it as private
 *
 * A mapping that is larger than the entry in the RMP would fault for ever.
 *
 * Context: any.
 * Return: PG_LEVEL_*; 0 if any is right.
 */
int snp_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private)
{
	bool assigned;
	int level;

	if (!is_private || !sev_snp_guest(kvm))
		return 0;
	if (snp_lookup_rmpentry(pfn, &assigned, &level) || !assigned)
		return PG_LEVEL_4K;
	return level;
}

/**
 * snp_safe_alloc_page() - Allocate a page that the processor uses by itself.
 * @gfp: how, besides __GFP_ZERO
 *
 * Some processors take the entry of a 2 MiB aligned page in use, as VMCB, VMSA
 * and their like are, for that of a large page: writes anywhere in these 2 MiB
 * fault then.  Where there is an RMP such pages are passed over.
 *
 * Context: may sleep if @gfp says so.
 * Return: the page, zeroed; NULL without memory.
 */
struct page *snp_safe_alloc_page(gfp_t gfp)
{
	struct page *page;

	if (!snp_rmp_enabled())
		return alloc_page(gfp | __GFP_ZERO);

	page = alloc_pages(gfp | __GFP_ZERO, 1);
	if (!page)
		return NULL;

	split_page(page, 1);
	if (IS_ALIGNED(page_to_pfn(page), PTRS_PER_PMD)) {
		__free_page(page);
		return page + 1;
	}
	__free_page(page + 1);
	return page;
}
