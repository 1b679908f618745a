/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU state of a REC that the core does not look at, in rmm_vcpu.arch. */
#ifndef RMM_ARCH_H
#define RMM_ARCH_H

#include "rmm.h"
#include "sysreg.h"

/* What R-EL1 and R-EL0 have of their own and the host uses as well. */
#define EL1_REGS(R)							\
	R(sctlr_el1)	R(cpacr_el1)	R(ttbr0_el1)	R(ttbr1_el1)	\
	R(tcr_el1)	R(mair_el1)	R(amair_el1)	R(vbar_el1)	\
	R(esr_el1)	R(far_el1)	R(afsr0_el1)	R(afsr1_el1)	\
	R(elr_el1)	R(spsr_el1)	R(sp_el1)	R(sp_el0)	\
	R(contextidr_el1) R(tpidr_el1)	R(tpidr_el0)	R(tpidrro_el0)	\
	R(cntkctl_el1)	R(par_el1)	R(csselr_el1)	R(mdscr_el1)	\
	R(APIAKEYLO)	R(APIAKEYHI)	R(APIBKEYLO)	R(APIBKEYHI)	\
	R(APDAKEYLO)	R(APDAKEYHI)	R(APDBKEYLO)	R(APDBKEYHI)	\
	R(APGAKEYLO)	R(APGAKEYHI)					\
	R(cntp_cval_el0) R(cntp_ctl_el0) R(cntv_cval_el0) R(cntv_ctl_el0)

#define APIAKEYLO	S3_0_C2_C1_0
#define APIAKEYHI	S3_0_C2_C1_1
#define APIBKEYLO	S3_0_C2_C1_2
#define APIBKEYHI	S3_0_C2_C1_3
#define APDAKEYLO	S3_0_C2_C2_0
#define APDAKEYHI	S3_0_C2_C2_1
#define APDBKEYLO	S3_0_C2_C2_2
#define APDBKEYHI	S3_0_C2_C2_3
#define APGAKEYLO	S3_0_C2_C3_0
#define APGAKEYHI	S3_0_C2_C3_1

struct el1_state {
#define FIELD(reg) u64 reg##_;
	EL1_REGS(FIELD)
};

#define ZCR_EL1		S3_0_C1_C2_0
#define ZCR_LEN_ALL	0xfUL

#define NR_LRS_MAX	16

struct gic_state {
	u64 hcr;
	u64 vmcr;
	u64 ap0r0;
	u64 ap1r0;
	u64 lrs[NR_LRS_MAX];
};

/* V0..V31, FPSR, FPCR: known to realm_entry.S. */
struct fp_state {
	u64 v[64];
	u64 fpsr;
	u64 fpcr;
};

/* Breakpoints, watchpoints and, of the host alone, the OS Lock. */
struct debug_state {
	u64 bvr[16];
	u64 bcr[16];
	u64 wvr[16];
	u64 wcr[16];
	bool locked;
};

/* Event counters by number, and those of cycles; the number of PMCR_EL0.N is the CPU's. */
#define NR_CTRS_MAX	31

struct pmu_state {
	u64 pmcr;
	u64 cntenset;
	u64 intenset;
	u64 ovsset;
	u64 selr;
	u64 userenr;
	u64 ccntr;
	u64 ccfiltr;
	u64 evcntr[NR_CTRS_MAX];
	u64 evtyper[NR_CTRS_MAX];
};

/* Vectors and predicates at any length, in granules: two halves of Z, then P and FFR. */
enum {
	SVE_Z_LOW,
	SVE_Z_HIGH,
	SVE_P,
	SVE_GRANULES,
};

struct arch_state {
	u64 pstate;
	bool sve;
	u8 sve_vl;
	u64 zcr;
	u64 ap0r0;
	u64 ap1r0;
	u64 num_bps;
	u64 num_wps;
	bool pmu;
	u8 pmu_num_ctrs;
	struct el1_state el1;
	struct fp_state fp;
	struct debug_state debug;
	struct pmu_state pmu_state;
};
static_assert(sizeof(struct arch_state) <= RMM_PORT_WORDS * sizeof(u64), "");
static_assert(offsetof(struct rmm_vcpu, gprs) == 0, "realm_entry.S expects it first");

#define PSTATE_EL1H_MASKED	0x3c5UL

static inline struct arch_state *arch_of(struct rmm_vcpu *v)
{
	return (struct arch_state *)v->arch;
}

/* realm_entry.S */
u64 realm_enter(struct rmm_vcpu *v);
void fp_save(struct fp_state *fp);
void fp_restore(const struct fp_state *fp);
void sve_save(void *const at[SVE_GRANULES]);
void sve_restore(void *const at[SVE_GRANULES]);
u64 sve_vector_bytes(void);

/* Fields of ID_AA64DFR0_EL1. */
#define DFR0_PMUVER		8
#define DFR0_BRPS		12
#define DFR0_WRPS		20

/* The register of a trapped MRS or MSR. */
struct sysreg_access {
	u32 op0, op1, crn, crm, op2, rt;
	bool read;
};

/* wfx.c: the syndrome of a trap from @pc as the architecture has it. */
u64 wfx_syndrome(u64 esr, u64 pc, u64 pstate);

/* debug.c */
void debug_save(struct debug_state *d);
void debug_load(const struct debug_state *d);
bool debug_access(struct arch_state *a, const struct sysreg_access *s, u64 *value);

/* pmu.c */
bool cpu_has_pmu(void);
u64 pmu_nr_counters(void);
u64 pmu_mdcr(u64 nr_counters);
void pmu_save(struct pmu_state *p);
void pmu_load(const struct pmu_state *p);
bool pmu_overflows(const struct pmu_state *p);

/* gic.c */
unsigned int gic_nr_lrs(void);
void gic_save(struct gic_state *gic);
void gic_load(const struct gic_state *gic);

/* stage2.c */
void stage2_load(const struct rmm_s2 *s2);

/* features.c */
u64 features_of_cpu(void);
bool cpu_has_sve(void);
u64 id_register(const struct arch_state *a, u32 crm, u32 op2);

#endif
