// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls with plausible arguments, against the invariants and a naive
 * model: two arrays a realm, of what each page of a window is mapped to.
 *
 * Usage: random [-s seed] [-t seconds]
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

#define NR_PAGES	192
/* Operations after which each kind has succeeded at least once. */
#define ENOUGH		8000
#define NR_REALMS	2
#define WINDOW		64
/* A window lies across the end of the first table of level 3. */
#define WINDOW_BASE	(SZ_2M - PAGE(WINDOW / 2))

struct model_page {
	bool assigned;
	u8 ripas;
	u64 pa;
};

struct model_realm {
	u64 rd;
	bool active, off;
	u64 nr_recs;
	struct model_page priv[WINDOW];
	/* 0: nothing */
	u64 shared[WINDOW];
};

/* pa 0: none */
struct model_rec {
	u64 pa, index;
	struct model_realm *realm;
	bool off;
	/* What it has asked the host for, 0: nothing; of which REC */
	u64 asked, target;
};

static struct model_realm realms[NR_REALMS];
static struct model_rec recs[8];
static u64 state, calls, successes;

static u64 rnd(u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static u64 any_pa(void)
{
	if (!rnd(40))
		return rnd(2) ? NOWHERE : RAM_BASE + rnd(PAGE(NR_PAGES));
	return RAM_BASE + PAGE(rnd(NR_PAGES));
}

/* Of an entry, also of a level that is none. */
static u64 entry_size(int level)
{
	return level > 3 ? GRANULE_SIZE : 1ull << (12 + 9 * (3 - level));
}

static u64 any_ipa(bool shared, int level)
{
	u64 ipa = WINDOW_BASE + PAGE(rnd(WINDOW));

	if (rnd(30))
		ipa = ALIGN_DOWN(ipa, entry_size(level));
	return ipa + shared * SHARED;
}

static int any_level(void)
{
	return rnd(40) ? 2 + rnd(2) : rnd(6);
}

static struct model_realm *any_realm(void)
{
	return &realms[rnd(NR_REALMS)];
}

/* A granule that the core has as delegated: tried by undoing it. */
static u64 delegated_pa(void)
{
	for (int i = 0; i < 60; i++) {
		u64 pa = RAM_BASE + PAGE(rnd(NR_PAGES));

		if (arena.pas[(pa - RAM_BASE) / GRANULE_SIZE] &&
		    !rmi_quiet(RMI_GRANULE_UNDELEGATE, pa)) {
			rmi_quiet(RMI_GRANULE_DELEGATE, pa);
			return pa;
		}
	}
	return any_pa();
}

static bool is_ns(u64 pa)
{
	u64 i = (pa - RAM_BASE) / GRANULE_SIZE;

	return pa >= RAM_BASE && i < NR_PAGES && !arena.pas[i];
}

static u64 ns_pa(void)
{
	for (int i = 0; i < 60; i++) {
		u64 pa = RAM_BASE + PAGE(rnd(NR_PAGES));

		if (is_ns(pa))
			return pa;
	}
	return any_pa();
}

/*
 * The model's side of each command that succeeded.
 */

static struct model_page *priv_page(struct model_realm *m, u64 ipa)
{
	u64 i = (ipa - WINDOW_BASE) / GRANULE_SIZE;

	return ipa >= WINDOW_BASE && i < WINDOW ? &m->priv[i] : NULL;
}

static void model_ripas(struct model_realm *m, u64 base, u64 top, u8 ripas)
{
	for (u64 ipa = base; ipa < top; ipa += GRANULE_SIZE)
		if (priv_page(m, ipa))
			priv_page(m, ipa)->ripas = ripas;
}

static void model_shared(struct model_realm *m, u64 ipa, int level, u64 pa)
{
	u64 size = entry_size(level);

	for (u64 i = 0; i < WINDOW; i++) {
		u64 at = SHARED + WINDOW_BASE + PAGE(i);

		if (at >= ipa && at - ipa < size)
			m->shared[i] = pa ? pa + (at - ipa) : 0;
	}
}

/* What a whole table says goes with it. */
static void model_table_gone(struct model_realm *m, u64 ipa, int level)
{
	u64 size = entry_size(level - 1);

	if (ipa < SHARED)
		model_ripas(m, ipa, ipa + size, RMI_DESTROYED);
}

/*
 * One operation each.
 */

static void op_delegate(void)
{
	u64 pa = any_pa();

	rmi(rnd(3) ? RMI_GRANULE_DELEGATE : RMI_GRANULE_UNDELEGATE, pa);
}

static void op_realm_create(void)
{
	struct model_realm *m = any_realm();
	u64 rd = delegated_pa(), params = ns_pa(), start;

	start = RAM_BASE + PAGE(rnd(NR_PAGES / 2) * 2);
	for (int i = 0; i < 2; i++)
		rmi(RMI_GRANULE_DELEGATE, start + PAGE(i));
	if (!is_ns(params))
		return;
	params_init(params, start);
	((struct rmi_realm_params *)arena_va(params))->vmid = 1 + rnd(3);
	if (m->rd || rmi(RMI_REALM_CREATE, rd, params))
		return;
	memset(m, 0, sizeof(*m));
	m->rd = rd;
}

static void destroy_recs(struct model_realm *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(recs); i++) {
		if (!recs[i].pa || recs[i].realm != m)
			continue;
		expect_eq(rmi(RMI_REC_DESTROY, recs[i].pa), RMI_SUCCESS);
		recs[i].pa = 0;
	}
}

static void destroy_pages(struct model_realm *m)
{
	for (u64 i = 0; i < WINDOW; i++) {
		u64 ipa = WINDOW_BASE + PAGE(i);

		if (m->priv[i].assigned)
			expect_eq(rmi(RMI_DATA_DESTROY, m->rd, ipa),
				  RMI_SUCCESS);
		m->priv[i].assigned = false;
	}
}

/* Also what a block left behind outside of the window, when it was split. */
static void unmap_all(struct model_realm *m)
{
	u64 ipa = SHARED;

	while (ipa < SHARED + SZ_1G) {
		u64 size;

		expect_eq(rmi_quiet(RMI_RTT_READ_ENTRY, m->rd, ipa, 3),
			  RMI_SUCCESS);
		size = entry_size(out[1]);
		if (out[2] == RMI_ASSIGNED)
			expect_eq(rmi(RMI_RTT_UNMAP_UNPROTECTED, m->rd, ipa,
				      out[1]), RMI_SUCCESS);
		ipa += size;
	}
}

static void destroy_tables(struct model_realm *m)
{
	for (u64 half = 0; half <= SHARED; half += SHARED)
		for (int level = 3; level > 1; level--)
			for (int i = 0; i < 2; i++)
				rmi(RMI_RTT_DESTROY, m->rd, half + i *
				    entry_size(level - 1), level);
}

/* All that a realm has in order, at any time; then it must go. */
static void empty_realm(struct model_realm *m)
{
	destroy_recs(m);
	destroy_pages(m);
	unmap_all(m);
	destroy_tables(m);
	expect_eq(rmi(RMI_REALM_DESTROY, m->rd), RMI_SUCCESS);
	memset(m, 0, sizeof(*m));
}

static void op_realm_destroy(void)
{
	struct model_realm *m = any_realm();

	if (m->rd && !rnd(4)) {
		empty_realm(m);
		return;
	}
	if (!rmi(RMI_REALM_DESTROY, m->rd)) {
		for (int i = 0; i < WINDOW; i++)
			expect(!m->priv[i].assigned && !m->shared[i],
			       "a realm was destroyed with page %d", i);
		memset(m, 0, sizeof(*m));
	}
}

static void op_realm_activate(void)
{
	struct model_realm *m = any_realm();
	u64 ret = rmi(RMI_REALM_ACTIVATE, m->rd);

	expect(!m->rd || ret == (m->active ? REALM(0) : RMI_SUCCESS), "%#lx",
	       ret);
	m->active = m->rd;
}

static void op_rtt_create(void)
{
	struct model_realm *m = any_realm();
	int level = any_level();

	rmi(RMI_RTT_CREATE, m->rd, delegated_pa(),
	    any_ipa(rnd(2), level - 1), level);
}

static void op_rtt_destroy(void)
{
	struct model_realm *m = any_realm();
	int level = any_level();
	u64 ipa = any_ipa(rnd(2), level - 1);

	if (!rmi(RMI_RTT_DESTROY, m->rd, ipa, level))
		model_table_gone(m, ipa, level);
}

static void op_rtt_fold(void)
{
	struct model_realm *m = any_realm();
	int level = any_level();

	rmi(RMI_RTT_FOLD, m->rd, any_ipa(rnd(2), level - 1), level);
}

static void op_init_ripas(void)
{
	struct model_realm *m = any_realm();
	u64 base = any_ipa(false, any_level());
	u64 top = base + (rnd(3) ? PAGE(rnd(40)) : SZ_2M);

	if (rmi(RMI_RTT_INIT_RIPAS, m->rd, base, top))
		return;
	expect(!m->active, "INIT_RIPAS of an active realm");
	expect(out[1] > base && out[1] <= top, "%#lx", out[1]);
	model_ripas(m, base, out[1], RMI_RAM);
}

static void op_data_create(void)
{
	struct model_realm *m = any_realm();
	u64 pa = delegated_pa(), ipa = any_ipa(false, 3);
	struct model_page *p = priv_page(m, ipa);
	bool unknown = m->active || rnd(2);
	u64 ret;

	if (unknown)
		ret = rmi(RMI_DATA_CREATE_UNKNOWN, m->rd, pa, ipa);
	else
		ret = rmi(RMI_DATA_CREATE, m->rd, pa, ipa, ns_pa(), rnd(2));
	if (ret)
		return;
	expect(p && !p->assigned, "a page was created twice at %#lx", ipa);
	expect(unknown || p->ripas == RMI_RAM, "RIPAS %u", p->ripas);
	p->assigned = true;
	p->pa = pa;
	if (p->ripas == RMI_RAM)
		memset(arena_va(pa), 0x99, GRANULE_SIZE);
}

static void op_data_destroy(void)
{
	struct model_realm *m = any_realm();
	u64 ipa = any_ipa(false, 3);
	struct model_page *p = priv_page(m, ipa);
	u64 ret = rmi(RMI_DATA_DESTROY, m->rd, ipa);

	if (!m->rd || !p || !IS_ALIGNED(ipa, GRANULE_SIZE))
		return;
	expect(!ret == p->assigned, "%#lx: %#lx", ipa, ret);
	if (ret)
		return;
	expect_eq(out[1], p->pa);
	p->assigned = false;
	p->pa = 0;
	if (p->ripas == RMI_RAM)
		p->ripas = RMI_DESTROYED;
}

static void op_map(void)
{
	struct model_realm *m = any_realm();
	int level = any_level();
	u64 ipa = any_ipa(rnd(20), level), pa = RAM_BASE + SZ_2M * rnd(9);

	if (level == 3)
		pa = any_pa();
	if (!rmi(RMI_RTT_MAP_UNPROTECTED, m->rd, ipa, level, HOST_DESC(pa)))
		model_shared(m, ipa, level, pa);
}

static void op_unmap(void)
{
	struct model_realm *m = any_realm();
	int level = any_level();
	u64 ipa = any_ipa(rnd(20), level);

	if (!rmi(RMI_RTT_UNMAP_UNPROTECTED, m->rd, ipa, level))
		model_shared(m, ipa, level, 0);
}

static u64 mpidr_of(u64 index)
{
	return index % 16 | index / 16 << 8;
}

static struct model_rec *any_rec(void)
{
	return &recs[rnd(ARRAY_SIZE(recs))];
}

static void create_rec(struct model_realm *m)
{
	struct model_rec *r = any_rec();
	u64 params = ns_pa(), pa = delegated_pa();
	struct rmi_rec_params *p;

	if (!is_ns(params) || r->pa)
		return;
	p = arena_va(params);
	memset(p, 0, sizeof(*p));
	p->flags = rnd(3) ? RMI_REC_FLAG_RUNNABLE : 0;
	p->mpidr = mpidr_of(m->nr_recs);
	p->num_aux = NR_AUX;
	p->aux[0] = delegated_pa();
	p->aux[1] = delegated_pa();
	if (rmi(RMI_REC_CREATE, m->rd, pa, params))
		return;
	*r = (struct model_rec) {
		.pa = pa, .realm = m, .index = m->nr_recs++, .off = !p->flags,
	};
}

/* Several, as PSCI is between them. */
static void op_rec_create(void)
{
	struct model_realm *m = any_realm();

	for (int i = 0; i < 4; i++)
		create_rec(m);
}

static void op_rec_destroy(void)
{
	struct model_rec *r = any_rec();

	if (!rmi(RMI_REC_DESTROY, r->pa))
		r->pa = 0;
}

/* What REC_ENTER says, other arguments being right. */
static u64 entry_status(const struct model_rec *r)
{
	if (!r->realm->active)
		return REALM(0);
	if (r->realm->off)
		return REALM(1);
	return r->off || r->asked ? REC : RMI_SUCCESS;
}

/* With a run page for it, if one is to be had; false where it cannot be entered. */
static bool prepare_entry(const struct model_rec *r)
{
	u64 run = ns_pa();

	if (!r->pa || !is_ns(run))
		return false;
	memset(arena_va(run), 0, GRANULE_SIZE);
	w.rec = r->pa;
	w.run = run;
	if (!entry_status(r))
		return true;
	expect_eq(rmi(RMI_REC_ENTER, r->pa, run), entry_status(r));
	return false;
}

/* A REC asks for a change of RIPAS, and the host does a part of it. */
static void op_set_ripas(void)
{
	struct model_rec *r = any_rec();
	u64 base = any_ipa(false, any_level());
	u64 top = base + PAGE(1 + rnd(40)), ripas = rnd(2);

	if (!prepare_entry(r))
		return;
	smc(RSI_IPA_STATE_SET, base, top, ripas, 1);
	while (base < top) {
		u64 part = base + PAGE(1 + rnd(20));

		if (rmi(RMI_RTT_SET_RIPAS, r->realm->rd, r->pa, base,
			part < top ? part : top) || out[1] <= base)
			break;
		model_ripas(r->realm, base, out[1], ripas);
		base = out[1];
	}
}

/*
 * PSCI between RECs, which the host completes later, or never.
 */

static bool is_cpu_on(u64 fid)
{
	return fid == (PSCI_CPU_ON | PSCI_SMC64);
}

/* What the RMM answers by itself; @x2 is an entry or a level of affinity. */
static bool is_answered(const struct model_rec *r, u64 fid, u64 target, u64 x2,
			u64 *x0)
{
	bool on = is_cpu_on(fid);

	if (on && x2 >= SHARED)
		*x0 = PSCI_INVALID_ADDRESS;
	else if ((!on && x2) || target >= r->realm->nr_recs)
		*x0 = PSCI_INVALID_PARAMS;
	else if (target == r->index)
		*x0 = on ? PSCI_ALREADY_ON : PSCI_AFFINITY_ON;
	else
		return false;
	return true;
}

static void expect_psci_exit(u64 fid, u64 x1)
{
	const struct rmi_rec_exit *exit = &run_page()->exit;

	expect(exit->exit_reason == RMI_EXIT_PSCI && exit->gprs[0] == fid &&
	       exit->gprs[1] == x1 && !exit->gprs[2],
	       "call %#lx of %#lx: exit %lu with %#lx %#lx %#lx", fid, x1,
	       (u64)exit->exit_reason, exit->gprs[0], exit->gprs[1],
	       exit->gprs[2]);
}

static void ask(struct model_rec *r, u64 fid)
{
	u64 target = rnd(r->realm->nr_recs + 1), x2 = 0, x0;
	bool ran;

	if (is_cpu_on(fid))
		x2 = PAGE(rnd(4));
	if (!rnd(20))
		x2 = SHARED;
	ran = smc(fid, mpidr_of(target), x2);
	if (is_answered(r, fid, target, x2, &x0)) {
		expect(ran && answer[0] == x0,
		       "call %#lx of REC %lu: ran %u, %#lx, should be %#lx", fid,
		       target, ran, answer[0], x0);
		return;
	}
	expect(!ran, "call %#lx of REC %lu did not exit", fid, target);
	expect_psci_exit(fid, mpidr_of(target));
	r->asked = fid;
	r->target = target;
}

static void op_rec_enter(void)
{
	struct model_rec *r = any_rec();

	if (!prepare_entry(r))
		return;
	switch (rnd(12)) {
	case 0 ... 3:
		ask(r, PSCI_CPU_ON | PSCI_SMC64);
		break;
	case 4 ... 6:
		ask(r, PSCI_AFFINITY_INFO | PSCI_SMC64);
		break;
	case 7:
		smc(PSCI_CPU_OFF);
		expect_psci_exit(PSCI_CPU_OFF, 0);
		r->off = true;
		break;
	case 8:
		if (rnd(10))
			break;
		smc(PSCI_SYSTEM_OFF);
		expect_psci_exit(PSCI_SYSTEM_OFF, 0);
		r->realm->off = true;
		break;
	default:
		expect(rec_resume(), "the REC did not run");
	}
}

static bool can_complete(const struct model_rec *r, const struct model_rec *of,
			 u64 status)
{
	if (!r->pa || !of->pa || r == of || !r->asked || r->realm != of->realm ||
	    r->target != of->index)
		return false;
	return status == PSCI_SUCCESS ||
	       (status == PSCI_DENIED && is_cpu_on(r->asked) && of->off);
}

/* What a call that has been completed has done; returns what it says. */
static u64 model_complete(struct model_rec *r, struct model_rec *of, u64 status)
{
	bool on = is_cpu_on(r->asked), was_off = of->off;

	r->asked = 0;
	if (!on)
		return was_off ? PSCI_AFFINITY_OFF : PSCI_AFFINITY_ON;
	if (!was_off)
		return PSCI_ALREADY_ON;
	of->off = status;
	return status;
}

static void op_psci_complete(void)
{
	const u64 statuses[] = {
		PSCI_SUCCESS, PSCI_SUCCESS, PSCI_DENIED, PSCI_ALREADY_ON,
	};
	u64 status = statuses[rnd(ARRAY_SIZE(statuses))], x0;
	struct model_rec *r = any_rec(), *of = any_rec();
	bool can;

	for (int i = 0; i < 200 && !can_complete(r, of, PSCI_SUCCESS); i++) {
		r = any_rec();
		of = any_rec();
	}
	can = can_complete(r, of, status);
	expect_eq(rmi(RMI_PSCI_COMPLETE, r->pa ?: NOWHERE, of->pa ?: NOWHERE,
		      status), can ? RMI_SUCCESS : INPUT);
	if (!can)
		return;
	x0 = model_complete(r, of, status);
	if (!prepare_entry(r))
		return;
	expect(rec_resume(), "the REC did not run");
	expect_eq(answer[0], x0);
}

/*
 * The comparison, page by page.
 */

static void compare_priv(struct model_realm *m, u64 i)
{
	const struct model_page *p = &m->priv[i];

	expect_eq(rmi_quiet(RMI_RTT_READ_ENTRY, m->rd, WINDOW_BASE + PAGE(i),
			    3), RMI_SUCCESS);
	expect(out[2] == (p->assigned ? RMI_ASSIGNED : RMI_UNASSIGNED) &&
	       out[3] == p->pa && out[4] == p->ripas,
	       "page %lu: state %lu pa %#lx ripas %lu, should be %u, %#lx, %u",
	       i, out[2], out[3], out[4], p->assigned, p->pa, p->ripas);
}

static void compare_shared(struct model_realm *m, u64 i)
{
	u64 ipa = SHARED + WINDOW_BASE + PAGE(i), desc = 0, offset;

	expect_eq(rmi_quiet(RMI_RTT_READ_ENTRY, m->rd, ipa, 3), RMI_SUCCESS);
	offset = ipa & (entry_size(out[1]) - 1);
	if (out[2] == RMI_ASSIGNED)
		desc = out[3] + offset;
	expect_eq(desc, m->shared[i] ? HOST_DESC(m->shared[i]) : 0);
}

static void compare(void)
{
	for (int r = 0; r < NR_REALMS; r++) {
		if (!realms[r].rd)
			continue;
		for (u64 i = 0; i < WINDOW; i++) {
			compare_priv(&realms[r], i);
			compare_shared(&realms[r], i);
		}
	}
}

static const struct {
	void (*run)(void);
	unsigned int weight;
	const char *name;
} ops[] = {
	{ op_delegate, 12, "delegate" },
	{ op_realm_create, 2, "realm_create" },
	{ op_realm_destroy, 2, "realm_destroy" },
	{ op_realm_activate, 1, "realm_activate" },
	{ op_rtt_create, 10, "rtt_create" },
	{ op_rtt_destroy, 3, "rtt_destroy" },
	{ op_rtt_fold, 4, "rtt_fold" },
	{ op_init_ripas, 6, "init_ripas" },
	{ op_data_create, 10, "data_create" },
	{ op_data_destroy, 8, "data_destroy" },
	{ op_map, 8, "map" },
	{ op_unmap, 6, "unmap" },
	{ op_rec_create, 4, "rec_create" },
	{ op_rec_destroy, 1, "rec_destroy" },
	{ op_set_ripas, 5, "set_ripas" },
	{ op_rec_enter, 10, "rec_enter" },
	{ op_psci_complete, 6, "psci_complete" },
};

static unsigned int any_op(void)
{
	unsigned int sum = 0, i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		sum += ops[i].weight;
	sum = rnd(sum);
	for (i = 0; sum >= ops[i].weight; i++)
		sum -= ops[i].weight;
	return i;
}

static u64 seed, seconds = 5;

static void test_random(void)
{
	time_t end = time(NULL) + seconds;
	unsigned long worked[ARRAY_SIZE(ops)] = { 0 };

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	arena_init(NR_PAGES, FEATURE0);
	for (; time(NULL) < end; calls++) {
		unsigned int op = any_op();

		ops[op].run();
		worked[op] += !out[0];
		successes += !out[0];
		compare();
	}
	printf("%lu operations, %lu succeeded\n", calls, successes);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		expect(worked[i] || calls < ENOUGH, "%s never succeeded", ops[i].name);
}

int main(int argc, char **argv)
{
	const struct test tests[] = {
		{ "calls against a naive model", test_random },
	};
	int c;

	seed = time(NULL);
	while ((c = getopt(argc, argv, "s:t:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 't')
			seconds = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	printf("seed %lu\n", seed);
	return run_tests("random", tests, ARRAY_SIZE(tests));
}
