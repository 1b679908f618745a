// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pc.h"

struct pc pc;
struct direct_map direct_map;

char boot_command_line[1];
char native_text[1], native_end[1];
struct cpuinfo boot_cpu_data;
unsigned long max_pfn;
bool crash_kexec_post_notifiers;

int kstrtobool(const char *s, bool *res)
{
	if (strcmp(s, "0") && strcmp(s, "1"))
		return -EINVAL;
	*res = *s == '1';
	return 0;
}

bool boot_cpu_has(unsigned int feature)
{
	return feature == SEV_SNP && pc.has_snp;
}

/* The parameter that says so comes last, and can be empty. */
bool is_kdump_kernel(void)
{
	return pc.is_kdump && !pc.is_early;
}

int cmdline_find_option(const char *cmdline, const char *option, char *buffer,
			int bufsize)
{
	expect(cmdline == boot_command_line && !strcmp(option, "elfcorehdr"),
	       "'%s' is looked for", option);
	expect(!buffer && !bufsize, "it is copied");
	return pc.is_kdump ? 0 : -1;
}

u64 read_msr(u32 msr)
{
	pc.nr_reads++;
	expect(msr == SYSCFG, "MSR %#x is read and may fault", msr);
	return pc.syscfg[pc.cpu];
}

int rdmsrl_safe(u32 msr, u64 *val)
{
	pc.nr_reads++;
	expect(msr == RMP_BASE || msr == RMP_END, "MSR %#x is read", msr);
	*val = msr == RMP_BASE ? pc.base : pc.end;
	return msr == pc.faulting ? -EIO : 0;
}

bool pc_all_have(u64 bits)
{
	for (int i = 0; i < ONLINE; i++)
		if ((pc.syscfg[i] & bits) != bits)
			return false;
	return true;
}

/* With SNP it is locked, so that all else comes before. */
void wrmsrl(u32 msr, u64 val)
{
	u64 old = pc.syscfg[pc.cpu];

	expect(msr == SYSCFG, "MSR %#x is written", msr);
	pc.nr_writes++;
	if (val == old)
		return;
	expect(!(old & SYSCFG_SNP), "CPU %u: SYSCFG is locked", pc.cpu);
	pc.syscfg[pc.cpu] = val;
	if (!(val & SYSCFG_SNP))
		return;
	expect(val & SYSCFG_VMPL, "CPU %u: SNP without VMPLs", pc.cpu);
	expect((val & SYSCFG_MFDM) && pc_all_have(SYSCFG_MFDM),
	       "CPU %u: SNP before MFDM everywhere", pc.cpu);
	expect(pc.table_is_clean, "CPU %u: SNP with an RMP as it was", pc.cpu);
}

void pc_on_cpu(unsigned int cpu)
{
	pc.cpu = cpu;
}

void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	expect(wait, "nobody waits for it");
	for (int i = 0; i < ONLINE; i++) {
		pc_on_cpu(i);
		fn(info);
	}
	pc_on_cpu(0);
}

/* As the kernel does, also on those that are online already. */
int cpuhp_setup_state(int state, const char *name, int (*up)(unsigned int cpu),
		      int (*down)(unsigned int cpu))
{
	expect_eq(state, CPUHP_AP_ONLINE_DYN);
	expect(name && *name && !down, "%s", name);
	expect(pc_all_have(SYSCFG_ALL), "one that is online lacks it");
	pc.up = up;
	for (int i = 0; i < ONLINE; i++) {
		pc_on_cpu(i);
		expect_eq(up(i), 0);
	}
	pc_on_cpu(0);
	return state;
}

static bool overlaps(const struct range *r, u64 base, u64 size)
{
	return r->start < base + size && base < r->end;
}

static bool is_aside(u64 base, u64 size)
{
	for (unsigned int i = 0; !pc.is_undone && i < pc.nr_aside; i++)
		if (overlaps(&pc.aside[i], base, size))
			return true;
	return false;
}

static bool has_page(u64 pa, enum e820_type type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pc.e820); i++)
		if (pc.e820[i].type == type && pc.e820[i].start <= pa &&
		    pa < pc.e820[i].end)
			return true;
	return false;
}

/* What is set aside is reserved. */
bool e820__mapped_any(u64 start, u64 end, enum e820_type type)
{
	expect_eq(type, E820_TYPE_RAM);
	for (; start < end; start += PAGE_SIZE)
		if (has_page(start, type) && !is_aside(start, PAGE_SIZE))
			return true;
	return false;
}

void e820__reserve_ram(u64 start, u64 size)
{
	expect(pc.is_early, "memblock has all memory");
	expect(size, "nothing, at %#llx", start);
	expect(!memblock_is_region_reserved(start, size), "%#llx is", start);
	expect(!is_aside(start, size), "%#llx is reserved twice", start);
	expect(pc.nr_aside < ARRAY_SIZE(pc.aside), "%#llx is too much", start);
	pc.aside[pc.nr_aside++] = (struct range) { start, start + size };
}

bool memblock_is_region_reserved(u64 base, u64 size)
{
	expect(pc.is_early, "memblock is gone");
	return overlaps(&pc.taken, base, size);
}

unsigned long pa_symbol(const char *symbol)
{
	expect(symbol == native_text || symbol == native_end, "which?");
	return symbol == native_text ? pc.kernel.start : pc.kernel.end;
}

/* AddressSanitizer stops who goes past its end. */
void *memremap(u64 offset, size_t size, unsigned long flags)
{
	expect_eq(offset, pc.base);
	expect_eq(size, pc.end - pc.base + 1);
	expect_eq(flags, MEMREMAP_WB);
	expect(!pc.table, "it is mapped twice");
	if (pc.cannot_map)
		return NULL;
	pc.table = malloc(size);
	pc.table_size = size;
	memset(pc.table, 0xa5, size);
	return pc.table;
}

bool pc_table_is(u8 byte)
{
	return pc.table[0] == byte &&
	       !memcmp(pc.table, pc.table + 1, pc.table_size - 1);
}

void memunmap(void *va)
{
	expect(va && va == pc.table, "%p", va);
	expect(pc_table_is(0xa5), "it has been written");
	free(va);
	pc.table = NULL;
}

int wbinvd_on_all_cpus(void)
{
	pc.table_is_clean = pc.table && pc_table_is(0);
	return 0;
}

int amd_iommu_snp_enable(void)
{
	pc.iommu_asked++;
	return pc.iommu_error;
}

int snp_set_rmp_ops(const struct snp_rmp_ops *ops)
{
	expect(!pc.ops, "twice");
	expect(pc_all_have(SYSCFG_ALL), "it is used before it is on");
	pc.ops = ops;
	return 0;
}

#define DIRECT_MAP	BIT_ULL(46)

void *pfn_to_kaddr(u64 pfn)
{
	return (void *)(DIRECT_MAP + (pfn << PAGE_SHIFT));
}

pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	expect_eq(address, DIRECT_MAP + PAGE(DIRECT_MAP_PFN));
	*level = direct_map.level;
	return direct_map.is_there ? &direct_map.pte : NULL;
}

int set_memory_4k(unsigned long va, int nr)
{
	expect_eq(va, DIRECT_MAP + PAGE(DIRECT_MAP_PFN));
	expect_eq(nr, 1);
	direct_map.nr_split++;
	return direct_map.error;
}

void pc_reset(void)
{
	memset(__start_native_initdata, 0,
	       __stop_native_initdata - __start_native_initdata);
	free(pc.table);
	pc = (struct pc) {
		.has_snp = true,
		.base = MIB(200),
		.end = MIB(201) - 1,
		.e820 = {
			{ 0, MIB(192), E820_TYPE_RAM },
			{ MIB(192), MIB(208), E820_TYPE_RESERVED },
		},
		.kernel = { MIB(16), MIB(48) },
		.taken = { 0, 0x10000 },
	};
	for (int i = 0; i < CPUS; i++)
		pc.syscfg[i] = SYSCFG_SME | BIT_ULL(18 + 2 * (i % 2)) | i;
	boot_cpu_data.x86 = 0x19;
	max_pfn = MIB(192) >> PAGE_SHIFT;
	crash_kexec_post_notifiers = false;
	kernel_log[0] = 0;
}

void pc_boot_early(const char *parameter)
{
	unsigned long real = max_pfn;

	pc.is_early = true;
	max_pfn = ~0UL;
	expect_eq(early_param_fn((char *)parameter), 0);
	max_pfn = real;
	pc.is_early = false;
	for (unsigned int i = 0; i < ARRAY_SIZE(pc.want); i++) {
		expect_eq(pc.aside[i].start, pc.want[i].start);
		expect_eq(pc.aside[i].end, pc.want[i].end);
	}
}

void pc_boot_late(void)
{
	expect_eq(initcall_fn(), 0);
}
