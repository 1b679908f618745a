// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's RMP, arch/x86/virt/svm/rmp_setup.c, on a machine of a few
 * lines: when it is used, what memory is set aside for it, what is enabled where.
 */
#include <errno.h>
#include <string.h>

#include "pc.h"

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
	pc_boot_early("1");
	pc_boot_late();
	is_off(why, iommu_asked);
}

/* All is well but for that; want() is part of it if memory is set aside. */
#define off_if(change, why) do {					\
	pc_reset();							\
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
	pc_boot_early("1");
	pc_boot_late();
	is_on(where);
}

#define on_if(change, where) do {					\
	pc_reset();							\
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
	pc_reset();
	set_tight();
	expect(!strcmp(early_param_name, "kvm_amd.sev_snp"), "%s",
	       early_param_name);
	pc_boot_late();
	pc_boot_early("0");
	pc_boot_late();
	expect_eq(-early_param_fn((char *)"maybe"), EINVAL);
	pc_boot_late();
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
}

/* Parameters like memmap= change what is memory after ours, or before. */
static void test_changes_of_memory(void)
{
	const char *why = "the RMP shares 2 MiB with usable memory";

	pc_reset();
	pc_boot_early("1");
	set_ram(2, MIB(201), MIB(202));
	pc_boot_late();
	is_off(why, 0);

	pc_reset();
	set_tight();
	set_ram(2, MIB(204), MIB(252));
	want(0, MIB(200), MIB(201));
	pc_boot_early("1");
	set_ram(2, MIB(203), MIB(252));
	pc_boot_late();
	is_off(why, 0);

	pc_reset();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	pc_boot_early("1");
	set_ram(0, 0, MIB(200));
	set_ram(2, MIB(204), MIB(252));
	pc_boot_late();
	is_on(TIGHT);

	pc_reset();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	pc_boot_early("1");
	pc.is_undone = true;
	pc_boot_late();
	is_off(why, 0);
}

/* What is set aside has a purpose, and nothing else is. */
static void test_other_table(void)
{
	pc_reset();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	pc_boot_early("1");
	set_rmp(MIB(205), MIB(2));
	set_ram(2, MIB(203), MIB(205));
	pc_boot_late();
	is_off("the RMP shares 2 MiB with usable memory", 0);
}

static void test_requested_again(void)
{
	pc_reset();
	set_tight();
	pc_boot_early("0");
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	pc_boot_early("1");
	pc_boot_early("1");
	pc_boot_late();
	is_on(TIGHT);
	/* The last one counts, but who knows that of the first? */
	pc_reset();
	set_tight();
	want(0, MIB(200), MIB(201));
	want(1, MIB(203), MIB(204));
	pc_boot_early("1");
	pc_boot_early("0");
	pc_boot_late();
	said("");
	check_untouched();
}

static void test_last_checks(void)
{
	off_if(pc.cannot_map = true, "the RMP cannot be mapped");
	pc_reset();
	pc.iommu_error = -EINVAL;
	check_off("the IOMMU lacks it, is off or in passthrough mode", 1);
}

static void test_on(void)
{
	pc_reset();
	check_on("0x000000000c800000-0x000000000c8fffff");
	expect(pc_table_is(0), "the RMP is not empty");
	for (u64 i = 0; i < ONLINE; i++)
		expect_eq(pc.syscfg[i], SYSCFG_ALL | SYSCFG_SME |
			  BIT_ULL(18 + 2 * (i % 2)) | i);
}

static void test_hotplug(void)
{
	u64 old;

	pc_reset();
	old = pc.syscfg[ONLINE];
	pc_boot_early("1");
	pc_boot_late();
	expect_eq(pc.syscfg[ONLINE], old);
	pc_on_cpu(ONLINE);
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
	pc_reset();
	for (int i = 0; i < ONLINE; i++)
		pc.syscfg[i] |= SYSCFG_ALL;
	check_on("0x000000000c800000-0x000000000c8fffff");
	expect(pc_table_is(0xa5), "the RMP is written");
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
	};

	return run_tests("setup", tests, ARRAY_SIZE(tests));
}
