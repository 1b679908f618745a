// SPDX-License-Identifier: GPL-2.0-only
/* What the RMM offers of this CPU: to the host in a feature register, to realms in ID registers. */
#include "arch.h"

#define FIELD_MASK(shift)	(0xfUL << (shift))
#define PFR0_SVE		32
#define PFR0_CSV2		56
#define MMFR0_TGRAN4		28

#define F0_LPA2			BIT(8)
#define F0_SVE			BIT(9)
#define F0_SVE_VL_SHIFT		10
#define F0_BPS_SHIFT		14
#define F0_WPS_SHIFT		20
#define F0_PMU			BIT(26)
#define F0_PMU_CTRS_SHIFT	27
#define F0_SHA_256		BIT(32)
#define F0_SHA_512		BIT(33)
#define F0_LRS_SHIFT		34
#define F0_RECS_SHIFT		38
#define RECS_ORDER		4UL

/* The last one whose registers pmu.c knows all of: PMUv3p8. */
#define PMUVER_MAX		8UL

bool cpu_has_sve(void)
{
	return field(read_sysreg(id_aa64pfr0_el1), PFR0_SVE);
}

static bool cpu_has_lpa2(void)
{
	return field(read_sysreg(id_aa64mmfr0_el1), MMFR0_TGRAN4) == 1;
}

/*
 * Less than there is, so that a host which goes by what it finds in the CPU is
 * refused.
 */
static u64 all_but_one(u64 nr)
{
	return nr > 1 ? nr - 1 : nr;
}

/* SVE at half the CPU's largest vector length, in 128 bits and counted from 1. */
static u64 sve_features(void)
{
	u64 quads;

	if (!cpu_has_sve())
		return 0;
	write_sysreg(ZCR_LEN_ALL, ZCR_EL2);
	isb();
	quads = sve_vector_bytes() / 16;
	return F0_SVE | ((quads > 1 ? quads / 2 : quads) - 1) << F0_SVE_VL_SHIFT;
}

static u64 pmu_features(void)
{
	return cpu_has_pmu() ? F0_PMU | all_but_one(pmu_nr_counters()) << F0_PMU_CTRS_SHIFT : 0;
}

/* List registers count from 1; breakpoints and watchpoints, too, as in the CPU. */
u64 features_of_cpu(void)
{
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	return (cpu_has_lpa2() ? 52 | F0_LPA2 : 48) | sve_features() |
	       pmu_features() |
	       field(dfr0, DFR0_BRPS) << F0_BPS_SHIFT | field(dfr0, DFR0_WRPS) << F0_WPS_SHIFT |
	       F0_SHA_256 | F0_SHA_512 | (all_but_one(gic_nr_lrs()) - 1) << F0_LRS_SHIFT |
	       RECS_ORDER << F0_RECS_SHIFT;
}

/* AArch64 alone, without EL2 and EL3, RAS, MPAM, AMU, RME; SVE if the realm has it. */
static u64 pfr0(const struct arch_state *a)
{
	u64 value = read_sysreg(id_aa64pfr0_el1);
	u64 csv2 = field(value, PFR0_CSV2) ? 1 : 0;

	value &= FIELD_MASK(16) | FIELD_MASK(20) | FIELD_MASK(24) | FIELD_MASK(48) |
		 FIELD_MASK(60) | (a->sve ? FIELD_MASK(PFR0_SVE) : 0);
	return value | 0x11 | csv2 << PFR0_CSV2;
}

static u64 pmuver(void)
{
	u64 version = field(read_sysreg(id_aa64dfr0_el1), DFR0_PMUVER);

	return version < PMUVER_MAX ? version : PMUVER_MAX;
}

/* Version and counts of self-hosted debug, the PMU if the realm has it, no trace. */
static u64 dfr0(const struct arch_state *a)
{
	return (read_sysreg(id_aa64dfr0_el1) & 0xf) | a->num_bps << DFR0_BRPS |
	       a->num_wps << DFR0_WRPS | (a->pmu ? pmuver() << DFR0_PMUVER : 0);
}

/*
 * The registers of op0 3, op1 0, CRn 0: what is not switched for realms is not there for them.
 * AArch32 and unknown ones read as zero.
 */
u64 id_register(const struct arch_state *a, u32 crm, u32 op2)
{
	switch (crm << 4 | op2) {
	case 0x40:
		return pfr0(a);
	case 0x41:
		/* BTI and SSBS. */
		return read_sysreg(ID_AA64PFR1_EL1) & (FIELD_MASK(0) | FIELD_MASK(4));
	case 0x44:
		return a->sve ? read_sysreg(ID_AA64ZFR0_EL1) : 0;
	case 0x50:
		return dfr0(a);
	case 0x60:
		/* No TME. */
		return read_sysreg(id_aa64isar0_el1) & ~FIELD_MASK(24);
	case 0x61:
		/* No LS64. */
		return read_sysreg(id_aa64isar1_el1) & ~FIELD_MASK(60);
	case 0x62:
		/* No MOPS: HCRX_EL2 is zero. */
		return read_sysreg(S3_0_C0_C6_2) & ~FIELD_MASK(16);
	case 0x70:
		/* No FGT, no offset of the counter. */
		return read_sysreg(id_aa64mmfr0_el1) & ~(FIELD_MASK(56) | FIELD_MASK(60));
	case 0x71:
		/* No VHE, no HCX. */
		return read_sysreg(id_aa64mmfr1_el1) & ~(FIELD_MASK(8) | FIELD_MASK(40));
	case 0x72:
		/* No NV. */
		return read_sysreg(ID_AA64MMFR2_EL1) & ~FIELD_MASK(24);
	default:
		return 0;
	}
}
