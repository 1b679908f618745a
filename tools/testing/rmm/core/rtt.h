/* SPDX-License-Identifier: GPL-2.0-only */
/* A realm's stage-2 tables: the walk, the one write, and the commands. */
#ifndef RMM_RTT_H
#define RMM_RTT_H

#include "realm.h"
#include "s2tte.h"

/* Where a walk for @ipa ended. */
struct rtt_walk {
	u64 ipa;
	u64 table;
	int level;
	unsigned int index;
	struct s2tte entry;
};

bool rtt_start_is_valid(unsigned int ipa_bits, s64 level, u32 nr, bool lpa2);
void rtt_create_start(const struct realm *r);
void rtt_destroy_start(const struct realm *r);
bool rtt_start_is_live(const struct realm *r);

/* Down to @level, or to the entry above it that is no table. */
void rtt_walk(const struct realm *r, u64 ipa, int level, struct rtt_walk *w);
/*
 * Replace the entry that @w ended at: break before make, and the table's
 * count of live entries follows.
 */
void rtt_write(const struct realm *r, struct rtt_walk *w,
	       const struct s2tte *entry);
/* First IPA from the entry on, in its table, that is live; else the end. */
u64 rtt_walk_top(const struct realm *r, const struct rtt_walk *w);
/* Whether @ipa is one of the realm's, aligned for an entry of @level. */
bool rtt_ipa_is_valid(const struct realm *r, u64 ipa, int level);

static inline u64 rtt_error(const struct rtt_walk *w)
{
	return RMI_RETURN(RMI_ERROR_RTT, w->level);
}

struct rmi_rtt_entry {
	u64 level;
	u64 state;
	u64 desc;
	u64 ripas;
};

u64 rmi_rtt_create(struct realm *r, u64 rtt, u64 ipa, s64 level);
u64 rmi_rtt_destroy(struct realm *r, u64 ipa, s64 level, u64 *rtt, u64 *top);
u64 rmi_rtt_fold(struct realm *r, u64 ipa, s64 level, u64 *rtt);
u64 rmi_rtt_read_entry(struct realm *r, u64 ipa, s64 level,
		       struct rmi_rtt_entry *out);
u64 rmi_rtt_map_unprotected(struct realm *r, u64 ipa, s64 level, u64 desc);
u64 rmi_rtt_unmap_unprotected(struct realm *r, u64 ipa, s64 level, u64 *top);
u64 rmi_rtt_init_ripas(struct realm *r, u64 base, u64 top, u64 *out_top);
u64 rmi_rtt_set_ripas(struct realm *r, u64 rec_pa, u64 base, u64 top,
		      u64 *out_top);

#endif
