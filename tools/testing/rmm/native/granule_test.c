// SPDX-License-Identifier: GPL-2.0-only
/* VERSION, FEATURES, GRANULE_*, and calls that are none. */
#include <string.h>

#include "host.h"

static void test_version(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_VERSION, 0x10000);
	expect_eq(out[1], 0x10000);
	expect_eq(out[2], 0x10000);
	rmi_is(INPUT, RMI_VERSION, 0x10001);
	expect_eq(out[1], 0x10000);
	rmi_is(INPUT, RMI_VERSION, 0x20000);
	rmi_is(INPUT, RMI_VERSION, 0);
}

static void test_features(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_FEATURES, 0);
	expect_eq(out[1], FEATURE0);
	rmi_is(RMI_SUCCESS, RMI_FEATURES, 1);
	expect_eq(out[1], 0);
	rmi_is(RMI_SUCCESS, RMI_FEATURES, ~0ull);
	expect_eq(out[1], 0);
}

static void test_unknown(void)
{
	const u64 none[] = { 0, SMC64_FID(0x14f), SMC64_FID(0x156),
		SMC64_FID(0x160), SMC64_FID(0x163), SMC64_FID(0x16a),
		0x84000150, RMI_VERSION | 1ull << 32, RSI_VERSION };

	world_init();
	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		rmi_is(SMC_NOT_SUPPORTED, none[i], w.rd);
}

static void test_delegate(void)
{
	u64 pa;

	world_init();
	pa = ns_page();
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, pa + 1);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, pa + 0x800);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, NOWHERE);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, ~0xfffull);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, RAM_BASE + PAGE(arena.pages));
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, RAM_BASE - PAGE(1));
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, w.spare);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, w.rd);
	arena.foreign_pa = pa;
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, pa);
	arena.foreign_pa = 0;
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, pa);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, pa);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, RAM2_BASE);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE,
	       RAM2_BASE + PAGE(RAM2_PAGES - 1));
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, RAM2_BASE + PAGE(RAM2_PAGES));
}

static void test_undelegate(void)
{
	world_with_rec();
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.ns);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.rd);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.rec);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.aux[0]);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.start);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.tables[1]);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.spare);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, NOWHERE);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, 0);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.spare + 8);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.spare);
}

/* What a realm wrote is gone when the host gets the page. */
static void test_scrub(void)
{
	const u8 *va;

	world_init();
	va = arena_va(w.spare);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	memset(arena_va(w.spare), 0x5e, GRANULE_SIZE);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, 0);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	for (u64 i = 0; i < GRANULE_SIZE; i++)
		expect(!va[i], "byte %lu is %#x, should be 0", i, va[i]);
}

/* The checker sees what it is there for. */
static void test_checker(void)
{
	world_init();
	expect(!rmm_check_invariants(), "a new realm is broken");
	*(u8 *)arena_va(w.spare) = 1;
	expect(rmm_check_invariants(), "contents of a delegated granule");
	*(u8 *)arena_va(w.spare) = 0;
	expect(!rmm_check_invariants(), "still broken");
	/* A page entry that maps a table */
	*(u64 *)arena_va(w.tables[1]) = w.tables[1] | 0x7db;
	expect(rmm_check_invariants(), "a table is mapped as a page");
	world_init();
	/* A table reached twice */
	((u64 *)arena_va(w.tables[0]))[1] = w.tables[1] | 3;
	expect(rmm_check_invariants(), "a table is used twice");
	world_init();
	/* A live entry that refs do not know */
	((u64 *)arena_va(w.tables[3]))[5] = w.ns | (1ull << 55) | 0x7db;
	expect(rmm_check_invariants(), "an entry is not counted");
}

int main(void)
{
	const struct test tests[] = {
		{ "VERSION", test_version },
		{ "FEATURES", test_features },
		{ "unknown calls", test_unknown },
		{ "GRANULE_DELEGATE", test_delegate },
		{ "GRANULE_UNDELEGATE", test_undelegate },
		{ "scrubbing", test_scrub },
		{ "the invariant checker", test_checker },
	};

	return run_tests("granule", tests, ARRAY_SIZE(tests));
}
