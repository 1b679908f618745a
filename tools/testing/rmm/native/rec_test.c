// SPDX-License-Identifier: GPL-2.0-only
/* REC_CREATE, REC_DESTROY, REC_ENTER, REC_AUX_COUNT and PSCI_COMPLETE. */
#include <string.h>

#include "host.h"

static void create(u64 status)
{
	rmi_is(status, RMI_REC_CREATE, w.rd, w.rec, w.rec_params);
}

#define bad_param(field, value) do {				\
	world_init();						\
	rec_params()->field = (value);				\
	create(INPUT);						\
} while (0)

static void test_aux_count(void)
{
	world_init();
	rmi_is(INPUT, RMI_REC_AUX_COUNT, w.spare);
	rmi_is(INPUT, RMI_REC_AUX_COUNT, w.rd + 8);
	rmi_is(RMI_SUCCESS, RMI_REC_AUX_COUNT, w.rd);
	expect_eq(out[1], NR_AUX);
}

static void test_create(void)
{
	world_init();
	rmi_is(INPUT, RMI_REC_CREATE, w.ns, w.rec, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd + 8, w.rec, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.rec + 8, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.ns, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, NOWHERE, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.start, w.rec_params);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.rec, w.rec_params + 8);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.rec, NOWHERE);
	rmi_is(INPUT, RMI_REC_CREATE, w.rd, w.rec, w.spare);
	create(RMI_SUCCESS);
	create(INPUT);
	bad_param(flags, 2);
	bad_param(mpidr, 1);
	bad_param(mpidr, 0x10);
	bad_param(mpidr, 1ull << 32);
	bad_param(num_aux, NR_AUX - 1);
	bad_param(num_aux, NR_AUX + 1);
	bad_param(num_aux, ~0ull);
	bad_param(aux[0], w.rec);
	bad_param(aux[1], w.aux[0]);
	bad_param(aux[1], w.ns);
	bad_param(aux[1], NOWHERE);
	bad_param(aux[1], w.aux[1] + 8);
	bad_param(pad0[0], 1);
	bad_param(pad1[0], 1);
	bad_param(pad2[0], 1);
	bad_param(pad3[0], 1);
	bad_param(pad4[sizeof(rec_params()->pad4) - 1], 1);
	world_init();
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	create(REALM(0));
}

/* MPIDRs count up: Aff0 has 16 values. */
static void test_order(void)
{
	world_with_rec();
	for (u64 i = 1; i < 20; i++) {
		u64 rec = delegated();

		rec_params_init(w.rec_params, i + 1, 0);
		rmi_is(INPUT, RMI_REC_CREATE, w.rd, rec, w.rec_params);
		rec_params()->mpidr = i % 16 | i / 16 << 8;
		rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, rec, w.rec_params);
	}
}

/* No more than the feature register says: 2^0. */
static void test_limit(void)
{
	u64 rec;

	world_init();
	arena_init(128, FEATURE0 & ~(0xfull << 38));
	for (int i = 0; i < 16; i++)
		rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, RAM_BASE + PAGE(i));
	w.rd = RAM_BASE + PAGE(2);
	w.params = RAM_BASE + PAGE(20);
	w.rec_params = RAM_BASE + PAGE(21);
	rec = RAM_BASE + PAGE(3);
	params_init(w.params, RAM_BASE);
	memset(rec_params(), 0, GRANULE_SIZE);
	rec_params()->num_aux = NR_AUX;
	rec_params()->aux[0] = RAM_BASE + PAGE(5);
	rec_params()->aux[1] = RAM_BASE + PAGE(6);
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, w.rd, w.params);
	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, rec, w.rec_params);
	rec_params()->mpidr = 1;
	rec_params()->aux[0] = RAM_BASE + PAGE(7);
	rec_params()->aux[1] = RAM_BASE + PAGE(8);
	rmi_is(REALM(0), RMI_REC_CREATE, w.rd, RAM_BASE + PAGE(9),
	       w.rec_params);
}

static void test_destroy(void)
{
	world_with_rec();
	rmi_is(INPUT, RMI_REC_DESTROY, w.rec + 8);
	rmi_is(INPUT, RMI_REC_DESTROY, NOWHERE);
	rmi_is(INPUT, RMI_REC_DESTROY, w.rd);
	rmi_is(INPUT, RMI_REC_DESTROY, w.aux[0]);
	rmi_is(RMI_SUCCESS, RMI_REC_DESTROY, w.rec);
	rmi_is(INPUT, RMI_REC_DESTROY, w.rec);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.rec);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.aux[0]);
	rmi_is(RMI_SUCCESS, RMI_GRANULE_UNDELEGATE, w.aux[1]);
}

static void enter(u64 status)
{
	rmi_is(status, RMI_REC_ENTER, w.rec, w.run);
}

#define bad_enter(status, field, value) do {			\
	memset(run_page(), 0, GRANULE_SIZE);			\
	run_page()->enter.field = (value);			\
	enter(status);						\
} while (0)

static void test_enter(void)
{
	world_active();
	rmi_is(INPUT, RMI_REC_ENTER, w.rd, w.run);
	rmi_is(INPUT, RMI_REC_ENTER, w.rec + 8, w.run);
	rmi_is(INPUT, RMI_REC_ENTER, NOWHERE, w.run);
	rmi_is(INPUT, RMI_REC_ENTER, w.rec, w.run + 8);
	rmi_is(INPUT, RMI_REC_ENTER, w.rec, NOWHERE);
	rmi_is(INPUT, RMI_REC_ENTER, w.rec, w.spare);
	bad_enter(INPUT, flags, 1 << 5);
	bad_enter(INPUT, flags, 1ull << 63);
	bad_enter(INPUT, pad0[0], 1);
	bad_enter(INPUT, pad1[0], 1);
	bad_enter(INPUT, pad2[sizeof(run_page()->enter.pad2) - 1], 1);
	bad_enter(REC, flags, RMI_ENTER_EMUL_MMIO);
	bad_enter(REC, gicv3_hcr, 1);
	bad_enter(REC, gicv3_hcr, 1 << 15);
	bad_enter(REC, gicv3_lrs[0], 1ull << 62 | 1ull << 61);
	bad_enter(REC, gicv3_lrs[0], 1ull << 62 | 1ull << 32);
	bad_enter(REC, gicv3_lrs[4], 1ull << 62 | 27);
	memset(run_page(), 0, GRANULE_SIZE);
	run_page()->enter.gicv3_lrs[0] = 1ull << 62 | 27;
	run_page()->enter.gicv3_lrs[2] = 1ull << 63 | 27;
	enter(REC);
	run_page()->enter.gicv3_lrs[2] = 1ull << 63 | 28;
	enter(RMI_SUCCESS);
	expect_eq(arena.runs, 1);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_IRQ);
	expect_eq(run_page()->exit.gicv3_lrs[2], 1ull << 63 | 28);
}

static void test_enter_states(void)
{
	world_with_rec();
	enter(REALM(0));
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	smc(PSCI_SYSTEM_OFF);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_PSCI);
	expect_eq(run_page()->exit.gprs[0], PSCI_SYSTEM_OFF);
	enter(REALM(1));
	rmi_is(REALM(0), RMI_REALM_ACTIVATE, w.rd);
	world_init();
	rec_params()->flags = 0;
	create(RMI_SUCCESS);
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
	enter(REC);
}

static u64 initial[4];

static void look(struct rmm_vcpu *v, struct rmm_trap *trap)
{
	(void)trap;
	initial[0] = v->pc;
	initial[1] = v->gprs[0];
	initial[2] = v->mpidr;
	initial[3] = v->trap_wfi | v->trap_wfe << 1;
}

static void test_first_state(void)
{
	world_active();
	arena.run = look;
	run_page()->enter.flags = RMI_ENTER_TRAP_WFE;
	enter(RMI_SUCCESS);
	expect_eq(initial[0], 0x1000);
	expect_eq(initial[1], 0xabc);
	expect_eq(initial[2], 1ull << 31);
	expect_eq(initial[3], 2);
}

static u64 wfx_esr;

static void wait_trap(struct rmm_vcpu *v, struct rmm_trap *trap)
{
	v->gprs[7] = 0x777;
	trap->reason = RMI_EXIT_SYNC;
	trap->esr = wfx_esr;
}

/* The host sees which of the four it is, and with a timeout until when, of any register. */
static void test_waits(void)
{
	const u64 wfx = 1ull << 26 | 1ull << 25, rv = 1ull << 2;
	const struct {
		u64 esr, shown, gpr0;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1, 1, 0 },
		{ 2 | rv | 7 << 5, 2, 0x777 },
		{ 3 | rv | 7 << 5, 3, 0x777 },
		{ 2 | rv | 31 << 5, 2, 0 },
	};
	unsigned int i;

	world_active();
	arena.run = wait_trap;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		wfx_esr = wfx | cases[i].esr;
		enter(RMI_SUCCESS);
		expect_eq(run_page()->exit.exit_reason, RMI_EXIT_SYNC);
		expect_eq(run_page()->exit.esr, wfx | cases[i].shown);
		expect_eq(run_page()->exit.gprs[0], cases[i].gpr0);
	}
	arena.run = NULL;
}

/* What another CPU may do to a REC that runs. */
static void while_running(struct rmm_vcpu *v, struct rmm_trap *trap)
{
	(void)v;
	(void)trap;
	arena.mapped = 0;
	rmi_is(REC, RMI_REC_DESTROY, w.rec);
	rmi_is(REC, RMI_REC_ENTER, w.rec, w.run);
	rmi_is(REALM(0), RMI_REALM_DESTROY, w.rd);
	rmi_is(REC, RMI_RTT_SET_RIPAS, w.rd, w.rec, 0, PAGE(1));
	rmi_is(RMI_SUCCESS, RMI_GRANULE_DELEGATE, w.run);
	/* The two that the call around this one holds */
	arena.mapped = 2;
}

static void test_running(void)
{
	world_active();
	arena.run = while_running;
	expect_eq(rmi(RMI_REC_ENTER, w.rec, w.run), INPUT);
	expect_eq(arena.runs, 1);
	arena.run = NULL;
	rmi_is(RMI_SUCCESS, RMI_REC_DESTROY, w.rec);
}

/*
 * PSCI between two RECs.
 */

static u64 second, second_run;

static void two_recs(void)
{
	world_with_rec();
	second = delegated();
	second_run = ns_page();
	memset(arena_va(second_run), 0, GRANULE_SIZE);
	rec_params_init(w.rec_params, 1, 0);
	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, second, w.rec_params);
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
}

#define CPU_ON		(PSCI_CPU_ON | PSCI_SMC64)
#define AFFINITY_INFO	(PSCI_AFFINITY_INFO | PSCI_SMC64)

static void call_host(u64 fid, u64 x1, u64 x2, u64 x3)
{
	smc(fid, x1, x2, x3);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_PSCI);
	expect_eq(run_page()->exit.gprs[0], fid);
	expect_eq(run_page()->exit.gprs[1], x1);
	expect_eq(run_page()->exit.gprs[2], 0);
	enter(REC);
}

static void complete(u64 status, u64 psci)
{
	rmi_is(status, RMI_PSCI_COMPLETE, w.rec, second, psci);
}

static void expect_answer(u64 x0)
{
	expect(rec_resume(), "the REC did not run");
	expect_eq(answer[0], x0);
}

static void test_complete_errors(void)
{
	u64 third;

	two_recs();
	complete(INPUT, PSCI_SUCCESS);
	call_host(CPU_ON, 1, 0x4000, 0x77);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rec, w.rec, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rec + 8, second, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, NOWHERE, second, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rd, second, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rec, second + 8, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rec, w.spare, PSCI_SUCCESS);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, second, w.rec, PSCI_SUCCESS);
	complete(INPUT, PSCI_INVALID_PARAMS);
	complete(INPUT, PSCI_ALREADY_ON);
	complete(INPUT, 1);
	complete(RMI_SUCCESS, PSCI_DENIED);
	expect_answer(PSCI_DENIED);
	complete(INPUT, PSCI_SUCCESS);

	/* Of the right MPIDR, but of another realm */
	third = delegated();
	params_init(w.params, delegated_pages(2));
	realm_params()->vmid = 9;
	w.rd = delegated();
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, w.rd, w.params);
	for (int i = 0; i < 2; i++) {
		rec_params_init(w.rec_params, i, 0);
		rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd,
		       i ? third : delegated(), w.rec_params);
	}
	call_host(AFFINITY_INFO, 1, 0, 0);
	rmi_is(INPUT, RMI_PSCI_COMPLETE, w.rec, third, PSCI_SUCCESS);
	complete(RMI_SUCCESS, PSCI_SUCCESS);
}

static void test_cpu_on(void)
{
	two_recs();
	rmi_is(REC, RMI_REC_ENTER, second, second_run);
	call_host(CPU_ON, 1, 0x4000, 0x77);
	complete(RMI_SUCCESS, PSCI_SUCCESS);
	expect_answer(PSCI_SUCCESS);
	arena.run = look;
	rmi_is(RMI_SUCCESS, RMI_REC_ENTER, second, second_run);
	arena.run = NULL;
	expect_eq(initial[0], 0x4000);
	expect_eq(initial[1], 0x77);
	expect_eq(initial[2], 1ull << 31 | 1);
	/* Again: it is on, which the host cannot deny */
	call_host(CPU_ON, 1, 0x4000, 0x77);
	complete(INPUT, PSCI_DENIED);
	complete(RMI_SUCCESS, PSCI_SUCCESS);
	expect_answer(PSCI_ALREADY_ON);
	call_host(AFFINITY_INFO, 1, 0, 0);
	complete(INPUT, PSCI_DENIED);
	complete(RMI_SUCCESS, PSCI_SUCCESS);
	expect_answer(PSCI_AFFINITY_ON);
}

static void test_affinity_off(void)
{
	two_recs();
	call_host(AFFINITY_INFO, 1, 0, 0);
	complete(RMI_SUCCESS, PSCI_SUCCESS);
	expect_answer(PSCI_AFFINITY_OFF);
}

/* It must not be entered any more. */
static void test_cpu_off(void)
{
	two_recs();
	smc(PSCI_CPU_OFF);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_PSCI);
	enter(REC);
}

static void test_psci_alone(void)
{
	const struct {
		u64 x[4], answer;
	} cases[] = {
		{ { PSCI_VERSION }, 0x10001 },
		{ { PSCI_FEATURES, CPU_ON }, PSCI_SUCCESS },
		{ { PSCI_FEATURES, PSCI_CPU_OFF }, PSCI_SUCCESS },
		{ { PSCI_FEATURES, 0x84000005 }, PSCI_NOT_SUPPORTED },
		{ { 0x84000005 }, PSCI_NOT_SUPPORTED },
		{ { CPU_ON, 0, 0x4000 }, PSCI_ALREADY_ON },
		{ { CPU_ON, 2, 0x4000 }, PSCI_INVALID_PARAMS },
		{ { CPU_ON, 0x10, 0x4000 }, PSCI_INVALID_PARAMS },
		{ { CPU_ON, 1, SHARED }, PSCI_INVALID_ADDRESS },
		{ { AFFINITY_INFO, 0 }, PSCI_AFFINITY_ON },
		{ { AFFINITY_INFO, 1, 1 }, PSCI_INVALID_PARAMS },
		{ { AFFINITY_INFO, 9 }, PSCI_INVALID_PARAMS },
		{ { 0x80000000 }, 0x10002 },
		{ { 0x12345678 }, SMC_NOT_SUPPORTED },
		{ { RMI_VERSION }, SMC_NOT_SUPPORTED },
	};

	two_recs();
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		expect(smc(cases[i].x[0], cases[i].x[1], cases[i].x[2]),
		       "case %u went to the host", i);
		expect(answer[0] == cases[i].answer,
		       "case %u: %#lx, should be %#lx", i, answer[0],
		       cases[i].answer);
	}
	smc(PSCI_CPU_SUSPEND | PSCI_SMC64, 5, 6, 7);
	expect_eq(run_page()->exit.exit_reason, RMI_EXIT_PSCI);
	expect_eq(run_page()->exit.gprs[1], 0);
	expect_answer(PSCI_SUCCESS);
}

int main(void)
{
	const struct test tests[] = {
		{ "REC_AUX_COUNT", test_aux_count },
		{ "REC_CREATE", test_create },
		{ "RECs are numbered", test_order },
		{ "as many RECs as there may be", test_limit },
		{ "REC_DESTROY", test_destroy },
		{ "REC_ENTER", test_enter },
		{ "REC_ENTER in each state", test_enter_states },
		{ "the first entry", test_first_state },
		{ "waiting", test_waits },
		{ "a REC that runs", test_running },
		{ "failures of PSCI_COMPLETE", test_complete_errors },
		{ "CPU_ON", test_cpu_on },
		{ "AFFINITY_INFO", test_affinity_off },
		{ "CPU_OFF", test_cpu_off },
		{ "PSCI without the host", test_psci_alone },
	};

	return run_tests("rec", tests, ARRAY_SIZE(tests));
}
