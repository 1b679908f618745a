// SPDX-License-Identifier: GPL-2.0-only
/* The commands that say which protected IPAs are RAM to the realm. */
#include "measure.h"
#include "rec.h"
#include "rtt.h"

/* Whether entries of @w's level fill a range from @base on, at least one. */
static bool makes_progress(const struct rtt_walk *w, u64 base, u64 top)
{
	u64 size = rtt_size(w->level);

	return IS_ALIGNED(base, size) && top - base >= size;
}

/* On to the next entry, as long as it is of the same table and below @top. */
static bool next_entry(const struct realm *r, struct rtt_walk *w, u64 top)
{
	u64 size = rtt_size(w->level);

	if (w->index == RTT_ENTRIES - 1 || top - (w->ipa + size) < size)
		return false;
	rtt_walk(r, w->ipa + size, w->level, w);
	return true;
}

static bool range_is_valid(const struct realm *r, u64 base, u64 top)
{
	return base < top && IS_ALIGNED(base, GRANULE_SIZE) &&
	       IS_ALIGNED(top, GRANULE_SIZE) && realm_is_protected(r, top - 1);
}

u64 rmi_rtt_init_ripas(struct realm *r, u64 base, u64 top, u64 *out_top)
{
	const struct s2tte ram = {
		.hipas = HIPAS_UNASSIGNED,
		.ripas = RMI_RAM,
	};
	struct rtt_walk w;

	if (!range_is_valid(r, base, top))
		return RMI_ERROR_INPUT;
	if (r->state != REALM_NEW)
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	rtt_walk(r, base, RTT_LEVEL_MAX, &w);
	if (!makes_progress(&w, base, top) ||
	    w.entry.hipas != HIPAS_UNASSIGNED)
		return rtt_error(&w);

	do {
		if (w.entry.hipas != HIPAS_UNASSIGNED)
			break;
		rtt_write(r, &w, &ram);
		*out_top = w.ipa + rtt_size(w.level);
		measure_ripas(r, w.ipa, *out_top);
	} while (next_entry(r, &w, top));
	return RMI_SUCCESS;
}

static bool can_change(const struct rec_ripas *change, const struct s2tte *e)
{
	if (e->hipas != HIPAS_UNASSIGNED && e->hipas != HIPAS_ASSIGNED)
		return false;
	return e->ripas != RMI_DESTROYED || change->change_destroyed;
}

static u64 check_set_ripas(const struct realm *r, const struct rec *rec,
			   u64 base, u64 top)
{
	if (rec->rd != r->rd || rec->running)
		return RMI_ERROR_REC;
	if (!rec->ripas.pending || base != rec->ripas.addr ||
	    top > rec->ripas.top)
		return RMI_ERROR_INPUT;
	return range_is_valid(r, base, top) ? RMI_SUCCESS : RMI_ERROR_INPUT;
}

static u64 set_ripas(struct realm *r, struct rec *rec, u64 base, u64 top,
		     u64 *out_top)
{
	u64 ret = check_set_ripas(r, rec, base, top);
	struct rtt_walk w;
	struct s2tte e;

	if (ret)
		return ret;
	rtt_walk(r, base, RTT_LEVEL_MAX, &w);
	if (!makes_progress(&w, base, top) ||
	    !can_change(&rec->ripas, &w.entry))
		return rtt_error(&w);

	do {
		if (!can_change(&rec->ripas, &w.entry))
			break;
		e = w.entry;
		e.ripas = rec->ripas.value;
		if (!s2tte_is_same(&e, &w.entry))
			rtt_write(r, &w, &e);
		*out_top = w.ipa + rtt_size(w.level);
	} while (next_entry(r, &w, top));
	rec->ripas.addr = *out_top;
	return RMI_SUCCESS;
}

u64 rmi_rtt_set_ripas(struct realm *r, u64 rec_pa, u64 base, u64 top,
		      u64 *out_top)
{
	struct rec *rec = rec_get(rec_pa);
	u64 ret;

	if (!rec)
		return RMI_ERROR_INPUT;
	ret = set_ripas(r, rec, base, top, out_top);
	rec_put(rec);
	return ret;
}
