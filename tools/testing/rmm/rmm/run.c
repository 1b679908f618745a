// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running a REC: the host's registers that R-EL1 and R-EL0 share are put aside, the realm's
 * loaded, and the other way round at the first exception that goes to R-EL2.
 */
#include "arch.h"

#define HCR_RW			BIT(31)
/* Stage 2 with FWB; interrupts to R-EL2; SMC, ID registers, set and way, ACTLR, errors trap. */
#define HCR_REALM		(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(9) | \
				 BIT(10) | BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(22) | \
				 HCR_RW | BIT(36) | BIT(37) | BIT(40) | BIT(41) | BIT(46))
#define HCR_TWI			BIT(13)
#define HCR_TWE			BIT(14)
/* Debug registers, trace; PMU unless the realm has it. */
#define MDCR_REALM		(BIT(9) | BIT(10) | BIT(11) | BIT(19))
#define MDCR_NO_PMU		(BIT(5) | BIT(6))
#define CPTR_RES1		(0xffUL | BIT(9) | BIT(13))
#define CPTR_TZ			BIT(8)
/* SVE, SME, trace, AMU. */
#define CPTR_REALM		(CPTR_RES1 | CPTR_TZ | BIT(12) | BIT(20) | BIT(30))
#define CPTR_OWN		(CPTR_RES1 & ~(CPTR_TZ | BIT(12)))
/* EL1 reaches counter and timer; bits that hold back a timer's interrupt. */
#define CNTHCTL_REALM		(BIT(0) | BIT(1))
#define CNTHCTL_CNTVMASK	BIT(18)
#define CNTHCTL_CNTPMASK	BIT(19)
#define TIMER_ENABLE		BIT(0)
#define TIMER_IMASK		BIT(1)
#define TIMER_ISTATUS		BIT(2)
#define ICH_HCR_EN		BIT(0)
#define ICH_MISR_EL2		S3_4_C12_C11_2
#define MPIDR_RES1		BIT(31)
#define SCTLR_EL1_RESET		0x30d00800UL

#define KIND_SYNC		8
#define KIND_IRQ		9
#define KIND_FIQ		10

/* What the host has in this CPU while a REC runs. */
struct host_state {
	struct el1_state el1;
	struct gic_state gic;
	struct fp_state fp;
	struct debug_state debug;
	struct pmu_state pmu;
	u64 zcr_el1;
	u8 sve[SVE_GRANULES][GRANULE_SIZE];
};

static struct host_state hosts[MAX_CPUS];

static void el1_save(struct el1_state *el1)
{
#define SAVE(reg) el1->reg##_ = read_sysreg(reg);
	EL1_REGS(SAVE)
}

static void el1_load(const struct el1_state *el1)
{
#define LOAD(reg) write_sysreg(el1->reg##_, reg);
	EL1_REGS(LOAD)
}

/* At the largest length: the host's own is one of those below it. */
static void host_sve(struct host_state *host, void (*move)(void *const at[SVE_GRANULES]))
{
	void *at[SVE_GRANULES];
	int i;

	for (i = 0; i < SVE_GRANULES; i++)
		at[i] = host->sve[i];
	write_sysreg(ZCR_LEN_ALL, ZCR_EL2);
	isb();
	move(at);
}

/* At the realm's length, in the first of its auxiliary granules. */
static void realm_sve(const struct rmm_vcpu *v, const struct arch_state *a,
		      void (*move)(void *const at[SVE_GRANULES]))
{
	void *at[SVE_GRANULES];
	int i;

	for (i = 0; i < SVE_GRANULES; i++)
		at[i] = rmm_port_map(v->aux[i], RMM_PAS_REALM);
	write_sysreg(a->sve_vl, ZCR_EL2);
	isb();
	move(at);
	for (i = 0; i < SVE_GRANULES; i++)
		rmm_port_unmap(at[i]);
}

static void host_save(struct host_state *host)
{
	el1_save(&host->el1);
	gic_save(&host->gic);
	debug_save(&host->debug);
	pmu_save(&host->pmu);
	write_sysreg(CPTR_OWN, cptr_el2);
	isb();
	/* The V registers are the low part of Z, but FPSR and FPCR are not. */
	fp_save(&host->fp);
	if (cpu_has_sve()) {
		host->zcr_el1 = read_sysreg(ZCR_EL1);
		host_sve(host, sve_save);
	}
}

static void host_restore(struct host_state *host)
{
	write_sysreg(CPTR_OWN, cptr_el2);
	isb();
	fp_restore(&host->fp);
	if (cpu_has_sve()) {
		write_sysreg(host->zcr_el1, ZCR_EL1);
		host_sve(host, sve_restore);
	}
	gic_load(&host->gic);
	debug_load(&host->debug);
	pmu_load(&host->pmu);
	el1_load(&host->el1);
	isb();
}

static bool timer_fires(u64 ctl)
{
	return (ctl & (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS)) ==
	       (TIMER_ENABLE | TIMER_ISTATUS);
}

/* The host was told of a timer that fires: until it stops, its interrupt would only exit again. */
static u64 timer_masks(void)
{
	return (timer_fires(read_sysreg(cntv_ctl_el0)) ? CNTHCTL_CNTVMASK : 0) |
	       (timer_fires(read_sysreg(cntp_ctl_el0)) ? CNTHCTL_CNTPMASK : 0);
}

static void gic_of_realm_load(const struct rmm_vcpu *v, const struct arch_state *a)
{
	struct gic_state gic = {
		.hcr = v->gicv3_hcr | ICH_HCR_EN,
		.vmcr = v->gicv3_vmcr,
		.ap0r0 = a->ap0r0,
		.ap1r0 = a->ap1r0,
	};

	memcpy(gic.lrs, v->gicv3_lrs, sizeof(gic.lrs));
	gic_load(&gic);
}

static void gic_of_realm_save(struct rmm_vcpu *v, struct arch_state *a)
{
	struct gic_state gic = { 0 };

	v->gicv3_misr = read_sysreg(ICH_MISR_EL2);
	gic_save(&gic);
	v->gicv3_hcr = gic.hcr & ~ICH_HCR_EN;
	v->gicv3_vmcr = gic.vmcr;
	a->ap0r0 = gic.ap0r0;
	a->ap1r0 = gic.ap1r0;
	memcpy(v->gicv3_lrs, gic.lrs, sizeof(gic.lrs));
}

/* All counters are stopped, so the number that R-EL1 reaches can change. */
static void pmu_of_realm_load(const struct arch_state *a)
{
	u64 pmu = pmu_mdcr(pmu_nr_counters()) | MDCR_NO_PMU;

	if (a->pmu)
		pmu = pmu_mdcr(a->pmu_num_ctrs);
	write_sysreg(MDCR_REALM | pmu, mdcr_el2);
	pmu_load(&a->pmu_state);
}

static void pmu_of_realm_save(struct rmm_vcpu *v, struct arch_state *a)
{
	pmu_save(&a->pmu_state);
	v->pmu_ovf_status = pmu_overflows(&a->pmu_state);
}

static void realm_load(struct rmm_vcpu *v, const struct rmm_s2 *s2)
{
	struct arch_state *a = arch_of(v);

	stage2_load(s2);
	a->el1.cntp_ctl_el0_ = v->cntp_ctl;
	a->el1.cntp_cval_el0_ = v->cntp_cval;
	a->el1.cntv_ctl_el0_ = v->cntv_ctl;
	a->el1.cntv_cval_el0_ = v->cntv_cval;
	write_sysreg(0, cntvoff_el2);
	el1_load(&a->el1);
	debug_load(&a->debug);
	pmu_of_realm_load(a);
	gic_of_realm_load(v, a);
	fp_restore(&a->fp);
	if (a->sve) {
		write_sysreg(a->zcr, ZCR_EL1);
		realm_sve(v, a, sve_restore);
	}
	write_sysreg(read_sysreg(midr_el1), vpidr_el2);
	write_sysreg(v->mpidr | MPIDR_RES1, vmpidr_el2);
	write_sysreg(CNTHCTL_REALM | timer_masks(), cnthctl_el2);
	write_sysreg(a->sve ? CPTR_REALM & ~CPTR_TZ : CPTR_REALM, cptr_el2);
	write_sysreg(HCR_REALM | (v->trap_wfi ? HCR_TWI : 0) | (v->trap_wfe ? HCR_TWE : 0),
		     hcr_el2);
	write_sysreg(v->pc, elr_el2);
	write_sysreg(a->pstate, spsr_el2);
	isb();
}

static void realm_save(struct rmm_vcpu *v)
{
	struct arch_state *a = arch_of(v);

	v->pc = read_sysreg(elr_el2);
	a->pstate = read_sysreg(spsr_el2);
	write_sysreg(HCR_RW, hcr_el2);
	write_sysreg(CPTR_OWN, cptr_el2);
	isb();
	fp_save(&a->fp);
	if (a->sve) {
		a->zcr = read_sysreg(ZCR_EL1);
		realm_sve(v, a, sve_save);
	}
	gic_of_realm_save(v, a);
	pmu_of_realm_save(v, a);
	el1_save(&a->el1);
	v->cntp_ctl = a->el1.cntp_ctl_el0_;
	v->cntp_cval = a->el1.cntp_cval_el0_;
	v->cntv_ctl = a->el1.cntv_ctl_el0_;
	v->cntv_cval = a->el1.cntv_cval_el0_;
}

static enum rmi_exit_reason reason_of(u64 kind)
{
	switch (kind) {
	case KIND_SYNC:
		return RMI_EXIT_SYNC;
	case KIND_IRQ:
		return RMI_EXIT_IRQ;
	case KIND_FIQ:
		return RMI_EXIT_FIQ;
	default:
		return RMI_EXIT_SERROR;
	}
}

void rmm_port_run(struct rmm_vcpu *v, const struct rmm_s2 *s2, struct rmm_trap *trap)
{
	struct host_state *host = &hosts[read_sysreg(tpidr_el2)];

	host_save(host);
	realm_load(v, s2);
	trap->reason = reason_of(realm_enter(v));
	trap->esr = read_sysreg(esr_el2);
	if (trap->reason == RMI_EXIT_SYNC)
		trap->esr = wfx_syndrome(trap->esr, read_sysreg(elr_el2), read_sysreg(spsr_el2));
	trap->far = read_sysreg(far_el2);
	trap->hpfar = read_sysreg(hpfar_el2);
	realm_save(v);
	host_restore(host);
}

static void sve_reset(struct rmm_vcpu *v, const struct rmm_cpu_params *p)
{
	struct arch_state *a = arch_of(v);
	void *va;
	int i;

	a->sve = p->sve;
	a->sve_vl = p->sve_vl;
	for (i = 0; a->sve && i < SVE_GRANULES; i++) {
		va = rmm_port_map(v->aux[i], RMM_PAS_REALM);
		memset(va, 0, GRANULE_SIZE);
		rmm_port_unmap(va);
	}
}

void rmm_port_vcpu_reset(struct rmm_vcpu *v, const struct rmm_cpu_params *p)
{
	struct arch_state *a = arch_of(v);

	memset(v->arch, 0, sizeof(v->arch));
	a->pstate = PSTATE_EL1H_MASKED;
	a->el1.sctlr_el1_ = SCTLR_EL1_RESET;
	sve_reset(v, p);
	a->num_bps = p->num_bps;
	a->num_wps = p->num_wps;
	a->pmu = p->pmu;
	a->pmu_num_ctrs = p->pmu_num_ctrs;
	v->gicv3_hcr = 0;
	memset(v->gicv3_lrs, 0, sizeof(v->gicv3_lrs));
	v->gicv3_misr = 0;
	v->gicv3_vmcr = 0;
	v->cntp_ctl = 0;
	v->cntp_cval = 0;
	v->cntv_ctl = 0;
	v->cntv_cval = 0;
	v->pmu_ovf_status = 0;
	v->trap_wfi = false;
	v->trap_wfe = false;
}
