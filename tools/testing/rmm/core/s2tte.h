/* SPDX-License-Identifier: GPL-2.0-only */
/* What a stage-2 entry of a realm says, and its descriptor. */
#ifndef RMM_S2TTE_H
#define RMM_S2TTE_H

#include "rmm_port.h"

#define RTT_LEVEL_MIN	(-1)
#define RTT_LEVEL_MAX	3
/* Blocks are 1 GiB or 2 MiB. */
#define RTT_LEVEL_BLOCK	1
#define RTT_ENTRIES	512

/* The host's side of an entry; the _NS ones are of unprotected IPAs. */
enum s2tte_hipas {
	HIPAS_UNASSIGNED,
	HIPAS_ASSIGNED,
	HIPAS_UNASSIGNED_NS,
	HIPAS_ASSIGNED_NS,
	HIPAS_TABLE,
};

struct s2tte {
	enum s2tte_hipas hipas;
	/* enum rmi_ripas, of protected leaves; else RMI_EMPTY */
	u8 ripas;
	/* Of a table or of what is assigned; else 0 */
	u64 pa;
	/* MemAttr, S2AP and SH that the host chose for ASSIGNED_NS; else 0 */
	u64 attrs;
};

static inline unsigned int rtt_shift(int level)
{
	return GRANULE_SHIFT + 9 * (RTT_LEVEL_MAX - level);
}

static inline u64 rtt_size(int level)
{
	return BIT(rtt_shift(level));
}

u64 s2tte_encode(const struct s2tte *e, int level, bool lpa2);
struct s2tte s2tte_decode(u64 desc, int level, bool lpa2);
bool s2tte_is_same(const struct s2tte *a, const struct s2tte *b);
/* Whether the entry holds a granule or memory of the host. */
bool s2tte_is_live(const struct s2tte *e);
/* Whether hardware uses the descriptor. */
bool s2tte_is_valid(u64 desc);

/* The host's descriptor of an unprotected mapping and back. */
bool s2tte_from_host(u64 desc, int level, bool lpa2, struct s2tte *e);
u64 s2tte_to_host(const struct s2tte *e, bool lpa2);

#endif
