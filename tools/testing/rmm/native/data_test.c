// SPDX-License-Identifier: GPL-2.0-only
/* DATA_*, RTT_INIT_RIPAS and RTT_SET_RIPAS. */
#include <string.h>

#include "host.h"

static void test_create(void)
{
	world_init();
	memset(arena_va(w.ns), 0x3c, GRANULE_SIZE);
	rmi_is(INPUT, RMI_DATA_CREATE, w.ns, w.spare, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd + 8, w.spare, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, NOWHERE, w.spare, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare + 8, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, NOWHERE, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.run, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.rd, 0, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 8, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, SHARED, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, IPA_END, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 0, w.ns + 8, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 0, NOWHERE, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 0, w.rec, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 0, w.spare, 0);
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, 0, w.ns, 2);
	rmi_is(RTT(2), RMI_DATA_CREATE, w.rd, w.spare, SZ_2M, w.ns, 0);
	rmi_is(RTT(1), RMI_DATA_CREATE, w.rd, w.spare, SZ_1G, w.ns, 0);
	/* Not RAM */
	rmi_is(RTT(3), RMI_DATA_CREATE, w.rd, w.spare, PAGE(16), w.ns, 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE, w.rd, w.spare, 0, w.ns, 0);
	expect_entry(0, 3, RMI_ASSIGNED, RMI_RAM, w.spare);
	expect(!memcmp(arena_va(w.spare), arena_va(w.ns), GRANULE_SIZE),
	       "the page is not what the host gave");
	rmi_is(INPUT, RMI_DATA_CREATE, w.rd, w.spare, PAGE(1), w.ns, 0);
	rmi_is(RTT(3), RMI_DATA_CREATE, w.rd, w.rec, 0, w.ns, 0);
}

static void test_create_active(void)
{
	world_active();
	rmi_is(REALM(0), RMI_DATA_CREATE, w.rd, w.spare, 0, w.ns, 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
}

static void test_create_unknown(void)
{
	world_init();
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.ns, w.spare, 0);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare + 8, 0);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, NOWHERE, 0);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.ns, 0);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.start, 0);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 8);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, SHARED);
	rmi_is(INPUT, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, ~0xfffull);
	rmi_is(RTT(2), RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, SZ_2M);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	rmi_is(RTT(3), RMI_DATA_CREATE_UNKNOWN, w.rd, w.rec, 0);
	expect_entry(0, 3, RMI_ASSIGNED, RMI_RAM, w.spare);
	/* In an EMPTY place it is not mapped for the realm */
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.rec, PAGE(16));
	expect_entry(PAGE(16), 3, RMI_ASSIGNED, RMI_EMPTY, w.rec);
	expect(!(((u64 *)arena_va(w.tables[1]))[16] & 1),
	       "hardware would use an EMPTY page");
}

static void test_destroy(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(5));
	rmi_is(INPUT, RMI_DATA_DESTROY, w.ns, PAGE(5));
	rmi_is(INPUT, RMI_DATA_DESTROY, w.rd, PAGE(5) + 8);
	rmi_is(INPUT, RMI_DATA_DESTROY, w.rd, SHARED);
	rmi_is(INPUT, RMI_DATA_DESTROY, w.rd, IPA_END);
	rmi_is(RTT(2), RMI_DATA_DESTROY, w.rd, SZ_2M);
	expect_eq(out[2], SZ_1G);
	rmi_is(RTT(3), RMI_DATA_DESTROY, w.rd, PAGE(2));
	expect_eq(out[2], PAGE(5));
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, PAGE(5));
	expect_eq(out[1], w.spare);
	expect_eq(out[2], SZ_2M);
	expect_eq(arena.tlbi_ipa, PAGE(5));
	expect_eq(arena.tlbi_vmid, 7);
	expect_entry(PAGE(5), 3, RMI_UNASSIGNED, RMI_DESTROYED, 0);
	rmi_is(RTT(3), RMI_DATA_DESTROY, w.rd, PAGE(5));
	/* DESTROYED is not RAM */
	rmi_is(RTT(3), RMI_DATA_CREATE, w.rd, w.spare, PAGE(5), w.ns, 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(5));
	expect_entry(PAGE(5), 3, RMI_ASSIGNED, RMI_DESTROYED, w.spare);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, PAGE(5));
	expect_entry(PAGE(5), 3, RMI_UNASSIGNED, RMI_DESTROYED, 0);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(20));
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, PAGE(20));
	expect_entry(PAGE(20), 3, RMI_UNASSIGNED, RMI_EMPTY, 0);
}

static void test_init_ripas(void)
{
	world_init();
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.ns, SZ_2M, 2 * SZ_2M);
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, SZ_2M, SZ_2M);
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, 2 * SZ_2M, SZ_2M);
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, PAGE(20), PAGE(21) + 8);
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, SHARED, SHARED + PAGE(1));
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, 0, SHARED + PAGE(1));
	rmi_is(INPUT, RMI_RTT_INIT_RIPAS, w.rd, 0, ~0xfffull);
	/* Not at the start of the entry, not its whole */
	rmi_is(RTT(2), RMI_RTT_INIT_RIPAS, w.rd, SZ_2M + PAGE(1), 2 * SZ_2M);
	rmi_is(RTT(2), RMI_RTT_INIT_RIPAS, w.rd, SZ_2M, SZ_2M + PAGE(1));
	rmi_is(RTT(1), RMI_RTT_INIT_RIPAS, w.rd, SZ_1G, SZ_1G + SZ_2M);
	/* As far as the table goes */
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(500), 2 * SZ_2M);
	expect_eq(out[1], SZ_2M);
	expect_entry(PAGE(511), 3, RMI_UNASSIGNED, RMI_RAM, 0);
	expect_entry(PAGE(499), 3, RMI_UNASSIGNED, RMI_EMPTY, 0);
	expect_entry(SZ_2M, 2, RMI_UNASSIGNED, RMI_EMPTY, 0);
	/* As far as whole entries go */
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, SZ_2M,
	       3 * SZ_2M + PAGE(1));
	expect_eq(out[1], 3 * SZ_2M);
	/* Up to something assigned */
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, PAGE(30));
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, PAGE(28), PAGE(40));
	expect_eq(out[1], PAGE(30));
	rmi_is(RTT(3), RMI_RTT_INIT_RIPAS, w.rd, PAGE(30), PAGE(40));
	/* The last protected page */
	rmi_is(RTT(1), RMI_RTT_INIT_RIPAS, w.rd, SHARED - PAGE(1), SHARED);
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, SHARED - SZ_1G, SHARED);
	expect_eq(out[1], SHARED);
	expect_entry(SHARED, 3, RMI_UNASSIGNED, RMI_EMPTY, 0);
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	rmi_is(REALM(0), RMI_RTT_INIT_RIPAS, w.rd, PAGE(40), PAGE(41));
}

static void ask(u64 base, u64 top, u64 ripas, u64 flags)
{
	smc(RSI_IPA_STATE_SET, base, top, ripas, flags);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_RIPAS_CHANGE);
	expect_eq(run_page()->exit.ripas_base, base);
	expect_eq(run_page()->exit.ripas_top, top);
	expect_eq(run_page()->exit.ripas_value, ripas);
}

static void check_answer(u64 base, u64 response)
{
	expect(rec_resume(), "the REC did not run");
	expect_eq(answer[0], RSI_SUCCESS);
	expect_eq(answer[1], base);
	expect_eq(answer[2], response);
	run_page()->enter.flags = 0;
}

#define set_ripas(status, base, top) \
	rmi_is(status, RMI_RTT_SET_RIPAS, w.rd, w.rec, base, top)

static void test_set_ripas_errors(void)
{
	world_active();
	/* Nobody asked */
	set_ripas(INPUT, 0, PAGE(4));
	set_ripas(INPUT, 0, 0);
	ask(PAGE(4), PAGE(20), RMI_RAM, 0);
	rmi_is(INPUT, RMI_RTT_SET_RIPAS, w.ns, w.rec, PAGE(4), PAGE(20));
	rmi_is(INPUT, RMI_RTT_SET_RIPAS, w.rd, w.rec + 8, PAGE(4), PAGE(20));
	rmi_is(INPUT, RMI_RTT_SET_RIPAS, w.rd, NOWHERE, PAGE(4), PAGE(20));
	rmi_is(INPUT, RMI_RTT_SET_RIPAS, w.rd, w.spare, PAGE(4), PAGE(20));
	set_ripas(INPUT, PAGE(3), PAGE(20));
	set_ripas(INPUT, PAGE(5), PAGE(20));
	set_ripas(INPUT, PAGE(4), PAGE(21));
	set_ripas(INPUT, PAGE(4), PAGE(4));
	set_ripas(INPUT, PAGE(4), PAGE(3));
	set_ripas(INPUT, PAGE(4), PAGE(19) + 8);
	set_ripas(RMI_SUCCESS, PAGE(4), PAGE(19));
	expect_eq(out[1], PAGE(19));
	set_ripas(INPUT, PAGE(4), PAGE(20));
	set_ripas(RMI_SUCCESS, PAGE(19), PAGE(20));
	set_ripas(INPUT, PAGE(20), PAGE(20));
	check_answer(PAGE(20), RSI_ACCEPT);
	set_ripas(INPUT, PAGE(20), PAGE(20));
}

/* The walk ends above the pages. */
static void test_set_ripas_level(void)
{
	world_active();
	ask(SZ_2M + PAGE(1), 3 * SZ_2M, RMI_RAM, 0);
	set_ripas(RTT(2), SZ_2M + PAGE(1), 3 * SZ_2M);
	check_answer(SZ_2M + PAGE(1), RSI_ACCEPT);
	ask(SZ_2M, 3 * SZ_2M, RMI_RAM, 0);
	set_ripas(RTT(2), SZ_2M, SZ_2M + PAGE(5));
	set_ripas(RMI_SUCCESS, SZ_2M, 2 * SZ_2M + PAGE(5));
	expect_eq(out[1], 2 * SZ_2M);
	run_page()->enter.flags = RMI_ENTER_RIPAS_REJECT;
	check_answer(2 * SZ_2M, RSI_REJECT);
	expect_entry(SZ_2M, 2, RMI_UNASSIGNED, RMI_RAM, 0);
	expect_entry(2 * SZ_2M, 2, RMI_UNASSIGNED, RMI_EMPTY, 0);
	/* What is done cannot be refused any more */
	ask(2 * SZ_2M, 3 * SZ_2M, RMI_RAM, 0);
	set_ripas(RMI_SUCCESS, 2 * SZ_2M, 3 * SZ_2M);
	run_page()->enter.flags = RMI_ENTER_RIPAS_REJECT;
	check_answer(3 * SZ_2M, RSI_ACCEPT);
	/* Nor can EMPTY */
	ask(2 * SZ_2M, 3 * SZ_2M, RMI_EMPTY, 0);
	run_page()->enter.flags = RMI_ENTER_RIPAS_REJECT;
	check_answer(2 * SZ_2M, RSI_ACCEPT);
}

/* Each HIPAS and RIPAS, to each RIPAS, with and without leave. */
static void test_set_ripas_states(void)
{
	for (int i = 0; i < 24; i++) {
		int from = i % 3, to = i / 3 % 2, leave = i / 6 % 2;
		bool data = i / 12, ok = from != RMI_DESTROYED || leave;
		u64 ipa = PAGE(from == RMI_EMPTY ? 100 : 3);
		u64 pa = data ? w.spare : 0;

		world_active();
		pa = data ? w.spare : 0;
		if (from == RMI_DESTROYED) {
			rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd,
			       w.spare, ipa);
			rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, ipa);
		}
		if (data)
			rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd,
			       w.spare, ipa);
		expect_entry(ipa, 3, data, from, pa);
		ask(ipa, ipa + PAGE(1), to, leave);
		arena.tlbi_ipa = 0;
		set_ripas(ok ? RMI_SUCCESS : RTT(3), ipa, ipa + PAGE(1));
		expect_entry(ipa, 3, data, ok ? to : from, pa);
		if (data && from == RMI_RAM && to == RMI_EMPTY)
			expect_eq(arena.tlbi_ipa, ipa);
	}
}

/* Of another realm; see rec_test.c for one that runs. */
static void test_set_ripas_owner(void)
{
	u64 rd, params, start;

	world_active();
	start = delegated_pages(2);
	rd = delegated();
	params = ns_page();
	params_init(params, start);
	((struct rmi_realm_params *)arena_va(params))->vmid = 9;
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, rd, params);
	ask(PAGE(4), PAGE(20), RMI_RAM, 0);
	rmi_is(REC, RMI_RTT_SET_RIPAS, rd, w.rec, PAGE(4), PAGE(20));
}

int main(void)
{
	const struct test tests[] = {
		{ "DATA_CREATE", test_create },
		{ "DATA_CREATE of an active realm", test_create_active },
		{ "DATA_CREATE_UNKNOWN", test_create_unknown },
		{ "DATA_DESTROY", test_destroy },
		{ "RTT_INIT_RIPAS", test_init_ripas },
		{ "failures of RTT_SET_RIPAS", test_set_ripas_errors },
		{ "RTT_SET_RIPAS above pages", test_set_ripas_level },
		{ "RTT_SET_RIPAS of each state", test_set_ripas_states },
		{ "RTT_SET_RIPAS of another realm", test_set_ripas_owner },
	};

	return run_tests("data", tests, ARRAY_SIZE(tests));
}
