// SPDX-License-Identifier: GPL-2.0-only
/* The monitor's own translation: identity in Root, and an alias of everything in Non-secure. */
#include "monitor.h"
#include "pgtable.h"

#define PTE_ROOT	PTE_NSE

static u64 level1[PTRS_PER_TABLE] __aligned(4096);
/* The first GiB, with the flash, the devices and secure RAM. */
static u64 level2[PTRS_PER_TABLE] __aligned(4096);

static u64 root_block(u64 pa)
{
	if (pa < FLASH_BASE + FLASH_SIZE)
		return pa | PTE_TEXT | PTE_ROOT;
	if (pa >= SECURE_RAM_BASE && pa < SECURE_RAM_BASE + SECURE_RAM_SIZE)
		return pa | PTE_RAM | PTE_ROOT;
	return pa | PTE_IO | PTE_ROOT;
}

void mmu_build(void)
{
	u64 half = PTRS_PER_TABLE / 2, i;

	for (i = 0; i < PTRS_PER_TABLE; i++)
		level2[i] = root_block(i * SZ_2M);
	level1[0] = (u64)level2 | PTE_TABLE;
	level1[half] = PTE_IO | PTE_NS;
	for (i = 1; i < half; i++)
		level1[half + i] = (i * SZ_1G) | PTE_RAM | PTE_NS;
	dsb(ish);
}

void mmu_enable(void)
{
	write_sysreg(MAIR_VALUE, mair_el3);
	write_sysreg(TCR_VALUE, tcr_el3);
	write_sysreg((u64)level1, ttbr0_el3);
	asm volatile("tlbi alle3" ::: "memory");
	dsb(nsh);
	isb();
	write_sysreg(SCTLR_ON, sctlr_el3);
	isb();
}
