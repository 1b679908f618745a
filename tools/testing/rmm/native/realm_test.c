// SPDX-License-Identifier: GPL-2.0-only
/* REALM_CREATE, REALM_ACTIVATE, REALM_DESTROY. */
#include <string.h>

#include "host.h"

static u64 rd, params, start;

/* A second realm, not yet there. */
static struct rmi_realm_params *second(void)
{
	struct rmi_realm_params *p;

	world_init();
	start = delegated_pages(16);
	rd = delegated();
	params = ns_page();
	params_init(params, start);
	p = arena_va(params);
	p->vmid = 8;
	return p;
}

static void create(u64 status)
{
	rmi_is(status, RMI_REALM_CREATE, rd, params);
}

static void test_create(void)
{
	second();
	create(RMI_SUCCESS);
	create(INPUT);
}

#define bad_param(field, value) do {				\
	second()->field = (value);				\
	create(INPUT);						\
} while (0)

static void test_unsupported(void)
{
	bad_param(flags, 8);
	bad_param(flags, 1ull << 63);
	bad_param(hash_algo, 2);
	bad_param(s2sz, 31);
	bad_param(s2sz, 49);
	bad_param(s2sz, 53);
	bad_param(s2sz, 0);
	bad_param(num_bps, RMI_FEATURE0_NUM_BPS(FEATURE0) + 1);
	bad_param(num_wps, RMI_FEATURE0_NUM_WPS(FEATURE0) + 1);
	second()->flags = RMI_REALM_FLAG_PMU;
	((struct rmi_realm_params *)arena_va(params))->pmu_num_ctrs =
		RMI_FEATURE0_PMU_NUM_CTRS(FEATURE0) + 1;
	create(INPUT);
	bad_param(vmid, 7);
	bad_param(vmid, 256);
}

/* Each reserved byte. */
static void test_reserved(void)
{
	const struct {
		u64 offset, size;
	} used[] = {
		{ 0, 9 }, { 0x10, 1 }, { 0x18, 1 }, { 0x20, 1 }, { 0x28, 1 },
		{ 0x30, 1 }, { 0x400, 64 }, { 0x800, 2 }, { 0x808, 20 },
	};
	u8 reserved[GRANULE_SIZE];

	memset(reserved, 1, sizeof(reserved));
	for (unsigned int i = 0; i < ARRAY_SIZE(used); i++)
		memset(reserved + used[i].offset, 0, used[i].size);
	second();
	for (u64 i = 0; i < GRANULE_SIZE; i++) {
		u8 *p = arena_va(params + i);
		u64 x[RMM_CALL_REGS] = { RMI_REALM_CREATE, rd, params };

		if (!reserved[i])
			continue;
		*p = 1;
		rmm_call(x);
		expect(x[0] == INPUT, "byte %#lx set: %#lx", i, x[0]);
		*p = 0;
	}
	create(RMI_SUCCESS);
}

static void test_features_off(void)
{
	second();
	arena_init(64, 40 | RMI_FEATURE0_HASH_SHA_256);
	rd = RAM_BASE;
	params = RAM_BASE + PAGE(1);
	start = RAM_BASE + PAGE(2);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE,
			       RAM_BASE + PAGE(i));
	for (int bad = 0; bad < 5; bad++) {
		struct rmi_realm_params *p = arena_va(params);

		params_init(params, start);
		p->num_bps = p->num_wps = 0;
		p->hash_algo = bad == 0;
		p->flags = bad < 4 ? bad == 1 ? 1 : bad == 2 ? 2 :
			   bad == 3 ? 4 : 0 : 0;
		if (bad == 4)
			p->num_bps = 1;
		create(INPUT);
	}
	((struct rmi_realm_params *)arena_va(params))->num_bps = 0;
	create(RMI_SUCCESS);
}

static void test_addresses(void)
{
	second();
	rmi_is(INPUT, RMI_REALM_CREATE, rd, params + 8);
	rmi_is(INPUT, RMI_REALM_CREATE, rd, NOWHERE);
	rmi_is(INPUT, RMI_REALM_CREATE, rd, w.spare);
	rmi_is(INPUT, RMI_REALM_CREATE, rd + 8, params);
	rmi_is(INPUT, RMI_REALM_CREATE, NOWHERE, params);
	rmi_is(INPUT, RMI_REALM_CREATE, w.ns, params);
	rmi_is(INPUT, RMI_REALM_CREATE, w.rd, params);
	rmi_is(INPUT, RMI_REALM_CREATE, start, params);
	rmi_is(INPUT, RMI_REALM_CREATE, start + PAGE(1), params);
	arena.foreign_pa = params;
	create(INPUT);
	arena.foreign_pa = 0;
	bad_param(rtt_base, start + PAGE(1));
	bad_param(rtt_base, start + 8);
	bad_param(rtt_base, NOWHERE);
	bad_param(rtt_base, ns_pages(2));
	bad_param(rtt_base, w.start);
	second();
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, start + PAGE(1));
	create(INPUT);
}

/* IPA bits, start level, tables: what hardware can walk. */
static void test_start(void)
{
	const struct {
		u8 bits;
		s64 level;
		u32 nr;
		bool lpa2, ok;
	} cases[] = {
		{ 40, 1, 2, 0, 1 }, { 40, 1, 1, 0, 0 }, { 40, 1, 4, 0, 0 },
		{ 40, 0, 1, 0, 1 }, { 40, 0, 2, 0, 0 }, { 40, 2, 1, 0, 0 },
		{ 40, -1, 1, 0, 0 }, { 40, 3, 1, 0, 0 }, { 40, 4, 1, 0, 0 },
		{ 39, 1, 1, 0, 1 }, { 39, 0, 1, 0, 0 }, { 43, 1, 16, 0, 1 },
		{ 44, 1, 32, 0, 0 }, { 48, 0, 1, 0, 1 }, { 48, 0, 0, 0, 0 },
		{ 32, 1, 1, 0, 1 }, { 32, 2, 4, 0, 1 }, { 34, 2, 16, 0, 1 },
		{ 35, 2, 32, 0, 0 }, { 32, 2, 3, 0, 0 },
		{ 52, 0, 16, 1, 1 }, { 52, -1, 1, 1, 1 }, { 50, -1, 1, 1, 1 },
		{ 48, -1, 1, 1, 0 }, { 50, 0, 4, 1, 1 }, { 50, -2, 1, 1, 0 },
		{ 40, 1ll << 32 | 1, 2, 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rmi_realm_params *p = second();
		u64 want;

		p->s2sz = cases[i].bits;
		p->rtt_level_start = cases[i].level;
		p->rtt_num_start = cases[i].nr;
		p->flags = cases[i].lpa2;
		rmi(RMI_REALM_CREATE, rd, params);
		want = INPUT;
		if (cases[i].ok)
			want = RMI_SUCCESS;
		expect(out[0] == want,
		       "%u bits, level %ld, %u tables: %#lx", cases[i].bits,
		       cases[i].level, cases[i].nr, out[0]);
		if (cases[i].ok)
			rmi_is(RMI_SUCCESS, RMI_REALM_DESTROY, rd);
	}
}

static void test_activate(void)
{
	world_init();
	rmi_is(INPUT, RMI_REALM_ACTIVATE, w.rd + 8);
	rmi_is(INPUT, RMI_REALM_ACTIVATE, NOWHERE);
	rmi_is(INPUT, RMI_REALM_ACTIVATE, w.spare);
	rmi_is(INPUT, RMI_REALM_ACTIVATE, w.ns);
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	rmi_is(REALM(0), RMI_REALM_ACTIVATE, w.rd);
}

static void test_destroy(void)
{
	world_with_rec();
	rmi_is(INPUT, RMI_REALM_DESTROY, w.rd + 8);
	rmi_is(INPUT, RMI_REALM_DESTROY, NOWHERE);
	rmi_is(INPUT, RMI_REALM_DESTROY, w.rec);
	rmi_is(REALM(0), RMI_REALM_DESTROY, w.rd);
	for (int i = 3; i >= 0; i--) {
		rmi_is(RMI_SUCCESS, RMI_RTT_DESTROY, w.rd,
		       i < 2 ? 0 : SHARED, 2 + i % 2);
		expect_eq(out[1], w.tables[i]);
		rmi_is(REALM(0), RMI_REALM_DESTROY, w.rd);
	}
	rmi_is(RMI_SUCCESS, RMI_REC_DESTROY, w.rec);
	rmi_is(RMI_SUCCESS, RMI_REALM_DESTROY, w.rd);
	rmi_is(INPUT, RMI_REALM_DESTROY, w.rd);
	rmi_is(INPUT, RMI_REALM_ACTIVATE, w.rd);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.rd);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.start);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.start + PAGE(1));
}

/* A live starting table alone keeps a realm. */
static void test_destroy_live(void)
{
	world_init();
	for (int i = 0; i < 2; i++)
		rmi_is(RMI_SUCCESS, RMI_RTT_DESTROY, w.rd, 0, 3 - i);
	rmi_is(REALM(0), RMI_REALM_DESTROY, w.rd);
}

static void test_vmid_again(void)
{
	second();
	create(RMI_SUCCESS);
	rmi_is(RMI_SUCCESS, RMI_REALM_DESTROY, rd);
	expect_eq(arena.tlbi_vmid, 8);
	expect_eq(arena.tlbi_size, ~0ull);
	create(RMI_SUCCESS);
}

int main(void)
{
	const struct test tests[] = {
		{ "REALM_CREATE", test_create },
		{ "parameters that are not supported", test_unsupported },
		{ "reserved bytes of parameters", test_reserved },
		{ "features that are off", test_features_off },
		{ "addresses of REALM_CREATE", test_addresses },
		{ "starting tables", test_start },
		{ "REALM_ACTIVATE", test_activate },
		{ "REALM_DESTROY", test_destroy },
		{ "REALM_DESTROY of a live realm", test_destroy_live },
		{ "VMIDs are used again", test_vmid_again },
	};

	return run_tests("realm", tests, ARRAY_SIZE(tests));
}
