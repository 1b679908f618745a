// SPDX-License-Identifier: GPL-2.0-only
/*
 * The granule protection table: everything is Non-secure but the monitor's own memory and
 * devices (Root) and the RMM's memory (Realm).
 *
 * I1: only a Non-secure granule of RAM becomes Realm here, and only one that got so goes back.
 * I2: the RMM's and the monitor's granules never change: they are not in [delegable).
 * I3: no stale copy of an entry or line of the old space outlives a transition.
 */
#include "monitor.h"
#include "monitor_abi.h"
#include "sysreg.h"

enum gpi {
	GPI_NS = 0x9,
	GPI_ROOT = 0xa,
	GPI_REALM = 0xb,
};

#define L0_BLOCK		0x1UL
#define L0_BLOCK_GPI_SHIFT	4
#define L0_TABLE		0x3UL
#define NR_L0			1024
#define GRANULE_SHIFT		12
#define GPI_BITS		4
#define GPIS_PER_ENTRY		16
#define L1_SIZE			(SZ_1G / SZ_4K / 2)
#define L1_ENTRIES		(L1_SIZE / sizeof(u64))

#define GPCCR_PPS_40BIT		2UL
#define GPCCR_WRITE_BACK	((1UL << 8) | (1UL << 10))
#define GPCCR_INNER_SHAREABLE	(3UL << 12)
#define GPCCR_GPC		BIT(16)

/* The operand of cache maintenance by physical address. */
#define PA_NS			BIT(63)
#define PA_NSE			BIT(62)
#define PA_REALM		(PA_NS | PA_NSE)
#define CACHE_LINE		64

static u64 level0[NR_L0] __aligned(NR_L0 * 8);
static u64 pool_next;
static struct spinlock gpt_lock;

static void gpi_fill(u64 *table, enum gpi gpi)
{
	u64 word = 0x1111111111111111UL * gpi, i;

	for (i = 0; i < L1_ENTRIES; i++)
		table[i] = word;
}

static u64 *level1_of(u64 pa)
{
	u64 desc = level0[pa / SZ_1G];

	return (desc & 0xf) == L0_TABLE ? (u64 *)(desc & ~0xfffUL) : NULL;
}

static void level1_create(u64 pa)
{
	u64 *table = (u64 *)pool_next;

	if (level1_of(pa))
		return;
	if (pool_next + L1_SIZE > GPT_POOL_BASE + GPT_POOL_SIZE)
		panic("more RAM than the GPT has room for");
	pool_next += L1_SIZE;
	gpi_fill(table, GPI_NS);
	level0[pa / SZ_1G] = (u64)table | L0_TABLE;
}

static int gpi_shift(u64 pa)
{
	return (pa >> GRANULE_SHIFT) % GPIS_PER_ENTRY * GPI_BITS;
}

static u64 *gpi_entry(u64 pa)
{
	return &level1_of(pa)[(pa % SZ_1G >> GRANULE_SHIFT) / GPIS_PER_ENTRY];
}

static enum gpi gpi_get(u64 pa)
{
	return *gpi_entry(pa) >> gpi_shift(pa) & 0xf;
}

static void gpi_set(u64 pa, enum gpi gpi)
{
	u64 *entry = gpi_entry(pa);

	*entry = (*entry & ~(0xfUL << gpi_shift(pa))) | (u64)gpi << gpi_shift(pa);
}

static void gpi_set_range(u64 base, u64 size, enum gpi gpi)
{
	u64 pa;

	for (pa = base; pa < base + size; pa += SZ_4K)
		gpi_set(pa, gpi);
}

void gpt_build(void)
{
	u64 pa;

	pool_next = GPT_POOL_BASE;
	for (pa = 0; pa < NR_L0; pa++)
		level0[pa] = L0_BLOCK | (u64)GPI_NS << L0_BLOCK_GPI_SHIFT;
	level1_create(0);
	for (pa = machine.ram_base; pa < machine.ram_top; pa += SZ_1G)
		level1_create(pa);
	gpi_set_range(FLASH_BASE, FLASH_SIZE, GPI_ROOT);
	gpi_set_range(SECURE_UART_BASE, SZ_4K, GPI_ROOT);
	gpi_set_range(SECURE_GPIO_BASE, SZ_4K, GPI_ROOT);
	gpi_set_range(SECURE_RAM_BASE, SECURE_RAM_SIZE, GPI_ROOT);
	gpi_set_range(RMM_BASE, RMM_SIZE, GPI_REALM);
	dsb(sy);
}

void gpt_enable(void)
{
	write_sysreg((u64)level0 >> GRANULE_SHIFT, GPTBR_EL3);
	write_sysreg(GPCCR_PPS_40BIT | GPCCR_WRITE_BACK | GPCCR_INNER_SHAREABLE, GPCCR_EL3);
	isb();
	/* TLBI PAALL */
	asm volatile("sys #6, c8, c7, #4" ::: "memory");
	dsb(sy);
	write_sysreg(read_sysreg(GPCCR_EL3) | GPCCR_GPC, GPCCR_EL3);
	isb();
}

/* To the point of physical aliasing, by address and space: DC CIPAPA. */
static void clean_granule(u64 pa, u64 space)
{
	u64 end = pa + SZ_4K;

	for (; pa < end; pa += CACHE_LINE)
		asm volatile("sys #6, c7, c14, #1, %0" :: "r" (pa | space) : "memory");
	dsb(osh);
}

static void tlbi_granule(u64 pa)
{
	dsb(oshst);
	/* TLBI RPALOS, one granule of 4 KiB. */
	asm volatile("sys #6, c8, c4, #7, %0" :: "r" (pa >> GRANULE_SHIFT) : "memory");
	dsb(osh);
	isb();
}

static bool is_delegable(u64 pa)
{
	return !(pa % SZ_4K) && pa >= machine.ram_base && pa < machine.ram_top &&
	       !(pa >= RMM_BASE && pa < RMM_BASE + RMM_SIZE);
}

static int transition(u64 pa, enum gpi from, enum gpi to)
{
	u64 old_space = from == GPI_REALM ? PA_REALM : PA_NS;
	u64 new_space = to == GPI_REALM ? PA_REALM : PA_NS;
	int ret = MON_REFUSED;

	if (!is_delegable(pa))
		return MON_REFUSED;
	spin_lock(&gpt_lock);
	if (gpi_get(pa) == from) {
		clean_granule(pa, old_space);
		gpi_set(pa, to);
		tlbi_granule(pa);
		/* Lines that speculation fetched between cleaning and the new entry. */
		clean_granule(pa, old_space);
		clean_granule(pa, new_space);
		ret = MON_OK;
	}
	spin_unlock(&gpt_lock);
	return ret;
}

int gpt_delegate(u64 pa)
{
	return transition(pa, GPI_NS, GPI_REALM);
}

int gpt_undelegate(u64 pa)
{
	return transition(pa, GPI_REALM, GPI_NS);
}

bool gpt_is_ns(u64 pa)
{
	return is_delegable(pa) && gpi_get(pa) == GPI_NS;
}
