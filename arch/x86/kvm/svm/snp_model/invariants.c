// SPDX-License-Identifier: GPL-2.0-only
/* The invariants of RMP and firmware, recounted from the table; for tests. */
#include "fw.h"

/* The first thing that is wrong, and what was found. */
static const char *broken;
static u32 guests;
static u8 owners[SNPM_MAX_ASID + 1];

static void check(bool cond, const char *what)
{
	if (!cond && !broken)
		broken = what;
}

static void check_free(const struct snpm_rmp_entry *e)
{
	struct snpm_rmp_entry zero = {
		.immutable = e->immutable,
		.in_use = e->in_use,
	};

	check(!memcmp(e, &zero, sizeof(zero)),
	      "an entry that is not assigned has contents");
}

static void check_followers(const struct snpm_rmp_entry *e, u64 spa)
{
	const struct snpm_rmp_entry follower = { .assigned = true };
	u64 i;

	check(IS_ALIGNED(spa, SZ_2M), "a 2 MiB page is not aligned");
	check(snpm_rmp_covers(spa, SZ_2M), "a 2 MiB page ends past the RMP");
	if (broken)
		return;
	for (i = 1; i < SNPM_2M_PAGES; i++)
		check(!memcmp(&e[i], &follower, sizeof(follower)),
		      "a page of 2 MiB has an entry of its own");
}

static void check_asid(const struct snpm_gctx *g)
{
	u8 state = snpm_fw.asids[g->asid];

	check(!owners[g->asid]++, "two guests have an ASID");
	check(g->state != SNPFW_GUEST_INIT, "a guest in INIT has an ASID");
	check(state == (g->state == SNPFW_GUEST_RUNNING ? ASID_IN_USE :
			ASID_ALLOCATED), "an ASID is not what its guest is");
}

static void check_context(const struct snpm_rmp_entry *e, u64 spa)
{
	struct snpm_gctx *g;

	check(!e->pagesize, "a context has 2 MiB");
	g = snpm_port_map(spa);
	check(g, "a context is not in memory");
	if (!g)
		return;
	check(g->spa == spa, "a context is elsewhere");
	check(g->state <= SNPFW_GUEST_RUNNING, "a guest is in no state");
	check(g->asid <= SNPM_MAX_ASID, "a guest's ASID is none");
	guests += g->state != SNPFW_GUEST_INIT;
	if (g->asid && !broken)
		check_asid(g);
	snpm_port_unmap(g);
}

static void check_entry(const struct snpm_rmp_entry *e, u64 spa)
{
	enum snpm_page_state state = snpm_entry_state(e);

	if (!e->assigned)
		check_free(e);
	if (e->pagesize)
		check_followers(e, spa);
	check(!e->metadata || state == SNPM_PAGE_METADATA,
	      "the mark of metadata is on another page");
	check(!e->validated || e->asid, "a page is valid without a guest");
	if (state == SNPM_PAGE_CONTEXT)
		check_context(e, spa);
}

static void check_counts(void)
{
	u64 sum = 0;
	u32 i;

	check(snpm_rmp_counts_are_right(), "a counter of pages is wrong");
	for (i = 0; i < SNPM_NR_PAGE_STATES; i++)
		sum += snpm_count(i);
	check(sum == snpm_rmp_nr_pages(), "pages are missing");
}

static void check_asids(void)
{
	u32 i;

	for (i = 1; i <= SNPM_MAX_ASID; i++)
		check(owners[i] || snpm_fw.asids[i] < ASID_ALLOCATED,
		      "an ASID is taken by nobody");
}

const char *snpm_check_invariants(void)
{
	u64 spa = 0, end = snpm_rmp_nr_pages() << PAGE_SHIFT;

	broken = NULL;
	guests = 0;
	memset(owners, 0, sizeof(owners));
	while (spa < end && !broken) {
		struct snpm_rmp_entry *e = snpm_rmp_entry(spa);

		check_entry(e, spa);
		spa += snpm_entry_size(e);
	}
	if (!broken)
		check_counts();
	if (snpm_fw.state == SNPFW_PLATFORM_INIT && !broken) {
		check_asids();
		check(guests == snpm_fw.guest_count, "guests are miscounted");
	}
	return broken;
}
