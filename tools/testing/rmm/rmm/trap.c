// SPDX-License-Identifier: GPL-2.0-only
/* What a realm's trapped instruction gives: an emulated register, or an exception at R-EL1. */
#include "arch.h"

#define ESR_IL			BIT(25)
#define EC_UNKNOWN		0x00UL
#define EC_INSN_ABORT_LOWER	0x20UL
#define EC_DATA_ABORT_LOWER	0x24UL
/* Added to the class for an abort of R-EL1 itself. */
#define EC_SAME_LEVEL		1UL
#define FSC_SEA			0x10UL

#define PSTATE_MODE		0xfUL
#define PSTATE_EL0T		0x0UL
#define PSTATE_EL1T		0x4UL
#define PSTATE_PAN		BIT(22)
#define SCTLR_SPAN		BIT(23)
#define NR_GPRS			31

static u64 vector_offset(u64 pstate)
{
	switch (pstate & PSTATE_MODE) {
	case PSTATE_EL0T:
		return 0x400;
	case PSTATE_EL1T:
		return 0x000;
	default:
		return 0x200;
	}
}

static u64 syndrome(enum rmm_inject what, u64 pstate)
{
	bool same = (pstate & PSTATE_MODE) != PSTATE_EL0T;
	u64 ec;

	if (what == RMM_INJECT_UNDEF)
		return EC_UNKNOWN << ESR_EC_SHIFT | ESR_IL;
	ec = what == RMM_INJECT_SEA_DATA ? EC_DATA_ABORT_LOWER : EC_INSN_ABORT_LOWER;
	return (ec + (same ? EC_SAME_LEVEL : 0)) << ESR_EC_SHIFT | ESR_IL | FSC_SEA;
}

void rmm_port_inject(struct rmm_vcpu *v, enum rmm_inject what, u64 far)
{
	struct arch_state *a = arch_of(v);
	u64 pan = a->pstate & PSTATE_PAN;

	a->el1.elr_el1_ = v->pc;
	a->el1.spsr_el1_ = a->pstate;
	a->el1.esr_el1_ = syndrome(what, a->pstate);
	if (what != RMM_INJECT_UNDEF)
		a->el1.far_el1_ = far;
	v->pc = a->el1.vbar_el1_ + vector_offset(a->pstate);
	if (!(a->el1.sctlr_el1_ & SCTLR_SPAN))
		pan = PSTATE_PAN;
	a->pstate = PSTATE_EL1H_MASKED | pan;
}

static struct sysreg_access decode(u64 esr)
{
	return (struct sysreg_access){
		.op0 = esr >> 20 & 3,
		.op2 = esr >> 17 & 7,
		.op1 = esr >> 14 & 7,
		.crn = esr >> 10 & 0xf,
		.rt = esr >> 5 & 0x1f,
		.crm = esr >> 1 & 0xf,
		.read = esr & 1,
	};
}

static bool is_id(const struct sysreg_access *s)
{
	return s->op0 == 3 && s->op1 == 0 && s->crn == 0 && s->crm && s->read;
}

/* ACTLR_EL1 and maintenance by set and way do nothing and read as zero. */
static bool is_ignored(const struct sysreg_access *s)
{
	bool actlr = s->op0 == 3 && s->op1 == 0 && s->crn == 1 && s->crm == 0 && s->op2 == 1;
	bool set_way = s->op0 == 1 && s->op1 == 0 && s->crn == 7 && s->op2 == 2;

	return actlr || set_way;
}

bool rmm_port_sysreg(struct rmm_vcpu *v, u64 esr)
{
	struct sysreg_access s = decode(esr);
	u64 value = 0;

	if (!s.read && s.rt < NR_GPRS)
		value = v->gprs[s.rt];
	if (is_id(&s))
		value = id_register(arch_of(v), s.crm, s.op2);
	else if (s.op0 == 2 ? !debug_access(arch_of(v), &s, &value) : !is_ignored(&s))
		return false;
	if (s.read && s.rt < NR_GPRS)
		v->gprs[s.rt] = value;
	v->pc += 4;
	return true;
}
