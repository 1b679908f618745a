// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor's RMP at boot: whether there is one that can be used, and its
 * enabling on all CPUs.
 *
 * Once SYSCFG has SNP enabled nothing but a reset disables it, so all checks
 * come first.  It stays off unless kvm_amd.sev_snp=1 asks for it.
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
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/e820/api.h>
#include <asm/msr.h>
#include <asm/smp.h>

#include "rmp_hw.h"

/* The only one whose layout of entries is known here. */
#define RMP_FAMILY	0x19

static bool requested __initdata;

/* The parameter is KVM's, but KVM may come too late. */
static int __init parse_sev_snp(char *arg)
{
	return kstrtobool(arg, &requested);
}
early_param("kvm_amd.sev_snp", parse_sev_snp);

struct rmp_range {
	u64 base;
	u64 size;
};

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

/* As the firmware wants it, which has the last word with INIT. */
static const char * __init check_table(struct rmp_range *r)
{
	u64 end;

	rdmsrl(MSR_AMD64_RMP_BASE, r->base);
	rdmsrl(MSR_AMD64_RMP_END, end);
	if (!r->base || end <= r->base)
		return "the BIOS has reserved no memory for the RMP";
	r->size = end - r->base + 1;
	if (!IS_ALIGNED(r->base, SZ_1M) || !IS_ALIGNED(r->size, SZ_1M))
		return "the RMP is not 1 MiB aligned";
	if (nr_entries(r) < max_pfn)
		return "the RMP does not cover all memory";
	/* The host could not write what shares a large mapping with it. */
	if (e820__mapped_any(ALIGN_DOWN(r->base, SZ_2M),
			     ALIGN(r->base + r->size, SZ_2M), E820_TYPE_RAM))
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
