// SPDX-License-Identifier: GPL-2.0-only
/* The commands that give pages to a realm and take them back. */
#include "data.h"
#include "measure.h"
#include "rtt.h"

static bool data_ipa_is_valid(const struct realm *r, u64 ipa)
{
	return rtt_ipa_is_valid(r, ipa, RTT_LEVEL_MAX) &&
	       realm_is_protected(r, ipa);
}

/* Where a page can go. */
static u64 find_unassigned(const struct realm *r, u64 ipa, struct rtt_walk *w)
{
	rtt_walk(r, ipa, RTT_LEVEL_MAX, w);
	if (w->level < RTT_LEVEL_MAX || w->entry.hipas != HIPAS_UNASSIGNED)
		return rtt_error(w);
	return RMI_SUCCESS;
}

static void assign(const struct realm *r, u64 data, struct rtt_walk *w)
{
	const struct s2tte e = {
		.hipas = HIPAS_ASSIGNED,
		.ripas = w->entry.ripas,
		.pa = data,
	};

	granule_claim(data, GRANULE_DATA);
	rtt_write(r, w, &e);
}

static void copy_and_measure(struct realm *r, u64 data, u64 ipa, u64 src,
			     u64 flags)
{
	void *va = granule_map(data, GRANULE_DATA);
	bool copied = ns_read(va, src, GRANULE_SIZE);

	rmm_assert(copied);
	measure_data(r, ipa, flags, flags & RMI_DATA_FLAG_MEASURE ? va : NULL);
	granule_unmap(va);
}

u64 rmi_data_create(struct realm *r, u64 data, u64 ipa, u64 src, u64 flags)
{
	struct rtt_walk w;
	u64 ret;

	if (!granule_is_ns(src) || !granule_is(data, GRANULE_DELEGATED))
		return RMI_ERROR_INPUT;
	if (!data_ipa_is_valid(r, ipa) || (flags & ~RMI_DATA_FLAG_MEASURE))
		return RMI_ERROR_INPUT;
	if (r->state != REALM_NEW)
		return RMI_RETURN(RMI_ERROR_REALM, 0);
	ret = find_unassigned(r, ipa, &w);
	if (ret)
		return ret;
	if (w.entry.ripas != RMI_RAM)
		return rtt_error(&w);

	assign(r, data, &w);
	copy_and_measure(r, data, ipa, src, flags);
	return RMI_SUCCESS;
}

/* The page is all zeroes, as any delegated one. */
u64 rmi_data_create_unknown(struct realm *r, u64 data, u64 ipa)
{
	struct rtt_walk w;
	u64 ret;

	if (!granule_is(data, GRANULE_DELEGATED) || !data_ipa_is_valid(r, ipa))
		return RMI_ERROR_INPUT;
	ret = find_unassigned(r, ipa, &w);
	if (!ret)
		assign(r, data, &w);
	return ret;
}

u64 rmi_data_destroy(struct realm *r, u64 ipa, u64 *data, u64 *top)
{
	struct s2tte gone = { .hipas = HIPAS_UNASSIGNED };
	struct rtt_walk w;
	u64 pa;

	if (!data_ipa_is_valid(r, ipa))
		return RMI_ERROR_INPUT;
	rtt_walk(r, ipa, RTT_LEVEL_MAX, &w);
	if (w.level < RTT_LEVEL_MAX || w.entry.hipas != HIPAS_ASSIGNED) {
		*top = rtt_walk_top(r, &w);
		return rtt_error(&w);
	}

	pa = w.entry.pa;
	/* The realm must not take the next page for its own. */
	gone.ripas = w.entry.ripas == RMI_EMPTY ? RMI_EMPTY : RMI_DESTROYED;
	rtt_write(r, &w, &gone);
	granule_release(pa, GRANULE_DATA);
	*data = pa;
	*top = rtt_walk_top(r, &w);
	return RMI_SUCCESS;
}
