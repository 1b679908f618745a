// SPDX-License-Identifier: GPL-2.0-only
/* The processor's RMP: its instructions, its table, the direct map. */
#include <linux/bitfield.h>
#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/set_memory.h>
#include <linux/sizes.h>

#include "rmp_hw.h"

/* Family 19h: "RMP Entry Format" of the PPR, first eight bytes. */
#define RMP_ASSIGNED		BIT_ULL(0)
#define RMP_PAGESIZE		BIT_ULL(1)
#define RMP_IMMUTABLE		BIT_ULL(2)
#define RMP_GPA			GENMASK_ULL(50, 12)
#define RMP_ASID		GENMASK_ULL(60, 51)
#define RMP_VMSA		BIT_ULL(61)
#define RMP_VALIDATED		BIT_ULL(62)

static const u64 (*rmp_table)[2] __ro_after_init;
static u64 rmp_nr_entries __ro_after_init;

void __init snp_rmp_hw_init(const void *entries, u64 nr_entries)
{
	rmp_table = entries;
	rmp_nr_entries = nr_entries;
}

static u32 hw_rmpupdate(u64 spa, const struct snp_rmp_state *state)
{
	u32 ret;

	/* RMPUPDATE, which binutils know from 2.36 on. */
	asm volatile(".byte 0xf2, 0x0f, 0x01, 0xfe"
		     : "=a" (ret)
		     : "a" (spa), "c" (state)
		     : "memory", "cc");
	return ret;
}

static u32 hw_psmash(u64 spa)
{
	u32 ret;

	/* PSMASH, likewise. */
	asm volatile(".byte 0xf3, 0x0f, 0x01, 0xff"
		     : "=a" (ret)
		     : "a" (spa)
		     : "memory", "cc");
	return ret;
}

static bool hw_read(u64 pfn, struct snp_rmp_entry *e)
{
	u64 low;

	if (pfn >= rmp_nr_entries)
		return false;
	low = READ_ONCE(rmp_table[pfn][0]);
	*e = (struct snp_rmp_entry) {
		.gpa = low & RMP_GPA,
		.asid = FIELD_GET(RMP_ASID, low),
		.assigned = low & RMP_ASSIGNED,
		.large = low & RMP_PAGESIZE,
		.immutable = low & RMP_IMMUTABLE,
		.vmsa = low & RMP_VMSA,
		.validated = low & RMP_VALIDATED,
		.raw = { low, READ_ONCE(rmp_table[pfn][1]) },
	};
	return true;
}

/*
 * A write through a 2 MiB mapping faults if any of its pages is assigned, even
 * if it is to another one.  Mappings of 1 GiB are checked as 2 MiB, so only a
 * 4 KiB page needs a smaller one.  It is never made larger again.
 */
static int hw_before_assign(u64 pfn, enum pg_level level)
{
	unsigned long va = (unsigned long)pfn_to_kaddr(pfn);
	unsigned int mapped;
	pte_t *pte;

	if (level != PG_LEVEL_4K)
		return 0;
	pte = lookup_address(va, &mapped);
	if (!pte || pte_none(*pte) || mapped == PG_LEVEL_4K)
		return 0;
	return set_memory_4k(va, 1);
}

const struct snp_rmp_ops snp_rmp_hw_ops = {
	.rmpupdate = hw_rmpupdate,
	.psmash = hw_psmash,
	.read = hw_read,
	.before_assign = hw_before_assign,
};
