// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance counters: the host's put aside while a REC runs, so that it neither sees what
 * a realm does nor loses what it counts itself, and a realm's.
 */
#include "arch.h"

#define PMUVER_IMP_DEF		0xf
#define PMCR_E			BIT(0)
#define PMCR_C			BIT(2)
#define PMCR_P			BIT(1)
#define PMCR_N_SHIFT		11
#define PMCR_N_MASK		0x1fUL
/* All event counters and the one of cycles. */
#define ALL_COUNTERS		0xffffffffUL
/* No counter that R-EL1 reaches counts at R-EL2, the one of cycles included. */
#define MDCR_HPMD		BIT(17)
#define MDCR_HCCD		BIT(23)

bool cpu_has_pmu(void)
{
	u64 version = field(read_sysreg(id_aa64dfr0_el1), DFR0_PMUVER);

	return version && version != PMUVER_IMP_DEF;
}

u64 pmu_nr_counters(void)
{
	return cpu_has_pmu() ? read_sysreg(pmcr_el0) >> PMCR_N_SHIFT & PMCR_N_MASK : 0;
}

/* MDCR_EL2 for R-EL1 with the first @nr_counters event counters: PMCR_EL0.E is theirs. */
u64 pmu_mdcr(u64 nr_counters)
{
	return MDCR_HPMD | MDCR_HCCD | nr_counters;
}

/* With PMCR_EL0.E over all of them. */
static void stop(void)
{
	write_sysreg(0, pmcr_el0);
	write_sysreg(pmu_mdcr(pmu_nr_counters()), mdcr_el2);
	isb();
}

static void select_counter(u64 i)
{
	write_sysreg(i, pmselr_el0);
	isb();
}

/* Leaves the counters stopped, all of them R-EL1's, and their interrupt low. */
void pmu_save(struct pmu_state *p)
{
	u64 i, nr = pmu_nr_counters();

	if (!cpu_has_pmu())
		return;
	p->pmcr = read_sysreg(pmcr_el0);
	stop();
	p->selr = read_sysreg(pmselr_el0);
	p->userenr = read_sysreg(pmuserenr_el0);
	p->cntenset = read_sysreg(pmcntenset_el0);
	p->intenset = read_sysreg(pmintenset_el1);
	p->ovsset = read_sysreg(pmovsset_el0);
	p->ccntr = read_sysreg(pmccntr_el0);
	p->ccfiltr = read_sysreg(pmccfiltr_el0);
	for (i = 0; i < nr; i++) {
		select_counter(i);
		p->evcntr[i] = read_sysreg(pmxevcntr_el0);
		p->evtyper[i] = read_sysreg(pmxevtyper_el0);
	}
}

/*
 * The counters are stopped. QEMU looks at the interrupt when the overflow status changes but
 * not when PMCR_EL0 does, so that comes before.
 */
void pmu_load(const struct pmu_state *p)
{
	u64 i, nr = pmu_nr_counters();

	if (!cpu_has_pmu())
		return;
	write_sysreg(ALL_COUNTERS, pmcntenclr_el0);
	write_sysreg(ALL_COUNTERS, pmintenclr_el1);
	write_sysreg(ALL_COUNTERS, pmovsclr_el0);
	for (i = 0; i < nr; i++) {
		select_counter(i);
		write_sysreg(p->evtyper[i], pmxevtyper_el0);
		write_sysreg(p->evcntr[i], pmxevcntr_el0);
	}
	write_sysreg(p->ccfiltr, pmccfiltr_el0);
	write_sysreg(p->ccntr, pmccntr_el0);
	write_sysreg(p->userenr, pmuserenr_el0);
	write_sysreg(p->selr, pmselr_el0);
	write_sysreg(p->pmcr & ~(PMCR_C | PMCR_P), pmcr_el0);
	isb();
	write_sysreg(p->ovsset, pmovsset_el0);
	write_sysreg(p->intenset, pmintenset_el1);
	write_sysreg(p->cntenset, pmcntenset_el0);
}

/* Whether the PMU asks for an interrupt. */
bool pmu_overflows(const struct pmu_state *p)
{
	return (p->pmcr & PMCR_E) && (p->ovsset & p->intenset);
}
