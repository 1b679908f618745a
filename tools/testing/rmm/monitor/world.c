// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two worlds below EL3 on each CPU: what they may use, and the switch between them.
 *
 * Switched are the general registers and those of EL2. The RMM leaves all else of the host as
 * it found it: EL1, the list registers, vector and pointer authentication registers. The host's
 * EL2 timers keep counting and interrupting while the Realm world runs.
 */
#include "monitor.h"
#include "sysreg.h"

#define SCR_NS			BIT(0)
#define SCR_RES1		(3UL << 4)
#define SCR_HCE			BIT(8)
#define SCR_RW			BIT(10)
#define SCR_APK			BIT(16)
#define SCR_API			BIT(17)
#define SCR_ENSCXT		BIT(25)
#define SCR_ATA			BIT(26)
#define SCR_FGTEN		BIT(27)
#define SCR_ECVEN		BIT(28)
#define SCR_AMVOFFEN		BIT(35)
#define SCR_HXEN		BIT(38)
#define SCR_GCSEN		BIT(39)
#define SCR_ENTP2		BIT(41)
#define SCR_TCR2EN		BIT(43)
#define SCR_SCTLR2EN		BIT(44)
#define SCR_PIEN		BIT(45)
#define SCR_NSE			BIT(62)

/* Interrupts, aborts and granule protection faults are the lower worlds' own. */
#define SCR_LOWER		(SCR_NS | SCR_RES1 | SCR_HCE | SCR_RW | SCR_APK | SCR_API)

#define CPTR_EZ			BIT(8)
#define CPTR_ESM		BIT(12)
#define ZCR_LEN_ALL		0xfUL
#define SMCR_LEN_ALL		0xfUL
#define SMCR_EZT0		BIT(30)
#define SMCR_FA64		BIT(31)
/* Trace and profiling buffers belong to the Non-secure world. */
#define MDCR_NSPB_NS		(3UL << 12)
#define MDCR_NSTB_NS		(3UL << 24)

enum feature {
	ALWAYS,
	SVE,
	SME,
	FGT,
	AMU_FGT,
	HCX,
	ECV,
	RAS,
	CSV2,
	MTE,
	TRF,
	NV2,
	TCR2,
	SCTLR2,
	S1PIE,
	GCS,
	SME2,
	NR_FEATURES,
};

/* HCR_EL2 comes first: it decides what the others mean. */
#define EL2_REGS(R)							\
	R(hcr_el2, ALWAYS)	R(sctlr_el2, ALWAYS)	R(actlr_el2, ALWAYS)	\
	R(tcr_el2, ALWAYS)	R(ttbr0_el2, ALWAYS)	R(TTBR1_EL2, ALWAYS)	\
	R(mair_el2, ALWAYS)	R(amair_el2, ALWAYS)	R(vbar_el2, ALWAYS)	\
	R(vttbr_el2, ALWAYS)	R(vtcr_el2, ALWAYS)	R(cptr_el2, ALWAYS)	\
	R(mdcr_el2, ALWAYS)	R(hstr_el2, ALWAYS)	R(hacr_el2, ALWAYS)	\
	R(vpidr_el2, ALWAYS)	R(vmpidr_el2, ALWAYS)	R(tpidr_el2, ALWAYS)	\
	R(esr_el2, ALWAYS)	R(far_el2, ALWAYS)	R(hpfar_el2, ALWAYS)	\
	R(afsr0_el2, ALWAYS)	R(afsr1_el2, ALWAYS)	R(elr_el2, ALWAYS)	\
	R(spsr_el2, ALWAYS)	R(sp_el2, ALWAYS)	R(sp_el1, ALWAYS)	\
	R(sp_el0, ALWAYS)	R(cnthctl_el2, ALWAYS)	R(cntvoff_el2, ALWAYS)	\
	R(CONTEXTIDR_EL2, ALWAYS) R(ICC_SRE_EL2, ALWAYS) R(ICH_HCR_EL2, ALWAYS)	\
	R(ICH_VMCR_EL2, ALWAYS)	R(ZCR_EL2, SVE)		R(SMCR_EL2, SME)	\
	R(HFGRTR_EL2, FGT)	R(HFGWTR_EL2, FGT)	R(HFGITR_EL2, FGT)	\
	R(HDFGRTR_EL2, FGT)	R(HDFGWTR_EL2, FGT)	R(HAFGRTR_EL2, AMU_FGT)	\
	R(HCRX_EL2, HCX)	R(CNTPOFF_EL2, ECV)	R(VSESR_EL2, RAS)	\
	R(VDISR_EL2, RAS)	R(SCXTNUM_EL2, CSV2)	R(TFSR_EL2, MTE)	\
	R(TRFCR_EL2, TRF)	R(VNCR_EL2, NV2)	R(TCR2_EL2, TCR2)	\
	R(SCTLR2_EL2, SCTLR2)	R(PIR_EL2, S1PIE)	R(PIRE0_EL2, S1PIE)

struct context {
	struct frame frame;
#define FIELD(reg, need) u64 reg##_;
	EL2_REGS(FIELD)
};

struct cpu {
	enum world world;
	struct context context[2];
};

static struct cpu cpus[MAX_CPUS];
static bool has[NR_FEATURES];

static void find_features(void)
{
	u64 pfr0 = read_sysreg(id_aa64pfr0_el1), pfr1 = read_sysreg(ID_AA64PFR1_EL1);
	u64 mmfr0 = read_sysreg(id_aa64mmfr0_el1), mmfr1 = read_sysreg(id_aa64mmfr1_el1);
	u64 mmfr2 = read_sysreg(ID_AA64MMFR2_EL1), mmfr3 = read_sysreg(ID_AA64MMFR3_EL1);

	has[ALWAYS] = true;
	has[SVE] = field(pfr0, 32);
	has[RAS] = field(pfr0, 28);
	has[CSV2] = field(pfr0, 56) >= 2;
	has[MTE] = field(pfr1, 8) >= 2;
	has[SME] = field(pfr1, 24);
	has[SME2] = field(pfr1, 24) >= 2;
	has[GCS] = field(pfr1, 44);
	has[FGT] = field(mmfr0, 56);
	has[AMU_FGT] = has[FGT] && field(pfr0, 44);
	has[ECV] = field(mmfr0, 60) >= 2;
	has[HCX] = field(mmfr1, 40);
	has[TRF] = field(read_sysreg(id_aa64dfr0_el1), 40);
	has[NV2] = field(mmfr2, 24) >= 2;
	has[TCR2] = field(mmfr3, 0);
	has[SCTLR2] = field(mmfr3, 4);
	has[S1PIE] = field(mmfr3, 8);
}

static u64 scr_of(enum world world)
{
	u64 scr = SCR_LOWER | (world == WORLD_REALM ? SCR_NSE : 0);

	scr |= has[CSV2] ? SCR_ENSCXT : 0;
	scr |= has[MTE] ? SCR_ATA : 0;
	scr |= has[FGT] ? SCR_FGTEN : 0;
	scr |= has[ECV] ? SCR_ECVEN : 0;
	scr |= has[AMU_FGT] ? SCR_AMVOFFEN : 0;
	scr |= has[HCX] ? SCR_HXEN : 0;
	scr |= has[SME] ? SCR_ENTP2 : 0;
	scr |= has[TCR2] ? SCR_TCR2EN : 0;
	scr |= has[SCTLR2] ? SCR_SCTLR2EN : 0;
	scr |= has[S1PIE] ? SCR_PIEN : 0;
	scr |= has[GCS] ? SCR_GCSEN : 0;
	return scr;
}

/* Nothing that a lower world does with an optional feature traps to EL3. */
void cpu_enable_features(void)
{
	if (!cpu_index())
		find_features();
	write_sysreg((has[SVE] ? CPTR_EZ : 0) | (has[SME] ? CPTR_ESM : 0), cptr_el3);
	write_sysreg(MDCR_NSPB_NS | MDCR_NSTB_NS, mdcr_el3);
	write_sysreg(scr_of(WORLD_NS), scr_el3);
	isb();
	if (has[SVE])
		write_sysreg(ZCR_LEN_ALL, ZCR_EL3);
	if (has[SME])
		write_sysreg(SMCR_LEN_ALL | SMCR_FA64 | (has[SME2] ? SMCR_EZT0 : 0), SMCR_EL3);
	isb();
}

static struct cpu *this_cpu(void)
{
	return &cpus[cpu_index()];
}

enum world world_current(void)
{
	return this_cpu()->world;
}

void world_become(enum world world)
{
	this_cpu()->world = world;
	write_sysreg(scr_of(world), scr_el3);
	isb();
}

/* As after a reset, as far as a world that boots relies on it. */
void world_reset_el2(void)
{
	write_sysreg(0, hcr_el2);
	write_sysreg(SCTLR_RES1, sctlr_el2);
	write_sysreg(0, cptr_el2);
	write_sysreg(0, mdcr_el2);
	write_sysreg(0, cntvoff_el2);
	write_sysreg(read_sysreg(midr_el1), vpidr_el2);
	write_sysreg(read_sysreg(mpidr_el1), vmpidr_el2);
	write_sysreg(0, ICH_HCR_EL2);
	if (has[FGT]) {
		write_sysreg(0, HFGRTR_EL2);
		write_sysreg(0, HFGWTR_EL2);
		write_sysreg(0, HFGITR_EL2);
		write_sysreg(0, HDFGRTR_EL2);
		write_sysreg(0, HDFGWTR_EL2);
	}
	if (has[HCX])
		write_sysreg(0, HCRX_EL2);
	isb();
}

void world_save(enum world world, const struct frame *frame)
{
	struct context *c = &this_cpu()->context[world];

	c->frame = *frame;
#define SAVE(reg, need)							\
	if (has[need])							\
		c->reg##_ = read_sysreg(reg);
	EL2_REGS(SAVE)
}

void world_load(enum world world, struct frame *frame)
{
	const struct context *c = &this_cpu()->context[world];

	world_become(world);
	*frame = c->frame;
#define LOAD(reg, need)							\
	if (has[need])							\
		write_sysreg(c->reg##_, reg);
	EL2_REGS(LOAD)
	isb();
}
