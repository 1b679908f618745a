// SPDX-License-Identifier: GPL-2.0-only
/*
 * The descriptors of stage 2 for a 4 KiB granule, with FEAT_S2FWB.
 *
 * A valid descriptor is what hardware reads.  In an invalid one hardware
 * ignores all but bit 0: bits 4:2 hold the HIPAS, bits 6:5 the RIPAS, and the
 * address stands where it would stand if it was valid.  All zeroes is
 * UNASSIGNED, EMPTY.
 */
#include "s2tte.h"

#define DESC_VALID		BIT(0)
/* A table at levels below 3, a page at level 3 */
#define DESC_TYPE_TABLE		BIT(1)
#define DESC_HIPAS_SHIFT	2
#define DESC_RIPAS_SHIFT	5

#define DESC_MEMATTR		(7ull << 2)
#define DESC_MEMATTR_RESERVED	(4ull << 2)
#define DESC_MEMATTR_WB		(6ull << 2)
#define DESC_S2AP		(3ull << 6)
#define DESC_SH			(3ull << 8)
#define DESC_SH_RESERVED	(1ull << 8)
#define DESC_AF			BIT(10)
#define DESC_NS			BIT(55)

#define DESC_ADDR		((BIT(48) - 1) & ~(GRANULE_SIZE - 1))
#define DESC_ADDR_LPA2		((BIT(50) - 1) & ~(GRANULE_SIZE - 1))
#define DESC_ADDR_LPA2_HIGH	(3ull << 8)

static u64 addr_mask(bool lpa2)
{
	return lpa2 ? DESC_ADDR_LPA2 | DESC_ADDR_LPA2_HIGH : DESC_ADDR;
}

/* With LPA2 bits 51:50 of an address are bits 9:8 of its descriptor. */
static u64 encode_addr(u64 pa, bool lpa2)
{
	if (!lpa2)
		return pa & DESC_ADDR;
	return (pa & DESC_ADDR_LPA2) | ((pa >> 50) & 3) << 8;
}

static u64 decode_addr(u64 desc, bool lpa2)
{
	if (!lpa2)
		return desc & DESC_ADDR;
	return (desc & DESC_ADDR_LPA2) | ((desc >> 8) & 3) << 50;
}

static u64 host_attrs(bool lpa2)
{
	return DESC_MEMATTR | DESC_S2AP | (lpa2 ? 0 : DESC_SH);
}

static u64 encode_leaf(const struct s2tte *e, int level, bool lpa2)
{
	u64 desc = encode_addr(e->pa, lpa2) | DESC_VALID | DESC_AF;

	if (level == RTT_LEVEL_MAX)
		desc |= DESC_TYPE_TABLE;
	if (e->hipas == HIPAS_ASSIGNED_NS)
		return desc | e->attrs | DESC_NS;
	return desc | DESC_MEMATTR_WB | DESC_S2AP | (lpa2 ? 0 : DESC_SH);
}

u64 s2tte_encode(const struct s2tte *e, int level, bool lpa2)
{
	if (e->hipas == HIPAS_TABLE)
		return encode_addr(e->pa, lpa2) | DESC_VALID | DESC_TYPE_TABLE;
	if (e->hipas == HIPAS_ASSIGNED_NS ||
	    (e->hipas == HIPAS_ASSIGNED && e->ripas == RMI_RAM))
		return encode_leaf(e, level, lpa2);
	return encode_addr(e->pa, lpa2) | (u64)e->hipas << DESC_HIPAS_SHIFT |
	       (u64)e->ripas << DESC_RIPAS_SHIFT;
}

struct s2tte s2tte_decode(u64 desc, int level, bool lpa2)
{
	struct s2tte e = { .pa = decode_addr(desc, lpa2) };

	if (!(desc & DESC_VALID)) {
		e.hipas = desc >> DESC_HIPAS_SHIFT & 7;
		e.ripas = desc >> DESC_RIPAS_SHIFT & 3;
	} else if (level < RTT_LEVEL_MAX && (desc & DESC_TYPE_TABLE)) {
		e.hipas = HIPAS_TABLE;
	} else if (desc & DESC_NS) {
		e.hipas = HIPAS_ASSIGNED_NS;
		e.attrs = desc & host_attrs(lpa2);
	} else {
		e.hipas = HIPAS_ASSIGNED;
		e.ripas = RMI_RAM;
	}
	return e;
}

bool s2tte_is_same(const struct s2tte *a, const struct s2tte *b)
{
	return a->hipas == b->hipas && a->ripas == b->ripas &&
	       a->pa == b->pa && a->attrs == b->attrs;
}

bool s2tte_is_live(const struct s2tte *e)
{
	return e->hipas == HIPAS_ASSIGNED || e->hipas == HIPAS_ASSIGNED_NS ||
	       e->hipas == HIPAS_TABLE;
}

bool s2tte_is_valid(u64 desc)
{
	return desc & DESC_VALID;
}

bool s2tte_from_host(u64 desc, int level, bool lpa2, struct s2tte *e)
{
	*e = (struct s2tte) {
		.hipas = HIPAS_ASSIGNED_NS,
		.pa = decode_addr(desc, lpa2),
		.attrs = desc & host_attrs(lpa2),
	};
	if (desc & ~(addr_mask(lpa2) | host_attrs(lpa2)))
		return false;
	if ((desc & DESC_MEMATTR) == DESC_MEMATTR_RESERVED)
		return false;
	if (!lpa2 && (desc & DESC_SH) == DESC_SH_RESERVED)
		return false;
	return IS_ALIGNED(e->pa, rtt_size(level));
}

u64 s2tte_to_host(const struct s2tte *e, bool lpa2)
{
	return encode_addr(e->pa, lpa2) | e->attrs;
}
