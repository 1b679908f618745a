// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's RMP at boot: whether there is one that can be used, and its
 * enabling on all CPUs.
 *
 * Once SYSCFG has SNP enabled nothing but a reset disables it, so all checks
 * come first.  It stays off unless kvm_amd.sev_snp=1 asks for it.
 *
 * Usable memory that shares 2 MiB with the RMP, whose ends need not be aligned
 * to that, is set aside before memblock knows of it: for good, as a kernel that
 * kexec starts meets the same RMP.
 */
#define pr_fmt(fmt) "SEV-SNP: " fmt

#include <linux/amd-iommu.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/crash_dump.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/memblock.h>
#include <linux/panic.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include <asm/cmdline.h>
#include <asm/cpufeature.h>
#include <asm/e820/api.h>
#include <asm/msr.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/smp.h>

#include "rmp_hw.h"

/* The only one whose layout of entries is known here. */
#define RMP_FAMILY	0x19

struct rmp_range {
	u64 base;
	u64 size;
};

/* What shares its first 2 MiB, and its last, with the RMP; half-open. */
enum { BELOW, ABOVE, NR_NEIGHBOURS };

struct neighbour {
	u64 start;
	u64 end;
};

static bool requested __initdata;

static const char * __init check_processor(void)
{
	if (!boot_cpu_has(X86_FEATURE_SEV_SNP))
		return "the processor lacks it or the BIOS has it disabled";
	if (boot_cpu_data.x86 != RMP_FAMILY)
		return "the RMP of this family is not known";
	if (is_kdump_kernel())
		return "this is a kdump kernel";
	return NULL;
}

static u64 nr_entries(const struct rmp_range *r)
{
	return (r->size - RMP_BOOKKEEPING_SIZE) / RMP_ENTRY_SIZE;
}

static bool __init has_ram(u64 start, u64 end)
{
	return e820__mapped_any(start, end, E820_TYPE_RAM);
}

/* As the firmware wants it, which has the last word with INIT. */
static const char * __init find_table(struct rmp_range *r)
{
	u64 end;

	if (rdmsrl_safe(MSR_AMD64_RMP_BASE, &r->base) ||
	    rdmsrl_safe(MSR_AMD64_RMP_END, &end) ||
	    !r->base || end <= r->base || end == U64_MAX)
		return "the BIOS has reserved no memory for the RMP";
	r->size = end - r->base + 1;
	if (!IS_ALIGNED(r->base, SZ_1M) || !IS_ALIGNED(r->size, SZ_1M))
		return "the RMP is not 1 MiB aligned";
	/* It can lie above all RAM, and INIT makes its pages the firmware's. */
	if (nr_entries(r) <= PHYS_PFN(end))
		return "the RMP does not cover itself";
	if (has_ram(r->base, r->base + r->size))
		return "the RMP lies in usable memory";
	return NULL;
}

/* An empty one has no RAM: that would have to go on from inside the RMP. */
static void __init get_neighbours(const struct rmp_range *r,
				  struct neighbour n[NR_NEIGHBOURS])
{
	u64 end = r->base + r->size;

	n[BELOW].start = ALIGN_DOWN(r->base, SZ_2M);
	n[BELOW].end = r->base;
	n[ABOVE].start = end;
	n[ABOVE].end = ALIGN(end, SZ_2M);
}

/* The kernel's own end, with its brk area, is reserved only later. */
static bool __init is_in_use(const struct neighbour *n)
{
	return memblock_is_region_reserved(n->start, n->end - n->start) ||
	       (n->start < __pa_symbol(_end) && __pa_symbol(_text) < n->end);
}

/* Whoever has reserved it before may free it, so that it cannot be kept. */
static void __init set_one_aside(const struct neighbour *n)
{
	if (!has_ram(n->start, n->end) || is_in_use(n))
		return;
	e820__reserve_ram(n->start, n->end - n->start);
	pr_info("[mem %#018llx-%#018llx] next to the RMP is set aside\n",
		n->start, n->end - 1);
}

/* is_kdump_kernel() does not know of what follows on the command line. */
static bool __init has_elfcorehdr(void)
{
	return cmdline_find_option(boot_command_line, "elfcorehdr", NULL, 0) >= 0;
}

/* With e820 known, but neither all of its changes nor max_pfn. */
static void __init set_neighbours_aside(void)
{
	struct neighbour n[NR_NEIGHBOURS];
	struct rmp_range r;

	if (check_processor() || has_elfcorehdr() || find_table(&r))
		return;
	get_neighbours(&r, n);
	set_one_aside(&n[BELOW]);
	set_one_aside(&n[ABOVE]);
}

/* The parameter is KVM's, but KVM may come too late. */
static int __init parse_sev_snp(char *arg)
{
	int r = kstrtobool(arg, &requested);

	if (!r && requested)
		set_neighbours_aside();
	return r;
}
early_param("kvm_amd.sev_snp", parse_sev_snp);

static const char * __init check_table(struct rmp_range *r)
{
	struct neighbour n[NR_NEIGHBOURS];
	const char *why;

	why = find_table(r);
	if (why)
		return why;
	if (nr_entries(r) < max_pfn)
		return "the RMP does not cover all memory";
	/* The host could not write what shares a large mapping with it. */
	get_neighbours(r, n);
	if (has_ram(n[BELOW].start, n[BELOW].end) ||
	    has_ram(n[ABOVE].start, n[ABOVE].end))
		return "the RMP shares 2 MiB with usable memory";
	return NULL;
}

static void enable_mfdm(void *unused)
{
	u64 val;

	rdmsrl(MSR_AMD64_SYSCFG, val);
	wrmsrl(MSR_AMD64_SYSCFG, val | MSR_AMD64_SYSCFG_MFDM);
}

static void enable_snp(void *unused)
{
	u64 val;

	rdmsrl(MSR_AMD64_SYSCFG, val);
	val |= MSR_AMD64_SYSCFG_SNP_EN | MSR_AMD64_SYSCFG_SNP_VMPL_EN;
	wrmsrl(MSR_AMD64_SYSCFG, val);
}

static int online_cpu(unsigned int cpu)
{
	enable_mfdm(NULL);
	enable_snp(NULL);
	return 0;
}

static bool __init is_enabled_already(void)
{
	u64 val;

	rdmsrl(MSR_AMD64_SYSCFG, val);
	return val & MSR_AMD64_SYSCFG_SNP_EN;
}

/*
 * After kexec from a kernel that had SNP the table is in use, and the
 * processor would not let anybody write it.
 */
static void __init enable_all(void *table, u64 size)
{
	if (is_enabled_already())
		return;
	memset(table, 0, size);
	wbinvd_on_all_cpus();
	/* MFDM everywhere first: SYSCFG is locked from SNP on. */
	on_each_cpu(enable_mfdm, NULL, 1);
	on_each_cpu(enable_snp, NULL, 1);
}

static const char * __init try_setup(struct rmp_range *r)
{
	const char *why;
	void *table;

	why = check_processor();
	if (!why)
		why = check_table(r);
	if (why)
		return why;
	table = memremap(r->base, r->size, MEMREMAP_WB);
	if (!table)
		return "the RMP cannot be mapped";
	/* The IOMMU driver adapts to it, so it is asked last. */
	if (amd_iommu_snp_enable()) {
		memunmap(table);
		return "the IOMMU lacks it, is off or in passthrough mode";
	}
	snp_rmp_hw_init(table + RMP_BOOKKEEPING_SIZE, nr_entries(r));
	enable_all(table, r->size);
	return NULL;
}

/* Before rootfs_initcall() sets the IOMMU up for good. */
static int __init snp_rmptable_init(void)
{
	struct rmp_range r;
	const char *why;

	if (!requested)
		return 0;
	why = try_setup(&r);
	if (why) {
		pr_info("off: %s\n", why);
		return 0;
	}
	cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/snp:online", online_cpu,
			  NULL);
	snp_set_rmp_ops(&snp_rmp_hw_ops);
	/* The firmware is shut down by a panic notifier, also before kdump. */
	crash_kexec_post_notifiers = true;
	pr_info("on, RMP at [mem %#018llx-%#018llx]\n", r.base,
		r.base + r.size - 1);
	return 0;
}
fs_initcall(snp_rmptable_init);
