// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints and watchpoints: the host's put aside while a REC runs, and a realm's, whose
 * accesses trap, so that it has as many as it was made with.
 */
#include "arch.h"

#define OSLSR_LOCKED		BIT(1)
/* What is self-hosted debug's own: SS, TDCC, KDE, MDE. */
#define MDSCR_REALM		(BIT(0) | BIT(12) | BIT(13) | BIT(15))

/* Debug registers have to be named one by one, as those that do not exist are undefined. */
#define DEBUG_REGS(R)							\
	R(0)	R(1)	R(2)	R(3)	R(4)	R(5)	R(6)	R(7)	\
	R(8)	R(9)	R(10)	R(11)	R(12)	R(13)	R(14)	R(15)

/* What the CPU has of each. */
static u64 nr_breakpoints(void)
{
	return field(read_sysreg(id_aa64dfr0_el1), DFR0_BRPS) + 1;
}

static u64 nr_watchpoints(void)
{
	return field(read_sysreg(id_aa64dfr0_el1), DFR0_WRPS) + 1;
}

void debug_save(struct debug_state *d)
{
	u64 bps = nr_breakpoints(), wps = nr_watchpoints();

	d->locked = read_sysreg(oslsr_el1) & OSLSR_LOCKED;
#define SAVE(n)								\
	if (n < bps) {							\
		d->bvr[n] = read_sysreg(dbgbvr##n##_el1);		\
		d->bcr[n] = read_sysreg(dbgbcr##n##_el1);		\
	}								\
	if (n < wps) {							\
		d->wvr[n] = read_sysreg(dbgwvr##n##_el1);		\
		d->wcr[n] = read_sysreg(dbgwcr##n##_el1);		\
	}
	DEBUG_REGS(SAVE)
}

/* A realm's that it does not have are zero, which is disabled. */
void debug_load(const struct debug_state *d)
{
	u64 bps = nr_breakpoints(), wps = nr_watchpoints();

#define LOAD(n)								\
	if (n < bps) {							\
		write_sysreg(d->bvr[n], dbgbvr##n##_el1);		\
		write_sysreg(d->bcr[n], dbgbcr##n##_el1);		\
	}								\
	if (n < wps) {							\
		write_sysreg(d->wvr[n], dbgwvr##n##_el1);		\
		write_sysreg(d->wcr[n], dbgwcr##n##_el1);		\
	}
	DEBUG_REGS(LOAD)
	write_sysreg(d->locked, oslar_el1);
}

/* The register with CRm and op2 of a breakpoint or watchpoint; NULL if the realm has none. */
static u64 *point(struct arch_state *a, u32 crm, u32 op2)
{
	bool breaks = op2 == 4 || op2 == 5;

	if (crm > (breaks ? a->num_bps : a->num_wps))
		return NULL;
	switch (op2) {
	case 4:
		return &a->debug.bvr[crm];
	case 5:
		return &a->debug.bcr[crm];
	case 6:
		return &a->debug.wvr[crm];
	default:
		return &a->debug.wcr[crm];
	}
}

static void access(u64 *reg, bool read, u64 mask, u64 *value)
{
	if (read)
		*value = *reg;
	else
		*reg = *value & mask;
}

/* Of op0 2; others than these do nothing and read as zero. */
bool debug_access(struct arch_state *a, const struct sysreg_access *s, u64 *value)
{
	bool own = !s->op1 && !s->crn;
	u64 *reg;

	if (own && s->op2 >= 4) {
		reg = point(a, s->crm, s->op2);
		if (!reg)
			return false;
		access(reg, s->read, ~0UL, value);
	} else if (own && s->crm == 2 && s->op2 == 2) {
		access(&a->el1.mdscr_el1_, s->read, MDSCR_REALM, value);
	} else if (s->read) {
		*value = 0;
	}
	return true;
}
