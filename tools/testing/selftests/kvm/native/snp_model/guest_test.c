// SPDX-License-Identifier: GPL-2.0-only
/* GCTX_CREATE, LAUNCH_START, ACTIVATE, GUEST_STATUS, DECOMMISSION. */
#include <string.h>

#include "host.h"

static void test_gctx_create(void)
{
	u64 spa, large;

	platform_init();
	spa = firmware_page();
	large = any_region();
	rmp_is(SUCCESS, large, .assigned = 1, .immutable = 1, .pagesize = 1);
	fw_is(INVALID_PARAM, GCTX_CREATE, .addr.spa = spa + 8);
	fw_is(INVALID_PAGE_STATE, GCTX_CREATE, .addr.spa = any_page());
	fw_is(INVALID_PAGE_STATE, GCTX_CREATE, .addr.spa = UNCOVERED);
	fw_is(INVALID_PAGE_STATE, GCTX_CREATE, .addr.spa = guest_page(0));
	fw_is(INVALID_PAGE_STATE, GCTX_CREATE, .addr.spa = large + PAGE(1));
	fw_is(INVALID_PAGE_SIZE, GCTX_CREATE, .addr.spa = large);
	machine.hole = spa;
	fw_is(INVALID_ADDRESS, GCTX_CREATE, .addr.spa = spa);
	machine.hole = NOWHERE;
	fw_is(SUCCESS, GCTX_CREATE, .addr.spa = spa);
	state_is(spa, CONTEXT);
	fw_is(INVALID_PAGE_STATE, GCTX_CREATE, .addr.spa = spa);
	fw_is(INVALID_PAGE_STATE, PAGE_RECLAIM, .addr.spa = spa);
	rmp_is(FAIL_PERMISSION, spa);
}

/* What all commands say of a context that is none. */
static void test_no_guest(void)
{
	const u32 ids[] = {
		SNPFW_DECOMMISSION, SNPFW_ACTIVATE, SNPFW_GUEST_STATUS,
		SNPFW_LAUNCH_START, SNPFW_LAUNCH_UPDATE, SNPFW_LAUNCH_FINISH,
		SNPFW_PAGE_MD_INIT, SNPFW_DBG_DECRYPT, SNPFW_GUEST_REQUEST,
	};
	union snpfw_buffer b = { 0 };

	world_created();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		b.addr.spa = w.gctx + 8;
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_PARAM);
		b.addr.spa = w.out;
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_GUEST);
		b.addr.spa = any_page();
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_GUEST);
		b.addr.spa = UNCOVERED;
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_GUEST);
		machine.hole = w.gctx;
		b.addr.spa = w.gctx;
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_ADDRESS);
		machine.hole = NOWHERE;
	}
	df_flush();
	fw_is(SUCCESS, SHUTDOWN);
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		b.addr.spa = w.gctx;
		expect_eq(fw(ids[i], &b), SNPFW_INVALID_PLATFORM_STATE);
	}
}

#define START(...) .launch_start = { .gctx = w.gctx, __VA_ARGS__ }

static void test_launch_start(void)
{
	world_created();
	fw_is(INVALID_PARAM, LAUNCH_START, START(.policy = POLICY, .ma_gctx = 8));
	fw_is(INVALID_PARAM, LAUNCH_START, START(.policy = POLICY, .flags = 4));
	expect_eq(machine.unmodelled, 0);
	fw_is(UNSUPPORTED, LAUNCH_START,
	      START(.policy = POLICY, .flags = SNPFW_START_MA));
	fw_is(UNSUPPORTED, LAUNCH_START,
	      START(.policy = POLICY, .flags = SNPFW_START_IMI));
	expect_eq(machine.unmodelled, 2);
	fw_is(POLICY_FAILURE, LAUNCH_START, START(.policy = SNPFW_POLICY_SMT));
	fw_is(POLICY_FAILURE, LAUNCH_START, START(.policy = SNPFW_POLICY_ONE));
	fw_is(POLICY_FAILURE, LAUNCH_START, START(.policy = POLICY | BIT_ULL(21)));
	fw_is(POLICY_FAILURE, LAUNCH_START, START(.policy = POLICY | BIT_ULL(63)));
	fw_is(POLICY_FAILURE, LAUNCH_START, START(.policy = POLICY | 0x200));
	fw_is(POLICY_FAILURE, LAUNCH_START,
	      START(.policy = POLICY | 0x100 | (SNPFW_API_MINOR + 1)));
	machine.random_fails = 0;
	fw_is(HWERROR_PLATFORM, LAUNCH_START, START(.policy = POLICY));
	fw_is(SUCCESS, LAUNCH_START,
	      START(.policy = POLICY | 0x100 | SNPFW_API_MINOR));
	expect_eq(gctx()->state, SNPFW_GUEST_LAUNCH);
	expect(!snpm_fw_is_zero(gctx()->vmpck[3], SNPFW_VMPCK_SIZE), "no key");
	expect(memcmp(gctx()->vmpck[0], gctx()->vmpck[1], SNPFW_VMPCK_SIZE),
	       "two keys are the same");
	fw_is(INVALID_GUEST_STATE, LAUNCH_START, START(.policy = POLICY));
	/* An older ABI is as good, whatever its minor */
	world_created();
	fw_is(SUCCESS, LAUNCH_START, START(.policy = POLICY | 0xff));
}

static void test_smt(void)
{
	struct snpm_config config = default_config;

	world_created();
	snpm_fw.config.smt = false;
	fw_is(SUCCESS, LAUNCH_START, START(.policy = SNPFW_POLICY_ONE));
	config.max_asid = SNPM_MAX_ASID + 7;
	machine_init(&config);
	expect_eq(snpm_fw.config.max_asid, SNPM_MAX_ASID);
}

static u64 second_guest(void)
{
	u64 spa = firmware_page();

	fw_is(SUCCESS, GCTX_CREATE, .addr.spa = spa);
	fw_is(SUCCESS, LAUNCH_START,
	      .launch_start = { .gctx = spa, .policy = POLICY });
	return spa;
}

static void test_activate(void)
{
	u64 other, spa;

	world_created();
	fw_is(INVALID_GUEST_STATE, ACTIVATE, .activate = { w.gctx, ASID });
	launch_start(POLICY);
	fw_is(INVALID_ASID, ACTIVATE, .activate = { w.gctx, 0 });
	fw_is(INVALID_ASID, ACTIVATE, .activate = { w.gctx, MAX_ASID + 1 });
	fw_is(INVALID_ASID, ACTIVATE, .activate = { w.gctx, ~0u });
	spa = any_page();
	give(spa, 0, false, false);
	fw_is(INVALID_CONFIG, ACTIVATE, .activate = { w.gctx, ASID });
	rmp_is(SUCCESS, spa);
	snpm_fw.asids[ASID] = ASID_DIRTY;
	fw_is(DF_FLUSH_REQUIRED, ACTIVATE, .activate = { w.gctx, ASID });
	df_flush();
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
	fw_is(ASID_OWNED, ACTIVATE, .activate = { w.gctx, ASID });
	fw_is(ACTIVE, ACTIVATE, .activate = { w.gctx, ASID + 1 });
	other = second_guest();
	fw_is(ASID_OWNED, ACTIVATE, .activate = { other, ASID });
	fw_is(SUCCESS, ACTIVATE, .activate = { other, MAX_ASID });
}

static void test_single_socket(void)
{
	world_created();
	launch_start(POLICY | SNPFW_POLICY_SINGLE_SOCKET);
	snpm_fw.config.multi_socket = true;
	fw_is(POLICY_FAILURE, ACTIVATE, .activate = { w.gctx, ASID });
	snpm_fw.config.multi_socket = false;
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
}

static void status_is(enum snpfw_guest_state state, u32 asid, u64 policy)
{
	struct snpfw_guest_status_buf s;

	memset(machine_va(w.out), 0xee, sizeof(s));
	fw_is(SUCCESS, GUEST_STATUS, .guest_status = { w.gctx, w.out });
	memcpy(&s, machine_va(w.out), sizeof(s));
	expect(s.state == state && s.asid == asid && s.policy == policy &&
	       snpm_fw_is_zero(s.rsvd, sizeof(s.rsvd)),
	       "state %u asid %u policy %#llx", s.state, s.asid, s.policy);
}

static void test_status(void)
{
	world_created();
	fw_is(INVALID_PARAM, GUEST_STATUS,
	      .guest_status = { w.gctx, w.out + PAGE_SIZE - 0x1f });
	fw_is(INVALID_PAGE_STATE, GUEST_STATUS,
	      .guest_status = { w.gctx, w.gctx });
	fw_is(INVALID_ADDRESS, GUEST_STATUS,
	      .guest_status = { w.gctx, NOWHERE });
	status_is(SNPFW_GUEST_INIT, 0, 0);
	launch_start(POLICY);
	status_is(SNPFW_GUEST_LAUNCH, 0, POLICY);
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
	status_is(SNPFW_GUEST_LAUNCH, ASID, POLICY);
	fw_is(SUCCESS, LAUNCH_FINISH, .launch_finish = { .gctx = w.gctx });
	status_is(SNPFW_GUEST_RUNNING, ASID, POLICY);
}

static void decommission(void)
{
	fw_is(SUCCESS, DECOMMISSION, .addr.spa = w.gctx);
	state_is(w.gctx, FIRMWARE);
	expect(snpm_fw_is_zero(machine_va(w.gctx), PAGE_SIZE), "it has contents");
	fw_is(INVALID_GUEST, DECOMMISSION, .addr.spa = w.gctx);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = w.gctx);
	rmp_is(SUCCESS, w.gctx);
	state_is(w.gctx, HYPERVISOR);
	expect_eq(snpm_fw.guest_count, 0);
}

/* From each state, and what becomes of the ASID. */
static void test_decommission(void)
{
	world_created();
	decommission();
	world_created();
	launch_start(POLICY);
	decommission();
	world_launching();
	expect_eq(snpm_fw.asids[ASID], ASID_ALLOCATED);
	decommission();
	expect_eq(snpm_fw.asids[ASID], ASID_CLEAN);
	world_running();
	expect_eq(snpm_fw.asids[ASID], ASID_IN_USE);
	decommission();
	expect_eq(snpm_fw.asids[ASID], ASID_DIRTY);
	w.gctx = second_guest();
	fw_is(DF_FLUSH_REQUIRED, ACTIVATE, .activate = { w.gctx, ASID });
	df_flush();
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
}

int main(void)
{
	const struct test tests[] = {
		{ "GCTX_CREATE", test_gctx_create },
		{ "contexts that are none", test_no_guest },
		{ "LAUNCH_START", test_launch_start },
		{ "without multithreading", test_smt },
		{ "ACTIVATE", test_activate },
		{ "a single socket", test_single_socket },
		{ "GUEST_STATUS", test_status },
		{ "DECOMMISSION", test_decommission },
	};

	return run_tests("guest", tests, ARRAY_SIZE(tests));
}
