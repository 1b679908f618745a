// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PSP driver's part for SNP, drivers/crypto/ccp/sev-snp*.c, on the model:
 * errors of commands, INIT and SHUTDOWN, pages of the firmware's.
 */
#include <errno.h>
#include <string.h>

#include <asm/snp_host.h>

#include "driver.h"

#define error_is(call, err, status) do {				\
	int error_ = 77;						\
	expect_eq(-(call), err);					\
	expect_eq((u32)error_, (u32)(status));				\
} while (0)

static void test_commands(void)
{
	struct snp_firmware_ops other = { 0 };
	struct sev_data_snp_addr a = { PAGE(3) };

	driver_setup();
	expect_eq(-snp_set_firmware_ops(&other), EBUSY);
	snp_clear_firmware_ops(&other);
	error_is(snp_do_cmd(SEV_CMD_SNP_DF_FLUSH, &a, &error_), EINVAL,
		 SEV_RET_NO_FW_CALL);
	error_is(snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, NULL, &error_), EINVAL,
		 SEV_RET_NO_FW_CALL);
	error_is(snp_do_cmd(SEV_CMD_INIT, &a, &error_), EINVAL,
		 SEV_RET_NO_FW_CALL);
	error_is(snp_do_cmd(0x9f, NULL, &error_), EINVAL, SEV_RET_NO_FW_CALL);
	expect_eq(driver.commands, 0);
	error_is(snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, &a, &error_), EIO,
		 SEV_RET_INVALID_PLATFORM_STATE);
	expect_eq(-snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, &a, NULL), EIO);
	driver.submit_error = -ETIMEDOUT;
	error_is(snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, &a, &error_), ETIMEDOUT,
		 SEV_RET_NO_FW_CALL);
	driver.submit_error = 0;
	expect_eq(snp_platform_init(NULL), 0);
	error_is(snp_do_cmd(SEV_CMD_SNP_PAGE_RECLAIM, &a, &error_), 0, 0);
	driver_check(0);
}

/* Each command's length is what the model reads. */
static void test_lengths(void)
{
	u8 data[256] = { 0 };
	int known = 0;

	driver_init();
	for (u32 id = 0; id < 0x200; id++) {
		int size = snpm_command_size(id);
		int ret;

		if (id == SEV_CMD_SNP_SHUTDOWN || id == SEV_CMD_SNP_SHUTDOWN_EX)
			continue;
		memset(data, 0xff, sizeof(data));
		ret = snp_do_cmd(id, size > 0 ? data : NULL, NULL);
		if (ret == -EINVAL)
			continue;
		known++;
		expect(size >= 0, "%#x is not the model's", id);
	}
	expect_eq(known, 15);
	driver_check(0);
}

static void test_no_firmware(void)
{
	struct sev_user_data_snp_status s;

	machine_init(&default_config);
	driver.alloc_fails = -1;
	error_is(snp_platform_init(&error_), ENODEV, SEV_RET_NO_FW_CALL);
	error_is(snp_do_cmd(SEV_CMD_SNP_DF_FLUSH, NULL, &error_), ENODEV,
		 SEV_RET_NO_FW_CALL);
	error_is(snp_platform_status(&s, &error_), ENODEV, SEV_RET_NO_FW_CALL);
	expect(!snp_alloc_firmware_page(GFP_KERNEL), "a page");
	expect_eq(pages_in_use(), 0);
}

static void test_init(void)
{
	struct sev_user_data_snp_status s;
	unsigned int commands;

	driver_setup();
	resources[0] = (struct resource) { PAGE(600) + 5, PAGE(601) - 1,
					   IORES_DESC_RESERVED };
	resources[1] = (struct resource) { PAGE(700), PAGE(703) - 1,
					   IORES_DESC_ACPI_TABLES };
	resources[2] = (struct resource) { UNCOVERED - PAGE(1), UNCOVERED,
					   IORES_DESC_RESERVED };
	resources[3] = (struct resource) { PAGE(800), PAGE(803) - 1, 0 };
	expect_eq(snp_platform_status(&s, NULL), 0);
	expect_eq(s.state, SNPFW_PLATFORM_UNINIT);
	error_is(snp_platform_init(&error_), 0, 0);
	state_is(PAGE(599), HYPERVISOR);
	state_is(PAGE(600), HV_FIXED);
	state_is(PAGE(601), HYPERVISOR);
	state_is(PAGE(702), HV_FIXED);
	state_is(PAGE(703), HYPERVISOR);
	state_is(PAGE(800), HYPERVISOR);
	commands = driver.commands;
	error_is(snp_platform_init(&error_), 0, SEV_RET_NO_FW_CALL);
	expect_eq(driver.commands, commands);
	expect_eq(snp_platform_status(&s, NULL), 0);
	expect_eq(s.state, SNPFW_PLATFORM_INIT);
	expect_eq(s.api_minor, SNPFW_API_MINOR);
	/* The command buffer alone. */
	expect_eq(pages_in_use(), 1);
	driver_check(0);
}

static void test_init_fails(void)
{
	const u32 steps[] = { SNPFW_PLATFORM_STATUS, SNPFW_INIT_EX,
			      SNPFW_DF_FLUSH };

	driver_setup();
	driver.api_minor = 51;
	expect_eq(-snp_platform_init(NULL), EOPNOTSUPP);
	driver.api_minor = 0;
	driver.submit_error = -ETIMEDOUT;
	error_is(snp_platform_init(&error_), ETIMEDOUT, SEV_RET_NO_FW_CALL);
	driver.submit_error = -EBUSY;
	error_is(snp_platform_init(&error_), EBUSY, SEV_RET_NO_FW_CALL);
	driver.submit_error = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		fail_command(steps[i], 0, 1);
		error_is(snp_platform_init(&error_), EIO, SEV_RET_RESOURCE_LIMIT);
		expect(!snp_is_initialized(), "after %#x", steps[i]);
		expect_eq(snpm_fw.state, SNPFW_PLATFORM_UNINIT);
	}
	for (int i = 0; i < 2; i++) {
		driver.alloc_fails = i;
		expect_eq(-snp_platform_init(NULL), ENOMEM);
	}
	resources[0] = (struct resource) { 0, 1ULL << 50, IORES_DESC_RESERVED };
	expect_eq(-snp_platform_init(NULL), E2BIG);
	resources[0].desc = 0;
	/* Neither flush nor SHUTDOWN: it goes on from there. */
	fail_command(SNPFW_DF_FLUSH, 0, 2);
	expect_eq(-snp_platform_init(NULL), EIO);
	expect(snp_is_initialized(), "the firmware is");
	expect_eq(snp_platform_init(NULL), 0);
	expect_eq(pages_in_use(), 1);
	driver_check(0);
}

static int shut_down(void)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_platform_shutdown_locked();
	mutex_unlock(&sev_cmd_mutex);
	return -ret;
}

static void test_shutdown(void)
{
	struct sev_data_snp_addr a;
	struct sev_data_snp_launch_start start = { .policy = POLICY };
	struct sev_data_snp_activate act = { .asid = 3 };
	void *page;

	driver_setup();
	expect_eq(shut_down(), 0);
	expect_eq(driver.commands, 0);
	expect_eq(snp_platform_init(NULL), 0);
	page = snp_alloc_firmware_page(GFP_KERNEL);
	a.address = __pa(page);
	start.gctx_paddr = a.address;
	act.gctx_paddr = a.address;
	expect_eq(snp_do_cmd(SEV_CMD_SNP_GCTX_CREATE, &a, NULL), 0);
	expect_eq(snp_do_cmd(SEV_CMD_SNP_LAUNCH_START, &start, NULL), 0);
	expect_eq(snp_do_cmd(SEV_CMD_SNP_ACTIVATE, &act, NULL), 0);
	expect_eq(shut_down(), EIO);
	expect(snp_is_initialized() && !driver.iommu_disabled, "with a guest");
	/* A context is not reclaimed. */
	expect_eq(snp_do_cmd(SEV_CMD_SNP_DECOMMISSION, &a, NULL), 0);
	snp_free_firmware_page(page);
	expect_eq(shut_down(), 0);
	expect(!snp_is_initialized() && driver.iommu_disabled == 1, "it is not");
	expect_eq(snp_platform_init(NULL), 0);
	driver_check(0);
}

static void test_status(void)
{
	struct sev_user_data_snp_status s;

	driver_init();
	fail_command(SNPFW_PLATFORM_STATUS, 0, 1);
	error_is(snp_platform_status(&s, &error_), EIO, SEV_RET_RESOURCE_LIMIT);
	driver.alloc_fails = 0;
	error_is(snp_platform_status(&s, &error_), ENOMEM, SEV_RET_NO_FW_CALL);
	fail_rmpupdate(0);
	expect_eq(-snp_platform_status(&s, NULL), EFAULT);
	expect_eq(snp_nr_leaked_pages(), 0);
	expect_eq(pages_in_use(), 1);
	driver_check(0);
	fail_rmpupdate(1);
	expect_eq(-snp_platform_status(&s, NULL), EIO);
	fail_command(SNPFW_PAGE_RECLAIM, 0, 1);
	expect_eq(-snp_platform_status(&s, NULL), EIO);
	expect_eq(snp_nr_leaked_pages(), 2);
	expect_eq(pages_in_use(), 3);
	driver_check(0);
}

static void test_pages(void)
{
	u64 spa, guest;
	u8 *page;

	driver_init();
	guest = any_page();
	expect_eq(rmp_make_private(PHYS_PFN(guest), PAGE(9), PG_LEVEL_4K, ASID,
				   true), 0);
	expect_eq(snp_reclaim_page(PHYS_PFN(guest)), 0);
	state_is(guest, HYPERVISOR);
	/* It is no matter that it is. */
	expect_eq(snp_reclaim_page(PHYS_PFN(guest)), 0);
	page = snp_alloc_firmware_page(GFP_KERNEL);
	spa = __pa(page);
	state_is(spa, FIRMWARE);
	driver_check(1);
	firmware_writes(spa + 7, 0x5e, 1);
	snp_free_firmware_page(page);
	state_is(spa, HYPERVISOR);
	expect(!page[7], "it is not scrubbed");
	snp_free_firmware_page(NULL);
	driver_check(0);
	driver.alloc_fails = 0;
	expect(!snp_alloc_firmware_page(GFP_KERNEL), "without memory");
	fail_rmpupdate(0);
	expect(!snp_alloc_firmware_page(GFP_KERNEL), "without RMPUPDATE");
	expect_eq(pages_in_use(), 1);
	page = snp_alloc_firmware_page(GFP_KERNEL);
	fail_command(SNPFW_PAGE_RECLAIM, 0, 1);
	snp_free_firmware_page(page);
	expect_eq(snp_nr_leaked_pages(), 1);
	expect_eq(pages_in_use(), 2);
	driver_check(0);
}

/* A page that it gets it does not give back; those that it has are lost, in time. */
static void test_silence(void)
{
	struct sev_user_data_snp_status s;
	u8 *page;

	driver_init();
	page = snp_alloc_firmware_page(GFP_KERNEL);
	expect(snp_firmware_answers(), "it answers");
	driver.submit_error = -ETIMEDOUT;
	expect_eq(-snp_platform_status(&s, NULL), EIO);
	expect_eq(snp_nr_leaked_pages(), 1);
	driver.submit_error = -EBUSY;
	expect(!snp_firmware_answers(), "it does not answer");
	expect(!snp_alloc_firmware_page(GFP_KERNEL), "without an answer");
	expect_eq(-snp_platform_status(&s, NULL), EBUSY);
	expect_eq(snp_nr_leaked_pages(), 1);
	expect_eq(pages_in_use(), 3);
	driver_check(1);

	/* To refuse is to answer. */
	driver.submit_error = 0;
	fail_command(SNPFW_DF_FLUSH, 0, 1);
	expect(snp_firmware_answers(), "it answers again");
	snp_free_firmware_page(page);
	page = snp_alloc_firmware_page(GFP_KERNEL);
	expect(page, "it gets pages again");
	snp_free_firmware_page(page);
	expect_eq(snp_nr_leaked_pages(), 1);
	driver_check(0);
}

static int give_buffer(void **buf, size_t size)
{
	int ret;

	mutex_lock(&sev_cmd_mutex);
	ret = snp_give_buffer_locked(buf, size);
	mutex_unlock(&sev_cmd_mutex);
	return -ret;
}

static void take_buffer(void **buf, size_t size)
{
	mutex_lock(&sev_cmd_mutex);
	snp_take_buffer_locked(buf, size);
	mutex_unlock(&sev_cmd_mutex);
}

static void test_buffers(void)
{
	const size_t size = PAGE(8);
	void *buf = NULL;

	driver_init();
	expect_eq(give_buffer(&buf, size), 0);
	take_buffer(&buf, size);
	buf = alloc_pages_exact(size, GFP_KERNEL);
	take_buffer(&buf, size);
	expect_eq(give_buffer(&buf, size), 0);
	driver_check(8);
	expect_eq(give_buffer(&buf, size), 0);
	take_buffer(&buf, size);
	driver_check(0);
	/* Whichever page does not go. */
	for (int i = 0; i < 8; i++) {
		fail_rmpupdate(i);
		expect_eq(give_buffer(&buf, size), EFAULT);
		driver_check(0);
	}
	/* Two do not come back. */
	expect_eq(give_buffer(&buf, size), 0);
	fail_command(SNPFW_PAGE_RECLAIM, 3, 2);
	take_buffer(&buf, size);
	expect(!buf, "it is still there");
	expect_eq(snp_nr_leaked_pages(), 2);
	expect_eq(pages_in_use(), 3);
	driver_check(0);
	/* Nor does one of those that had gone. */
	buf = alloc_pages_exact(size, GFP_KERNEL);
	fail_rmpupdate(5);
	fail_command(SNPFW_PAGE_RECLAIM, 0, 1);
	expect_eq(give_buffer(&buf, size), EIO);
	expect(!buf, "it is still there");
	expect_eq(snp_nr_leaked_pages(), 3);
	expect_eq(pages_in_use(), 4);
	driver_check(0);
}

int main(void)
{
	const struct test tests[] = {
		{ "commands", test_commands },
		{ "lengths of commands", test_lengths },
		{ "without a firmware", test_no_firmware },
		{ "INIT", test_init },
		{ "INIT that fails", test_init_fails },
		{ "SHUTDOWN", test_shutdown },
		{ "status", test_status },
		{ "pages of the firmware's", test_pages },
		{ "a firmware that does not answer", test_silence },
		{ "buffers that are kept", test_buffers },
	};

	return run_tests("psp", tests, ARRAY_SIZE(tests));
}
