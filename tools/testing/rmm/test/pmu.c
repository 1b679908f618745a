// SPDX-License-Identifier: GPL-2.0-only
/* Performance counters of a realm, and those of its host beside them. */
#include "realm.h"

#define DFR0_PMUVER_SHIFT	8
#define PMCR_E			BIT(0)
#define PMCR_N(pmcr)		((pmcr) >> 11 & 0x1f)
#define REALM_COUNTERS		2
#define HOST_COUNT		77
#define HOST_CYCLES		0x123456789aUL
/* An event that the CPU does not have: counts nothing. */
#define HOST_EVENT		0x3ff

static bool rmm_has_pmu(void)
{
	u64 x[SMC_REGS] = { RMI_FEATURES };

	smc_call(x);
	return (x[1] & RMI_FEATURE0_PMU_EN) && RMI_FEATURE0_PMU_NUM_CTRS(x[1]) >= REALM_COUNTERS;
}

/* Counter 0 counts the increments of software, counter 1 has run over. */
static void set_host_pmu(void)
{
	write_sysreg(0, pmcr_el0);
	write_sysreg(0, pmselr_el0);
	isb();
	write_sysreg(0, pmxevtyper_el0);
	write_sysreg(HOST_COUNT, pmxevcntr_el0);
	write_sysreg(HOST_CYCLES, pmccntr_el0);
	write_sysreg(1, pmselr_el0);
	isb();
	write_sysreg(HOST_EVENT, pmxevtyper_el0);
	write_sysreg(1, pmcntenset_el0);
	write_sysreg(2, pmovsset_el0);
	write_sysreg(1, pmuserenr_el0);
	write_sysreg(PMCR_E, pmcr_el0);
	isb();
}

static void check_host_pmu(void)
{
	expect("the host's counters are on", read_sysreg(pmcr_el0) & PMCR_E, PMCR_E);
	expect("as one of them is", read_sysreg(pmcntenset_el0), 1);
	expect("one has run over", read_sysreg(pmovsset_el0), 2);
	expect("none interrupts", read_sysreg(pmintenset_el1), 0);
	expect("EL0 may use them", read_sysreg(pmuserenr_el0), 1);
	expect("one is selected", read_sysreg(pmselr_el0), 1);
	expect("for its event", read_sysreg(pmxevtyper_el0) & 0xffff, HOST_EVENT);
	write_sysreg(0, pmselr_el0);
	isb();
	expect("the other has not counted for the realm", read_sysreg(pmxevcntr_el0), HOST_COUNT);
	write_sysreg(1, pmselr_el0);
	isb();
	expect("nor has the one of cycles", read_sysreg(pmccntr_el0), HOST_CYCLES);
}

static void run_counters(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("the realm sees two counters", PMCR_N(exit->gprs[0]), REALM_COUNTERS);
	expect("of a PMU", field(exit->gprs[1], DFR0_PMUVER_SHIFT) != 0, true);
	expect("and nothing runs over", exit->pmu_ovf_status, 0);
	check_host_pmu();
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("the first counter outlives an exit", exit->gprs[0], 2);
	expect("selected", exit->gprs[1], 0);
	expect("so does the second", exit->gprs[2], 3);
	expect("both are enabled", exit->gprs[3], 3);
	check_host_pmu();
}

static void run_overflow(void)
{
	const struct rmi_rec_exit *exit = &realm_run()->exit;

	host_interrupt(PMU_INTID, true);
	realm_enter(0, 0, RMI_EXIT_IRQ);
	expect("the host is told of the overflow", exit->pmu_ovf_status, 1);
	check_host_pmu();
	realm_enter(0, 0, RMI_EXIT_IRQ);
	expect("and again, as long as it takes the interrupt", exit->pmu_ovf_status, 1);
	host_interrupt(PMU_INTID, false);
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("the realm sees it", exit->gprs[0], 2);
	expect("the counter has gone past its 32 bits", (u32)exit->gprs[1], 0);
	expect("the host is told until it ends", exit->pmu_ovf_status, 1);
	realm_enter(0, 0, RMI_EXIT_HOST_CALL);
	expect("the realm ends it", exit->gprs[0], 0);
	expect("and so the host is told", exit->pmu_ovf_status, 0);
	check_host_pmu();
}

static void reset_host_pmu(void)
{
	write_sysreg(0, pmcr_el0);
	write_sysreg(1, pmcntenclr_el0);
	write_sysreg(2, pmovsclr_el0);
	write_sysreg(0, pmuserenr_el0);
	isb();
}

void test_pmu(void)
{
	const struct realm_shape shape = {
		.flags = RMI_REALM_FLAG_PMU,
		.pmu_num_ctrs = REALM_COUNTERS,
		.code = pmu_guest,
	};

	if (!rmm_has_pmu()) {
		puts_("skip performance counters in a realm: the CPU has none\n");
		return;
	}
	set_host_pmu();
	realm_build(&shape);
	run_counters();
	run_overflow();
	realm_take_down();
	reset_host_pmu();
}
