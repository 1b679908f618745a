// SPDX-License-Identifier: GPL-2.0-only
/* INIT, SHUTDOWN, status, CONFIG, DF_FLUSH, and commands that are none. */
#include <string.h>

#include "host.h"

static void test_init(void)
{
	machine_init(&default_config);
	fw_is(INVALID_PLATFORM_STATE, GCTX_CREATE, .addr.spa = PAGE(1));
	machine.snp_disabled = true;
	fw_is(INVALID_CONFIG, INIT);
	fw_is(INVALID_CONFIG, INIT_EX, .init_ex.flags = SNPFW_INIT_RMP);
	machine.snp_disabled = false;
	rmp_is(SUCCESS, PAGE(1), .assigned = 1, .asid = 3);
	fw_is(SUCCESS, INIT);
	state_is(PAGE(1), HYPERVISOR);
	fw_is(INVALID_PLATFORM_STATE, INIT);
	fw_is(INVALID_PLATFORM_STATE, INIT_EX,
	      .init_ex.flags = SNPFW_INIT_RMP);
}

static void shutdown_and(bool iommu)
{
	df_flush();
	fw_is(SUCCESS, SHUTDOWN_EX, .shutdown_ex = {
		.length = sizeof(struct snpfw_shutdown_ex),
		.flags = iommu ? SNPFW_SHUTDOWN_IOMMU : 0,
	});
}

static void test_init_ex(void)
{
	machine_init(&default_config);
	fw_is(INVALID_PARAM, INIT_EX, .init_ex.flags = BIT(2));
	fw_is(INVALID_PARAM, INIT_EX, .init_ex = { SNPFW_INIT_RMP, .rsvd = 1 });
	fw_is(INVALID_PARAM, INIT_EX,
	      .init_ex = { SNPFW_INIT_RMP, .rsvd2[47] = 1 });
	fw_is(RMP_INIT_REQUIRED, INIT_EX);
	fw_is(SUCCESS, INIT_EX, .init_ex.flags = SNPFW_INIT_RMP);
	rmp_is(SUCCESS, PAGE(1), .assigned = 1, .asid = 3);
	shutdown_and(false);
	fw_is(SUCCESS, INIT_EX);
	state_is(PAGE(1), GUEST_INVALID);
	shutdown_and(true);
	fw_is(RMP_INIT_REQUIRED, INIT_EX);
	fw_is(SUCCESS, INIT_EX, .init_ex.flags = SNPFW_INIT_RMP);
	state_is(PAGE(1), HYPERVISOR);
}

#define LIST		PAGE(2)
#define WITH_LIST	(SNPFW_INIT_RMP | SNPFW_INIT_LIST)

static void test_list(void)
{
	struct snpfw_range_list *list;
	struct snpfw_init_ex i = { .flags = WITH_LIST, .list_spa = LIST };

	machine_init(&default_config);
	list = machine_va(LIST);
	memset(list, 0, PAGE_SIZE);
	list->nr = 2;
	list->ranges[0] = (struct snpfw_range) { PAGE(700), 3, 0 };
	list->ranges[1] = (struct snpfw_range) { UNCOVERED - PAGE(1), 5, 0 };
	fw_is(RMP_INIT_REQUIRED, INIT_EX,
	      .init_ex = { SNPFW_INIT_LIST, .list_spa = LIST });
	i.list_spa = NOWHERE;
	fw_is(INVALID_ADDRESS, INIT_EX, .init_ex = i);
	i.list_spa = NOWHERE - sizeof(*list);
	memset(machine_va(i.list_spa), 0, sizeof(*list));
	*(u32 *)machine_va(i.list_spa) = 1;
	fw_is(INVALID_ADDRESS, INIT_EX, .init_ex = i);
	i.list_spa = LIST;
	list->rsvd = 1;
	fw_is(INVALID_PARAM, INIT_EX, .init_ex = i);
	list->rsvd = 0;
	list->nr = 256;
	fw_is(INVALID_PARAM, INIT_EX, .init_ex = i);
	list->nr = 2;
	list->ranges[1].rsvd = 1;
	fw_is(INVALID_PARAM, INIT_EX, .init_ex = i);
	list->ranges[1].rsvd = 0;
	list->ranges[0].base++;
	fw_is(INVALID_PARAM, INIT_EX, .init_ex = i);
	list->ranges[0].base--;
	fw_is(SUCCESS, INIT_EX, .init_ex = i);
	state_is(PAGE(699), HYPERVISOR);
	state_is(PAGE(700), HV_FIXED);
	state_is(PAGE(702), HV_FIXED);
	state_is(PAGE(703), HYPERVISOR);
	state_is(UNCOVERED - PAGE(1), HV_FIXED);
	rmp_is(FAIL_PERMISSION, PAGE(700), .assigned = 1, .asid = 1);
	rmp_is(FAIL_PERMISSION, PAGE(512), .assigned = 1, .asid = 1,
	       .pagesize = 1);
	fw_is(INVALID_PAGE_STATE, PAGE_RECLAIM, .addr.spa = PAGE(700));
	shutdown_and(false);
	fw_is(INVALID_PARAM, INIT_EX,
	      .init_ex = { SNPFW_INIT_LIST, .list_spa = LIST });
}

static void test_shutdown(void)
{
	const struct snpfw_shutdown_ex good = { sizeof(good), 0 };

	machine_init(&default_config);
	fw_is(SUCCESS, SHUTDOWN);
	fw_is(SUCCESS, SHUTDOWN_EX, .shutdown_ex = { 1, ~0 });
	fw_is(SUCCESS, INIT);
	fw_is(DF_FLUSH_REQUIRED, SHUTDOWN);
	fw_is(DF_FLUSH_REQUIRED, SHUTDOWN_EX, .shutdown_ex = good);
	df_flush();
	fw_is(INVALID_PARAM, SHUTDOWN_EX, .shutdown_ex = { 4, 0 });
	fw_is(INVALID_PARAM, SHUTDOWN_EX, .shutdown_ex = { 8, BIT(1) });
	fw_is(SUCCESS, SHUTDOWN);
	fw_is(INVALID_PLATFORM_STATE, PAGE_RECLAIM, .addr.spa = PAGE(1));
	/* Not while a guest is active, and not before a flush afterwards */
	world_running();
	fw_is(DF_FLUSH_REQUIRED, SHUTDOWN);
	df_flush();
	fw_is(DF_FLUSH_REQUIRED, SHUTDOWN);
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	fw_is(DF_FLUSH_REQUIRED, SHUTDOWN);
	df_flush();
	fw_is(SUCCESS, SHUTDOWN);
}

/* Contexts outlive a SHUTDOWN that leaves the RMP alone. */
static void test_survivors(void)
{
	world_created();
	launch_start(POLICY);
	shutdown_and(false);
	fw_is(SUCCESS, INIT_EX);
	expect_eq(snpm_fw.guest_count, 1);
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	expect_eq(snpm_fw.guest_count, 0);
	shutdown_and(false);
	fw_is(SUCCESS, INIT);
	state_is(w.gctx, HYPERVISOR);
}

static struct snpfw_platform_status *status_at(u64 spa)
{
	memset(machine_va(spa), 0xee, sizeof(struct snpfw_platform_status));
	fw_is(SUCCESS, PLATFORM_STATUS, .addr.spa = spa);
	return machine_va(spa);
}

static void test_status(void)
{
	const struct snpfw_platform_status *s;

	machine_init(&default_config);
	s = status_at(PAGE(9));
	expect(s->api_major == SNPFW_API_MAJOR &&
	       s->api_minor == SNPFW_API_MINOR && !s->state && !s->is_rmp_init,
	       "before INIT");
	world_launching();
	fw_is(INVALID_PARAM, PLATFORM_STATUS,
	      .addr.spa = w.out + PAGE_SIZE - sizeof(*s) + 1);
	fw_is(INVALID_PAGE_STATE, PLATFORM_STATUS, .addr.spa = any_page());
	fw_is(INVALID_PAGE_STATE, PLATFORM_STATUS, .addr.spa = w.gctx);
	fw_is(INVALID_ADDRESS, PLATFORM_STATUS, .addr.spa = NOWHERE);
	status_at(UNCOVERED);
	s = status_at(w.out + PAGE_SIZE - sizeof(*s));
	expect(s->state == SNPFW_PLATFORM_INIT && s->is_rmp_init &&
	       s->guest_count == 1 && !s->flags &&
	       s->current_tcb == SNPM_TCB && s->reported_tcb == SNPM_TCB,
	       "with a guest");
}

static void test_config(void)
{
	const struct snpfw_platform_status *s;

	platform_init();
	w.out = firmware_page();
	fw_is(INVALID_PARAM, CONFIG, .config.flags = BIT(2));
	fw_is(INVALID_PARAM, CONFIG, .config.rsvd[51] = 1);
	fw_is(INVALID_PARAM, CONFIG, .config.reported_tcb = SNPM_TCB + 1);
	fw_is(INVALID_PARAM, CONFIG, .config.reported_tcb = BIT_ULL(48));
	fw_is(SUCCESS, CONFIG, .config = { 1, SNPFW_MASK_CHIP_ID });
	s = status_at(w.out);
	expect(s->flags == SNPFW_MASK_CHIP_ID && s->reported_tcb == 1 &&
	       s->current_tcb == SNPM_TCB, "after CONFIG");
	fw_is(SUCCESS, CONFIG);
	s = status_at(w.out);
	expect(!s->flags && s->reported_tcb == SNPM_TCB, "as at first");
}

static void test_df_flush(void)
{
	struct snpm_config config = default_config;

	machine_init(&config);
	fw_is(SUCCESS, INIT);
	fw_is(WBINVD_REQUIRED, DF_FLUSH);
	snpm_wbinvd();
	fw_is(SUCCESS, DF_FLUSH);
	world_running();
	fw_is(SUCCESS, DF_FLUSH);
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	fw_is(WBINVD_REQUIRED, DF_FLUSH);
	/* A guest that never ran asks for none */
	world_launching();
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	fw_is(SUCCESS, DF_FLUSH);
	fw_is(SUCCESS, SHUTDOWN);
	config.track_wbinvd = false;
	machine_init(&config);
	fw_is(SUCCESS, INIT);
	fw_is(SUCCESS, DF_FLUSH);
	fw_is(SUCCESS, SHUTDOWN);
}

static void refused_is(u32 status, u32 id)
{
	unsigned long before = machine.unmodelled;

	machine_save();
	expect_eq(snpm_command(id, 0), status);
	expect(machine.unmodelled == before + 1 &&
	       machine.unmodelled_command == id, "%#x is refused silently", id);
	expect(machine_is_saved(), "%#x changed something", id);
	expect_eq(snpm_command_size(id), -1);
}

static void test_unmodelled(void)
{
	const u32 ids[] = {
		SNPFW_ACTIVATE_EX, SNPFW_DBG_ENCRYPT, SNPFW_PAGE_SWAP_OUT,
		SNPFW_PAGE_SWAP_IN, SNPFW_PAGE_MOVE, SNPFW_PAGE_SET_STATE,
		SNPFW_DOWNLOAD_FIRMWARE_EX, SNPFW_COMMIT, SNPFW_VLEK_LOAD,
		SNPFW_FEATURE_INFO,
	};

	platform_init();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		refused_is(SNPFW_UNSUPPORTED, ids[i]);
	refused_is(SNPFW_INVALID_COMMAND, 0);
	refused_is(SNPFW_INVALID_COMMAND, 0x01);
	refused_is(SNPFW_INVALID_COMMAND, 0x80);
	refused_is(SNPFW_INVALID_COMMAND, ~0u);
	expect_eq(snpm_command_size(SNPFW_INIT), 0);
	expect_eq(snpm_command_size(SNPFW_ACTIVATE), 12);
}

static void test_buffer(void)
{
	platform_init();
	machine_save();
	expect_eq(snpm_command(SNPFW_GCTX_CREATE, NOWHERE), SNPFW_INVALID_ADDRESS);
	expect_eq(snpm_command(SNPFW_GCTX_CREATE, ~7ULL), SNPFW_INVALID_ADDRESS);
	/* The first half is in memory */
	expect_eq(snpm_command(SNPFW_GCTX_CREATE, NOWHERE - 4),
		  SNPFW_INVALID_ADDRESS);
	expect(machine_is_saved(), "it changed something");
	/* Across two pages */
	memset(machine_va(PAGE(8) - 4), 0, 8);
	expect_eq(snpm_command(SNPFW_PAGE_RECLAIM, PAGE(8) - 4), SNPFW_SUCCESS);
	/* None is read */
	expect_eq(snpm_command(SNPFW_DF_FLUSH, NOWHERE), SNPFW_SUCCESS);
}

static void test_injection(void)
{
	const struct snpm_failure any = {
		.skip = 1, .times = 1, .status = SNPFW_RESOURCE_LIMIT,
	};
	const struct snpm_failure config = {
		.command = SNPFW_CONFIG, .times = 1,
		.status = SNPFW_HWERROR_PLATFORM,
	};

	platform_init();
	snpm_fail(SNPM_FAIL_COMMAND, &any);
	fw_is(SUCCESS, CONFIG);
	fw_is(RESOURCE_LIMIT, CONFIG, .config.flags = SNPFW_MASK_CHIP_ID);
	fw_is(SUCCESS, CONFIG);
	snpm_fail(SNPM_FAIL_COMMAND, &config);
	fw_is(SUCCESS, DF_FLUSH);
	fw_is(SUCCESS, PAGE_RECLAIM);
	fw_is(HWERROR_PLATFORM, CONFIG);
	fw_is(SUCCESS, CONFIG);
}

int main(void)
{
	const struct test tests[] = {
		{ "INIT", test_init },
		{ "INIT_EX", test_init_ex },
		{ "pages that stay the hypervisor's", test_list },
		{ "SHUTDOWN and SHUTDOWN_EX", test_shutdown },
		{ "contexts after SHUTDOWN", test_survivors },
		{ "PLATFORM_STATUS", test_status },
		{ "CONFIG", test_config },
		{ "DF_FLUSH", test_df_flush },
		{ "what is not modelled", test_unmodelled },
		{ "command buffers", test_buffer },
		{ "failures on request", test_injection },
	};

	return run_tests("platform", tests, ARRAY_SIZE(tests));
}
