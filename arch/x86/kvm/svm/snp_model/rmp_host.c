// SPDX-License-Identifier: GPL-2.0-only
/* The host's instructions on the RMP: RMPUPDATE and PSMASH. */
#include "inject.h"
#include "rmp.h"
#include "snp_port.h"

static u64 new_size(const struct snpm_rmp_state *new)
{
	return new->pagesize ? SZ_2M : PAGE_SIZE;
}

static bool new_is_valid(u64 spa, const struct snpm_rmp_state *new)
{
	if (new->pagesize > SNPM_2M || new->asid > SNPM_MAX_ASID ||
	    new->gpa >= SNPM_GPA_END)
		return false;
	if (!IS_ALIGNED(spa, new_size(new)))
		return false;
	if (!new->assigned && (new->immutable || new->asid))
		return false;
	return snpm_rmp_covers(spa, new_size(new));
}

/*
 * Why an entry of [spa, spa + size) cannot be replaced.  Immutable 4 KiB pages
 * in the way of a 2 MiB page are an overlap, unless nobody may have them.
 */
static u32 check_old(u64 spa, u64 size)
{
	u32 ret = SNPM_SUCCESS;
	u64 i;

	for (i = 0; i < size; i += PAGE_SIZE) {
		struct snpm_rmp_entry *e = snpm_rmp_entry(spa + i);

		if (e->in_use)
			return SNPM_FAIL_INUSE;
		if (e->immutable && (!i || !e->assigned))
			ret = SNPM_FAIL_PERMISSION;
	}
	return ret;
}

static bool overlaps(u64 spa, u64 size)
{
	bool large = snpm_rmp_leaf(spa)->pagesize;

	if (size == PAGE_SIZE)
		return large;
	return !large && !snpm_rmp_is_hypervisors(spa, size);
}

static bool is_same_page(const struct snpm_rmp_entry *e,
			 const struct snpm_rmp_state *new)
{
	return e->assigned && new->assigned && e->pagesize == new->pagesize &&
	       e->asid == new->asid && e->gfn == new->gpa >> PAGE_SHIFT;
}

static void reset(struct snpm_rmp_entry *e, const struct snpm_rmp_state *new)
{
	*e = (struct snpm_rmp_entry) {
		.assigned = !!new->assigned,
		.pagesize = new->assigned && new->pagesize,
	};
	if (!new->assigned)
		return;
	e->gfn = new->gpa >> PAGE_SHIFT;
	e->asid = new->asid;
	e->perms[0] = SNPM_PERM_ALL;
}

static void replace(u64 spa, const struct snpm_rmp_state *new)
{
	struct snpm_rmp_entry *e = snpm_rmp_entry(spa);
	u64 size = new_size(new), i;

	snpm_rmp_begin(spa, size);
	if (!is_same_page(e, new)) {
		reset(e, new);
		for (i = 1; i < size >> PAGE_SHIFT; i++)
			e[i] = (struct snpm_rmp_entry) {
				.assigned = !!new->assigned,
			};
	}
	e->immutable = !!new->immutable;
	snpm_rmp_end(spa, size);
}

static u32 rmpupdate(u64 spa, const struct snpm_rmp_state *new)
{
	u32 ret;

	if (!new_is_valid(spa, new))
		return SNPM_FAIL_INPUT;
	ret = check_old(spa, new_size(new));
	if (ret)
		return ret;
	if (overlaps(spa, new_size(new)))
		return SNPM_FAIL_OVERLAP;
	replace(spa, new);
	return SNPM_SUCCESS;
}

u32 snpm_rmpupdate(u64 spa, const struct snpm_rmp_state *new)
{
	u32 ret;

	snpm_port_rmp_lock();
	ret = snpm_injected(SNPM_FAIL_RMPUPDATE, 0);
	if (!ret)
		ret = rmpupdate(ALIGN_DOWN(spa, PAGE_SIZE), new);
	snpm_port_rmp_unlock();
	return ret;
}

static void smash(u64 spa)
{
	struct snpm_rmp_entry *e = snpm_rmp_entry(spa);
	u64 i;

	snpm_rmp_begin(spa, SZ_2M);
	e->pagesize = SNPM_4K;
	for (i = 1; i < SNPM_2M_PAGES; i++) {
		e[i] = e[0];
		e[i].gfn += i;
	}
	snpm_rmp_end(spa, SZ_2M);
}

static u32 psmash(u64 spa)
{
	struct snpm_rmp_entry *e = snpm_rmp_entry(spa);

	if (!e || !IS_ALIGNED(spa, SZ_2M))
		return SNPM_FAIL_INPUT;
	if (e->in_use)
		return SNPM_FAIL_INUSE;
	if (!e->pagesize || e->immutable)
		return SNPM_FAIL_BADADDR;
	smash(spa);
	return SNPM_SUCCESS;
}

u32 snpm_psmash(u64 spa)
{
	u32 ret;

	snpm_port_rmp_lock();
	ret = snpm_injected(SNPM_FAIL_PSMASH, 0);
	if (!ret)
		ret = psmash(spa);
	snpm_port_rmp_unlock();
	return ret;
}
