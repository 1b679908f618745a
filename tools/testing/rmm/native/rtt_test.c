// SPDX-License-Identifier: GPL-2.0-only
/* The RTT commands, but for RIPAS. */
#include "host.h"

/* Where the world has a table of level 2 and nothing below it. */
#define NO_TABLE	SZ_2M

static void test_create(void)
{
	u64 other;

	world_init();
	other = w.spare;
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd + 8, other, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, NOWHERE, other, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.ns, other, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, NO_TABLE, 4);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, 0, 1);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, 0, -1ull);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, NO_TABLE, 3 | 1ull << 32);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, NO_TABLE + PAGE(1), 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, NO_TABLE, 2);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, IPA_END, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other, -SZ_2M, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, other + 8, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, NOWHERE, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, w.ns, NO_TABLE, 3);
	rmi_is(INPUT, RMI_RTT_CREATE, w.rd, w.tables[0], NO_TABLE, 3);
	rmi_is(RTT(1), RMI_RTT_CREATE, w.rd, other, SZ_1G, 3);
	rmi_is(RTT(2), RMI_RTT_CREATE, w.rd, other, 0, 3);
	rmi_is(RTT(1), RMI_RTT_CREATE, w.rd, other, 0, 2);
	rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, w.rd, other, NO_TABLE, 3);
	expect_entry(NO_TABLE, 3, RMI_UNASSIGNED, RMI_EMPTY, 0);
}

static void test_destroy(void)
{
	world_init();
	rmi_is(INPUT, RMI_RTT_DESTROY, w.ns, 0, 3);
	rmi_is(INPUT, RMI_RTT_DESTROY, w.rd, 0, 4);
	rmi_is(INPUT, RMI_RTT_DESTROY, w.rd, 0, 1);
	rmi_is(INPUT, RMI_RTT_DESTROY, w.rd, PAGE(1), 3);
	rmi_is(INPUT, RMI_RTT_DESTROY, w.rd, IPA_END, 3);
	rmi_is(RTT(1), RMI_RTT_DESTROY, w.rd, SZ_1G, 3);
	expect_eq(out[2], SHARED);
	rmi_is(RTT(2), RMI_RTT_DESTROY, w.rd, NO_TABLE, 3);
	expect_eq(out[2], SZ_1G);
	rmi_is(RTT(1), RMI_RTT_DESTROY, w.rd, SZ_1G, 2);
	rmi_is(RTT(2), RMI_RTT_DESTROY, w.rd, 0, 2);
	expect_eq(out[2], 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	rmi_is(RTT(3), RMI_RTT_DESTROY, w.rd, 0, 3);
	expect_eq(out[2], 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, 0);
	rmi_is(RMI_SUCCESS, RMI_RTT_DESTROY, w.rd, 0, 3);
	expect_eq(out[1], w.tables[1]);
	expect_eq(out[2], SZ_1G);
	expect_eq(arena.tlbi_ipa, 0);
	expect_eq(arena.tlbi_size, SZ_2M);
	expect_eq(arena.tlbi_vmid, 7);
	expect_entry(0, 2, RMI_UNASSIGNED, RMI_DESTROYED, 0);
	rmi_is(RMI_SUCCESS, RMI_RTT_DESTROY, w.rd, SHARED, 3);
	expect_entry(SHARED, 2, RMI_UNASSIGNED, RMI_EMPTY, 0);
}

/* The next live entry of the table that the walk ended in. */
static void test_destroy_top(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, w.rd, w.spare, 5 * SZ_2M, 3);
	rmi_is(RTT(2), RMI_RTT_DESTROY, w.rd, SZ_2M, 3);
	expect_eq(out[2], 5 * SZ_2M);
	rmi_is(RMI_SUCCESS, RMI_RTT_DESTROY, w.rd, 0, 3);
	expect_eq(out[2], 5 * SZ_2M);
}

static void test_fold_errors(void)
{
	world_init();
	rmi_is(INPUT, RMI_RTT_FOLD, w.ns, 0, 3);
	rmi_is(INPUT, RMI_RTT_FOLD, w.rd, 0, 4);
	rmi_is(INPUT, RMI_RTT_FOLD, w.rd, 0, 1);
	rmi_is(INPUT, RMI_RTT_FOLD, w.rd, PAGE(1), 3);
	rmi_is(INPUT, RMI_RTT_FOLD, w.rd, IPA_END, 3);
	rmi_is(RTT(1), RMI_RTT_FOLD, w.rd, SZ_1G, 3);
	rmi_is(RTT(2), RMI_RTT_FOLD, w.rd, NO_TABLE, 3);
	/* Some pages RAM, some EMPTY */
	rmi_is(RTT(3), RMI_RTT_FOLD, w.rd, 0, 3);
	/* A table in the table */
	rmi_is(RTT(2), RMI_RTT_FOLD, w.rd, 0, 2);
	/* All the same but one page that is mapped */
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(16), SZ_2M);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(511));
	rmi_is(RTT(3), RMI_RTT_FOLD, w.rd, 0, 3);
}

static void test_fold_unassigned(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(16), SZ_2M);
	rmi_is(RMI_SUCCESS, RMI_RTT_FOLD, w.rd, 0, 3);
	expect_eq(out[1], w.tables[1]);
	expect_entry(0, 2, RMI_UNASSIGNED, RMI_RAM, 0);
	rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, w.rd, w.tables[1], 0, 3);
	expect_entry(PAGE(77), 3, RMI_UNASSIGNED, RMI_RAM, 0);
	rmi_is(RMI_SUCCESS, RMI_RTT_FOLD, w.rd, SHARED, 3);
	expect_entry(SHARED, 2, RMI_UNASSIGNED, RMI_EMPTY, 0);
	/* Level 2 all unassigned folds to level 1 */
	rmi_is(RMI_SUCCESS, RMI_RTT_FOLD, w.rd, SHARED, 2);
	expect_entry(SHARED, 1, RMI_UNASSIGNED, RMI_EMPTY, 0);
}

static u64 map_2m(void)
{
	u64 pa = delegated_pages(512);

	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(16), SZ_2M);
	for (int i = 0; i < 512; i++)
		expect_eq(rmi(RMI_DATA_CREATE_UNKNOWN, w.rd, pa + PAGE(i),
			      PAGE(i)), RMI_SUCCESS);
	return pa;
}

static void test_fold_block(void)
{
	u64 pa;

	world_init();
	pa = map_2m();
	rmi_is(RMI_SUCCESS, RMI_RTT_FOLD, w.rd, 0, 3);
	expect_entry(PAGE(3), 2, RMI_ASSIGNED, RMI_RAM, pa);
	rmi_is(RTT(2), RMI_DATA_DESTROY, w.rd, PAGE(3));
	expect_eq(out[2], 0);
	rmi_is(RTT(2), RMI_RTT_DESTROY, w.rd, 0, 3);
	rmi_is(RTT(2), RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(3));
	/* And back */
	rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, w.rd, w.tables[1], 0, 3);
	expect_eq(arena.tlbi_size, SZ_2M);
	expect_entry(PAGE(3), 3, RMI_ASSIGNED, RMI_RAM, pa + PAGE(3));
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, PAGE(3));
	expect_eq(out[1], pa + PAGE(3));
	rmi_is(RTT(3), RMI_RTT_FOLD, w.rd, 0, 3);
}

/* Pages in order, but not from the start of a block on. */
static void test_fold_misaligned(void)
{
	u64 pa;

	world_init();
	pa = delegated_pages(512);
	delegated();
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(16), SZ_2M);
	for (int i = 0; i < 512; i++)
		expect_eq(rmi(RMI_DATA_CREATE_UNKNOWN, w.rd,
			      pa + PAGE(i + 1), PAGE(i)), RMI_SUCCESS);
	rmi_is(RTT(3), RMI_RTT_FOLD, w.rd, 0, 3);
}

static void test_fold_ns(void)
{
	u64 pa;

	world_init();
	pa = ns_pages(512);
	for (int i = 0; i < 512; i++)
		expect_eq(rmi(RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + PAGE(i),
			      3, HOST_DESC(pa + PAGE(i))), RMI_SUCCESS);
	rmi_is(RMI_SUCCESS, RMI_RTT_UNMAP_UNPROTECTED, w.rd,
	       SHARED + PAGE(9), 3);
	/* One page read-only */
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + PAGE(9),
	       3, (pa + PAGE(9)) | 6 << 2 | 1 << 6);
	rmi_is(RTT(3), RMI_RTT_FOLD, w.rd, SHARED, 3);
	rmi_is(RMI_SUCCESS, RMI_RTT_UNMAP_UNPROTECTED, w.rd,
	       SHARED + PAGE(9), 3);
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + PAGE(9),
	       3, HOST_DESC(pa + PAGE(9)));
	rmi_is(RMI_SUCCESS, RMI_RTT_FOLD, w.rd, SHARED, 3);
	expect_entry(SHARED, 2, RMI_ASSIGNED, RMI_EMPTY, HOST_DESC(pa));
}

static void test_map(void)
{
	const u64 bad[] = { 1, 2, 1 << 5, 1 << 10, 1 << 11, 1ull << 48,
			    1ull << 50, 1ull << 54, 1ull << 55, 1ull << 63 };
	u64 ipa = SHARED + PAGE(5), desc;

	world_init();
	desc = HOST_DESC(w.ns);
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.ns, ipa, 3, HOST_DESC(w.ns));
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 4, HOST_DESC(w.ns));
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED, 0, HOST_DESC(0));
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa + 8, 3, desc);
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 2, HOST_DESC(0));
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, PAGE(5), 3, desc);
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED - PAGE(1), 3, desc);
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, IPA_END, 3, desc);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3,
		       HOST_DESC(w.ns) | bad[i]);
	/* Reserved MemAttr and SH */
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3, w.ns | 4 << 2);
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3,
	       HOST_DESC(w.ns) | 1 << 8);
	/* Not aligned to the block */
	rmi_is(INPUT, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + SZ_2M, 2,
	       HOST_DESC(SZ_2M + PAGE(1)));
	rmi_is(RTT(1), RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + SZ_1G, 3,
	       HOST_DESC(w.ns));
	rmi_is(RTT(2), RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED, 2,
	       HOST_DESC(SZ_1G));
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3,
	       HOST_DESC(w.ns));
	rmi_is(RTT(3), RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3,
	       HOST_DESC(w.ns));
	expect_entry(ipa, 3, RMI_ASSIGNED, RMI_EMPTY, HOST_DESC(w.ns));
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + SZ_2M, 2,
	       HOST_DESC(SZ_1G));
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED + SZ_1G, 1,
	       HOST_DESC(SZ_1G));
	expect_entry(SHARED + SZ_1G, 1, RMI_ASSIGNED, RMI_EMPTY,
		     HOST_DESC(SZ_1G));
}

static void test_unmap(void)
{
	u64 ipa = SHARED + PAGE(5);

	world_init();
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.ns, ipa, 3);
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.rd, ipa, 4);
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.rd, SHARED, 0);
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.rd, ipa, 2);
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.rd, PAGE(5), 3);
	rmi_is(INPUT, RMI_RTT_UNMAP_UNPROTECTED, w.rd, IPA_END, 3);
	rmi_is(RTT(1), RMI_RTT_UNMAP_UNPROTECTED, w.rd, SHARED + SZ_1G, 3);
	expect_eq(out[1], IPA_END);
	rmi_is(RTT(2), RMI_RTT_UNMAP_UNPROTECTED, w.rd, SHARED, 2);
	expect_eq(out[1], SHARED);
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, w.rd, ipa, 3,
	       HOST_DESC(w.ns));
	rmi_is(RTT(3), RMI_RTT_UNMAP_UNPROTECTED, w.rd, SHARED, 3);
	expect_eq(out[1], ipa);
	rmi_is(RTT(3), RMI_RTT_DESTROY, w.rd, SHARED, 3);
	rmi_is(RMI_SUCCESS, RMI_RTT_UNMAP_UNPROTECTED, w.rd, ipa, 3);
	expect_eq(out[1], SHARED + SZ_2M);
	expect_eq(arena.tlbi_ipa, ipa);
	expect_eq(arena.tlbi_size, GRANULE_SIZE);
	rmi_is(RTT(3), RMI_RTT_UNMAP_UNPROTECTED, w.rd, ipa, 3);
}

static void test_read(void)
{
	world_init();
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.ns, 0, 3);
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.rd, 0, 4);
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.rd, 0, 0);
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.rd, 8, 3);
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.rd, PAGE(1), 2);
	rmi_is(INPUT, RMI_RTT_READ_ENTRY, w.rd, IPA_END, 3);
	rmi_is(RMI_SUCCESS, RMI_RTT_READ_ENTRY, w.rd, 0, 1);
	expect_eq(out[1], 1);
	expect_eq(out[2], RMI_TABLE);
	expect_eq(out[3], w.tables[0]);
	expect_entry(PAGE(1), 3, RMI_UNASSIGNED, RMI_RAM, 0);
	expect_entry(PAGE(16), 3, RMI_UNASSIGNED, RMI_EMPTY, 0);
	expect_entry(SZ_1G, 1, RMI_UNASSIGNED, RMI_EMPTY, 0);
	expect_entry(SHARED + SZ_1G, 1, RMI_UNASSIGNED, RMI_EMPTY, 0);
}

/* 52 bits of IPA, from level -1 on, and an address above 48 bits. */
static void test_lpa2(void)
{
	const u64 shared = 1ull << 51;
	/* Bits 51:50 of the address are bits 9:8 of the descriptor */
	const u64 desc = HOST_DESC(1ull << 49 | 2 << 8);
	struct rmi_realm_params *p;
	u64 rd, start, params;

	world_init();
	rd = delegated();
	start = delegated();
	params = ns_page();
	params_init(params, start);
	p = arena_va(params);
	p->vmid = 9;
	p->s2sz = 52;
	p->flags = RMI_REALM_FLAG_LPA2;
	p->rtt_level_start = -1;
	p->rtt_num_start = 1;
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, rd, params);
	rmi_is(RTT(-1), RMI_RTT_MAP_UNPROTECTED, rd, shared, 3, desc);
	for (int level = 0; level <= 3; level++)
		rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, rd, delegated(), shared,
		       level);
	rmi_is(INPUT, RMI_RTT_CREATE, rd, w.spare, 0, -1ull);
	rmi_is(RMI_SUCCESS, RMI_RTT_MAP_UNPROTECTED, rd, shared, 3, desc);
	rmi_is(RMI_SUCCESS, RMI_RTT_READ_ENTRY, rd, shared, 3);
	expect_eq(out[3], desc);
	rmi_is(RMI_SUCCESS, RMI_RTT_READ_ENTRY, rd, 0, -1ull);
	expect_eq(out[1], -1ull);
}

int main(void)
{
	const struct test tests[] = {
		{ "RTT_CREATE", test_create },
		{ "RTT_DESTROY", test_destroy },
		{ "top of RTT_DESTROY", test_destroy_top },
		{ "failures of RTT_FOLD", test_fold_errors },
		{ "RTT_FOLD of unassigned entries", test_fold_unassigned },
		{ "RTT_FOLD to a block and back", test_fold_block },
		{ "RTT_FOLD of misaligned pages", test_fold_misaligned },
		{ "RTT_FOLD of unprotected pages", test_fold_ns },
		{ "RTT_MAP_UNPROTECTED", test_map },
		{ "RTT_UNMAP_UNPROTECTED", test_unmap },
		{ "RTT_READ_ENTRY", test_read },
		{ "52-bit IPAs and addresses", test_lpa2 },
	};

	return run_tests("rtt", tests, ARRAY_SIZE(tests));
}
