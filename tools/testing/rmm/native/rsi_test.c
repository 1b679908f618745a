// SPDX-License-Identifier: GPL-2.0-only
/* What a REC asks of the RMM, and what of its traps the host sees. */
#include <string.h>

#include "host.h"

#define DATA_IPA	PAGE(2)

/* An active realm with a page at DATA_IPA. */
static void with_page(void)
{
	world_active();
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, DATA_IPA);
}

#define rsi_is(status, ...) do {				\
	expect(smc(__VA_ARGS__), "went to the host");		\
	expect_eq(answer[0], status);				\
} while (0)

/* The host hears of a missing page as of a fault. */
static void expect_fault(u64 ipa, u64 fsc)
{
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_SYNC);
	expect_eq(run_page()->exit.esr >> 26, 0x24);
	expect_eq(run_page()->exit.esr & 0x3f, fsc);
	expect_eq(run_page()->exit.hpfar, ipa >> 12 << 4);
}

static void test_version(void)
{
	world_active();
	rsi_is(RSI_SUCCESS, RSI_VERSION, 0x10000);
	expect_eq(answer[1], 0x10000);
	expect_eq(answer[2], 0x10000);
	rsi_is(RSI_ERROR_INPUT, RSI_VERSION, 0x20000);
	expect_eq(answer[1], 0x10000);
	rsi_is(RSI_SUCCESS, RSI_FEATURES, 0);
	expect_eq(answer[1], 0);
}

static void test_measurements(void)
{
	u8 zero[RMM_HASH_MAX] = { 0 };

	world_active();
	rsi_is(RSI_ERROR_INPUT, RSI_MEASUREMENT_READ, 5);
	rsi_is(RSI_ERROR_INPUT, RSI_MEASUREMENT_EXTEND, 0, 8);
	rsi_is(RSI_ERROR_INPUT, RSI_MEASUREMENT_EXTEND, 5, 8);
	rsi_is(RSI_ERROR_INPUT, RSI_MEASUREMENT_EXTEND, 1, 65);
	rsi_is(RSI_SUCCESS, RSI_MEASUREMENT_READ, 4);
	expect(!memcmp(&answer[1], zero, sizeof(zero)), "not zero at first");
	rsi_is(RSI_SUCCESS, RSI_MEASUREMENT_EXTEND, 4, 3, 0x636261);
	rsi_is(RSI_SUCCESS, RSI_MEASUREMENT_READ, 4);
	/* The SHA-256 of 32 zero bytes and abc, as sha256sum says */
	expect_eq(answer[1], 0x2c40f9f7d8a75a36ull);
	expect_eq(answer[5], 0);
	rsi_is(RSI_SUCCESS, RSI_MEASUREMENT_READ, 3);
	expect(!memcmp(&answer[1], zero, sizeof(zero)), "another changed");
}

static void test_config(void)
{
	struct rsi_realm_config *config;

	with_page();
	config = arena_va(w.spare);
	rsi_is(RSI_ERROR_INPUT, RSI_REALM_CONFIG, DATA_IPA + 8);
	rsi_is(RSI_ERROR_INPUT, RSI_REALM_CONFIG, SHARED);
	rsi_is(RSI_ERROR_INPUT, RSI_REALM_CONFIG, IPA_END);
	rsi_is(RSI_ERROR_INPUT, RSI_REALM_CONFIG, PAGE(100));
	expect(!smc(RSI_REALM_CONFIG, PAGE(3)), "no page, no exit");
	expect_fault(PAGE(3), 7);
	memset(config, 0xff, sizeof(*config));
	rsi_is(RSI_SUCCESS, RSI_REALM_CONFIG, DATA_IPA);
	expect_eq(config->ipa_width, IPA_BITS);
	expect_eq(config->hash_algo, 0);
	expect_eq(config->rpv[0], 0x52);
	expect_eq(config->pad1[0], 0);
}

static void test_state_get(void)
{
	with_page();
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_GET, 8, PAGE(1));
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_GET, 0, PAGE(1) + 8);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_GET, PAGE(1), PAGE(1));
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_GET, 0, SHARED + PAGE(1));
	rsi_is(RSI_SUCCESS, RSI_IPA_STATE_GET, 0, PAGE(4));
	expect_eq(answer[1], PAGE(4));
	expect_eq(answer[2], RMI_RAM);
	rsi_is(RSI_SUCCESS, RSI_IPA_STATE_GET, PAGE(1), PAGE(400));
	expect_eq(answer[1], PAGE(RAM_PAGES));
	rsi_is(RSI_SUCCESS, RSI_IPA_STATE_GET, PAGE(RAM_PAGES), SHARED);
	expect_eq(answer[1], SZ_2M);
	expect_eq(answer[2], RMI_EMPTY);
	rsi_is(RSI_SUCCESS, RSI_IPA_STATE_GET, SZ_2M + PAGE(3), SZ_1G);
	expect_eq(answer[1], SZ_1G);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, DATA_IPA);
	rsi_is(RSI_SUCCESS, RSI_IPA_STATE_GET, DATA_IPA, SHARED);
	expect_eq(answer[1], DATA_IPA + PAGE(1));
	expect_eq(answer[2], RMI_DESTROYED);
}

static void test_state_set(void)
{
	world_active();
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, 8, PAGE(1), 1, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, 0, PAGE(1) + 8, 1, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, PAGE(1), PAGE(1), 1, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, 0, SHARED + PAGE(1), 1, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, 0, PAGE(1), 2, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_IPA_STATE_SET, 0, PAGE(1), 1, 2);
	expect(!smc(RSI_IPA_STATE_SET, 0, SHARED, 1, 1), "no exit");
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_RIPAS_CHANGE);
	expect_eq(run_page()->exit.ripas_top, SHARED);
}

static void test_host_call(void)
{
	u64 ipa = DATA_IPA + 0x300;
	struct rsi_host_call *call;

	with_page();
	call = arena_va(w.spare + 0x300);
	rsi_is(RSI_ERROR_INPUT, RSI_HOST_CALL, ipa + 8);
	rsi_is(RSI_ERROR_INPUT, RSI_HOST_CALL, SHARED);
	rsi_is(RSI_ERROR_INPUT, RSI_HOST_CALL, PAGE(100));
	expect(!smc(RSI_HOST_CALL, PAGE(3) + 0x100), "no page, no exit");
	expect_fault(PAGE(3), 7);
	call->imm = 0x1234;
	for (int i = 0; i < REC_GPRS; i++) {
		call->gprs[i] = 100 + i;
		run_page()->enter.gprs[i] = 200 + i;
	}
	expect(!smc(RSI_HOST_CALL, ipa), "no exit");
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_HOST_CALL);
	expect_eq(run_page()->exit.imm, 0x1234);
	expect_eq(run_page()->exit.gprs[30], 130);
	expect(rec_resume(), "the REC did not run");
	expect_eq(answer[0], RSI_SUCCESS);
	expect_eq(call->gprs[0], 200);
	expect_eq(call->gprs[30], 230);
	expect_eq(call->imm, 0x1234);

	/* The page goes while the host is at it */
	expect(!smc(RSI_HOST_CALL, ipa), "no exit");
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, DATA_IPA);
	expect(!rec_resume(), "the REC ran without its page");
	expect_fault(DATA_IPA, 7);
	rmi_is(RMI_SUCCESS, RMI_DATA_CREATE_UNKNOWN, w.rd, w.spare, DATA_IPA);
	expect(!rec_resume(), "the REC ran with a DESTROYED page");
}

static void test_token(void)
{
	char text[256];
	u64 size, got = 0;

	with_page();
	rsi_is(RSI_ERROR_STATE, RSI_ATTESTATION_TOKEN_CONTINUE, DATA_IPA, 0, 8);
	rsi_is(RSI_SUCCESS, RSI_ATTESTATION_TOKEN_INIT, 1, 2, 3);
	size = answer[1];
	rsi_is(RSI_ERROR_INPUT, RSI_ATTESTATION_TOKEN_CONTINUE,
	       DATA_IPA + 8, 0, 8);
	rsi_is(RSI_ERROR_INPUT, RSI_ATTESTATION_TOKEN_CONTINUE, SHARED, 0, 8);
	rsi_is(RSI_ERROR_INPUT, RSI_ATTESTATION_TOKEN_CONTINUE,
	       DATA_IPA, 4096, 0);
	rsi_is(RSI_ERROR_INPUT, RSI_ATTESTATION_TOKEN_CONTINUE,
	       DATA_IPA, 4090, 7);
	rsi_is(RSI_ERROR_INPUT, RSI_ATTESTATION_TOKEN_CONTINUE,
	       DATA_IPA, 8, ~0ull);
	do {
		expect(smc(RSI_ATTESTATION_TOKEN_CONTINUE, DATA_IPA, got, 20),
		       "went to the host");
		got += answer[1];
	} while (answer[0] == RSI_INCOMPLETE);
	expect_eq(answer[0], RSI_SUCCESS);
	expect_eq(got, size);
	memcpy(text, arena_va(w.spare), size);
	expect(strstr(text, "unsigned"), "'%s'", text);
	rsi_is(RSI_ERROR_STATE, RSI_ATTESTATION_TOKEN_CONTINUE, DATA_IPA, 0, 8);
}

/*
 * Aborts.
 */

#define ABORT(ec)	((ec) << 26 | 1ull << 25 | 7)
#define HPFAR(ipa)	((ipa) >> 12 << 4)
#define ISV		(1ull << 24)
#define WNR		(1ull << 6)
#define SRT(n)		((u64)(n) << 16)
#define SAS(n)		((u64)(n) << 22)
#define SF		(1ull << 15)
#define SSE		(1ull << 21)

static void test_protected_abort(void)
{
	with_page();
	rec_trap(ABORT(0x24ull) | ISV | WNR, 0x1234, HPFAR(PAGE(3)));
	expect_fault(PAGE(3), 7);
	expect_eq(run_page()->exit.esr & ISV, 0);
	expect_eq(run_page()->exit.far, 0);
	/* There already: try again */
	rec_trap(ABORT(0x24ull), 0, HPFAR(DATA_IPA));
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_IRQ);
	expect_eq(arena.injections, 0);
	/* EMPTY is not the realm's to touch */
	rec_trap(ABORT(0x24ull), 0, HPFAR(PAGE(100)));
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_IRQ);
	expect_eq(arena.injected, RMM_INJECT_SEA_DATA);
	rec_trap(ABORT(0x20ull), 0, HPFAR(PAGE(100)));
	expect_eq(arena.injected, RMM_INJECT_SEA_INSN);
	expect_eq(arena.injections, 2);
	rmi_is(RMI_SUCCESS, RMI_DATA_DESTROY, w.rd, DATA_IPA);
	rec_trap(ABORT(0x24ull), 0, HPFAR(DATA_IPA));
	expect_fault(DATA_IPA, 7);
}

static void test_mmio_read(void)
{
	const struct {
		u64 esr, value, reg;
	} cases[] = {
		{ SAS(0), 0x1ff, 0xff },
		{ SAS(0) | SSE, 0x80, 0xffffff80 },
		{ SAS(0) | SSE | SF, 0x80, 0xffffffffffffff80 },
		{ SAS(1) | SSE | SF, 0x7fff, 0x7fff },
		{ SAS(2), 0x123456789, 0x23456789 },
		{ SAS(2) | SSE | SF, 0x80000000, 0xffffffff80000000 },
		{ SAS(3) | SF, 0x8765432187654321, 0x8765432187654321 },
	};

	world_active();
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		rec_trap(ABORT(0x24ull) | ISV | SRT(5) | cases[i].esr, 0x1abc,
			 HPFAR(SHARED + PAGE(9)));
		expect_fault(SHARED + PAGE(9), 7);
		expect_eq(run_page()->exit.far, 0xabc);
		expect_eq(run_page()->exit.esr & SRT(31), 0);
		run_page()->enter.flags = RMI_ENTER_EMUL_MMIO;
		run_page()->enter.gprs[0] = cases[i].value;
		expect(rec_resume(), "the REC did not run");
		expect_eq(answer[5], cases[i].reg);
		/* Once */
		rmi_is(RMI_ERROR_REC, RMI_REC_ENTER, w.rec, w.run);
		run_page()->enter.flags = 0;
	}
}

static void test_mmio_write(void)
{
	world_active();
	smc(0x12345678, 0x1122334455667788);
	rec_trap(ABORT(0x24ull) | ISV | WNR | SRT(1) | SAS(1), 0,
		 HPFAR(SHARED));
	expect_eq(run_page()->exit.gprs[0], 0x7788);
	run_page()->enter.flags = RMI_ENTER_EMUL_MMIO | RMI_ENTER_INJECT_SEA;
	rmi_is(RMI_ERROR_REC, RMI_REC_ENTER, w.rec, w.run);
	run_page()->enter.flags = RMI_ENTER_INJECT_SEA;
	expect(rec_resume(), "the REC did not run");
	expect_eq(arena.injected, RMM_INJECT_SEA_DATA);
	expect_eq(arena.injections, 1);
	/* Only after such an exit */
	expect(rec_resume(), "the REC did not run");
	expect_eq(arena.injections, 1);
}

/* No syndrome, no emulation; no code in what the host can change. */
static void test_unprotected_abort(void)
{
	world_active();
	rec_trap(ABORT(0x24ull), 0x123, HPFAR(SHARED));
	expect_fault(SHARED, 7);
	expect_eq(run_page()->exit.far, 0);
	run_page()->enter.flags = RMI_ENTER_EMUL_MMIO;
	rmi_is(RMI_ERROR_REC, RMI_REC_ENTER, w.rec, w.run);
	run_page()->enter.flags = 0;
	rec_trap(ABORT(0x20ull), 0, HPFAR(SHARED));
	expect_eq(arena.injected, RMM_INJECT_SEA_INSN);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_IRQ);
	rec_trap(ABORT(0x24ull), 0, HPFAR(IPA_END));
	expect_eq(arena.injected, RMM_INJECT_SEA_DATA);
	expect_eq(arena.injections, 2);
}

static void test_other_traps(void)
{
	world_active();
	rec_trap(1ull << 26 | 1 << 25 | 1, 0, 0);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_SYNC);
	expect_eq(run_page()->exit.esr, 1ull << 26 | 1 << 25 | 1);
	/* HVC is undefined */
	rec_trap(0x16ull << 26, 0, 0);
	expect_eq(arena.injected, RMM_INJECT_UNDEF);
	/* ICC_SGI1R_EL1 from x1 */
	smc(0x12345678, 0x10001);
	rec_trap(0x18ull << 26 | 3 << 20 | 5 << 17 | 12 << 10 | 1 << 5 |
		 11 << 1, 0, 0);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_SYNC);
	expect_eq(run_page()->exit.gprs[0], 0x10001);
	/* Another register is the port's */
	rec_trap(0x18ull << 26 | 3 << 20 | 1, 0, 0);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_IRQ);
}

int main(void)
{
	const struct test tests[] = {
		{ "VERSION and FEATURES", test_version },
		{ "MEASUREMENT_READ and EXTEND", test_measurements },
		{ "REALM_CONFIG", test_config },
		{ "IPA_STATE_GET", test_state_get },
		{ "IPA_STATE_SET", test_state_set },
		{ "HOST_CALL", test_host_call },
		{ "ATTESTATION_TOKEN_*", test_token },
		{ "aborts at protected IPAs", test_protected_abort },
		{ "reads that the host emulates", test_mmio_read },
		{ "writes that the host emulates", test_mmio_write },
		{ "aborts at unprotected IPAs", test_unprotected_abort },
		{ "other traps", test_other_traps },
	};

	return run_tests("rsi", tests, ARRAY_SIZE(tests));
}
