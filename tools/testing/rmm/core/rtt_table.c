// SPDX-License-Identifier: GPL-2.0-only
/* The commands that give tables to a realm, take them back, and fold them. */
#include "rtt.h"

/* A table of @level below the starting ones and the IPA that it covers. */
static bool table_is_valid(const struct realm *r, u64 ipa, s64 level)
{
	return level > r->s2.start_level && level <= RTT_LEVEL_MAX &&
	       rtt_ipa_is_valid(r, ipa, level - 1);
}

/* The entry for a part of what @parent covers. */
static struct s2tte child_of(const struct s2tte *parent, unsigned int i,
			     int level)
{
	struct s2tte e = *parent;

	if (s2tte_is_live(&e))
		e.pa += i * rtt_size(level);
	return e;
}

static void fill_table(const struct realm *r, u64 rtt,
		       const struct s2tte *parent, int level)
{
	u64 *va = granule_map(rtt, GRANULE_RTT);

	for (unsigned int i = 0; i < RTT_ENTRIES; i++) {
		struct s2tte e = child_of(parent, i, level);

		va[i] = s2tte_encode(&e, level, r->s2.lpa2);
	}
	granule_unmap(va);
	granule_find(rtt)->refs = s2tte_is_live(parent) ? RTT_ENTRIES : 0;
}

u64 rmi_rtt_create(struct realm *r, u64 rtt, u64 ipa, s64 level)
{
	struct s2tte table = { .hipas = HIPAS_TABLE, .pa = rtt };
	struct rtt_walk w;

	if (!table_is_valid(r, ipa, level) ||
	    !granule_is(rtt, GRANULE_DELEGATED))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level - 1, &w);
	if (w.level < level - 1 || w.entry.hipas == HIPAS_TABLE)
		return rtt_error(&w);

	granule_claim(rtt, GRANULE_RTT);
	fill_table(r, rtt, &w.entry, level);
	rtt_write(r, &w, &table);
	return RMI_SUCCESS;
}

/* What was RAM or EMPTY below cannot be told any more: it is DESTROYED. */
static struct s2tte destroyed(const struct realm *r, u64 ipa)
{
	if (realm_is_protected(r, ipa))
		return (struct s2tte) {
			.hipas = HIPAS_UNASSIGNED,
			.ripas = RMI_DESTROYED,
		};
	return (struct s2tte) { .hipas = HIPAS_UNASSIGNED_NS };
}

u64 rmi_rtt_destroy(struct realm *r, u64 ipa, s64 level, u64 *rtt, u64 *top)
{
	struct s2tte gone;
	struct rtt_walk w;
	u64 table;

	if (!table_is_valid(r, ipa, level))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level - 1, &w);
	if (w.level < level - 1 || w.entry.hipas != HIPAS_TABLE) {
		*top = rtt_walk_top(r, &w);
		return rtt_error(&w);
	}
	table = w.entry.pa;
	if (granule_find(table)->refs) {
		*top = ipa;
		return RMI_RETURN(RMI_ERROR_RTT, level);
	}

	gone = destroyed(r, ipa);
	rtt_write(r, &w, &gone);
	granule_release(table, GRANULE_RTT);
	*rtt = table;
	*top = rtt_walk_top(r, &w);
	return RMI_SUCCESS;
}

/* Whether one entry of the level above can say the same as the table. */
static bool is_homogeneous(const struct realm *r, u64 table, int level,
			   struct s2tte *first)
{
	u64 *va = granule_map(table, GRANULE_RTT);
	bool same = true;

	*first = s2tte_decode(va[0], level, r->s2.lpa2);
	for (unsigned int i = 1; i < RTT_ENTRIES && same; i++) {
		struct s2tte e = s2tte_decode(va[i], level, r->s2.lpa2);
		struct s2tte expected = child_of(first, i, level);

		same = s2tte_is_same(&e, &expected);
	}
	granule_unmap(va);
	if (!same || first->hipas == HIPAS_TABLE)
		return false;
	if (!s2tte_is_live(first))
		return true;
	return level - 1 >= RTT_LEVEL_BLOCK &&
	       IS_ALIGNED(first->pa, rtt_size(level - 1));
}

u64 rmi_rtt_fold(struct realm *r, u64 ipa, s64 level, u64 *rtt)
{
	struct s2tte folded;
	struct rtt_walk w;
	u64 table;

	if (!table_is_valid(r, ipa, level))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level - 1, &w);
	if (w.level < level - 1 || w.entry.hipas != HIPAS_TABLE)
		return rtt_error(&w);
	table = w.entry.pa;
	if (!is_homogeneous(r, table, level, &folded))
		return RMI_RETURN(RMI_ERROR_RTT, level);

	rtt_write(r, &w, &folded);
	granule_find(table)->refs = 0;
	granule_release(table, GRANULE_RTT);
	*rtt = table;
	return RMI_SUCCESS;
}
