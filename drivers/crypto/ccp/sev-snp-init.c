// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV-SNP's platform: initialized, asked how it is, shut down.
 *
 * By "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860):
 * SNP_INIT_EX, SNP_DF_FLUSH, SNP_PLATFORM_STATUS, SNP_SHUTDOWN_EX.
 */
#define pr_fmt(fmt) "SEV-SNP: " fmt

#include <linux/amd-iommu.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/psp-sev.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/snp_host.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "sev-snp.h"

/* The first whose INIT_EX takes a list of pages to leave alone. */
#define MIN_API_MAJOR	1
#define MIN_API_MINOR	52

#define MAX_RANGES	((PAGE_SIZE - sizeof(struct snp_range_list)) / \
			 sizeof_field(struct snp_range_list, ranges[0]))

/* Under sev_cmd_mutex; may be read without. */
static enum {
	/* So is the firmware. */
	SNP_UNINIT,
	/* The firmware is in INIT, but no guest can be launched. */
	SNP_UNFLUSHED,
	SNP_READY,
} state;

/* Whether the firmware looks at the states of pages. */
bool snp_is_initialized(void)
{
	return READ_ONCE(state) != SNP_UNINIT;
}

static int list_range(struct resource *res, void *arg)
{
	struct snp_range_list *list = arg;
	u64 nr = PFN_UP(res->end + 1) - PFN_DOWN(res->start);

	if (list->num_elements == MAX_RANGES || nr > U32_MAX)
		return -E2BIG;
	list->ranges[list->num_elements].base = PFN_PHYS(PFN_DOWN(res->start));
	list->ranges[list->num_elements].page_count = nr;
	list->num_elements++;
	return 0;
}

/*
 * Memory that the BIOS keeps: other processors of the system write it and must
 * be able to rely on that.
 */
static int fill_list(struct snp_range_list *list)
{
	static const unsigned long descs[] = {
		IORES_DESC_RESERVED,
		IORES_DESC_ACPI_TABLES,
		IORES_DESC_ACPI_NV_STORAGE,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(descs); i++) {
		ret = walk_iomem_res_desc(descs[i], IORESOURCE_MEM, 0, U64_MAX,
					  list, list_range);
		/* -EINVAL: there is none. */
		if (ret && ret != -EINVAL)
			return ret;
	}
	return 0;
}

static int init_ex(int *error)
{
	struct sev_data_snp_init_ex data = {
		.init_rmp = 1,
		.list_paddr_en = 1,
	};
	struct snp_range_list *list;
	int ret;

	list = (void *)get_zeroed_page(GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	data.list_paddr = __psp_pa(list);
	ret = fill_list(list);
	if (!ret) {
		wbinvd_on_all_cpus();
		ret = snp_do_cmd_locked(SEV_CMD_SNP_INIT_EX, &data, error);
	}
	free_page((unsigned long)list);
	return ret;
}

/* INIT leaves all ASIDs dirty. */
static int flush(int *error)
{
	int ret;

	wbinvd_on_all_cpus();
	ret = snp_do_cmd_locked(SEV_CMD_SNP_DF_FLUSH, NULL, error);
	if (!ret)
		WRITE_ONCE(state, SNP_READY);
	return ret;
}

/* Where the firmware writes its status: a page of its own, if it looks. */
static int status_locked(struct sev_user_data_snp_status *status, int *error)
{
	bool is_checked = snp_is_initialized();
	struct sev_data_snp_addr data;
	void *page;
	int ret;

	if (error)
		*error = SEV_RET_NO_FW_CALL;
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	if (is_checked) {
		ret = snp_give_page_locked(page);
		if (ret)
			goto out;
	}
	data.address = __psp_pa(page);
	ret = snp_do_cmd_locked(SEV_CMD_SNP_PLATFORM_STATUS, &data, error);
	if (is_checked && snp_reclaim_page_locked(PHYS_PFN(__pa(page))))
		return -EIO;
	if (!ret)
		memcpy(status, page, sizeof(*status));
out:
	free_page((unsigned long)page);
	return ret;
}

/**
 * snp_platform_status() - Ask the firmware of SEV-SNP how it is.
 * @status: what it says
 * @error: as snp_do_cmd() sets it; may be NULL
 *
 * Context: may sleep; takes sev_cmd_mutex.
 * Return: 0; -ENOMEM; an error of rmp_make_private(); otherwise as snp_do_cmd().
 */
int snp_platform_status(struct sev_user_data_snp_status *status, int *error)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = status_locked(status, error);
	mutex_unlock(&sev_cmd_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(snp_platform_status);

static int init_locked(int *error)
{
	struct sev_user_data_snp_status s;
	int ret;

	ret = status_locked(&s, error);
	if (ret)
		return ret;
	if (s.api_major < MIN_API_MAJOR || (s.api_major == MIN_API_MAJOR &&
					    s.api_minor < MIN_API_MINOR)) {
		pr_info("firmware API %u.%u is too old\n", s.api_major,
			s.api_minor);
		return -EOPNOTSUPP;
	}
	ret = init_ex(error);
	if (ret)
		return ret;
	WRITE_ONCE(state, SNP_UNFLUSHED);
	pr_info("firmware API %u.%u build %u initialized\n", s.api_major,
		s.api_minor, s.build_id);
	return 0;
}

/* snp_platform_init() for who holds sev_cmd_mutex. */
int snp_platform_init_locked(int *error)
{
	int ret = 0;

	lockdep_assert_held(&sev_cmd_mutex);
	if (error)
		*error = SEV_RET_NO_FW_CALL;
	if (state == SNP_READY)
		return 0;
	if (!snp_rmp_enabled() || !snp_has_firmware())
		return -ENODEV;
	if (state == SNP_UNINIT)
		ret = init_locked(error);
	if (ret)
		return ret;
	ret = flush(error);
	/* If it does not shut down either, the next call begins here. */
	if (ret)
		snp_platform_shutdown_locked();
	return ret;
}

/**
 * snp_platform_init() - Initialize SEV-SNP, unless it is.
 * @error: the firmware's status where it refuses, else SEV_RET_NO_FW_CALL or
 *	0; may be NULL
 *
 * The RMP is made anew: no page of it may be assigned before the first call.
 * On hardware no CPU may have SVM enabled then, see sev-snp-hw.c.
 *
 * Context: may sleep; takes sev_cmd_mutex.
 * Return: 0; -ENODEV without an RMP or a firmware; -EOPNOTSUPP if that is too
 * old; -E2BIG if the BIOS keeps too many pieces of memory; -ENOMEM; otherwise
 * as snp_do_cmd().
 */
int snp_platform_init(int *error)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_platform_init_locked(error);
	mutex_unlock(&sev_cmd_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(snp_platform_init);

static int shutdown_ex(int *error)
{
	struct sev_data_snp_shutdown_ex data = {
		.len = sizeof(data),
		.iommu_snp_shutdown = 1,
	};

	return snp_do_cmd_locked(SEV_CMD_SNP_SHUTDOWN_EX, &data, error);
}

/*
 * After SEV's own SHUTDOWN.  Guests that are still there keep it from
 * happening.  The firmware leaves the pages of the IOMMU mutable, but the
 * hypervisor has to take them back: else nobody could write them after kexec.
 */
static int shutdown_locked(void)
{
	int ret, error;

	ret = shutdown_ex(&error);
	if (ret && error == SEV_RET_DFFLUSH_REQUIRED) {
		ret = snp_do_cmd_locked(SEV_CMD_SNP_DF_FLUSH, NULL, &error);
		if (!ret)
			ret = shutdown_ex(&error);
	}
	if (ret) {
		pr_err("firmware does not shut down: %d, 0x%x\n", ret, error);
		return ret;
	}
	WRITE_ONCE(state, SNP_UNINIT);
	amd_iommu_snp_disable();
	return 0;
}

int snp_platform_shutdown_locked(void)
{
	lockdep_assert_held(&sev_cmd_mutex);
	if (state == SNP_UNINIT)
		return 0;
	wbinvd_on_all_cpus();
	return shutdown_locked();
}

/* On the last CPU; the others cannot write back what they have. */
int snp_platform_panic_locked(void)
{
	if (state == SNP_UNINIT)
		return 0;
	wbinvd();
	return shutdown_locked();
}
