// SPDX-License-Identifier: GPL-2.0-only
/* A host for tests: RMI calls, checked, and a realm to try them on. */
#include <string.h>

#include "host.h"

#define WORLD_PAGES	2048

u64 out[RMM_CALL_REGS];
struct world w;
u64 answer[REC_GPRS];

static u64 next_page;

u64 rmi_call_quiet(const u64 x[6])
{
	memset(out, 0, sizeof(out));
	memcpy(out, x, 6 * sizeof(*x));
	rmm_call(out);
	expect(!arena.mapped, "%#lx leaves %d mapped", x[0], arena.mapped);
	expect(!arena.locked, "%#lx leaves the lock taken", x[0]);
	return out[0];
}

u64 rmi_call(const u64 x[6])
{
	const char *broken;

	rmi_call_quiet(x);
	broken = rmm_check_invariants();
	expect(!broken, "after %#lx(%#lx, %#lx, %#lx, %#lx): %s", x[0], x[1],
	       x[2], x[3], x[4], broken);
	return out[0];
}

void rmi_expect(const char *file, int line, u64 status, const char *name,
		const u64 x[6])
{
	u64 ret;

	arena_save();
	ret = rmi_call(x);
	if (ret != status) {
		printf("%s:%d: %s(%#lx, %#lx, %#lx, %#lx, %#lx) is %#lx, should be %#lx\n",
		       file, line, name, x[1], x[2], x[3], x[4], x[5], ret,
		       status);
		arena_fail();
	}
	if (status && !arena_is_saved()) {
		printf("%s:%d: %s failed, but changed something\n", file, line,
		       name);
		arena_fail();
	}
}

u64 ns_pages(u64 nr)
{
	u64 page = (next_page + nr - 1) / nr * nr;

	expect(page + nr <= arena.pages, "out of memory");
	next_page = page + nr;
	return RAM_BASE + PAGE(page);
}

u64 delegated_pages(u64 nr)
{
	u64 pa = ns_pages(nr);

	for (u64 i = 0; i < nr; i++)
		expect_eq(rmi(RMI_GRANULE_DELEGATE, pa + PAGE(i)), RMI_SUCCESS);
	return pa;
}

u64 ns_page(void)
{
	return ns_pages(1);
}

u64 delegated(void)
{
	return delegated_pages(1);
}

void params_init(u64 pa, u64 start)
{
	struct rmi_realm_params *p = arena_va(pa);

	memset(p, 0, sizeof(*p));
	p->s2sz = IPA_BITS;
	p->num_bps = 1;
	p->num_wps = 1;
	p->rpv[0] = 0x52;
	p->vmid = 7;
	p->rtt_base = start;
	p->rtt_level_start = 1;
	p->rtt_num_start = 2;
}

void rec_params_init(u64 pa, u64 mpidr, u64 flags)
{
	struct rmi_rec_params *p = arena_va(pa);

	memset(p, 0, sizeof(*p));
	p->flags = flags;
	p->mpidr = mpidr;
	p->pc = 0x1000;
	p->gprs[0] = 0xabc;
	p->num_aux = NR_AUX;
	for (int i = 0; i < NR_AUX; i++)
		p->aux[i] = delegated();
}

struct rmi_realm_params *realm_params(void)
{
	return arena_va(w.params);
}

struct rmi_rec_params *rec_params(void)
{
	return arena_va(w.rec_params);
}

struct rmi_rec_run *run_page(void)
{
	return arena_va(w.run);
}

static void create_tables(void)
{
	const u64 ipa[4] = { 0, 0, SHARED, SHARED };

	for (int i = 0; i < 4; i++) {
		w.tables[i] = delegated();
		rmi_is(RMI_SUCCESS, RMI_RTT_CREATE, w.rd, w.tables[i], ipa[i],
		       2 + i % 2);
	}
}

void world_init(void)
{
	arena_init(WORLD_PAGES, FEATURE0);
	next_page = 0;
	w = (struct world) {
		.start = delegated_pages(2),
		.rd = delegated(),
		.params = ns_page(),
		.rec = delegated(),
		.rec_params = ns_page(),
		.run = ns_page(),
		.spare = delegated(),
		.ns = ns_page(),
	};
	params_init(w.params, w.start);
	rec_params_init(w.rec_params, 0, RMI_REC_FLAG_RUNNABLE);
	memcpy(w.aux, rec_params()->aux, sizeof(w.aux));
	memset(run_page(), 0, GRANULE_SIZE);
	rmi_is(RMI_SUCCESS, RMI_REALM_CREATE, w.rd, w.params);
	create_tables();
	rmi_is(RMI_SUCCESS, RMI_RTT_INIT_RIPAS, w.rd, 0, PAGE(RAM_PAGES));
	expect_eq(out[1], PAGE(RAM_PAGES));
}

void world_with_rec(void)
{
	world_init();
	rmi_is(RMI_SUCCESS, RMI_REC_CREATE, w.rd, w.rec, w.rec_params);
}

void world_active(void)
{
	world_with_rec();
	rmi_is(RMI_SUCCESS, RMI_REALM_ACTIVATE, w.rd);
}

/*
 * The REC: first does what next_trap says, with those registers, then stops.
 */

static struct rmm_trap next_trap;
static u64 next_x[11];
static bool set_x, armed, seen;

static void run_scripted(struct rmm_vcpu *v, struct rmm_trap *trap)
{
	if (!armed) {
		memcpy(answer, v->gprs, sizeof(answer));
		seen = true;
		return;
	}
	armed = false;
	if (set_x)
		memcpy(v->gprs, next_x, sizeof(next_x));
	*trap = next_trap;
}

static bool enter(bool with_trap)
{
	arena.run = run_scripted;
	armed = with_trap;
	seen = false;
	expect_eq(rmi(RMI_REC_ENTER, w.rec, w.run), RMI_SUCCESS);
	arena.run = NULL;
	return seen;
}

bool rec_smc(const u64 x[11])
{
	memcpy(next_x, x, sizeof(next_x));
	set_x = true;
	next_trap = (struct rmm_trap) { RMI_EXIT_SYNC, 0x17u << 26, 0, 0 };
	return enter(true);
}

bool rec_resume(void)
{
	return enter(false);
}

void rec_trap(u64 esr, u64 far, u64 hpfar)
{
	set_x = false;
	next_trap = (struct rmm_trap) { RMI_EXIT_SYNC, esr, far, hpfar };
	enter(true);
}

void expect_entry(u64 ipa, u64 level, u64 state, u64 ripas, u64 desc)
{
	expect_eq(rmi(RMI_RTT_READ_ENTRY, w.rd, ipa, 3), RMI_SUCCESS);
	expect(out[1] == level && out[2] == state && out[3] == desc &&
	       out[4] == ripas,
	       "%#lx: level %lu state %lu desc %#lx ripas %lu, should be level %lu state %lu desc %#lx ripas %lu",
	       ipa, out[1], out[2], out[3], out[4], level, state, desc, ripas);
}
