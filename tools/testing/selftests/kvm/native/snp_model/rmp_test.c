// SPDX-License-Identifier: GPL-2.0-only
/* RMPUPDATE, PSMASH, the states of pages and how they are counted. */
#include <string.h>

#include "host.h"

#define GPA	0x40000000ULL

static void test_states(void)
{
	u64 spa;

	platform_init();
	spa = any_page();
	state_is(spa, HYPERVISOR);
	state_is(UNCOVERED, DEFAULT);
	rmp_is(SUCCESS, spa, .assigned = 1, .immutable = 1);
	state_is(spa, FIRMWARE);
	spa = any_page();
	rmp_is(SUCCESS, spa, .assigned = 1);
	state_is(spa, RECLAIM);
	rmp_is(SUCCESS, spa, .assigned = 1, .asid = ASID, .gpa = GPA);
	state_is(spa, GUEST_INVALID);
	expect_eq(entry_of(spa)->gfn, GPA >> PAGE_SHIFT);
	expect_eq(entry_of(spa)->asid, ASID);
	expect_eq(entry_of(spa)->perms[0], SNPM_PERM_ALL);
	expect_eq(entry_of(spa)->perms[1], 0);
	entry_of(spa)->validated = 1;
	state_is(spa, GUEST_VALID);
	entry_of(spa)->immutable = 1;
	state_is(spa, PRE_SWAP);
	entry_of(spa)->validated = 0;
	state_is(spa, PRE_GUEST);
	/* What hardware allows and the firmware has no name for */
	entry_of(spa)->asid = 0;
	state_is(spa, INVALID);
	entry_of(spa)->gfn = 0;
	entry_of(spa)->vmsa = 1;
	state_is(spa, CONTEXT);
	platform_init();
	rmp_is(SUCCESS, any_page(), .assigned = 1, .asid = ASID, .gpa = GPA,
	       .immutable = 1);
	spa = any_page();
	rmp_is(SUCCESS, spa, .assigned = 1, .gpa = GPA, .immutable = 1);
	state_is(spa, INVALID);
	fw_is(INVALID_PAGE_STATE, PAGE_RECLAIM, .addr.spa = spa);
}

static void test_rmpupdate(void)
{
	u64 spa, large;

	platform_init();
	spa = any_page();
	large = any_region();
	rmp_is(SUCCESS, spa, .assigned = 1, .asid = SNPM_MAX_ASID);
	rmp_is(SUCCESS, spa + 0xfff);
	state_is(spa, HYPERVISOR);
	rmp_is(SUCCESS, large, .assigned = 1, .asid = ASID, .pagesize = 1,
	       .gpa = GPA);
	rmp_is(SUCCESS, large, .pagesize = 1);
	/* FAIL_INPUT */
	rmp_is(FAIL_INPUT, large, .assigned = 1, .asid = ASID, .pagesize = 2);
	rmp_is(FAIL_INPUT, large + PAGE(1), .assigned = 1, .asid = ASID,
	       .pagesize = 1);
	rmp_is(FAIL_INPUT, spa, .assigned = 1, .asid = SNPM_MAX_ASID + 1);
	rmp_is(FAIL_INPUT, spa, .assigned = 1, .asid = ASID,
	       .gpa = SNPM_GPA_END);
	rmp_is(FAIL_INPUT, spa, .asid = ASID);
	rmp_is(FAIL_INPUT, spa, .immutable = 1);
	rmp_is(FAIL_INPUT, UNCOVERED, .assigned = 1, .asid = ASID);
	rmp_is(FAIL_INPUT, UNCOVERED, .assigned = 1, .asid = ASID,
	       .pagesize = 1);
	rmp_is(FAIL_INPUT, ~0xfffULL, .assigned = 1, .asid = ASID);
	rmp_is(SUCCESS, UNCOVERED - PAGE(1), .assigned = 1, .asid = ASID,
	       .gpa = SNPM_GPA_END - PAGE(1));
}

static void test_permission(void)
{
	u64 spa, large;

	platform_init();
	spa = firmware_page();
	rmp_is(FAIL_PERMISSION, spa);
	rmp_is(FAIL_PERMISSION, spa, .assigned = 1, .immutable = 1);
	large = guest_region(GPA);
	rmp_is(FAIL_PERMISSION, large, .pagesize = 1);
	rmp_is(FAIL_PERMISSION, large);
	/* Nobody's for ever, unless it is somebody's */
	spa = any_page();
	give(spa, GPA, false, false);
	snpm_page_fix(spa);
	state_is(spa, GUEST_INVALID);
	rmp_is(SUCCESS, spa);
	snpm_page_fix(spa);
	state_is(spa, HV_FIXED);
	rmp_is(FAIL_PERMISSION, spa);
}

static void test_overlap(void)
{
	u64 large;

	platform_init();
	large = any_region();
	give(large, GPA, true, false);
	rmp_is(FAIL_OVERLAP, large);
	rmp_is(FAIL_OVERLAP, large + PAGE(1));
	rmp_is(FAIL_OVERLAP, large + PAGE(511), .assigned = 1, .asid = ASID);
	rmp_is(SUCCESS, large, .pagesize = 1);
	for (u64 i = 0; i < 512; i++)
		state_is(large + PAGE(i), HYPERVISOR);
	give(large + PAGE(511), GPA, false, false);
	rmp_is(FAIL_OVERLAP, large, .assigned = 1, .asid = ASID, .pagesize = 1);
	rmp_is(FAIL_OVERLAP, large, .pagesize = 1);
	rmp_is(SUCCESS, large + PAGE(511));
	give(large, GPA, false, false);
	rmp_is(FAIL_OVERLAP, large, .assigned = 1, .asid = ASID, .pagesize = 1);
	rmp_is(SUCCESS, large);
	give(large, GPA, true, false);
}

/* A page that stays what it is keeps what guest and firmware have made of it. */
static void test_same_page(void)
{
	struct snpm_rmp_entry *e;
	u64 spa;

	platform_init();
	spa = any_page();
	give(spa, GPA, false, false);
	e = entry_of(spa);
	expect_eq(snpm_pvalidate(&(struct snpm_guest_insn) {
		.gpa = GPA, .spa = spa, .asid = ASID, .rdx = 1 }).eax, 0);
	e->perms[1] = SNPM_PERM_READ;
	give(spa, GPA, false, true);
	state_is(spa, PRE_SWAP);
	expect_eq(e->perms[1], SNPM_PERM_READ);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = spa);
	state_is(spa, GUEST_VALID);
	/* Elsewhere, it is not */
	give(spa, GPA + PAGE(1), false, false);
	state_is(spa, GUEST_INVALID);
	expect_eq(e->perms[1], 0);
	expect_eq(snpm_pvalidate(&(struct snpm_guest_insn) {
		.gpa = GPA + PAGE(1), .spa = spa, .asid = ASID, .rdx = 1,
		}).eax, 0);
	state_is(spa, GUEST_VALID);
	rmp_is(SUCCESS, spa, .assigned = 1, .asid = ASID + 1,
	       .gpa = GPA + PAGE(1));
	state_is(spa, GUEST_INVALID);
}

static void test_psmash(void)
{
	u64 large, small;

	platform_init();
	large = any_region();
	give(large, GPA, true, false);
	expect_eq(snpm_pvalidate(&(struct snpm_guest_insn) {
		.gpa = GPA, .spa = large, .nested = SNPM_2M, .asid = ASID,
		.rcx = 1, .rdx = 1 }).eax, 0);
	entry_of(large)->perms[2] = SNPM_PERM_READ;
	psmash_is(FAIL_INPUT, large + PAGE(1));
	psmash_is(FAIL_INPUT, large + 1);
	psmash_is(FAIL_INPUT, UNCOVERED);
	psmash_is(FAIL_INPUT, ~0ULL & ~(SZ_2M - 1ULL));
	psmash_is(SUCCESS, large);
	for (u64 i = 0; i < 512; i++) {
		struct snpm_rmp_entry *e = entry_of(large + PAGE(i));

		state_is(large + PAGE(i), GUEST_VALID);
		expect(!e->pagesize && e->asid == ASID &&
		       e->gfn == (GPA >> PAGE_SHIFT) + i &&
		       e->perms[2] == SNPM_PERM_READ, "page %llu", i);
	}
	psmash_is(FAIL_BADADDR, large);
	/* Not assigned, immutable */
	small = any_region();
	psmash_is(FAIL_BADADDR, small);
	give(small, GPA, true, true);
	psmash_is(FAIL_BADADDR, small);
	rmp_is(SUCCESS, large + PAGE(3));
	state_is(large + PAGE(3), HYPERVISOR);
}

static void test_in_use(void)
{
	u64 large, spa;

	platform_init();
	large = any_region();
	spa = any_page();
	give(large, GPA, true, false);
	entry_of(large)->in_use = 1;
	rmp_is(FAIL_INUSE, large, .pagesize = 1);
	psmash_is(FAIL_INUSE, large);
	entry_of(large)->in_use = 0;
	psmash_is(SUCCESS, large);
	entry_of(spa)->in_use = 1;
	rmp_is(FAIL_INUSE, spa, .assigned = 1, .asid = ASID);
	entry_of(spa)->in_use = 0;
	rmp_is(SUCCESS, spa, .assigned = 1, .asid = ASID);
}

static void test_counts(void)
{
	u64 large;

	platform_init();
	expect_eq(snpm_count(SNPM_PAGE_HYPERVISOR), RMP_PAGES);
	firmware_page();
	large = guest_region(GPA);
	expect_eq(snpm_count(SNPM_PAGE_FIRMWARE), 1);
	expect_eq(snpm_count(SNPM_PAGE_PRE_GUEST), 512);
	expect_eq(snpm_count(SNPM_PAGE_HYPERVISOR), RMP_PAGES - 513);
	expect_eq(snpm_count(SNPM_PAGE_DEFAULT), 0);
	expect_eq(snpm_count(SNPM_NR_PAGE_STATES), 0);
	fw_is(SUCCESS, PAGE_RECLAIM, .addr.spa = large | SNPFW_ADDR_2M);
	expect_eq(snpm_count(SNPM_PAGE_PRE_GUEST), 0);
	expect_eq(snpm_count(SNPM_PAGE_GUEST_INVALID), 512);
	psmash_is(SUCCESS, large);
	expect_eq(snpm_count(SNPM_PAGE_GUEST_INVALID), 512);
	rmp_is(SUCCESS, large + PAGE(5));
	expect_eq(snpm_count(SNPM_PAGE_GUEST_INVALID), 511);
	for (u32 i = 0; i < SNPM_NR_PAGE_STATES; i++)
		expect(strcmp(snpm_state_name(i), "none"), "state %u", i);
	expect(!strcmp(snpm_state_name(SNPM_NR_PAGE_STATES), "none"), "too many");
}

static void test_injection(void)
{
	const struct snpm_failure overlap = {
		.skip = 1, .times = 2, .status = SNPM_FAIL_OVERLAP,
	};
	const struct snpm_failure inuse = {
		.times = 1, .status = SNPM_FAIL_INUSE,
	};
	u64 spa, large;

	platform_init();
	spa = any_page();
	large = any_region();
	give(large, GPA, true, false);
	snpm_fail(SNPM_FAIL_RMPUPDATE, &overlap);
	rmp_is(SUCCESS, spa, .assigned = 1, .asid = ASID);
	rmp_is(FAIL_OVERLAP, spa);
	rmp_is(FAIL_OVERLAP, spa);
	rmp_is(SUCCESS, spa);
	snpm_fail(SNPM_FAIL_PSMASH, &inuse);
	rmp_is(SUCCESS, spa);
	psmash_is(FAIL_INUSE, large);
	psmash_is(SUCCESS, large);
	snpm_fail(SNPM_FAIL_RMPUPDATE, &overlap);
	snpm_fail(SNPM_FAIL_RMPUPDATE, NULL);
	rmp_is(SUCCESS, spa);
	rmp_is(SUCCESS, spa);
}

static void broken_is(bool is, const char *what)
{
	const char *broken = snpm_check_invariants();

	expect(!broken == !is, "%s: %s", what, broken ? broken : "not seen");
}

/* The checker sees what it is there for. */
static void test_checker(void)
{
	struct snpm_rmp_entry *e;
	u64 large;

	world_launching();
	large = any_region();
	give(large, GPA, true, false);
	broken_is(false, "a new guest");
	e = entry_of(large);
	e->validated = 1;
	broken_is(true, "a state that no counter knows");
	e->validated = 0;
	e[17].gfn = 1;
	broken_is(true, "a page inside of 2 MiB");
	e[17].gfn = 0;
	e->asid++;
	broken_is(true, "an ASID that no counter knows");
	e->asid--;
	e[512].asid = 1;
	broken_is(true, "contents without an owner");
	e[512].asid = 0;
	gctx()->state = SNPFW_GUEST_RUNNING;
	broken_is(true, "a guest with a new ASID runs");
	gctx()->state = SNPFW_GUEST_LAUNCH;
	gctx()->asid = 0;
	broken_is(true, "an ASID without a guest");
	gctx()->asid = ASID;
	snpm_fw.guest_count++;
	broken_is(true, "a guest too many");
	snpm_fw.guest_count--;
	broken_is(false, "all as before");
}

int main(void)
{
	const struct test tests[] = {
		{ "states of pages", test_states },
		{ "RMPUPDATE and its input", test_rmpupdate },
		{ "immutable pages", test_permission },
		{ "overlaps", test_overlap },
		{ "a page that stays the same", test_same_page },
		{ "PSMASH", test_psmash },
		{ "pages in use", test_in_use },
		{ "counters", test_counts },
		{ "failures on request", test_injection },
		{ "the invariant checker", test_checker },
	};

	return run_tests("rmp", tests, ARRAY_SIZE(tests));
}
