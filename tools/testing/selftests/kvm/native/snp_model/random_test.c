// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random instructions and commands with plausible arguments, against the
 * invariants and a naive model: for each page of 4 KiB who has it, where, and
 * whether that is settled.
 *
 * Usage: random [-s seed] [-t seconds]
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host.h"

/* Two regions are played with; what is above stays the hypervisor's. */
#define FIRST		PAGE(512)
#define NR_PAGES	1024
/* Within each region only so many, so that they meet. */
#define NR_SMALL	12
#define NR_GUESTS	3
#define GPA		0x100000000ULL
/* Operations after which each kind has succeeded at least once. */
#define ENOUGH		20000

enum owner { HYPERVISOR, FIRMWARE, RECLAIM, CONTEXT, METADATA, GUEST };

struct model_page {
	enum owner owner;
	u32 asid;
	u64 gpa;
	/* Of the 2 MiB page that it is in, or its own. */
	bool large, immutable, validated, vmsa;
	u8 perms[SNPM_NR_VMPL];
};

struct model_guest {
	/* 0: none */
	u64 gctx;
	u32 asid;
	enum snpfw_guest_state state;
};

enum model_asid { DIRTY, CLEAN, TAKEN };

static struct model_page pages[NR_PAGES];
static struct model_guest guests[NR_GUESTS];
static enum model_asid asids[NR_GUESTS + 1];
static bool flushed;
static u64 state, operations;

static u64 rnd(u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static u64 spa_of(u64 i)
{
	return FIRST + PAGE(i);
}

/* A page near the start or the end of a region, mostly. */
static u64 any_index(void)
{
	u64 i = rnd(2) * 512;

	if (!rnd(20))
		return rnd(NR_PAGES);
	return i + (rnd(4) ? rnd(NR_SMALL) : 511 - rnd(2));
}

static u64 any_target(bool large)
{
	u64 i = any_index();

	return large && rnd(10) ? i & ~511ULL : i;
}

/* Where a page of the first region belongs in a guest, and others. */
static u64 any_gpa(u64 i)
{
	return GPA + PAGE(rnd(15) ? i : rnd(NR_PAGES));
}

static u32 any_asid(void)
{
	return 1 + rnd(NR_GUESTS);
}

/*
 * The rules, in the naive model's words.
 */

static bool is_run(u64 i, u64 nr)
{
	return i + nr <= NR_PAGES;
}

static bool any_assigned(u64 i, u64 nr)
{
	for (u64 j = i; j < i + nr; j++)
		if (pages[j].owner != HYPERVISOR)
			return true;
	return false;
}

static u32 model_rmpupdate(u64 i, const struct snpm_rmp_state *n)
{
	u64 nr = n->pagesize ? 512 : 1;

	if (n->pagesize && i % 512)
		return SNPM_FAIL_INPUT;
	if (!n->assigned && (n->immutable || n->asid))
		return SNPM_FAIL_INPUT;
	if (!is_run(i, nr))
		return SNPM_FAIL_INPUT;
	if (pages[i].immutable && (!pages[i].large || i % 512 == 0))
		return SNPM_FAIL_PERMISSION;
	if (!n->pagesize && pages[i].large)
		return SNPM_FAIL_OVERLAP;
	if (n->pagesize && !pages[i].large && any_assigned(i, nr))
		return SNPM_FAIL_OVERLAP;
	return SNPM_SUCCESS;
}

static enum owner owner_of(const struct snpm_rmp_state *n)
{
	if (!n->assigned)
		return HYPERVISOR;
	if (n->asid)
		return GUEST;
	return n->immutable ? FIRMWARE : RECLAIM;
}

static void model_take(u64 i, const struct snpm_rmp_state *n)
{
	u64 nr = n->pagesize ? 512 : 1;
	struct model_page *p = &pages[i];
	bool same = p->owner != HYPERVISOR && n->assigned &&
		    p->large == n->pagesize && p->asid == n->asid &&
		    p->gpa == n->gpa;

	for (u64 j = 0; j < nr; j++) {
		bool validated = same && p[j].validated;
		bool vmsa = same && p[j].vmsa;
		u8 perms[SNPM_NR_VMPL] = { SNPM_PERM_ALL };

		if (same)
			memcpy(perms, p[j].perms, sizeof(perms));
		p[j] = (struct model_page) {
			.owner = owner_of(n),
			.asid = n->asid,
			.gpa = n->assigned ? n->gpa + PAGE(j) : 0,
			.large = n->assigned && n->pagesize,
			.immutable = n->immutable,
			.validated = validated,
			.vmsa = vmsa,
		};
		if (n->assigned)
			memcpy(p[j].perms, perms, sizeof(perms));
	}
}

/*
 * Operations: each says whether it has succeeded, and compares with the model
 * what came out.
 */

static bool op_rmpupdate(void)
{
	struct snpm_rmp_state n = {
		.assigned = rnd(3) != 0, .pagesize = !rnd(3),
	};
	u64 i = any_target(n.pagesize);
	u32 want, got;

	if (n.assigned) {
		n.asid = rnd(3) ? any_asid() : 0;
		n.immutable = rnd(2);
		n.gpa = n.asid ? any_gpa(i) : 0;
		if (n.pagesize)
			n.gpa = ALIGN_DOWN(n.gpa, SZ_2M);
	} else if (!rnd(20)) {
		n.asid = rnd(2);
		n.immutable = rnd(2);
	}
	want = model_rmpupdate(i, &n);
	got = snpm_rmpupdate(spa_of(i), &n);
	expect_eq(got, want);
	if (!got)
		model_take(i, &n);
	return !got;
}

static bool op_psmash(void)
{
	u64 i = any_target(true);
	u32 want = SNPM_SUCCESS;

	if (i % 512)
		want = SNPM_FAIL_INPUT;
	else if (!pages[i].large || pages[i].immutable)
		want = SNPM_FAIL_BADADDR;
	expect_eq(snpm_psmash(spa_of(i)), want);
	if (want)
		return false;
	for (u64 j = i; j < i + 512; j++)
		pages[j].large = false;
	return true;
}

static bool is_guests(u64 i, u32 asid, u64 gpa)
{
	return pages[i].owner == GUEST && pages[i].asid == asid &&
	       !pages[i].immutable && pages[i].gpa == gpa;
}

static struct snpm_guest_insn any_insn(u64 i)
{
	struct snpm_guest_insn insn = {
		.spa = spa_of(i), .gpa = any_gpa(i), .asid = any_asid(),
		.rcx = pages[i].large ^ !rnd(5), .rdx = rnd(2),
		.nested = pages[i].large ? SNPM_2M : SNPM_4K,
	};

	if (pages[i].owner == GUEST && rnd(8)) {
		insn.asid = pages[i].asid;
		insn.gpa = pages[i].gpa;
	}
	return insn;
}

/* What both instructions have in common: 0 goes on, 1 faults, else EAX. */
static u32 model_insn(u64 i, const struct snpm_guest_insn *insn)
{
	if (insn->rcx && insn->gpa % SZ_2M)
		return SNPM_FAIL_INPUT;
	if (!is_guests(i, insn->asid, insn->gpa))
		return ~0u;
	if (insn->rcx && !pages[i].large)
		return SNPM_FAIL_SIZEMISMATCH;
	return !insn->rcx && pages[i].large ? ~1u : 0;
}

static void insn_is(const struct snpm_guest_result *r, u32 want)
{
	u64 error = SNPM_ERROR_RMP | SNPM_ERROR_ENC;

	if (want == ~1u)
		error |= SNPM_ERROR_SIZEM;
	if (want >= ~1u)
		expect(r->fault.kind == SNPM_FAULT_NPF && r->fault.error == error,
		       "fault %u %#llx, EAX %u", r->fault.kind, r->fault.error,
		       r->eax);
	else
		expect(!r->fault.kind && r->eax == want,
		       "fault %u, EAX %u, should be %u", r->fault.kind, r->eax,
		       want);
}

static u64 first_of(u64 i)
{
	return pages[i].large ? i & ~511ULL : i;
}

static u64 nr_of(u64 i)
{
	return pages[i].large ? 512 : 1;
}

static bool op_pvalidate(void)
{
	u64 i = any_index();
	struct snpm_guest_insn insn = any_insn(i);
	u32 want = model_insn(i, &insn);
	struct snpm_guest_result r = snpm_pvalidate(&insn);

	insn_is(&r, want);
	if (want)
		return false;
	expect_eq(r.carry, pages[i].validated == insn.rdx);
	for (u64 j = 0; j < nr_of(i); j++)
		pages[first_of(i) + j].validated = insn.rdx;
	return true;
}

static bool op_rmpadjust(void)
{
	u64 i = any_index();
	struct snpm_guest_insn insn = any_insn(i);
	u32 want = model_insn(i, &insn), target = rnd(4), perms = rnd(32);
	struct snpm_guest_result r;
	bool vmsa = !rnd(3);

	insn.vmpl = rnd(3);
	insn.rdx = (vmsa ? SNPM_ADJUST_VMSA : 0) | perms << 8 | target;
	if (vmsa && insn.rcx)
		want = SNPM_FAIL_INPUT;
	r = snpm_rmpadjust(&insn);
	if (!want && !pages[i].validated) {
		expect_eq(r.fault.kind, SNPM_FAULT_VC);
		return false;
	}
	if (!want && (target <= insn.vmpl ||
		      (perms & ~pages[i].perms[insn.vmpl])))
		want = SNPM_FAIL_PERMISSION;
	insn_is(&r, want);
	if (want)
		return false;
	for (u64 j = 0; j < nr_of(i); j++) {
		pages[first_of(i) + j].perms[target] = perms;
		if (!insn.vmpl)
			pages[first_of(i) + j].vmsa = vmsa;
	}
	return true;
}

/* What must not be done to a VMSA that is in use, with all else right. */
static void use_vmsa(u64 i)
{
	const struct model_page *p = &pages[i];
	struct snpm_rmp_state n = {
		.gpa = p->gpa, .assigned = 1, .asid = p->asid,
	};
	struct snpm_guest_insn insn = {
		.spa = spa_of(i), .gpa = p->gpa, .asid = p->asid, .rdx = 1,
	};
	struct snpm_guest_result r;

	expect_eq(snpm_rmpupdate(spa_of(i), &n), SNPM_FAIL_INUSE);
	n = (struct snpm_rmp_state) { 0 };
	expect_eq(snpm_rmpupdate(spa_of(i), &n), SNPM_FAIL_INUSE);
	if (i % 512 == 0)
		expect_eq(snpm_psmash(spa_of(i)), SNPM_FAIL_INUSE);
	if (p->validated) {
		r = snpm_rmpadjust(&insn);
		insn_is(&r, SNPM_FAIL_INUSE);
	}
	expect_eq(snpm_vmrun(spa_of(NR_PAGES), spa_of(i), p->asid).kind,
		  SNPM_FAULT_GP);
	expect_eq(snpm_vmrun(spa_of(NR_PAGES + 1), spa_of(i), p->asid).kind,
		  SNPM_FAULT_VMEXIT_INVALID);
}

/* From a VMCB that is the hypervisor's. */
static bool op_vmrun(void)
{
	u64 i = any_index(), vmcb = spa_of(NR_PAGES);
	enum snpm_fault_kind want = SNPM_FAULT_VMEXIT_INVALID;
	struct snpm_fault f;
	u32 asid = any_asid();

	for (int n = 0; n < 50 && !pages[i].vmsa; n++)
		i = any_index();
	if (pages[i].vmsa && rnd(4))
		asid = pages[i].asid;
	if (pages[i].owner == GUEST && pages[i].asid == asid &&
	    !pages[i].immutable && pages[i].vmsa)
		want = SNPM_FAULT_NONE;
	f = snpm_vmrun(vmcb, spa_of(i), asid);
	expect_eq(f.kind, want);
	if (f.kind)
		return false;
	use_vmsa(i);
	snpm_vmexit(vmcb, spa_of(i));
	return true;
}

static bool any_of_others(u64 i, u64 nr)
{
	return any_assigned(i, nr);
}

static bool op_access(void)
{
	u64 i = any_index();
	struct snpm_guest_insn insn = any_insn(i);
	struct snpm_access a = {
		.who = rnd(3), .type = SNPM_WRITE, .spa = insn.spa,
		.gpa = insn.gpa, .asid = insn.asid, .encrypted = rnd(3) != 0,
		.size = insn.rcx ? SNPM_2M : SNPM_4K,
	};
	struct snpm_fault f = snpm_check(&a);
	u64 nr = a.size ? 512 : 1;
	enum snpm_fault_kind want = SNPM_FAULT_NONE;

	if (a.who != SNPM_SNP_GUEST || !a.encrypted) {
		if (any_of_others(i & ~(nr - 1), nr))
			want = a.who == SNPM_HOST ? SNPM_FAULT_PF : SNPM_FAULT_NPF;
	} else if (!is_guests(i, a.asid, a.gpa) || pages[i].large != !!a.size) {
		want = SNPM_FAULT_NPF;
	} else if (!pages[i].validated) {
		want = SNPM_FAULT_VC;
	} else if ((pages[i].perms[0] & 3) != 3) {
		want = SNPM_FAULT_NPF;
	}
	expect_eq(f.kind, want);
	return !f.kind;
}

/* The command's status; a failure has changed nothing. */
static bool command(u32 id, const union snpfw_buffer *b, u32 want)
{
	u32 got = fw(id, b);

	expect(got == want, "%#x is %#x, should be %#x", id, got, want);
	return !got;
}

static struct model_guest *any_guest(void)
{
	return &guests[rnd(NR_GUESTS)];
}

/* A page of the firmware's, if there is one soon. */
static u64 firmware_index(void)
{
	u64 i = any_index();

	for (int n = 0; n < 50 && (pages[i].owner != FIRMWARE || pages[i].large); n++)
		i = any_index();
	return i;
}

static bool op_gctx_create(void)
{
	struct model_guest *g = any_guest();
	u64 i = firmware_index();
	u32 want = SNPFW_SUCCESS;
	bool good;

	if (g->gctx)
		return false;
	/* A page within 2 MiB has an entry that says nothing. */
	if (pages[i].owner != FIRMWARE || (pages[i].large && i % 512))
		want = SNPFW_INVALID_PAGE_STATE;
	else if (pages[i].large)
		want = SNPFW_INVALID_PAGE_SIZE;
	good = command(SNPFW_GCTX_CREATE,
		       &(union snpfw_buffer) { .addr.spa = spa_of(i) }, want);
	if (!good)
		return false;
	pages[i].owner = CONTEXT;
	*g = (struct model_guest) { .gctx = spa_of(i) };
	return true;
}

static bool op_launch_start(void)
{
	struct model_guest *g = any_guest();
	bool good;

	if (!g->gctx)
		return false;
	good = command(SNPFW_LAUNCH_START, &(union snpfw_buffer) {
		       .launch_start = { .gctx = g->gctx, .policy = POLICY } },
		       g->state ? SNPFW_INVALID_GUEST_STATE : SNPFW_SUCCESS);
	if (!good)
		return false;
	g->state = SNPFW_GUEST_LAUNCH;
	return true;
}

static bool asid_has_pages(u32 asid)
{
	for (u64 i = 0; i < NR_PAGES; i++)
		if (pages[i].owner == GUEST && pages[i].asid == asid)
			return true;
	return false;
}

static bool op_activate(void)
{
	struct model_guest *g = any_guest();
	u32 asid = any_asid(), want = SNPFW_SUCCESS;
	bool good;

	if (!g->gctx)
		return false;
	if (!g->state)
		want = SNPFW_INVALID_GUEST_STATE;
	else if (asid_has_pages(asid))
		want = SNPFW_INVALID_CONFIG;
	else if (asids[asid] == TAKEN)
		want = SNPFW_ASID_OWNED;
	else if (g->asid)
		want = SNPFW_ACTIVE;
	else if (asids[asid] == DIRTY)
		want = SNPFW_DF_FLUSH_REQUIRED;
	good = command(SNPFW_ACTIVATE, &(union snpfw_buffer) {
		       .activate = { g->gctx, asid } }, want);
	if (!good)
		return false;
	g->asid = asid;
	asids[asid] = TAKEN;
	return true;
}

static bool op_launch_update(void)
{
	struct model_guest *g = any_guest();
	u64 i = any_index();
	bool large = pages[i].large ^ !rnd(10);
	static const u32 types[] = {
		SNPFW_PAGE_ZERO, SNPFW_PAGE_ZERO, SNPFW_PAGE_ZERO,
		SNPFW_PAGE_NORMAL, SNPFW_PAGE_VMSA,
	};
	u32 want = SNPFW_SUCCESS, type = types[rnd(ARRAY_SIZE(types))];
	bool good;

	if (!g->gctx)
		return false;
	if (pages[i].owner != GUEST || !pages[i].immutable ||
	    pages[i].validated || (pages[i].large && i % 512))
		want = SNPFW_INVALID_PAGE_STATE;
	else if (pages[i].large != large || (large && type == SNPFW_PAGE_VMSA))
		want = SNPFW_INVALID_PAGE_SIZE;
	else if (g->state != SNPFW_GUEST_LAUNCH)
		want = SNPFW_INVALID_GUEST_STATE;
	else if (!g->asid)
		want = SNPFW_INACTIVE;
	else if (g->asid != pages[i].asid)
		want = SNPFW_INVALID_PAGE_OWNER;
	good = command(SNPFW_LAUNCH_UPDATE, &(union snpfw_buffer) {
		       .launch_update = { .gctx = g->gctx, .spa = spa_of(i),
					.page = type << 1 | large } }, want);
	if (!good)
		return false;
	for (u64 j = i; j < i + nr_of(i); j++) {
		pages[j].validated = true;
		pages[j].immutable = false;
		pages[j].vmsa = type == SNPFW_PAGE_VMSA;
		memset(pages[j].perms + 1, 0, 3);
	}
	return true;
}

static bool op_launch_finish(void)
{
	struct model_guest *g = any_guest();
	u32 want = SNPFW_SUCCESS;
	bool good;

	if (!g->gctx || rnd(4))
		return false;
	if (g->state != SNPFW_GUEST_LAUNCH)
		want = SNPFW_INVALID_GUEST_STATE;
	else if (!g->asid)
		want = SNPFW_INACTIVE;
	good = command(SNPFW_LAUNCH_FINISH, &(union snpfw_buffer) {
		       .launch_finish = { .gctx = g->gctx } }, want);
	if (!good)
		return false;
	g->state = SNPFW_GUEST_RUNNING;
	return true;
}

static bool op_decommission(void)
{
	struct model_guest *g = any_guest();

	if (!g->gctx || rnd(8))
		return false;
	command(SNPFW_DECOMMISSION,
		&(union snpfw_buffer) { .addr.spa = g->gctx }, SNPFW_SUCCESS);
	if (g->asid && g->state == SNPFW_GUEST_RUNNING)
		flushed = false;
	if (g->asid)
		asids[g->asid] = g->state == SNPFW_GUEST_RUNNING ? DIRTY : CLEAN;
	pages[(g->gctx - FIRST) / PAGE_SIZE].owner = FIRMWARE;
	memset(g, 0, sizeof(*g));
	return true;
}

static bool op_df_flush(void)
{
	bool good;

	if (rnd(2)) {
		snpm_wbinvd();
		flushed = true;
	}
	good = command(SNPFW_DF_FLUSH, &(union snpfw_buffer) { 0 },
		       flushed ? SNPFW_SUCCESS : SNPFW_WBINVD_REQUIRED);
	if (!good)
		return false;
	for (u32 i = 1; i <= NR_GUESTS; i++)
		if (asids[i] == DIRTY)
			asids[i] = CLEAN;
	return true;
}

static bool op_md_init(void)
{
	struct model_guest *g = any_guest();
	u64 i = firmware_index();
	u32 want = SNPFW_SUCCESS;
	bool good;

	if (!g->gctx || rnd(4))
		return false;
	if (pages[i].owner != FIRMWARE || (pages[i].large && i % 512))
		want = SNPFW_INVALID_PAGE_STATE;
	else if (pages[i].large)
		want = SNPFW_INVALID_PAGE_SIZE;
	else if (!g->state)
		want = SNPFW_INVALID_GUEST_STATE;
	good = command(SNPFW_PAGE_MD_INIT, &(union snpfw_buffer) {
		       .md_init = { g->gctx, spa_of(i) } }, want);
	if (!good)
		return false;
	pages[i].owner = METADATA;
	pages[i].gpa = g->gctx;
	return true;
}

static bool op_reclaim(void)
{
	u64 i = any_index();
	bool large = pages[i].large && i % 512 == 0;
	u32 want = SNPFW_SUCCESS;
	bool good;

	if (!rnd(20))
		large = !large;
	if (large != (pages[i].large && i % 512 == 0))
		want = SNPFW_INVALID_PAGE_SIZE;
	else if (pages[i].owner == CONTEXT)
		want = SNPFW_INVALID_PAGE_STATE;
	good = command(SNPFW_PAGE_RECLAIM,
		       &(union snpfw_buffer) { .addr.spa = spa_of(i) | large }, want);
	if (!good)
		return false;
	/* Inside of 2 MiB there is nothing to reclaim. */
	if (pages[i].large && i % 512)
		return true;
	for (u64 j = i; j < i + nr_of(i); j++) {
		pages[j].immutable = false;
		if (pages[j].owner == FIRMWARE || pages[j].owner == METADATA)
			pages[j].owner = RECLAIM;
	}
	return true;
}

/* All of a region but contexts is the hypervisor's again. */
static void tidy(u64 i)
{
	struct snpm_rmp_state n = { 0 };

	for (u64 j = i; j < i + 512; j += nr_of(j)) {
		if (pages[j].owner == CONTEXT)
			continue;
		command(SNPFW_PAGE_RECLAIM, &(union snpfw_buffer) {
			.addr.spa = spa_of(j) | pages[j].large }, SNPFW_SUCCESS);
		n.pagesize = pages[j].large;
		expect_eq(snpm_rmpupdate(spa_of(j), &n), SNPM_SUCCESS);
		model_take(j, &n);
		if (n.pagesize)
			break;
	}
}

/* As PAGE_UNSMASH wants it, which random updates would never make. */
static void prepare_unsmash(u64 i, u32 asid)
{
	if (rnd(2))
		tidy(i);
	for (u64 j = 0; j < 512; j++) {
		struct snpm_rmp_state n = {
			.gpa = GPA + PAGE(i + j), .assigned = 1, .asid = asid,
			.immutable = 1,
		};

		if (!model_rmpupdate(i + j, &n) &&
		    !snpm_rmpupdate(spa_of(i + j), &n))
			model_take(i + j, &n);
	}
}

static bool can_unsmash(u64 i)
{
	const struct model_page *p = &pages[i];

	if (p->owner != GUEST || p->gpa % SZ_2M)
		return false;
	for (u64 j = 0; j < 512; j++)
		if (p[j].owner != GUEST || p[j].large || !p[j].immutable ||
		    p[j].asid != p->asid || p[j].gpa != p->gpa + PAGE(j) ||
		    p[j].validated != p->validated || p[j].vmsa ||
		    memcmp(p[j].perms, p->perms, sizeof(p->perms)))
			return false;
	return true;
}

static bool op_unsmash(void)
{
	u64 i = rnd(2) * 512;
	bool good;

	if (rnd(2))
		prepare_unsmash(i, any_asid());
	good = command(SNPFW_PAGE_UNSMASH,
		       &(union snpfw_buffer) { .addr.spa = spa_of(i) },
		       can_unsmash(i) ? SNPFW_SUCCESS : SNPFW_INVALID_PAGE_STATE);
	if (!good)
		return false;
	for (u64 j = i; j < i + 512; j++)
		pages[j].large = true;
	return true;
}

/* Without it everything would be immutable before long. */
static bool op_tidy(void)
{
	if (rnd(6))
		return false;
	tidy(rnd(2) * 512);
	return true;
}

/*
 * The comparison, page by page.
 */

static enum snpm_page_state model_state(const struct model_page *p)
{
	switch (p->owner) {
	case FIRMWARE:
		return SNPM_PAGE_FIRMWARE;
	case RECLAIM:
		return SNPM_PAGE_RECLAIM;
	case CONTEXT:
		return SNPM_PAGE_CONTEXT;
	case METADATA:
		return SNPM_PAGE_METADATA;
	case GUEST:
		if (p->immutable)
			return p->validated ? SNPM_PAGE_PRE_SWAP :
				SNPM_PAGE_PRE_GUEST;
		return p->validated ? SNPM_PAGE_GUEST_VALID :
			SNPM_PAGE_GUEST_INVALID;
	default:
		return SNPM_PAGE_HYPERVISOR;
	}
}

static void compare(void)
{
	u64 counts[SNPM_NR_PAGE_STATES] = { 0 };
	const char *broken = snpm_check_invariants();

	expect(!broken, "%s", broken);
	counts[SNPM_PAGE_HYPERVISOR] = RMP_PAGES - NR_PAGES;
	for (u64 i = 0; i < NR_PAGES; i++) {
		struct model_page *p = &pages[i];
		enum snpm_page_state got;
		struct snpm_rmp_entry e;

		snpm_lookup(spa_of(i), &e, &got);
		expect(got == model_state(p), "page %llu is %s, should be %s", i,
		       snpm_state_name(got), snpm_state_name(model_state(p)));
		expect(e.pagesize == p->large && e.asid == p->asid &&
		       !e.in_use && !memcmp(e.perms, p->perms, sizeof(p->perms)),
		       "page %llu: size %u, ASID %u, in use %u", i,
		       e.pagesize, e.asid, e.in_use);
		expect(p->owner != GUEST ||
		       (e.gfn == pages[first_of(i)].gpa >> PAGE_SHIFT &&
			e.vmsa == p->vmsa),
		       "page %llu: frame %#llx, VMSA %u", i, (u64)e.gfn,
		       e.vmsa);
		counts[got]++;
	}
	for (u32 s = 0; s < SNPM_NR_PAGE_STATES; s++)
		expect_eq(snpm_count(s), counts[s]);
}

static const struct {
	bool (*run)(void);
	unsigned int weight;
	const char *name;
} ops[] = {
	{ op_rmpupdate, 30, "rmpupdate" },
	{ op_psmash, 3, "psmash" },
	{ op_pvalidate, 12, "pvalidate" },
	{ op_rmpadjust, 8, "rmpadjust" },
	{ op_vmrun, 6, "vmrun" },
	{ op_access, 10, "access" },
	{ op_gctx_create, 4, "gctx_create" },
	{ op_launch_start, 3, "launch_start" },
	{ op_activate, 4, "activate" },
	{ op_launch_update, 14, "launch_update" },
	{ op_launch_finish, 1, "launch_finish" },
	{ op_decommission, 3, "decommission" },
	{ op_df_flush, 2, "df_flush" },
	{ op_md_init, 2, "md_init" },
	{ op_reclaim, 12, "reclaim" },
	{ op_unsmash, 2, "unsmash" },
	{ op_tidy, 2, "tidy" },
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

static void start(void)
{
	struct snpm_config config = default_config;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	config.max_asid = NR_GUESTS;
	machine_init(&config);
	fw_is(SUCCESS, INIT);
}

static void test_random(void)
{
	time_t end = time(NULL) + seconds;
	unsigned long worked[ARRAY_SIZE(ops)] = { 0 };

	start();
	for (; time(NULL) < end; operations++) {
		unsigned int op = any_op();

		worked[op] += ops[op].run();
		if (operations % 8 == 0)
			compare();
	}
	compare();
	printf("%llu operations\n", operations);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		printf("%s: %lu\n", ops[i].name, worked[i]);
		expect(worked[i] || operations < ENOUGH, "%s never succeeded",
		       ops[i].name);
	}
}

int main(int argc, char **argv)
{
	const struct test tests[] = {
		{ "operations against a naive model", test_random },
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
	printf("seed %llu\n", seed);
	fflush(stdout);
	return run_tests("random", tests, ARRAY_SIZE(tests));
}
