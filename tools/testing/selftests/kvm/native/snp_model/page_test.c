// SPDX-License-Identifier: GPL-2.0-only
/* PAGE_RECLAIM, PAGE_UNSMASH, PAGE_MD_INIT, DBG_DECRYPT. */
#include <string.h>

#include "host.h"

#define GPA	0x100000000ULL

static void test_reclaim(void)
{
	u64 spa, large;

	world_launching();
	spa = guest_page(GPA);
	large = guest_region(GPA + SZ_2M);
	fw_is(INVALID_PARAM, PAGE_RECLAIM, .addr.spa = spa | 2);
	fw_is(INVALID_PARAM, PAGE_RECLAIM, .addr.spa = spa | 0x800);
	fw_is(INVALID_PAGE_STATE, PAGE_RECLAIM, .addr.spa = UNCOVERED);
	fw_is(INVALID_PAGE_STATE, PAGE_RECLAIM, .addr.spa = w.gctx);
	fw_is(INVALID_PAGE_SIZE, PAGE_RECLAIM, .addr.spa = spa | SNPFW_ADDR_2M);
	fw_is(INVALID_PAGE_SIZE, PAGE_RECLAIM, .addr.spa = large);
	fw_is(INVALID_PAGE_SIZE, PAGE_RECLAIM,
	      .addr.spa = (large + PAGE(1)) | SNPFW_ADDR_2M);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	state_is(spa, GUEST_INVALID);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = large | SNPFW_ADDR_2M);
	state_is(large, GUEST_INVALID);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = w.out);
	state_is(w.out, RECLAIM);
	rmp_is(SUCCESS, w.out);
	/* Nothing to do */
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = any_page());
}

static void test_pre_swap(void)
{
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	give(spa, GPA, false, true);
	state_is(spa, PRE_SWAP);
	fw_is(INVALID_PAGE_STATE, LAUNCH_UPDATE, UPDATE(NORMAL, spa));
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	state_is(spa, GUEST_VALID);
}

static void test_metadata(void)
{
	u64 large, spa;

	world_created();
	spa = firmware_page();
	large = any_region();
	rmp_is(SUCCESS, large, .assigned = 1, .immutable = 1, .pagesize = 1);
	fw_is(INVALID_GUEST_STATE, PAGE_MD_INIT, .md_init = { w.gctx, spa });
	launch_start(POLICY);
	fw_is(INVALID_PARAM, PAGE_MD_INIT, .md_init = { w.gctx, spa + 8 });
	fw_is(INVALID_PAGE_STATE, PAGE_MD_INIT, .md_init = { w.gctx, w.gctx });
	fw_is(INVALID_PAGE_STATE, PAGE_MD_INIT, .md_init = { w.gctx, any_page() });
	fw_is(INVALID_PAGE_SIZE, PAGE_MD_INIT, .md_init = { w.gctx, large });
	machine.hole = spa;
	fw_is(INVALID_ADDRESS, PAGE_MD_INIT, .md_init = { w.gctx, spa });
	machine.hole = NOWHERE;
	fw_is(SUCCESS, PAGE_MD_INIT, .md_init = { w.gctx, spa });
	state_is(spa, METADATA);
	expect_eq(entry_of(spa)->gfn, w.gctx >> PAGE_SHIFT);
	expect(snpm_fw_is_zero(machine_va(spa), PAGE_SIZE), "it has contents");
	rmp_is(FAIL_PERMISSION, spa);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	state_is(spa, RECLAIM);
	rmp_is(SUCCESS, spa);
}

/* 512 pages of a guest that could be one. */
static u64 small_pages(void)
{
	u64 large = any_region();

	give(large, GPA, true, false);
	psmash_is(SUCCESS, large);
	for (u64 i = 0; i < 512; i++)
		snpm_rmpupdate(large + PAGE(i), &(struct snpm_rmp_state) {
			.gpa = GPA + PAGE(i), .assigned = 1, .immutable = 1,
			.asid = ASID });
	return large;
}

static void unlike(u64 large, u64 i, const struct snpm_rmp_state *new)
{
	struct snpm_rmp_entry *e = entry_of(large + PAGE(i)), saved = *e;

	snpm_rmp_begin(large + PAGE(i), PAGE_SIZE);
	e->assigned = new->assigned;
	e->asid = new->asid;
	e->gfn = new->gpa >> PAGE_SHIFT;
	e->immutable = new->immutable;
	snpm_rmp_end(large + PAGE(i), PAGE_SIZE);
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
	snpm_rmp_begin(large + PAGE(i), PAGE_SIZE);
	*e = saved;
	snpm_rmp_end(large + PAGE(i), PAGE_SIZE);
}

static void test_unsmash(void)
{
	u64 large;

	world_launching();
	large = small_pages();
	fw_is(INVALID_PARAM, PAGE_UNSMASH, .addr.spa = large + PAGE(1));
	fw_is(INVALID_PARAM, PAGE_UNSMASH, .addr.spa = large | 2);
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = UNCOVERED);
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = any_region());
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = guest_region(0));
	unlike(large, 0, &(struct snpm_rmp_state) {
		.gpa = GPA + PAGE(1), .assigned = 1, .immutable = 1, .asid = ASID });
	unlike(large, 3, &(struct snpm_rmp_state) {
		.gpa = GPA, .assigned = 1, .immutable = 1, .asid = ASID });
	unlike(large, 511, &(struct snpm_rmp_state) {
		.gpa = GPA + PAGE(511), .assigned = 1, .immutable = 1,
		.asid = ASID + 1 });
	unlike(large, 511, &(struct snpm_rmp_state) {
		.gpa = GPA + PAGE(511), .assigned = 1, .asid = ASID });
	fw_is(SUCCESS, PAGE_UNSMASH, .addr.spa = large);
	state_is(large + PAGE(77), PRE_GUEST);
	expect(entry_of(large)->pagesize, "still small");
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = large | SNPFW_ADDR_2M);
	psmash_is(SUCCESS, large);
	expect_eq(entry_of(large + PAGE(511))->gfn, (GPA >> PAGE_SHIFT) + 511);
}

/* Attributes that differ between pages, which counters do not know. */
static void test_unsmash_attributes(void)
{
	struct snpm_rmp_entry *e;
	u64 large;

	world_launching();
	large = small_pages();
	e = entry_of(large + PAGE(5));
	e->vmsa = 1;
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
	e->vmsa = 0;
	e->perms[3] = SNPM_PERM_READ;
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
	e->perms[3] = 0;
	e->in_use = 1;
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
	e->in_use = 0;
	fw_is(SUCCESS, LAUNCH_UPDATE, UPDATE(ZERO, large + PAGE(5)));
	give(large + PAGE(5), GPA + PAGE(5), false, true);
	fw_is(INVALID_PAGE_STATE, PAGE_UNSMASH, .addr.spa = large);
}

#define DBG(src_, dst_) .dbg = { w.gctx, src_, dst_ }

static void test_dbg(void)
{
	u64 spa, other, large;

	world_created();
	launch_start(POLICY | SNPFW_POLICY_DEBUG);
	fw_is(SUCCESS, ACTIVATE, .activate = { w.gctx, ASID });
	spa = guest_page(GPA);
	large = guest_region(GPA + SZ_2M);
	other = any_page();
	rmp_is(SUCCESS, other, .assigned = 1, .asid = ASID + 1);
	memset(machine_va(spa), 0x66, PAGE_SIZE);
	memset(machine_va(large + PAGE(9)), 0x77, PAGE_SIZE);
	fw_is(INVALID_PARAM, DBG_DECRYPT, DBG(spa + 8, w.out));
	fw_is(INVALID_PARAM, DBG_DECRYPT, DBG(spa, w.out + 8));
	fw_is(INVALID_PAGE_STATE, DBG_DECRYPT, DBG(w.out, w.out));
	fw_is(INVALID_PAGE_STATE, DBG_DECRYPT, DBG(w.gctx, w.out));
	fw_is(INVALID_PAGE_STATE, DBG_DECRYPT, DBG(UNCOVERED, w.out));
	fw_is(INVALID_PAGE_STATE, DBG_DECRYPT, DBG(spa, any_page()));
	fw_is(INVALID_PAGE_STATE, DBG_DECRYPT, DBG(spa, UNCOVERED));
	fw_is(INVALID_PAGE_OWNER, DBG_DECRYPT, DBG(other, w.out));
	machine.hole = spa;
	fw_is(INVALID_ADDRESS, DBG_DECRYPT, DBG(spa, w.out));
	machine.hole = w.out;
	fw_is(INVALID_ADDRESS, DBG_DECRYPT, DBG(spa, w.out));
	machine.hole = NOWHERE;
	fw_is(SUCCESS, DBG_DECRYPT, DBG(spa, w.out));
	expect_eq(*(u8 *)machine_va(w.out + 0xfff), 0x66);
	fw_is(SUCCESS, DBG_DECRYPT, DBG(large + PAGE(9), w.out));
	expect_eq(*(u8 *)machine_va(w.out), 0x77);
}

static void test_dbg_policy(void)
{
	u64 spa;

	world_launching();
	spa = guest_page(GPA);
	fw_is(POLICY_FAILURE, DBG_DECRYPT, DBG(spa, w.out));
	world_created();
	launch_start(POLICY | SNPFW_POLICY_DEBUG);
	spa = guest_page(GPA);
	fw_is(INVALID_PAGE_OWNER, DBG_DECRYPT, DBG(spa, w.out));
}

int main(void)
{
	const struct test tests[] = {
		{ "PAGE_RECLAIM", test_reclaim },
		{ "pages in PRE_SWAP", test_pre_swap },
		{ "PAGE_MD_INIT", test_metadata },
		{ "PAGE_UNSMASH", test_unsmash },
		{ "PAGE_UNSMASH of unlike pages", test_unsmash_attributes },
		{ "DBG_DECRYPT", test_dbg },
		{ "DBG_DECRYPT and policy", test_dbg_policy },
	};

	return run_tests("page", tests, ARRAY_SIZE(tests));
}
