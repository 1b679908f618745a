// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's RMP, arch/x86/virt/svm/rmp_setup.c and rmp_hw.c, on a machine
 * of a few lines: when it is used, what memory is set aside for it, what is
 * enabled where, what its entries say, and its instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <asm/snp_host.h>

#include "kernel/setup_kernel.h"
#include "machine.h"

#include "../../../../../../arch/x86/virt/svm/rmp_hw.h"

#define MIB(n)		((n) * 0x100000ULL)

/* By the manuals, not by the kernel's headers. */
#define SYSCFG		0xc0010010
#define SYSCFG_MFDM	BIT_ULL(19)
#define SYSCFG_SME	BIT_ULL(23)
#define SYSCFG_SNP	BIT_ULL(24)
#define SYSCFG_VMPL	BIT_ULL(25)
#define SYSCFG_ALL	(SYSCFG_MFDM | SYSCFG_SNP | SYSCFG_VMPL)
#define RMP_BASE	0xc0010132
#define RMP_END		0xc0010133
#define SEV_SNP		(19 * 32 + 4)

#define BOOKKEEPING	0x4000
/* An RMP of 1 MiB: so many entries, enough for memory below 252 MiB. */
#define NR_ENTRIES	64512ULL

#define CPUS		4
#define ONLINE		3

/* Half-open */
struct range {
	u64 start, end;
};

static struct pc {
	bool has_snp, is_kdump;
	u64 base, end;
	/* An MSR that cannot be read */
	u32 faulting;
	struct { u64 start, end; enum e820_type type; } e820[4];
	/* The kernel's image, and what memblock has reserved before. */
	struct range kernel, taken;
	/* While parameters are parsed: what is reserved, and should be. */
	bool is_early;
	struct range aside[2], want[2];
	unsigned int nr_aside;
	int memblock_error;
	u64 syscfg[CPUS];
	unsigned int cpu, nr_reads, nr_writes;

	bool cannot_map;
	u8 *table;
	size_t table_size;
	/* The table was zero when all caches were flushed, and SNP was off. */
	bool table_is_clean;

	int iommu_error;
	unsigned int iommu_asked;
	const struct snp_rmp_ops *ops;
	int (*up)(unsigned int cpu);
} pc;

char kernel_log[4096];
char boot_command_line[1];
char native_text[1], native_end[1];
struct cpuinfo boot_cpu_data;
unsigned long max_pfn;
bool crash_kexec_post_notifiers;

void log_line(const char *fmt, ...)
{
	size_t used = strlen(kernel_log);
	va_list args;

	va_start(args, fmt);
	vsnprintf(kernel_log + used, sizeof(kernel_log) - used, fmt, args);
	va_end(args);
}

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

static bool all_have(u64 bits)
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
	expect((val & SYSCFG_MFDM) && all_have(SYSCFG_MFDM),
	       "CPU %u: SNP before MFDM everywhere", pc.cpu);
	expect(pc.table_is_clean, "CPU %u: SNP with an RMP as it was", pc.cpu);
}

static void on_cpu(unsigned int cpu)
{
	pc.cpu = cpu;
}

void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	expect(wait, "nobody waits for it");
	for (int i = 0; i < ONLINE; i++) {
		on_cpu(i);
		fn(info);
	}
	on_cpu(0);
}

/* As the kernel does, also on those that are online already. */
int cpuhp_setup_state(int state, const char *name, int (*up)(unsigned int cpu),
		      int (*down)(unsigned int cpu))
{
	expect_eq(state, CPUHP_AP_ONLINE_DYN);
	expect(name && *name && !down, "%s", name);
	expect(all_have(SYSCFG_ALL), "one that is online lacks it");
	pc.up = up;
	for (int i = 0; i < ONLINE; i++) {
		on_cpu(i);
		expect_eq(up(i), 0);
	}
	on_cpu(0);
	return state;
}

bool e820__mapped_any(u64 start, u64 end, enum e820_type type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pc.e820); i++)
		if (pc.e820[i].type == type && pc.e820[i].start < end &&
		    start < pc.e820[i].end)
			return true;
	return false;
}

static bool overlaps(const struct range *r, u64 base, u64 size)
{
	return r->start < base + size && base < r->end;
}

bool memblock_is_region_reserved(u64 base, u64 size)
{
	expect(pc.is_early, "memblock is gone");
	for (unsigned int i = 0; i < pc.nr_aside; i++)
		if (overlaps(&pc.aside[i], base, size))
			return true;
	return overlaps(&pc.taken, base, size);
}

int memblock_reserve(u64 base, u64 size)
{
	expect(pc.is_early, "its memory may have been given out");
	expect(size, "nothing, at %#llx", base);
	if (pc.memblock_error)
		return pc.memblock_error;
	expect(!memblock_is_region_reserved(base, size), "%#llx is", base);
	expect(pc.nr_aside < ARRAY_SIZE(pc.aside), "%#llx is too much", base);
	pc.aside[pc.nr_aside++] = (struct range) { base, base + size };
	return 0;
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

static bool table_is(u8 byte)
{
	return pc.table[0] == byte &&
	       !memcmp(pc.table, pc.table + 1, pc.table_size - 1);
}

void memunmap(void *va)
{
	expect(va && va == pc.table, "%p", va);
	expect(table_is(0xa5), "it has been written");
	free(va);
	pc.table = NULL;
}

int wbinvd_on_all_cpus(void)
{
	pc.table_is_clean = pc.table && table_is(0);
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
	expect(all_have(SYSCFG_ALL), "it is used before it is on");
	pc.ops = ops;
	return 0;
}

/* 192 MiB, then what the BIOS has; other bits of SYSCFG are each CPU's own. */
static void setup(void)
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

/* Nobody knows yet how much memory there is. */
static void boot_early(const char *parameter)
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

static void boot_late(void)
{
	expect_eq(initcall_fn(), 0);
}

/* What is set aside, one line each, and then that. */
static void said(const char *text)
{
	char log[512] = "";

	for (unsigned int i = 0; i < pc.nr_aside; i++)
		sprintf(log + strlen(log),
			"SEV-SNP: [mem 0x%016llx-0x%016llx] next to the RMP is set aside\n",
			pc.aside[i].start, pc.aside[i].end - 1);
	strcat(log, text);
	expect(!strcmp(kernel_log, log), "'%s', should be '%s'", kernel_log,
	       log);
}

/* As if the kernel knew nothing of it. */
static void check_untouched(void)
{
	expect_eq(pc.nr_writes, 0);
	expect(!pc.table, "the RMP is still mapped");
	expect(!pc.ops && !pc.up, "it is used");
	expect(!crash_kexec_post_notifiers, "panic notifiers come first");
}

static void is_off(const char *why, unsigned int iommu_asked)
{
	char line[256];

	snprintf(line, sizeof(line), "SEV-SNP: off: %s\n", why);
	said(line);
	check_untouched();
	expect(pc.iommu_asked == iommu_asked, "%s: the IOMMU is asked %u times",
	       why, pc.iommu_asked);
}

static void check_off(const char *why, unsigned int iommu_asked)
{
	boot_early("1");
	boot_late();
	is_off(why, iommu_asked);
}

/* All is well but for that; want() is part of it if memory is set aside. */
#define off_if(change, why) do {					\
	setup();							\
	change;								\
	check_off(why, 0);						\
} while (0)

static void is_on(const char *where)
{
	char line[256];

	snprintf(line, sizeof(line), "SEV-SNP: on, RMP at [mem %s]\n", where);
	said(line);
	expect(pc.ops == &snp_rmp_hw_ops, "others are used");
	expect(pc.table, "the RMP is not mapped");
	expect_eq(pc.iommu_asked, 1);
	expect(crash_kexec_post_notifiers, "panic notifiers come last");
}

static void check_on(const char *where)
{
	boot_early("1");
	boot_late();
	is_on(where);
}

#define on_if(change, where) do {					\
	setup();							\
	change;								\
	check_on(where);						\
} while (0)

static void set_ram(unsigned int i, u64 start, u64 end)
{
	pc.e820[i].start = start;
	pc.e820[i].end = end;
	pc.e820[i].type = E820_TYPE_RAM;
}

static void set_rmp(u64 base, u64 size)
{
	pc.base = base;
	pc.end = base + size - 1;
}

/* What has to be reserved, of two the lower first; start == end: nothing. */
static void want(unsigned int i, u64 start, u64 end)
{
	pc.want[i] = (struct range) { start, end };
}

/* [201 MiB, 203 MiB), and not one page free around it; want() says the rest. */
static void set_tight(void)
{
	set_rmp(MIB(201), MIB(2));
	set_ram(0, 0, MIB(201));
	set_ram(2, MIB(203), MIB(252));
	max_pfn = MIB(252) >> PAGE_SHIFT;
}

#define TIGHT	"0x000000000c900000-0x000000000cafffff"

static void test_not_requested(void)
{
	setup();
	set_tight();
	expect(!strcmp(early_param_name, "kvm_amd.sev_snp"), "%s",
	       early_param_name);
	boot_late();
	boot_early("0");
	boot_late();
	expect_eq(-early_param_fn((char *)"maybe"), EINVAL);
	boot_late();
	said("");
	expect_eq(pc.nr_reads + pc.iommu_asked, 0);
	check_untouched();
}

/* Nor is anything set aside then. */
#define unread_if(change, why) do {					\
	off_if((set_tight(), change), why);				\
	expect_eq(pc.nr_reads, 0);					\
} while (0)

static void test_processor(void)
{
	unread_if(pc.has_snp = false,
		  "the processor lacks it or the BIOS has it disabled");
	unread_if(boot_cpu_data.x86 = 0x17,
		  "the RMP of this family is not known");
	unread_if(boot_cpu_data.x86 = 0x1a,
		  "the RMP of this family is not known");
	unread_if(pc.is_kdump = true, "this is a kdump kernel");
}

static void test_no_table(void)
{
	const char *why = "the BIOS has reserved no memory for the RMP";

	off_if((pc.base = 0, pc.end = 0), why);
	off_if((pc.base = 0, pc.end = 0x1fff), why);
	/* With nothing else to say against it */
	off_if((pc.base = 0, set_ram(0, 0, 0)), why);
	off_if(pc.end = 0, why);
	off_if(pc.end = pc.base - 1, why);
	off_if(pc.end = pc.base, why);
	off_if(pc.end = ~0ULL, why);
	off_if(pc.faulting = RMP_BASE, why);
	off_if(pc.faulting = RMP_END, why);
	/* Nor is it set aside, where there is memory. */
	off_if((set_tight(), pc.base = 0, pc.end = 0), why);
	off_if((set_tight(), pc.base = 0), why);
	off_if((set_tight(), pc.end = 0), why);
	off_if((set_tight(), pc.end = MIB(199) - 1), why);
	off_if((set_tight(), pc.base = MIB(1), pc.end = ~0ULL), why);
	off_if((set_tight(), pc.base = pc.end = ~0ULL), why);
	off_if((set_tight(), pc.faulting = RMP_BASE), why);
	off_if((set_tight(), pc.faulting = RMP_END), why);
}

static void test_alignment(void)
{
	const char *why = "the RMP is not 1 MiB aligned";

	off_if(set_rmp(MIB(200) + SZ_1M / 2, MIB(1)), why);
	off_if(set_rmp(MIB(200) + PAGE_SIZE, MIB(1)), why);
	off_if(set_rmp(MIB(200), MIB(1) + SZ_1M / 2), why);
	off_if(set_rmp(MIB(200), MIB(2) - PAGE_SIZE), why);
	/* An end that is not part of it */
	off_if(pc.end++, why);
	/* With memory next to it, which stays as it is */
	off_if((set_tight(), set_rmp(MIB(201) + PAGE_SIZE, MIB(1))), why);
	off_if((set_tight(), set_rmp(MIB(201), MIB(2) - PAGE_SIZE)), why);
	off_if((set_tight(), pc.end++), why);
}

/* Of what there is up to the top, as memory or as the RMP. */
static void test_coverage(void)
{
	off_if(max_pfn = NR_ENTRIES + 1, "the RMP does not cover all memory");
	off_if(max_pfn = MIB(256) >> PAGE_SHIFT,
	       "the RMP does not cover all memory");
	off_if((set_rmp(MIB(200), MIB(2)), max_pfn = NR_ENTRIES + 65537),
	       "the RMP does not cover all memory");
	off_if(set_rmp(MIB(252), MIB(1)), "the RMP does not cover itself");
	off_if(set_rmp(BIT_ULL(47), MIB(1)), "the RMP does not cover itself");
	/* Its first pages, but not its last */
	off_if(set_rmp(MIB(507), MIB(2)), "the RMP does not cover itself");
	off_if((set_rmp(MIB(507), MIB(2)), set_ram(2, 0, MIB(507)),
		set_ram(3, MIB(509), MIB(510))),
	       "the RMP does not cover itself");
	/* How much there is, is not known while there is time to reserve */
	off_if((set_tight(), max_pfn = NR_ENTRIES + 65537,
		want(0, MIB(200), MIB(201)), want(1, MIB(203), MIB(204))),
	       "the RMP does not cover all memory");
}

/* It is nobody's but the BIOS's. */
static void test_inside(void)
{
	const char *why = "the RMP lies in usable memory";

	off_if(set_ram(2, MIB(200), MIB(201)), why);
	off_if(set_ram(2, MIB(200), MIB(200) + PAGE_SIZE), why);
	off_if(set_ram(2, MIB(201) - PAGE_SIZE, MIB(208)), why);
	off_if(set_ram(0, 0, MIB(208)), why);
	off_if((set_tight(), set_ram(0, 0, MIB(201) + PAGE_SIZE)), why);
	off_if((set_tight(), set_ram(2, MIB(203) - PAGE_SIZE, MIB(252))), why);
}

static void test_set_aside(void)
{
	on_if((set_tight(), want(0, MIB(200), MIB(201)),
	       want(1, MIB(203), MIB(204))), TIGHT);
	/* It begins inside 2 MiB, or ends there. */
	on_if((set_rmp(MIB(201), MIB(1)), set_ram(0, 0, MIB(201)),
	       set_ram(2, MIB(202), MIB(252)), want(0, MIB(200), MIB(201))),
	      "0x000000000c900000-0x000000000c9fffff");
	on_if((set_ram(0, 0, MIB(200)), set_ram(2, MIB(201), MIB(252)),
	       want(0, MIB(201), MIB(202))),
	      "0x000000000c800000-0x000000000c8fffff");
	/* In the other half of 4 MiB */
	on_if((set_rmp(MIB(203), MIB(2)), set_ram(0, 0, MIB(203)),
	       set_ram(2, MIB(205), MIB(252)), want(0, MIB(202), MIB(203)),
	       want(1, MIB(205), MIB(206))),
	      "0x000000000cb00000-0x000000000ccfffff");
	/* One page of memory at either end of the rest: all of that */
	on_if((set_tight(), set_ram(0, 0, MIB(200) + PAGE_SIZE),
	       set_ram(2, MIB(204) - PAGE_SIZE, MIB(252)),
	       want(0, MIB(200), MIB(201)), want(1, MIB(203), MIB(204))),
	      TIGHT);
	on_if((set_tight(), set_ram(0, MIB(201) - PAGE_SIZE, MIB(201)),
	       set_ram(2, MIB(203), MIB(203) + PAGE_SIZE),
	       want(0, MIB(200), MIB(201)), want(1, MIB(203), MIB(204))),
	      TIGHT);
	/* On one side only */
	on_if((set_tight(), set_ram(0, 0, MIB(200)),
	       want(0, MIB(203), MIB(204))), TIGHT);
	on_if((set_tight(), set_ram(2, MIB(204), MIB(252)),
	       want(0, MIB(200), MIB(201))), TIGHT);
	/* Above 4 GiB */
	on_if((set_rmp(MIB(4097), MIB(18)),
	       set_ram(2, MIB(4096), MIB(4097)),
	       set_ram(3, MIB(4115), MIB(4200)),
	       max_pfn = MIB(4200) >> PAGE_SHIFT,
	       want(0, MIB(4096), MIB(4097)), want(1, MIB(4115), MIB(4116))),
	      "0x0000000100100000-0x00000001012fffff");
}

/* Aligned, or no memory so near: nothing is reserved. */
static void test_nothing_to_reserve(void)
{
	on_if((set_rmp(MIB(200), MIB(2)), set_ram(0, 0, MIB(200)),
	       set_ram(2, MIB(202), MIB(252))),
	      "0x000000000c800000-0x000000000c9fffff");
	on_if((set_tight(), set_ram(0, 0, MIB(200)),
	       set_ram(2, MIB(204), MIB(252))), TIGHT);
	on_if((set_tight(), pc.e820[0].type = E820_TYPE_RESERVED,
	       pc.e820[2].type = E820_TYPE_RESERVED), TIGHT);
}

/* By memblock, or by the kernel; the other side can still be set aside. */
static void off_if_used(u64 start, u64 end, u64 aside_start, u64 aside_end)
{
	const char *why = "the RMP shares 2 MiB with usable memory";

	off_if((set_tight(), pc.taken.start = start, pc.taken.end = end,
		want(0, aside_start, aside_end)), why);
	off_if((set_tight(), pc.kernel.start = start, pc.kernel.end = end,
		want(0, aside_start, aside_end)), why);
}

static void on_if_used(u64 start, u64 end)
{
	on_if((set_tight(), pc.taken.start = start, pc.taken.end = end,
	       want(0, MIB(200), MIB(201)), want(1, MIB(203), MIB(204))),
	      TIGHT);
	on_if((set_tight(), pc.kernel.start = start, pc.kernel.end = end,
	       want(0, MIB(200), MIB(201)), want(1, MIB(203), MIB(204))),
	      TIGHT);
}

/* By the kernel, an initrd or what else a loader leaves. */
static void test_in_use(void)
{
	const char *why = "the RMP shares 2 MiB with usable memory";

	off_if_used(MIB(190), MIB(200) + PAGE_SIZE, MIB(203), MIB(204));
	off_if_used(MIB(201) - PAGE_SIZE, MIB(201), MIB(203), MIB(204));
	off_if_used(MIB(203), MIB(203) + PAGE_SIZE, MIB(200), MIB(201));
	off_if_used(MIB(204) - PAGE_SIZE, MIB(210), MIB(200), MIB(201));
	off_if_used(MIB(190), MIB(210), 0, 0);
	on_if_used(MIB(190), MIB(200));
	on_if_used(MIB(204), MIB(210));
	/* Page 0 is nobody's to give. */
	off_if((set_rmp(MIB(1), MIB(1)), set_ram(0, 0, MIB(1)),
		set_ram(2, MIB(2), MIB(192))), why);
	off_if((set_tight(), pc.memblock_error = -ENOMEM), why);
}

/* Parameters like memmap= change what is memory after ours, or before. */
static void test_changes_of_memory(void)
{
	const char *why = "the RMP shares 2 MiB with usable memory";

	setup();
	boot_early("1");
	set_ram(2, MIB(201), MIB(202));
	boot_late();
	is_off(why, 0);

	setup();
	set_tight();
	set_ram(2, MIB(204), MIB(252));
	want(0, MIB(200), MIB(201));
	boot_early("1");
	set_ram(2, MIB(203), MIB(252));
	boot_late();
	is_off(why, 0);

	setup();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	boot_early("1");
	set_ram(0, 0, MIB(200));
	set_ram(2, MIB(204), MIB(252));
	boot_late();
	is_on(TIGHT);
}

/* What is set aside has a purpose, and nothing else is. */
static void test_other_table(void)
{
	setup();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	boot_early("1");
	set_rmp(MIB(205), MIB(2));
	set_ram(2, MIB(203), MIB(205));
	boot_late();
	is_off("the RMP shares 2 MiB with usable memory", 0);
}

static void test_requested_again(void)
{
	setup();
	set_tight();
	boot_early("0");
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	boot_early("1");
	boot_early("1");
	boot_late();
	is_on(TIGHT);
	/* The last one counts, but who knows that of the first? */
	setup();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	boot_early("1");
	boot_early("0");
	boot_late();
	said("");
	check_untouched();
}

static void test_last_checks(void)
{
	off_if(pc.cannot_map = true, "the RMP cannot be mapped");
	setup();
	pc.iommu_error = -EINVAL;
	check_off("the IOMMU lacks it, is off or in passthrough mode", 1);
}

static void test_on(void)
{
	setup();
	check_on("0x000000000c800000-0x000000000c8fffff");
	expect(table_is(0), "the RMP is not empty");
	for (u64 i = 0; i < ONLINE; i++)
		expect_eq(pc.syscfg[i], SYSCFG_ALL | SYSCFG_SME |
			  BIT_ULL(18 + 2 * (i % 2)) | i);
}

static void test_hotplug(void)
{
	u64 old;

	setup();
	old = pc.syscfg[ONLINE];
	boot_early("1");
	boot_late();
	expect_eq(pc.syscfg[ONLINE], old);
	on_cpu(ONLINE);
	expect_eq(pc.up(ONLINE), 0);
	expect_eq(pc.syscfg[ONLINE], old | SYSCFG_ALL);
	/* And again, after it has been away */
	expect_eq(pc.up(ONLINE), 0);
	expect_eq(pc.syscfg[ONLINE], old | SYSCFG_ALL);
}

/* At the limit of each check. */
static void test_limits(void)
{
	on_if(max_pfn = NR_ENTRIES, "0x000000000c800000-0x000000000c8fffff");
	on_if(set_rmp(MIB(251), MIB(1)),
	      "0x000000000fb00000-0x000000000fbfffff");
	on_if((set_rmp(MIB(506), MIB(2)), max_pfn = NR_ENTRIES + 65536),
	      "0x000000001fa00000-0x000000001fbfffff");
	/* Between memory, with 1 MiB free on either side */
	on_if((set_ram(0, 0, MIB(200)), set_ram(2, MIB(202), MIB(252))),
	      "0x000000000c800000-0x000000000c8fffff");
	on_if((set_rmp(MIB(201), MIB(1)), set_ram(0, 0, MIB(200)),
	       set_ram(2, MIB(202), MIB(252))),
	      "0x000000000c900000-0x000000000c9fffff");
}

/* The kernel before had it, and has left pages assigned. */
static void test_kexec(void)
{
	setup();
	for (int i = 0; i < ONLINE; i++)
		pc.syscfg[i] |= SYSCFG_ALL;
	check_on("0x000000000c800000-0x000000000c8fffff");
	expect(table_is(0xa5), "the RMP is written");
}

static void set_entry(u64 pfn, u64 low, u64 high)
{
	u64 e[2] = { low, high };

	memcpy(pc.table + BOOKKEEPING + 16 * pfn, e, sizeof(e));
}

static void entry_is(u64 pfn, const struct snp_rmp_entry *want)
{
	struct snp_rmp_entry e;

	memset(&e, 0x5a, sizeof(e));
	expect(pc.ops->read(pfn, &e), "pfn %#llx has no entry", pfn);
	expect(e.gpa == want->gpa && e.asid == want->asid &&
	       e.assigned == want->assigned && e.large == want->large &&
	       e.immutable == want->immutable && e.vmsa == want->vmsa &&
	       e.validated == want->validated,
	       "%#llx: GPA %#llx, ASID %u, assigned %d, large %d, immutable %d, VMSA %d, validated %d",
	       want->raw[0], e.gpa, e.asid, e.assigned, e.large, e.immutable,
	       e.vmsa, e.validated);
	expect_eq(e.raw[0], want->raw[0]);
	expect_eq(e.raw[1], want->raw[1]);
}

/* What no field has is the processor's and the firmware's alone. */
static struct snp_rmp_entry entry_of_bit(int bit)
{
	struct snp_rmp_entry e = { .raw[0] = BIT_ULL(bit) };

	if (bit == 0)
		e.assigned = true;
	else if (bit == 1)
		e.large = true;
	else if (bit == 2)
		e.immutable = true;
	else if (bit >= 12 && bit <= 50)
		e.gpa = BIT_ULL(bit);
	else if (bit >= 51 && bit <= 60)
		e.asid = 1U << (bit - 51);
	else if (bit == 61)
		e.vmsa = true;
	else if (bit == 62)
		e.validated = true;
	return e;
}

static void test_fields(void)
{
	setup();
	boot_early("1");
	boot_late();
	for (int bit = 0; bit < 64; bit++) {
		struct snp_rmp_entry e = entry_of_bit(bit);

		set_entry(7, e.raw[0], 0);
		entry_is(7, &e);
		set_entry(7, 0, BIT_ULL(bit));
		entry_is(7, &(struct snp_rmp_entry) {
			.raw[1] = BIT_ULL(bit) });
	}
	/* 2 MiB of ASID 5's at 1 GiB, validated */
	set_entry(512, 0x4028000040000003, 0x0f);
	entry_is(512, &(struct snp_rmp_entry) {
		.assigned = true, .large = true, .validated = true, .asid = 5,
		.gpa = 0x40000000, .raw = { 0x4028000040000003, 0x0f } });
	set_entry(513, ~0ULL, ~0ULL);
	entry_is(513, &(struct snp_rmp_entry) {
		.assigned = true, .large = true, .immutable = true,
		.vmsa = true, .validated = true, .asid = 1023,
		.gpa = 0x7fffffffff000, .raw = { ~0ULL, ~0ULL } });
}

/* Each page its own, the processor's bookkeeping none. */
static void test_places(void)
{
	struct snp_rmp_entry e;

	setup();
	boot_early("1");
	boot_late();
	memset(pc.table, 0xff, BOOKKEEPING);
	for (u64 pfn = 0; pfn < NR_ENTRIES; pfn++)
		set_entry(pfn, pfn << PAGE_SHIFT | 1, pfn);
	for (u64 pfn = 0; pfn < NR_ENTRIES; pfn++)
		entry_is(pfn, &(struct snp_rmp_entry) {
			.assigned = true, .gpa = pfn << PAGE_SHIFT,
			.raw = { pfn << PAGE_SHIFT | 1, pfn } });
	expect(!pc.ops->read(NR_ENTRIES, &e), "past its end");
	expect(!pc.ops->read(1ULL << 32, &e), "in 16 TiB");
	expect(!pc.ops->read(~0ULL >> 4, &e), "where a size wraps");
	expect(!pc.ops->read(~0ULL, &e), "nowhere");
}

static void test_no_entries(void)
{
	struct snp_rmp_entry e;

	setup();
	expect(!snp_rmp_hw_ops.read(0, &e), "without an RMP");
}

/* What the host's mapping of pages is, and what becomes of it. */
static struct {
	pte_t pte;
	unsigned int level, nr_split;
	bool is_there;
	unsigned long split;
	int error;
} map;

#define DIRECT_MAP	BIT_ULL(46)

void *pfn_to_kaddr(u64 pfn)
{
	return (void *)(DIRECT_MAP + (pfn << PAGE_SHIFT));
}

pte_t *lookup_address(unsigned long address, unsigned int *level)
{
	expect_eq(address, DIRECT_MAP + PAGE(0x305));
	*level = map.level;
	return map.is_there ? &map.pte : NULL;
}

int set_memory_4k(unsigned long va, int nr)
{
	expect_eq(va, DIRECT_MAP + PAGE(0x305));
	expect_eq(nr, 1);
	map.nr_split++;
	return map.error;
}

static void split_is(enum pg_level level, int error, unsigned int nr_split)
{
	map.nr_split = 0;
	expect_eq(-snp_rmp_hw_ops.before_assign(0x305, level), error);
	expect_eq(map.nr_split, nr_split);
}

static void test_direct_map(void)
{
	map.is_there = true;
	map.pte.present = true;
	map.level = PG_LEVEL_2M;
	split_is(PG_LEVEL_4K, 0, 1);
	split_is(PG_LEVEL_2M, 0, 0);
	map.level = PG_LEVEL_1G;
	split_is(PG_LEVEL_4K, 0, 1);
	split_is(PG_LEVEL_2M, 0, 0);
	map.error = -ENOMEM;
	split_is(PG_LEVEL_4K, ENOMEM, 1);
	map.level = PG_LEVEL_4K;
	split_is(PG_LEVEL_4K, 0, 0);
	/* Nothing to write through */
	map.level = PG_LEVEL_2M;
	map.pte.present = false;
	split_is(PG_LEVEL_4K, 0, 0);
	map.is_there = false;
	split_is(PG_LEVEL_4K, 0, 0);
	expect(!snp_rmp_hw_ops.after_release, "mappings stay as they are");
}

/* The processor refuses an instruction, and we are the one that has it. */
static struct {
	u8 bytes[4];
	u64 rax, rcx, result;
	unsigned int nr;
} insn;

static void execute(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	memcpy(insn.bytes, (void *)regs[REG_RIP], sizeof(insn.bytes));
	expect(insn.bytes[1] == 0x0f && insn.bytes[2] == 0x01,
	       "signal %d at %#llx", sig, regs[REG_RIP]);
	insn.rax = regs[REG_RAX];
	insn.rcx = regs[REG_RCX];
	insn.nr++;
	regs[REG_RAX] = insn.result;
	regs[REG_RIP] += sizeof(insn.bytes);
}

static void insn_was(const char *bytes, u64 rax)
{
	expect(!memcmp(insn.bytes, bytes, 4), "%02x %02x %02x %02x",
	       insn.bytes[0], insn.bytes[1], insn.bytes[2], insn.bytes[3]);
	expect_eq(insn.rax, rax);
	expect_eq(insn.nr, 1);
	insn.nr = 0;
}

static void test_instructions(void)
{
	const struct sigaction action = {
		.sa_sigaction = execute,
		.sa_flags = SA_SIGINFO,
	};
	const struct snp_rmp_state state = { .assigned = 1, .asid = 5 };

	/* One that has SNP lets nobody but a kernel have it. */
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	insn.result = 0xffffffff00000004;
	expect_eq(snp_rmp_hw_ops.rmpupdate(MIB(1 << 20), &state), 4);
	insn_was("\xf2\x0f\x01\xfe", MIB(1 << 20));
	expect_eq(insn.rcx, (uintptr_t)&state);
	insn.result = 3;
	expect_eq(snp_rmp_hw_ops.psmash(MIB(1 << 20)), 3);
	insn_was("\xf3\x0f\x01\xff", MIB(1 << 20));
}

int main(void)
{
	const struct test tests[] = {
		{ "not requested", test_not_requested },
		{ "processors", test_processor },
		{ "no table", test_no_table },
		{ "alignment", test_alignment },
		{ "coverage", test_coverage },
		{ "memory inside", test_inside },
		{ "neighbours set aside", test_set_aside },
		{ "no neighbours", test_nothing_to_reserve },
		{ "neighbours in use", test_in_use },
		{ "changes of memory", test_changes_of_memory },
		{ "another table", test_other_table },
		{ "requested again", test_requested_again },
		{ "mapping and IOMMU", test_last_checks },
		{ "on", test_on },
		{ "at the limits", test_limits },
		{ "a CPU that comes later", test_hotplug },
		{ "kexec", test_kexec },
		{ "fields of entries", test_fields },
		{ "places of entries", test_places },
		{ "no entries", test_no_entries },
		{ "direct map", test_direct_map },
		{ "instructions", test_instructions },
	};

	return run_tests("setup", tests, ARRAY_SIZE(tests));
}
