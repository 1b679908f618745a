// SPDX-License-Identifier: GPL-2.0-only
/* The model's own calls: a command that fails on request, and counts. */
#include <string.h>

#include "host.h"
#include "model.h"

/* In the order of MODEL_GRANULES. */
enum { NS, DELEGATED, RD, REC_STATE, AUX, DATA, TABLE, NR_STATES };

static void fail_nth(u64 nth, u64 status, u64 only)
{
	rmi_is(RMI_SUCCESS, MODEL_FAIL_NTH, nth, status, only);
}

static void expect_calls(u64 calls, u64 left)
{
	rmi_is(RMI_SUCCESS, MODEL_CALLS);
	expect_eq(out[1], calls);
	expect_eq(out[2], left);
}

static void test_uid(void)
{
	static const u32 words[4] = MODEL_UID_WORDS;

	world_init();
	expect_eq(rmi(MODEL_UID), words[0]);
	for (int i = 1; i < 4; i++)
		expect_eq(out[i], words[i]);
	expect_eq(rmi(MODEL_FID_LAST + 1), SMC_NOT_SUPPORTED);
	expect_eq(rmi(MODEL_UID + 1), SMC_NOT_SUPPORTED);
}

static void test_nth(void)
{
	world_init();
	fail_nth(3, RTT(2), 0);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.ns);
	rmi_is(INPUT, RMI_GRANULE_DELEGATE, w.ns);
	expect_calls(2, 1);
	rmi_is(RTT(2), RMI_GRANULE_UNDELEGATE, w.ns);
	expect_calls(3, 0);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.ns);
	expect_calls(4, 0);
}

static void expect_no_results(const u64 x[6])
{
	for (int i = 1; i < SMCCC_SCRATCH; i++)
		expect(!out[i], "%#lx has a result in x%d", x[0], i);
	for (int i = SMCCC_SCRATCH; i < 6; i++)
		expect(out[i] == x[i], "%#lx changes x%d", x[0], i);
}

/* With arguments that are good: the same call succeeds the next time. */
static void fail_each(void)
{
	const u64 cases[][6] = {
		{ RMI_VERSION, RMI_ABI_VERSION },
		{ RMI_GRANULE_DELEGATE, w.ns },
		{ RMI_GRANULE_UNDELEGATE, w.spare },
		{ RMI_DATA_CREATE, w.rd, w.spare, 0, w.ns, 1 },
		{ RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0 },
		{ RMI_REALM_ACTIVATE, w.rd },
		{ RMI_REC_CREATE, w.rd, w.rec, w.rec_params },
		{ RMI_RTT_CREATE, w.rd, w.spare, SZ_2M, 3 },
		{ RMI_RTT_DESTROY, w.rd, SHARED, 3 },
		{ RMI_RTT_FOLD, w.rd, SHARED, 3 },
		{ RMI_RTT_MAP_UNPROTECTED, w.rd, SHARED, 3, HOST_DESC(w.ns) },
		{ RMI_RTT_READ_ENTRY, w.rd, 0, 3 },
		{ RMI_RTT_INIT_RIPAS, w.rd, PAGE(RAM_PAGES), PAGE(RAM_PAGES + 1) },
		{ RMI_FEATURES, 0 },
		{ RMI_REC_AUX_COUNT, w.rd },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		fail_nth(1, REALM(1), 0);
		arena_save();
		expect_eq(rmi_call(cases[i]), REALM(1));
		expect(arena_is_saved(), "%#lx changed something", cases[i][0]);
		expect_no_results(cases[i]);
		expect_eq(rmi_call(cases[i]), RMI_SUCCESS);
		world_init();
	}
}

static void test_each_command(void)
{
	world_init();
	fail_each();
}

static void test_entered(void)
{
	world_active();
	fail_nth(1, REC, RMI_REC_ENTER);
	rmi_is(REC, RMI_REC_ENTER, w.rec, w.run);
	expect_eq(arena.runs, 0);
	rmi_is(RMI_SUCCESS, RMI_REC_ENTER, w.rec, w.run);
	expect_eq(arena.runs, 1);
}

static void test_one_command(void)
{
	world_init();
	fail_nth(2, INPUT, RMI_GRANULE_UNDELEGATE);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.ns);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.ns);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.ns);
	expect_calls(1, 1);
	rmi_is(INPUT, RMI_GRANULE_UNDELEGATE, w.ns);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.ns);
	expect_calls(3, 0);
}

/* Whatever the status is. */
static void test_unknown_status(void)
{
	static const u64 statuses[] = { RMI_ERROR_RTT + 1, 0xff, 0xffff };

	world_init();
	for (unsigned int i = 0; i < ARRAY_SIZE(statuses); i++) {
		fail_nth(1, statuses[i], 0);
		rmi_is(statuses[i], RMI_GRANULE_DELEGATE, w.ns);
	}
}

/* What is no command does not count; a refused request leaves the one before. */
static void test_refused(void)
{
	const struct {
		u64 nth, status, only;
	} cases[] = {
		{ 1, RMI_SUCCESS, 0 },
		{ 1, 0x100, 0 },
		{ 1, 0x10001, 0 },
		{ ~0ull, ~0ull, 0 },
		{ 1, INPUT, RMI_VERSION - 1 },
		{ 1, INPUT, RMI_VERSION | 1ull << 32 },
		{ 1, INPUT, MODEL_CALLS },
		{ 0, 0, 1 },
	};

	world_init();
	fail_nth(5, INPUT, 0);
	rmi(RMI_VERSION, RMI_ABI_VERSION);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		rmi_is(INPUT, MODEL_FAIL_NTH, cases[i].nth, cases[i].status,
		       cases[i].only);
		rmi(RMI_RTT_FOLD + 0x20);
		expect_calls(1, 4);
	}
}

static void test_reset(void)
{
	world_init();
	fail_nth(1, INPUT, RMI_GRANULE_DELEGATE);
	fail_nth(0, 0, 0);
	expect_calls(0, 0);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.ns);
	expect_calls(1, 0);
}

static void expect_granules(const u64 before[NR_STATES], const int more[NR_STATES])
{
	rmi_is(RMI_SUCCESS, MODEL_GRANULES);
	for (int i = 0; i < NR_STATES; i++)
		expect(out[1 + i] == before[i] + more[i],
		       "state %d: %lu, was %lu, should be %+d", i, out[1 + i],
		       before[i], more[i]);
}

static void test_granules(void)
{
	u64 before[NR_STATES];

	world_init();
	rmi_is(RMI_SUCCESS, MODEL_GRANULES);
	memcpy(before, out + 1, sizeof(before));
	expect_eq(before[RD], 1);
	expect_eq(before[TABLE], 2 + 4);
	expect_eq(before[NS] + before[DELEGATED] + 1 + 6, arena.pages + RAM2_PAGES);

	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, w.rec, w.rec_params);
	expect_granules(before, (int[NR_STATES]) {
		[DELEGATED] = -1 - NR_AUX, [REC_STATE] = 1, [AUX] = NR_AUX });
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	expect_granules(before, (int[NR_STATES]) {
		[DELEGATED] = -2 - NR_AUX, [REC_STATE] = 1, [AUX] = NR_AUX, [DATA] = 1 });
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, 0);
	rmi_is(RMI_SUCCESS, RMI_REC_DESTROY, w.rec);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	expect_granules(before, (int[NR_STATES]) { [DELEGATED] = -1, [NS] = 1 });
}

static void expect_not_scrubbed(u64 nr)
{
	rmi_is(RMI_SUCCESS, MODEL_NOT_SCRUBBED);
	expect_eq(out[1], nr);
}

/* One that something has written to behind the back of the RMM. */
static void test_not_scrubbed(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, 0);
	memset(arena_va(w.spare), 0x5e, GRANULE_SIZE);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, 0);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	expect_not_scrubbed(0);

	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.spare);
	*((u8 *)arena_va(w.spare) + GRANULE_SIZE - 1) = 1;
	arena.dirty_pa = w.spare;
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	arena.dirty_pa = 0;
	expect_not_scrubbed(1);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.spare);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.spare);
	expect_not_scrubbed(1);
}

/* The REC does nothing, and all of the record but the two is as of any exit. */
static void test_next_exit(void)
{
	world_active();
	rmi_is(RMI_SUCCESS, MODEL_NEXT_EXIT, 2, 0x42, 0x12345678);
	rmi_is(INPUT, MODEL_NEXT_EXIT, 1, 0x100, 1);
	run_page()->enter.gicv3_lrs[1] = 1ull << 63 | 28;
	for (int i = 0; i < 2; i++) {
		rmi_is(RMI_SUCCESS, RMI_REC_ENTER, w.rec, w.run);
		expect_eq(run_page()->exit.exit_reason, 0x42);
		expect_eq(run_page()->exit.esr, 0x12345678);
		expect_eq(run_page()->exit.gicv3_lrs[1], 1ull << 63 | 28);
		expect_eq(arena.runs, 0);
		rmi_is(RMI_SUCCESS, MODEL_CALLS);
		expect_eq(out[3], 1 - i);
	}
	rmi_is(RMI_SUCCESS, RMI_REC_ENTER, w.rec, w.run);
	expect_eq(arena.runs, 1);

	rmi_is(RMI_SUCCESS, MODEL_NEXT_EXIT, 9, RMI_EXIT_SERROR, 0);
	rmi_is(RMI_SUCCESS, MODEL_NEXT_EXIT, 0, 0, 0);
	rmi_is(RMI_SUCCESS, RMI_REC_ENTER, w.rec, w.run);
	expect_eq(arena.runs, 2);
}

static void take_serror(struct rmm_vcpu *v, struct rmm_trap *trap)
{
	(void)v;
	trap->reason = RMI_EXIT_SERROR;
	trap->esr = 0x2full << 26 | 1 << 25 | 1 << 20 | 6 << 10 | 1 << 9 | 0x11;
}

/* Of an SError the host sees how bad it is, but not what is reserved. */
static void test_serror(void)
{
	world_active();
	arena.run = take_serror;
	rmi_is(RMI_SUCCESS, RMI_REC_ENTER, w.rec, w.run);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_SERROR);
	expect_eq(run_page()->exit.esr,
		  0x2full << 26 | 1 << 25 | 6 << 10 | 1 << 9 | 0x11);
}

int main(void)
{
	const struct test tests[] = {
		{ "who it is", test_uid },
		{ "the nth command fails", test_nth },
		{ "each command can fail", test_each_command },
		{ "a REC is not entered", test_entered },
		{ "the nth of one command", test_one_command },
		{ "any status", test_unknown_status },
		{ "requests that are refused", test_refused },
		{ "the reset", test_reset },
		{ "granules in each state", test_granules },
		{ "granules that are not scrubbed", test_not_scrubbed },
		{ "exits on request", test_next_exit },
		{ "an SError", test_serror },
	};

	return run_tests("control", tests, ARRAY_SIZE(tests));
}
