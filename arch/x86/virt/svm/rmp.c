// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RMP as the host uses it: pages are made private and shared, looked up,
 * dumped, and leaked when nobody can take them back.
 *
 * Whether the table is the processor's or a model's is a matter of one set of
 * operations, which come once and stay while any page is assigned.
 */
#define pr_fmt(fmt) "SEV-SNP: " fmt

#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include <asm/processor.h>
#include <asm/snp_host.h>

/*
 * Processors that change entries of the same 2 MiB at once see each other as
 * an overlap.  One that stays is a mistake of the caller's.
 */
#define RMPUPDATE_TRIES		100000

static const struct snp_rmp_ops *rmp_ops;
static atomic_long_t nr_leaked;

/**
 * snp_set_rmp_ops() - Say where the RMP is.
 * @ops: valid until snp_clear_rmp_ops()
 *
 * Return: 0; -EBUSY if there is an RMP already.
 */
int snp_set_rmp_ops(const struct snp_rmp_ops *ops)
{
	return cmpxchg(&rmp_ops, NULL, ops) ? -EBUSY : 0;
}
EXPORT_SYMBOL_GPL(snp_set_rmp_ops);

/**
 * snp_clear_rmp_ops() - Take back what snp_set_rmp_ops() has set.
 * @ops: the same; does nothing if they are not in use
 *
 * Context: no page is assigned and nobody else calls anything here.
 */
void snp_clear_rmp_ops(const struct snp_rmp_ops *ops)
{
	cmpxchg(&rmp_ops, ops, NULL);
}
EXPORT_SYMBOL_GPL(snp_clear_rmp_ops);

/**
 * snp_rmp_enabled() - Whether there is an RMP that checks accesses.
 */
bool snp_rmp_enabled(void)
{
	return READ_ONCE(rmp_ops);
}
EXPORT_SYMBOL_GPL(snp_rmp_enabled);

/*
 * The entry that decides about @pfn: if it is in a 2 MiB page, that of the
 * first page.
 */
static int lookup(u64 pfn, struct snp_rmp_entry *e)
{
	struct snp_rmp_entry base;

	if (!snp_rmp_enabled())
		return -ENODEV;
	if (!rmp_ops->read(pfn, e))
		return -EFAULT;
	if (!rmp_ops->read(ALIGN_DOWN(pfn, PTRS_PER_PMD), &base))
		return -EFAULT;
	if (base.assigned && base.large)
		*e = base;
	return 0;
}

/**
 * snp_lookup_rmpentry() - Ask whether and how a page is assigned.
 * @pfn: the page
 * @assigned: set to whether somebody other than the host owns it
 * @level: set to the size of the entry, PG_LEVEL_4K or PG_LEVEL_2M
 *
 * Context: any.  What it says can be out of date, unless the caller keeps
 * others from changing the page.
 * Return: 0; -ENODEV without an RMP; -EFAULT if the RMP does not cover it.
 */
int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level)
{
	struct snp_rmp_entry e;
	int ret;

	ret = lookup(pfn, &e);
	if (ret)
		return ret;
	*assigned = e.assigned;
	*level = e.large ? PG_LEVEL_2M : PG_LEVEL_4K;
	return 0;
}
EXPORT_SYMBOL_GPL(snp_lookup_rmpentry);

/**
 * snp_rmp_asid() - Ask which guest a page is assigned to.
 * @pfn: the page
 *
 * Context: any.
 * Return: its ASID; 0 if it is no guest's.
 */
u32 snp_rmp_asid(u64 pfn)
{
	struct snp_rmp_entry e;

	return lookup(pfn, &e) || !e.assigned ? 0 : e.asid;
}
EXPORT_SYMBOL_GPL(snp_rmp_asid);

/**
 * snp_dump_rmpentry() - Print what the RMP says of a page.
 * @pfn: the page
 *
 * Context: any.
 */
void snp_dump_rmpentry(u64 pfn)
{
	struct snp_rmp_entry e;

	if (lookup(pfn, &e)) {
		pr_info("pfn 0x%llx has no RMP entry\n", pfn);
		return;
	}
	pr_info("pfn 0x%llx: %s %s ASID %u GPA 0x%llx%s%s%s [0x%016llx 0x%016llx]\n",
		pfn, e.assigned ? "assigned" : "shared", e.large ? "2M" : "4K",
		e.asid, e.gpa, e.immutable ? " immutable" : "",
		e.validated ? " validated" : "", e.vmsa ? " VMSA" : "",
		e.raw[0], e.raw[1]);
}
EXPORT_SYMBOL_GPL(snp_dump_rmpentry);

/**
 * snp_is_hva_assigned() - Whether a kernel address is that of an assigned page.
 * @hva: an address that faulted, whatever it is
 *
 * Context: any, an oops among them.
 * Return: false for what is neither of the direct map nor of the kernel's image.
 */
bool snp_is_hva_assigned(unsigned long hva)
{
	struct snp_rmp_entry e;

	return virt_addr_valid(hva) && !lookup(PHYS_PFN(__pa(hva)), &e) &&
	       e.assigned;
}

/**
 * snp_dump_hva_rmpentry() - Print what the RMP says of a kernel address.
 * @hva: an address that faulted
 *
 * Also of a page that has been taken out of the direct map.
 *
 * Context: any, an oops among them.
 */
void snp_dump_hva_rmpentry(unsigned long hva)
{
	unsigned int level;
	u64 offset;
	pte_t *pte;

	if (!snp_rmp_enabled())
		return;
	if (virt_addr_valid(hva)) {
		snp_dump_rmpentry(PHYS_PFN(__pa(hva)));
		return;
	}
	pte = lookup_address(hva, &level);
	if (!pte || !pte_present(*pte)) {
		pr_info("address 0x%lx is not mapped\n", hva);
		return;
	}
	offset = (hva & ~page_level_mask(level)) >> PAGE_SHIFT;
	snp_dump_rmpentry(pte_pfn(*pte) + offset);
}

/**
 * psmash() - Split a 2 MiB entry; the guest's page stays as it is.
 * @pfn: any page of it
 *
 * Context: any.
 * Return: 0; what the instruction returns, e.g. PSMASH_FAIL_INUSE; -ENODEV
 * without an RMP; -EINVAL if there is no such page.
 */
int psmash(u64 pfn)
{
	if (!snp_rmp_enabled())
		return -ENODEV;
	if (!pfn_valid(pfn))
		return -EINVAL;
	return rmp_ops->psmash(ALIGN_DOWN(pfn, PTRS_PER_PMD) << PAGE_SHIFT);
}
EXPORT_SYMBOL_GPL(psmash);

static int rmpupdate(u64 pfn, const struct snp_rmp_state *state)
{
	static DEFINE_RATELIMIT_STATE(rs, DEFAULT_RATELIMIT_INTERVAL, 2);
	unsigned int tries = RMPUPDATE_TRIES;
	u32 ret;

	do {
		ret = rmp_ops->rmpupdate(pfn << PAGE_SHIFT, state);
		if (ret != RMPUPDATE_FAIL_OVERLAP)
			break;
		cpu_relax();
	} while (--tries);
	if (!ret)
		return 0;
	if (__ratelimit(&rs)) {
		pr_err("RMPUPDATE of pfn 0x%llx failed: %u\n", pfn, ret);
		snp_dump_rmpentry(pfn);
	}
	return -EFAULT;
}

static int check_page(u64 pfn, enum pg_level level)
{
	if (!snp_rmp_enabled())
		return -ENODEV;
	if (level != PG_LEVEL_4K && level != PG_LEVEL_2M)
		return -EINVAL;
	if (level == PG_LEVEL_2M && !IS_ALIGNED(pfn, PTRS_PER_PMD))
		return -EINVAL;
	return pfn_valid(pfn) ? 0 : -EINVAL;
}

static void release(u64 pfn, enum pg_level level)
{
	if (rmp_ops->after_release)
		rmp_ops->after_release(pfn, level);
}

/* Undo before_assign() where the pages are still the host's. */
static void release_unassigned(u64 pfn, enum pg_level level)
{
	u64 end = pfn + (level == PG_LEVEL_2M ? PTRS_PER_PMD : 1);
	struct snp_rmp_entry e;

	for (; pfn < end; pfn++)
		if (!lookup(pfn, &e) && !e.assigned)
			release(pfn, PG_LEVEL_4K);
}

/**
 * rmp_make_private() - Assign a page to a guest, or to the firmware.
 * @pfn: the page, aligned to @level
 * @gpa: where the guest has it
 * @level: PG_LEVEL_4K or PG_LEVEL_2M
 * @asid: the guest's; 0: the firmware's
 * @immutable: only the firmware can change it from then on
 *
 * Context: may sleep.
 * Return: 0; -ENODEV without an RMP; -EINVAL if there is no such page;
 * -ENOMEM if the direct map cannot be split; -EFAULT if RMPUPDATE refuses.
 * The page is as it was then.
 */
int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid,
		     bool immutable)
{
	const struct snp_rmp_state state = {
		.gpa = gpa,
		.assigned = true,
		.pagesize = level == PG_LEVEL_2M,
		.immutable = immutable,
		.asid = asid,
	};
	struct snp_rmp_entry e;
	int ret;

	ret = check_page(pfn, level);
	if (!ret)
		ret = lookup(pfn, &e);
	if (!ret)
		ret = rmp_ops->before_assign(pfn, level);
	if (ret)
		return ret;
	ret = rmpupdate(pfn, &state);
	if (ret)
		release_unassigned(pfn, level);
	return ret;
}
EXPORT_SYMBOL_GPL(rmp_make_private);

/**
 * rmp_make_shared() - Take a page back for the host.
 * @pfn: the page, aligned to @level
 * @level: PG_LEVEL_4K or PG_LEVEL_2M, as it is assigned
 *
 * Contents are the guest's as the processor left them: the caller sees to it
 * that nobody reads them.
 *
 * A 4 KiB page can have been part of a large one, and of a large mapping, which
 * the host could not write while a page next to it is assigned.
 *
 * Context: may sleep.
 * Return: 0; -ENODEV without an RMP; -EINVAL if there is no such page;
 * -ENOMEM if the direct map cannot be split; -EFAULT if RMPUPDATE refuses.  The
 * page is not the host's then and must never be freed, see snp_leak_pages().
 */
int rmp_make_shared(u64 pfn, enum pg_level level)
{
	const struct snp_rmp_state state = {
		.pagesize = level == PG_LEVEL_2M,
	};
	int ret;

	ret = check_page(pfn, level);
	if (!ret && level == PG_LEVEL_4K)
		ret = rmp_ops->before_assign(pfn, level);
	if (ret)
		return ret;
	ret = rmpupdate(pfn, &state);
	if (!ret)
		release(pfn, level);
	else
		release_unassigned(pfn, level);
	return ret;
}
EXPORT_SYMBOL_GPL(rmp_make_shared);

/**
 * snp_leak_pages() - Record pages that can never be given back.
 * @pfn: the first
 * @npages: how many of 4 KiB
 *
 * Whoever got such a page from the allocator would fault when writing it, so
 * the caller keeps its reference for ever.
 *
 * Context: any.
 */
void snp_leak_pages(u64 pfn, unsigned int npages)
{
	static DEFINE_RATELIMIT_STATE(rs, DEFAULT_RATELIMIT_INTERVAL, 2);

	atomic_long_add(npages, &nr_leaked);
	if (__ratelimit(&rs)) {
		pr_err("%u pages from pfn 0x%llx on are lost, %ld in all\n",
		       npages, pfn, atomic_long_read(&nr_leaked));
		snp_dump_rmpentry(pfn);
	}
}
EXPORT_SYMBOL_GPL(snp_leak_pages);

/**
 * snp_nr_leaked_pages() - How many pages have been leaked since boot.
 */
unsigned long snp_nr_leaked_pages(void)
{
	return atomic_long_read(&nr_leaked);
}
EXPORT_SYMBOL_GPL(snp_nr_leaked_pages);
