// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of all granules and realms, recounted from their contents.
 *
 * Each realm's tables are walked from its RD: tables, pages and RECs are
 * counted where they are found, and every granule must have been found as
 * often as its state says.
 */
#include "rec.h"
#include "rtt.h"

/* The first thing that is wrong. */
static const char *broken;

#define check(cond, what) do {						\
	if (!(cond) && !broken)						\
		broken = what;						\
} while (0)

/* Granules found in each state. */
static u64 found[GRANULE_STATES];

static struct granule *see(u64 pa, enum granule_state state, const char *what)
{
	struct granule *g = granule_find_in(pa, state);

	check(g, what);
	if (g)
		g->seen++;
	return g;
}

static void check_table(const struct realm *r, u64 table, int level, u64 ipa);

static void check_data(const struct s2tte *e, int level)
{
	for (u64 i = 0; i < rtt_size(level); i += GRANULE_SIZE)
		see(e->pa + i, GRANULE_DATA, "an entry maps no DATA granule");
}

static void check_entry(const struct realm *r, const struct s2tte *e,
			int level, u64 ipa)
{
	bool prot = realm_is_protected(r, ipa);

	switch (e->hipas) {
	case HIPAS_UNASSIGNED:
	case HIPAS_ASSIGNED:
		check(prot, "a protected entry at an unprotected IPA");
		check(e->ripas <= RMI_DESTROYED, "a RIPAS that is none");
		break;
	case HIPAS_UNASSIGNED_NS:
	case HIPAS_ASSIGNED_NS:
		check(!prot, "an unprotected entry at a protected IPA");
		check(!e->ripas, "an unprotected IPA has a RIPAS");
		break;
	case HIPAS_TABLE:
		check(level < RTT_LEVEL_MAX, "a table below level 3");
		check_table(r, e->pa, level + 1, ipa);
		return;
	default:
		check(false, "a HIPAS that is none");
		return;
	}
	if (s2tte_is_live(e))
		check(level >= RTT_LEVEL_BLOCK, "a block that is too large");
	else
		check(!e->pa, "an unassigned entry has an address");
	if (e->hipas == HIPAS_ASSIGNED)
		check_data(e, level);
}

static void check_table(const struct realm *r, u64 table, int level, u64 ipa)
{
	struct granule *g = see(table, GRANULE_RTT, "a table is no RTT granule");
	u64 *va;

	if (!g || g->seen > 1)
		return;
	va = rmm_port_map(table, RMM_PAS_REALM);
	for (unsigned int i = 0; i < RTT_ENTRIES && !broken; i++) {
		struct s2tte e = s2tte_decode(va[i], level, r->s2.lpa2);

		g->counted += s2tte_is_live(&e);
		check_entry(r, &e, level, ipa);
		ipa += rtt_size(level);
	}
	rmm_port_unmap(va);
}

static void check_vmid(const struct realm *r, u64 rd)
{
	struct granule *g;
	u64 pa;

	check(vmid_is_used(r->s2.vmid), "a realm's VMID counts as free");
	for (u64 i = 0; (g = granule_nth(i, &pa)); i++) {
		struct realm *other;

		if (g->state != GRANULE_RD || pa == rd)
			continue;
		other = granule_map(pa, GRANULE_RD);
		check(other->s2.vmid != r->s2.vmid, "two realms have a VMID");
		granule_unmap(other);
	}
}

static void check_realm(u64 rd, struct granule *g)
{
	struct realm *r = granule_map(rd, GRANULE_RD);
	u64 ipa = 0;

	g->seen++;
	check(r->rd == rd, "an RD is of another realm");
	check_vmid(r, rd);
	for (unsigned int i = 0; i < r->nr_start; i++) {
		check_table(r, r->s2.base + i * GRANULE_SIZE,
			    r->s2.start_level, ipa);
		ipa += RTT_ENTRIES * rtt_size(r->s2.start_level);
	}
	granule_unmap(r);
}

static void check_rec(u64 pa, struct granule *g)
{
	struct rec *rec = granule_map(pa, GRANULE_REC);
	struct granule *rd = granule_find_in(rec->rd, GRANULE_RD);

	g->seen++;
	g->counted = rec->running;
	check(rd, "a REC has no realm");
	if (rd)
		rd->counted++;
	for (unsigned int i = 0; i < rec->vcpu.nr_aux; i++)
		see(rec->vcpu.aux[i], GRANULE_REC_AUX,
		    "a REC's auxiliary granule is none");
	granule_unmap(rec);
}

static void check_granule(u64 pa, struct granule *g)
{
	bool used = g->state > GRANULE_DELEGATED;

	check(g->state < GRANULE_STATES, "a granule is in no state");
	if (g->state < GRANULE_STATES)
		found[g->state]++;
	check(g->seen == used, used ? "a granule has not exactly one user" :
	      "a granule without a user is used");
	check(g->refs == g->counted, "a reference count is wrong");
	if (g->state == GRANULE_DELEGATED)
		check(granule_is_scrubbed(pa),
		      "a delegated granule has contents");
}

#define for_each_granule(i, pa, g)					\
	for (i = 0; !broken && (g = granule_nth(i, &pa)); i++)

static void forget(struct granule *g)
{
	g->seen = 0;
	g->counted = 0;
}

static void count(u64 pa, struct granule *g)
{
	if (g->state == GRANULE_RD)
		check_realm(pa, g);
	else if (g->state == GRANULE_REC)
		check_rec(pa, g);
}

const char *rmm_check_invariants(void)
{
	struct granule *g;
	u64 i, pa;

	broken = NULL;
	mem_zero(found, sizeof(found));
	for_each_granule(i, pa, g)
		forget(g);
	for_each_granule(i, pa, g)
		count(pa, g);
	for_each_granule(i, pa, g)
		check_granule(pa, g);
	for (i = 0; i < GRANULE_STATES; i++)
		check(found[i] == granules_in(i), "a state's count of granules is wrong");
	return broken;
}
