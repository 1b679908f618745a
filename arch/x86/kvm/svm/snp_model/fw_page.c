// SPDX-License-Identifier: GPL-2.0-only
/* Pages: PAGE_RECLAIM, PAGE_UNSMASH, PAGE_MD_INIT, DBG_DECRYPT. */
#include "fw.h"

static u32 check_reclaim(u64 spa, bool large, struct snpm_rmp_entry *e)
{
	enum snpm_page_state state = snpm_page_get(spa, e);

	if (state == SNPM_PAGE_DEFAULT)
		return SNPFW_INVALID_PAGE_STATE;
	if (e->pagesize != large)
		return SNPFW_INVALID_PAGE_SIZE;
	switch (state) {
	case SNPM_PAGE_METADATA:
	case SNPM_PAGE_FIRMWARE:
	case SNPM_PAGE_PRE_GUEST:
	case SNPM_PAGE_PRE_SWAP:
		return SNPFW_SUCCESS;
	default:
		/* Software can have it already. */
		return e->immutable ? SNPFW_INVALID_PAGE_STATE : SNPFW_SUCCESS;
	}
}

u32 snpm_fw_page_reclaim(const union snpfw_buffer *b)
{
	bool large = b->addr.spa & SNPFW_ADDR_2M;
	u64 spa = b->addr.spa & ~SNPFW_ADDR_2M;
	struct snpm_rmp_entry e;
	u32 ret;

	ret = check_reclaim(spa, large, &e);
	if (ret || !e.immutable)
		return ret;
	e.immutable = false;
	e.metadata = false;
	snpm_page_set(spa, &e);
	return SNPFW_SUCCESS;
}

/* Whether the i-th of 512 pages can be one with the first. */
static bool fits(const struct snpm_rmp_entry *first,
		 const struct snpm_rmp_entry *e, u64 i)
{
	return e->assigned && e->immutable && !e->pagesize && !e->vmsa &&
	       !e->in_use && e->asid == first->asid &&
	       e->validated == first->validated && e->gfn == first->gfn + i &&
	       !memcmp(e->perms, first->perms, sizeof(e->perms));
}

static bool can_unsmash(const struct snpm_rmp_entry *first)
{
	u64 i;

	if (!first->asid || !IS_ALIGNED((u64)first->gfn, SNPM_2M_PAGES))
		return false;
	for (i = 0; i < SNPM_2M_PAGES; i++)
		if (!fits(first, &first[i], i))
			return false;
	return true;
}

static void unsmash(struct snpm_rmp_entry *first, u64 spa)
{
	u64 i;

	snpm_rmp_begin(spa, SZ_2M);
	first->pagesize = SNPM_2M;
	for (i = 1; i < SNPM_2M_PAGES; i++)
		first[i] = (struct snpm_rmp_entry) { .assigned = true };
	snpm_rmp_end(spa, SZ_2M);
}

u32 snpm_fw_page_unsmash(const union snpfw_buffer *b)
{
	u64 spa = b->addr.spa & ~SNPFW_ADDR_2M;
	u32 ret = SNPFW_INVALID_PAGE_STATE;
	struct snpm_rmp_entry *first;

	if (!IS_ALIGNED(spa, SZ_2M))
		return SNPFW_INVALID_PARAM;
	if (!snpm_rmp_covers(spa, SZ_2M))
		return SNPFW_INVALID_PAGE_STATE;
	snpm_port_rmp_lock();
	first = snpm_rmp_entry(spa);
	if (can_unsmash(first)) {
		unsmash(first, spa);
		ret = SNPFW_SUCCESS;
	}
	snpm_port_rmp_unlock();
	return ret;
}

u32 snpm_fw_md_init(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	u64 spa = b->md_init.spa;
	struct snpm_rmp_entry e;
	void *va;

	if (snpm_page_get(spa, &e) != SNPM_PAGE_FIRMWARE)
		return SNPFW_INVALID_PAGE_STATE;
	if (e.pagesize)
		return SNPFW_INVALID_PAGE_SIZE;
	if (g->state == SNPFW_GUEST_INIT)
		return SNPFW_INVALID_GUEST_STATE;
	va = snpm_port_map(spa);
	if (!va)
		return SNPFW_INVALID_ADDRESS;

	memset(va, 0, PAGE_SIZE);
	snpm_port_unmap(va);
	e.gfn = b->addr.spa >> PAGE_SHIFT;
	e.metadata = true;
	snpm_page_set(spa, &e);
	return SNPFW_SUCCESS;
}

static bool is_guest_page(enum snpm_page_state state)
{
	return state == SNPM_PAGE_PRE_GUEST || state == SNPM_PAGE_PRE_SWAP ||
	       state == SNPM_PAGE_GUEST_INVALID ||
	       state == SNPM_PAGE_GUEST_VALID;
}

static u32 check_dbg(const struct snpm_gctx *g, const struct snpfw_dbg *d)
{
	struct snpm_rmp_entry src, dst;

	if (!is_guest_page(snpm_page_get_leaf(d->src, &src)) ||
	    snpm_page_get_leaf(d->dst, &dst) != SNPM_PAGE_FIRMWARE)
		return SNPFW_INVALID_PAGE_STATE;
	if (src.asid != g->asid)
		return SNPFW_INVALID_PAGE_OWNER;
	return g->policy & SNPFW_POLICY_DEBUG ? SNPFW_SUCCESS :
		SNPFW_POLICY_FAILURE;
}

/* Nothing is encrypted here, so it is a copy. */
u32 snpm_fw_dbg_decrypt(struct snpm_gctx *g, const union snpfw_buffer *b)
{
	u32 ret = check_dbg(g, &b->dbg);
	void *src;

	if (ret)
		return ret;
	src = snpm_port_map(b->dbg.src);
	if (!src)
		return SNPFW_INVALID_ADDRESS;
	if (!snpm_fw_write(b->dbg.dst, src, PAGE_SIZE))
		ret = SNPFW_INVALID_ADDRESS;
	snpm_port_unmap(src);
	return ret;
}
