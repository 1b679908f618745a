// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages on their way between the hypervisor and SEV-SNP's firmware.
 *
 * The firmware writes to pages of its own alone: in the RMP they are assigned,
 * immutable, of ASID 0.  Only the firmware makes them mutable again
 * (PAGE_RECLAIM); then the hypervisor takes them back (RMPUPDATE).  Meanwhile
 * the host may not write them, nor rely on reading them.
 *
 * A page that does not come back is lost: it is counted, and nobody may free
 * it.
 */
#include <linux/cacheflush.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/psp-sev.h>
#include <linux/sched.h>

#include <asm/snp_host.h>

#include "sev-snp.h"

static u64 pfn_of(const void *va)
{
	return PHYS_PFN(__pa(va));
}

static int give_page(u64 pfn)
{
	return rmp_make_private(pfn, 0, PG_LEVEL_4K, 0, true);
}

/* Pages that are the hypervisor's already stay so. */
static int take_page_locked(u64 pfn)
{
	struct sev_data_snp_page_reclaim data = { .paddr = PFN_PHYS(pfn) };
	int ret;

	ret = snp_do_cmd_locked(SEV_CMD_SNP_PAGE_RECLAIM, &data, NULL);
	if (!ret)
		ret = rmp_make_shared(pfn, PG_LEVEL_4K);
	return ret ? -EIO : 0;
}

/* snp_reclaim_page() for who holds sev_cmd_mutex. */
int snp_reclaim_page_locked(u64 pfn)
{
	int ret = take_page_locked(pfn);

	if (ret)
		snp_leak_pages(pfn, 1);
	return ret;
}

/**
 * snp_reclaim_page() - Take a page back from the firmware or a guest.
 * @pfn: the page, assigned with 4 KiB
 *
 * It holds what it held: the caller scrubs it.
 *
 * Context: may sleep; takes sev_cmd_mutex.
 * Return: 0; -EIO if it cannot be had: it is counted as lost, and the caller
 * must not free it.
 */
int snp_reclaim_page(u64 pfn)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_reclaim_page_locked(pfn);
	mutex_unlock(&sev_cmd_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(snp_reclaim_page);

/*
 * Give the firmware a page that it keeps until it is told to give it back.
 *
 * Return: 0; an errno if the page is as it was.
 */
int snp_give_page_locked(void *page)
{
	lockdep_assert_held(&sev_cmd_mutex);
	if (!snp_is_initialized())
		return -ENODEV;
	/* It would be lost. */
	if (!snp_firmware_answers_locked())
		return -EBUSY;
	return give_page(pfn_of(page));
}

/**
 * snp_alloc_firmware_page() - Allocate a page of the firmware's.
 * @gfp: how; the page is zeroed
 *
 * Context: may sleep; takes sev_cmd_mutex.
 * Return: its address, which the host must not write to; NULL if there is no
 * memory, SEV-SNP is not initialized, or the firmware does not answer any more.
 */
void *snp_alloc_firmware_page(gfp_t gfp)
{
	void *page = (void *)__get_free_page(gfp | __GFP_ZERO);
	int ret;

	if (!page)
		return NULL;
	mutex_lock(&sev_cmd_mutex);
	ret = snp_give_page_locked(page);
	mutex_unlock(&sev_cmd_mutex);
	if (ret) {
		free_page((unsigned long)page);
		return NULL;
	}
	return page;
}
EXPORT_SYMBOL_GPL(snp_alloc_firmware_page);

/**
 * snp_free_firmware_page() - Free a page of the firmware's.
 * @page: of snp_alloc_firmware_page(), no guest's context any more; or NULL
 *
 * It is lost if the firmware does not give it back.
 *
 * Context: may sleep; takes sev_cmd_mutex.
 */
void snp_free_firmware_page(void *page)
{
	if (!page || snp_reclaim_page(pfn_of(page)))
		return;
	clear_page(page);
	free_page((unsigned long)page);
}
EXPORT_SYMBOL_GPL(snp_free_firmware_page);

/* Whether somebody other than the host owns the page. */
bool snp_page_is_assigned(u64 pfn)
{
	bool assigned;
	int level;

	return !snp_lookup_rmpentry(pfn, &assigned, &level) && assigned;
}

/*
 * Give pages that have references of their own to the firmware.
 *
 * Return: 0; -EIO if some are lost, as with snp_take_pages_locked(); another
 * errno if all are as they were.
 */
int snp_give_pages_locked(u64 pfn, unsigned long nr)
{
	unsigned long i;
	int ret;

	lockdep_assert_held(&sev_cmd_mutex);
	for (i = 0; i < nr; i++) {
		ret = give_page(pfn + i);
		if (ret)
			goto undo;
		cond_resched();
	}
	return 0;
undo:
	return snp_take_pages_locked(pfn, i) ?: ret;
}

/*
 * Take them back.  Who has got them frees them as if nothing had happened: the
 * reference taken here keeps a lost page from the allocator.
 *
 * Return: 0; -EIO if some are lost.
 */
int snp_take_pages_locked(u64 pfn, unsigned long nr)
{
	u64 end = pfn + nr;
	int ret = 0;

	lockdep_assert_held(&sev_cmd_mutex);
	for (; pfn < end; pfn++) {
		if (snp_reclaim_page_locked(pfn)) {
			get_page(pfn_to_page(pfn));
			ret = -EIO;
		}
		cond_resched();
	}
	return ret;
}

static void drop_buffer(void **buf, size_t size)
{
	free_pages_exact(*buf, size);
	*buf = NULL;
}

/*
 * Give the firmware a buffer of alloc_pages_exact() that it keeps for longer
 * than a command.  One that is lost is freed as far as it can be.
 */
int snp_give_buffer_locked(void **buf, size_t size)
{
	int ret;

	if (!*buf || snp_page_is_assigned(pfn_of(*buf)))
		return 0;
	clflush_cache_range(*buf, size);
	ret = snp_give_pages_locked(pfn_of(*buf), PFN_UP(size));
	if (ret == -EIO)
		drop_buffer(buf, size);
	return ret;
}

void snp_take_buffer_locked(void **buf, size_t size)
{
	if (!*buf || !snp_page_is_assigned(pfn_of(*buf)))
		return;
	if (snp_take_pages_locked(pfn_of(*buf), PFN_UP(size)))
		drop_buffer(buf, size);
}
