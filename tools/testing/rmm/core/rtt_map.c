// SPDX-License-Identifier: GPL-2.0-only
/* The commands on single entries: read, map and unmap of unprotected IPAs. */
#include "rtt.h"

static u64 rtt_state(const struct s2tte *e)
{
	switch (e->hipas) {
	case HIPAS_ASSIGNED:
	case HIPAS_ASSIGNED_NS:
		return RMI_ASSIGNED;
	case HIPAS_TABLE:
		return RMI_TABLE;
	default:
		return RMI_UNASSIGNED;
	}
}

u64 rmi_rtt_read_entry(struct realm *r, u64 ipa, s64 level,
		       struct rmi_rtt_entry *out)
{
	struct rtt_walk w;

	if (level < r->s2.start_level || level > RTT_LEVEL_MAX ||
	    !rtt_ipa_is_valid(r, ipa, level))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level, &w);
	out->level = (s64)w.level;
	out->state = rtt_state(&w.entry);
	out->desc = s2tte_to_host(&w.entry, r->s2.lpa2);
	out->ripas = w.entry.ripas;
	return RMI_SUCCESS;
}

/* A page or block, outside of what the realm is protected in. */
static bool unprotected_is_valid(const struct realm *r, u64 ipa, s64 level)
{
	return level >= RTT_LEVEL_BLOCK && level <= RTT_LEVEL_MAX &&
	       level >= r->s2.start_level && rtt_ipa_is_valid(r, ipa, level) &&
	       !realm_is_protected(r, ipa);
}

u64 rmi_rtt_map_unprotected(struct realm *r, u64 ipa, s64 level, u64 desc)
{
	struct s2tte mapped;
	struct rtt_walk w;

	if (!unprotected_is_valid(r, ipa, level) ||
	    !s2tte_from_host(desc, level, r->s2.lpa2, &mapped))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level, &w);
	if (w.level < level || w.entry.hipas != HIPAS_UNASSIGNED_NS)
		return rtt_error(&w);
	rtt_write(r, &w, &mapped);
	return RMI_SUCCESS;
}

u64 rmi_rtt_unmap_unprotected(struct realm *r, u64 ipa, s64 level, u64 *top)
{
	const struct s2tte unmapped = { .hipas = HIPAS_UNASSIGNED_NS };
	struct rtt_walk w;
	u64 ret = RMI_SUCCESS;

	if (!unprotected_is_valid(r, ipa, level))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, level, &w);
	if (w.level < level || w.entry.hipas != HIPAS_ASSIGNED_NS)
		ret = rtt_error(&w);
	else
		rtt_write(r, &w, &unmapped);
	*top = rtt_walk_top(r, &w);
	return ret;
}
