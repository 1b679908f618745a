// SPDX-License-Identifier: GPL-2.0-only
/*
 * A realm's stage-2 tables: starting tables, the walk and the one write.
 *
 * I1: an entry changes in rtt_write() or while its table is in no realm.
 * I2: refs of an RTT granule is the number of its live entries.
 * I3: each RTT granule is a starting table or named by one TABLE entry.
 */
#include "rtt.h"

bool rtt_start_is_valid(unsigned int ipa_bits, s64 level, u32 nr, bool lpa2)
{
	unsigned int bits;

	/* A walk from level 3 needs FEAT_TTST, from -1 a 52-bit format. */
	if (level < (lpa2 ? RTT_LEVEL_MIN : 0) || level > 2)
		return false;
	if (ipa_bits <= rtt_shift(level))
		return false;
	bits = ipa_bits - rtt_shift(level);
	if (bits <= 9)
		return nr == 1;
	return bits <= 13 && level > RTT_LEVEL_MIN && nr == BIT(bits - 9);
}

/* All tables but the starting ones are one granule; these are adjacent. */
static u64 start_table(const struct realm *r, unsigned int i)
{
	return r->s2.base + i * GRANULE_SIZE;
}

static void fill_start(const struct realm *r, u64 *table, u64 ipa)
{
	int level = r->s2.start_level;

	for (unsigned int i = 0; i < RTT_ENTRIES; i++) {
		bool prot = realm_is_protected(r, ipa + i * rtt_size(level));
		struct s2tte e = {
			.hipas = prot ? HIPAS_UNASSIGNED : HIPAS_UNASSIGNED_NS,
		};

		table[i] = s2tte_encode(&e, level, r->s2.lpa2);
	}
}

void rtt_create_start(const struct realm *r)
{
	u64 ipa = 0;

	for (unsigned int i = 0; i < r->nr_start; i++) {
		u64 *table;

		granule_claim(start_table(r, i), GRANULE_RTT);
		table = granule_map(start_table(r, i), GRANULE_RTT);
		fill_start(r, table, ipa);
		granule_unmap(table);
		ipa += RTT_ENTRIES * rtt_size(r->s2.start_level);
	}
}

void rtt_destroy_start(const struct realm *r)
{
	for (unsigned int i = 0; i < r->nr_start; i++)
		granule_release(start_table(r, i), GRANULE_RTT);
}

bool rtt_start_is_live(const struct realm *r)
{
	for (unsigned int i = 0; i < r->nr_start; i++)
		if (granule_find(start_table(r, i))->refs)
			return true;
	return false;
}

static struct s2tte read_entry(const struct realm *r, u64 table,
			       unsigned int index, int level)
{
	u64 *va = granule_map(table, GRANULE_RTT);
	u64 desc = va[index];

	granule_unmap(va);
	return s2tte_decode(desc, level, r->s2.lpa2);
}

void rtt_walk(const struct realm *r, u64 ipa, int level, struct rtt_walk *w)
{
	u64 index = ipa >> rtt_shift(r->s2.start_level);

	rmm_assert(ipa < realm_ipa_end(r));
	w->ipa = ipa;
	w->level = r->s2.start_level;
	w->table = start_table(r, index / RTT_ENTRIES);
	for (;;) {
		w->index = index % RTT_ENTRIES;
		w->entry = read_entry(r, w->table, w->index, w->level);
		if (w->level == level || w->entry.hipas != HIPAS_TABLE)
			return;
		w->table = w->entry.pa;
		w->level++;
		index = ipa >> rtt_shift(w->level);
	}
}

static void store(u64 *p, u64 desc)
{
	__atomic_store_n(p, desc, __ATOMIC_RELEASE);
}

void rtt_write(const struct realm *r, struct rtt_walk *w,
	       const struct s2tte *entry)
{
	u64 size = rtt_size(w->level);
	u64 *va = granule_map(w->table, GRANULE_RTT);
	struct granule *g = granule_find(w->table);

	if (s2tte_is_valid(va[w->index])) {
		store(&va[w->index], 0);
		rmm_port_tlbi_ipa(r->s2.vmid, ALIGN_DOWN(w->ipa, size), size);
	}
	store(&va[w->index], s2tte_encode(entry, w->level, r->s2.lpa2));
	granule_unmap(va);

	g->refs += s2tte_is_live(entry);
	g->refs -= s2tte_is_live(&w->entry);
	w->entry = *entry;
}

u64 rtt_walk_top(const struct realm *r, const struct rtt_walk *w)
{
	u64 size = rtt_size(w->level), end = realm_ipa_end(r);
	u64 ipa = ALIGN_DOWN(w->ipa, size);
	u64 *va = granule_map(w->table, GRANULE_RTT);

	for (unsigned int i = w->index; i < RTT_ENTRIES; i++, ipa += size) {
		struct s2tte e = s2tte_decode(va[i], w->level, r->s2.lpa2);

		if (ipa >= end || s2tte_is_live(&e))
			break;
	}
	granule_unmap(va);
	return ipa;
}

bool rtt_ipa_is_valid(const struct realm *r, u64 ipa, int level)
{
	return ipa < realm_ipa_end(r) && IS_ALIGNED(ipa, rtt_size(level));
}
