// SPDX-License-Identifier: GPL-2.0-only
/*
 * Granules: memory that goes to the RMM and comes back.
 *
 * The RMM scrubs a granule before it lets the host have it again.  One that it
 * does not give back stays allocated for ever: any access to it would fault.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#include "realm.h"

static_assert(PAGE_SIZE == RMI_GRANULE_SIZE);

static atomic_t nr_delegated;
static atomic_t nr_leaked;

/**
 * realm_granule_delegate() - Give a page to the RMM.
 * @pa: Its physical address.
 *
 * Context: Any.
 * Return: 0; or the RMM's error.
 */
int realm_granule_delegate(phys_addr_t pa)
{
	int r = rmi_to_errno(rmi_granule_delegate(pa));

	if (!r)
		atomic_inc(&nr_delegated);
	return r;
}

/* Count granules as leaked; their pages have references that stay. */
void granule_leak(unsigned int nr)
{
	atomic_add(nr, &nr_leaked);
}

static bool granule_undelegate(phys_addr_t pa)
{
	if (rmi_granule_undelegate(pa))
		return false;

	atomic_dec(&nr_delegated);
	return true;
}

/**
 * realm_granule_alloc() - Allocate a granule for the RMM's own use.
 * @gfp: How; with __GFP_ACCOUNT if a user is to pay.
 *
 * Context: May sleep if @gfp says so.
 * Return: Its physical address, delegated; 0 if there is no memory or the RMM
 * does not want it.
 */
phys_addr_t realm_granule_alloc(gfp_t gfp)
{
	struct page *page = alloc_page(gfp);

	if (!page)
		return 0;
	if (realm_granule_delegate(page_to_phys(page))) {
		__free_page(page);
		return 0;
	}
	return page_to_phys(page);
}

/**
 * realm_granule_free() - Free what realm_granule_alloc() has allocated.
 * @pa: Its physical address; the RMM has it as DELEGATED.
 *
 * If the RMM keeps it, it is leaked.
 *
 * Context: Any.
 */
void realm_granule_free(phys_addr_t pa)
{
	if (granule_undelegate(pa))
		__free_page(phys_to_page(pa));
	else
		granule_leak(1);
}

/**
 * realm_granules_leaked() - How many granules could not be taken back.
 *
 * Return: That, since boot, of all realms.
 */
unsigned long realm_granules_leaked(void)
{
	return atomic_read(&nr_leaked);
}

/*
 * Pages of a guest_memfd stay delegated, mapped or not, until they leave the
 * file.  PG_checked, which is for a filesystem to use, says that they are: pages
 * of other VMs' files, and of files that the host maps, never are.
 */
int granule_delegate_page(struct page *page)
{
	int r = realm_granule_delegate(page_to_phys(page));

	if (!r)
		SetPageChecked(page);
	return r;
}

/* Return: False if the page cannot be used any more; it is leaked then. */
bool granule_undelegate_page(struct page *page)
{
	if (granule_undelegate(page_to_phys(page))) {
		ClearPageChecked(page);
		return true;
	}
	get_page(page);
	granule_leak(1);
	return false;
}

/* The file takes the page back from all mappings before it calls this. */
void kvm_arch_gmem_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	kvm_pfn_t pfn;

	for (pfn = start; pfn < end; pfn++)
		if (PageChecked(pfn_to_page(pfn)))
			granule_undelegate_page(pfn_to_page(pfn));
}

int kvm_arch_gmem_prepare(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
			  int max_order)
{
	unsigned long nr = 1UL << max_order, i;
	int r;

	if (!kvm_is_realm(kvm))
		return 0;

	for (i = 0; i < nr; i++) {
		r = granule_delegate_page(pfn_to_page(pfn + i));
		if (r)
			goto out_undelegate;
	}
	return 0;

out_undelegate:
	kvm_arch_gmem_invalidate(pfn, pfn + i);
	return r;
}

static int __init granule_init_debugfs(void)
{
	if (static_key_enabled(&kvm_rmi_is_available)) {
		debugfs_create_atomic_t("realm_granules_delegated", 0444,
					kvm_debugfs_dir, &nr_delegated);
		debugfs_create_atomic_t("realm_granules_leaked", 0444,
					kvm_debugfs_dir, &nr_leaked);
	}
	return 0;
}
late_initcall(granule_init_debugfs);
