// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RMM's translation: RAM as it is in Realm, and an alias of RAM in Non-secure. What is
 * behind an address is the GPT's affair: who touches a granule knows its space.
 */
#include "rmm.h"
#include "pgtable.h"

static u64 level1[PTRS_PER_TABLE] __aligned(4096);
/* The GiB that the RMM is in: its code apart from all else. */
static u64 level2[PTRS_PER_TABLE] __aligned(4096);

void mmu_build(u64 ram_base, u64 ram_top)
{
	u64 own_gib = RMM_BASE & ~(SZ_1G - 1), pa;

	for (pa = own_gib; pa < own_gib + SZ_1G; pa += SZ_2M)
		level2[(pa - own_gib) / SZ_2M] = pa | PTE_RAM;
	level2[(RMM_BASE - own_gib) / SZ_2M] = RMM_BASE | PTE_TEXT;
	for (pa = ram_base; pa < ram_top; pa += SZ_1G) {
		level1[pa / SZ_1G] = pa | PTE_RAM;
		level1[(NS_ALIAS + pa) / SZ_1G] = pa | PTE_RAM | PTE_NS;
	}
	level1[own_gib / SZ_1G] = (u64)level2 | PTE_TABLE;
	dsb(ish);
}

void mmu_enable(void)
{
	write_sysreg(MAIR_VALUE, mair_el2);
	write_sysreg(TCR_VALUE, tcr_el2);
	write_sysreg((u64)level1, ttbr0_el2);
	asm volatile("tlbi alle2" ::: "memory");
	dsb(nsh);
	isb();
	write_sysreg(SCTLR_ON, sctlr_el2);
	isb();
}
