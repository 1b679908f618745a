// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RMP: the table, what its entries mean, and how many pages are in each
 * state.
 *
 * A 2 MiB page has an entry at its first page that says all; the 511 that
 * follow are assigned and otherwise zero.  Pages that are not assigned are
 * 4 KiB, however they got there.
 *
 * I1: an entry that is not assigned is zero but for immutable and in_use.
 * I2: an assigned 2 MiB entry is 2 MiB aligned, its followers are as above.
 * I3: the counters say how many pages are in each state and have each ASID.
 */
#include "rmp.h"
#include "snp_port.h"

static struct snpm_rmp_entry *table;
static u64 nr_entries;

struct counts {
	u64 states[SNPM_NR_PAGE_STATES];
	/* [0] is of no meaning. */
	u64 asids[SNPM_MAX_ASID + 1];
};

static struct counts counts;

void snpm_rmp_init(struct snpm_rmp_entry *rmp, u64 nr_pages)
{
	table = rmp;
	nr_entries = nr_pages;
	snpm_rmp_clear();
}

u64 snpm_rmp_nr_pages(void)
{
	return nr_entries;
}

void snpm_rmp_clear(void)
{
	snpm_port_rmp_lock();
	memset(table, 0, nr_entries * sizeof(*table));
	memset(&counts, 0, sizeof(counts));
	counts.states[SNPM_PAGE_HYPERVISOR] = nr_entries;
	counts.asids[0] = nr_entries;
	snpm_port_rmp_unlock();
}

struct snpm_rmp_entry *snpm_rmp_entry(u64 spa)
{
	u64 pfn = spa >> PAGE_SHIFT;

	return pfn < nr_entries ? table + pfn : NULL;
}

struct snpm_rmp_entry *snpm_rmp_leaf(u64 spa)
{
	struct snpm_rmp_entry *base = snpm_rmp_entry(ALIGN_DOWN(spa, SZ_2M));

	return base && base->pagesize ? base : snpm_rmp_entry(spa);
}

bool snpm_rmp_covers(u64 spa, u64 size)
{
	u64 pfn = spa >> PAGE_SHIFT, nr = size >> PAGE_SHIFT;

	return pfn < nr_entries && nr <= nr_entries - pfn;
}

bool snpm_rmp_is_hypervisors(u64 spa, u64 size)
{
	u64 i;

	for (i = 0; i < size; i += PAGE_SIZE) {
		struct snpm_rmp_entry *e = snpm_rmp_entry(spa + i);

		if (e && e->assigned)
			return false;
	}
	return true;
}

static enum snpm_page_state guest_state(const struct snpm_rmp_entry *e)
{
	if (e->immutable)
		return e->validated ? SNPM_PAGE_PRE_SWAP : SNPM_PAGE_PRE_GUEST;
	return e->validated ? SNPM_PAGE_GUEST_VALID : SNPM_PAGE_GUEST_INVALID;
}

static enum snpm_page_state firmware_state(const struct snpm_rmp_entry *e)
{
	if (e->validated)
		return SNPM_PAGE_INVALID;
	if (!e->immutable)
		return SNPM_PAGE_RECLAIM;
	if (e->metadata)
		return SNPM_PAGE_METADATA;
	if (e->gfn)
		return SNPM_PAGE_INVALID;
	return e->vmsa ? SNPM_PAGE_CONTEXT : SNPM_PAGE_FIRMWARE;
}

enum snpm_page_state snpm_entry_state(const struct snpm_rmp_entry *e)
{
	if (!e->assigned)
		return e->immutable ? SNPM_PAGE_HV_FIXED : SNPM_PAGE_HYPERVISOR;
	return e->asid ? guest_state(e) : firmware_state(e);
}

const char *snpm_state_name(enum snpm_page_state state)
{
	static const char * const names[] = {
		"invalid", "default", "hypervisor", "hv-fixed", "firmware",
		"reclaim", "context", "metadata", "pre-guest", "pre-swap",
		"guest-invalid", "guest-valid",
	};

	static_assert(ARRAY_SIZE(names) == SNPM_NR_PAGE_STATES);
	return state < ARRAY_SIZE(names) ? names[state] : "none";
}

static void add_counts(struct counts *to, u64 spa, u64 size, bool add)
{
	u64 end = spa + size;

	while (spa < end) {
		struct snpm_rmp_entry *e = snpm_rmp_entry(spa);
		u64 nr = snpm_entry_size(e) >> PAGE_SHIFT;

		to->states[snpm_entry_state(e)] += add ? nr : -nr;
		to->asids[e->asid] += add ? nr : -nr;
		spa += snpm_entry_size(e);
	}
}

void snpm_rmp_begin(u64 spa, u64 size)
{
	add_counts(&counts, spa, size, false);
}

void snpm_rmp_end(u64 spa, u64 size)
{
	add_counts(&counts, spa, size, true);
}

bool snpm_rmp_counts_are_right(void)
{
	static struct counts again;

	memset(&again, 0, sizeof(again));
	add_counts(&again, 0, nr_entries << PAGE_SHIFT, true);
	return !memcmp(&again, &counts, sizeof(counts));
}

u64 snpm_count(enum snpm_page_state state)
{
	u64 count;

	snpm_port_rmp_lock();
	count = state < SNPM_NR_PAGE_STATES ? counts.states[state] : 0;
	snpm_port_rmp_unlock();
	return count;
}

u64 snpm_rmp_asid_pages(u32 asid)
{
	u64 count;

	snpm_port_rmp_lock();
	count = asid && asid <= SNPM_MAX_ASID ? counts.asids[asid] : 0;
	snpm_port_rmp_unlock();
	return count;
}

static enum snpm_page_state copy_out(const struct snpm_rmp_entry *e,
				     struct snpm_rmp_entry *to)
{
	if (!e) {
		memset(to, 0, sizeof(*to));
		return SNPM_PAGE_DEFAULT;
	}
	*to = *e;
	return snpm_entry_state(e);
}

enum snpm_page_state snpm_page_get(u64 spa, struct snpm_rmp_entry *entry)
{
	enum snpm_page_state state;

	snpm_port_rmp_lock();
	state = copy_out(snpm_rmp_entry(spa), entry);
	snpm_port_rmp_unlock();
	return state;
}

enum snpm_page_state snpm_page_get_leaf(u64 spa, struct snpm_rmp_entry *entry)
{
	enum snpm_page_state state;

	snpm_port_rmp_lock();
	state = copy_out(snpm_rmp_leaf(spa), entry);
	snpm_port_rmp_unlock();
	return state;
}

void snpm_page_set(u64 spa, const struct snpm_rmp_entry *entry)
{
	u64 size = snpm_entry_size(entry);

	snpm_port_rmp_lock();
	snpm_rmp_begin(spa, size);
	*snpm_rmp_entry(spa) = *entry;
	snpm_rmp_end(spa, size);
	snpm_port_rmp_unlock();
}

void snpm_page_fix(u64 spa)
{
	struct snpm_rmp_entry *e;

	snpm_port_rmp_lock();
	e = snpm_rmp_leaf(spa);
	if (e && !e->assigned) {
		snpm_rmp_begin(spa, PAGE_SIZE);
		e->immutable = true;
		snpm_rmp_end(spa, PAGE_SIZE);
	}
	snpm_port_rmp_unlock();
}

bool snpm_lookup(u64 spa, struct snpm_rmp_entry *entry,
		 enum snpm_page_state *state)
{
	*state = snpm_page_get_leaf(spa, entry);
	return *state != SNPM_PAGE_DEFAULT;
}
